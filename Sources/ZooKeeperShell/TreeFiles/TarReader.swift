import ZooKeeperProtocol
import ZooKeeperTrees

/// Reads a subtree from a tar archive of `TarWriter` or any other program: files and directories become znodes.
///
/// Nothing is written to a file system here; nevertheless, an entry with an absolute name or with `..` is an error, and
/// links and devices are refused. A directory is returned before its contents.
struct TarReader: TreeFileReader {
  private var input: ByteSource
  private(set) var refusals: [(path: String, reason: String)] = []
  /// The data of directories that does not directly follow them in the archive, by path.
  private let misplacedData: [String: [UInt8]]
  /// The data that has been found so far, during the first reading; nil otherwise.
  private var found: [String: [UInt8]]?
  private var foundBytes = 0
  /// Whether the archive was written by `TarWriter`, so that entries without an ACL have the open one.
  private var isMarked = false
  /// A directory whose data may be the next entry.
  private var directory: TreeEntry?
  /// A file after a directory without data.
  private var held: TreeEntry?
  /// The next entries, if directories had to be added for one.
  private var queue: [TreeEntry] = []
  /// The directories that have been returned, in an archive of another program.
  private var directories: Set<String> = []

  /// An entry of the archive.
  private enum Item {
    case directory(TreeEntry)
    case file(TreeEntry)
    /// The data of the directory with a path.
    case data([UInt8], of: String)
    case refused
  }

  /// The maximum content of an entry: far more than a znode can have.
  static let sizeLimitBytes = 64 << 20
  /// The maximum length of an entry's records.
  static let recordLimitBytes = 1 << 20

  /// The maximum of misplaced data in bytes, all of which is in memory.
  static let misplacedLimitBytes = 64 << 20

  init(_ input: ByteSource) {
    self.input = input
    misplacedData = [:]
  }

  /// Reads an archive that can be read twice, so that the data of a directory can be anywhere in it.
  ///
  /// - Parameter first: the archive, for the first reading.
  /// - Throws: as `next`.
  init(_ input: ByteSource, after first: ByteSource) throws(ShellError) {
    self.input = input
    var scout = TarReader(first)
    scout.found = [:]
    // Archives of this program are in order, so the first reading can end at the mark.
    while !scout.isMarked, try scout.next() != nil {}
    misplacedData = scout.found ?? [:]
  }

  mutating func next() throws(ShellError) -> TreeEntry? {
    while queue.isEmpty {
      guard let entry = try nextInOrder() else { return nil }
      if isMarked || addDirectories(of: entry) { queue.append(entry) }
    }
    var entry = queue.removeFirst()
    if entry.lacksData, let data = misplacedData[entry.path] { (entry.data, entry.lacksData) = (data, false) }
    return entry
  }

  /// Adds the directories of an entry that do not precede it in the archive, because not all programs write them.
  ///
  /// - Returns: false if the entry is a directory that has already been added.
  private mutating func addDirectories(of entry: TreeEntry) -> Bool {
    if entry.lacksData, directories.contains(entry.path) { return false }
    // The depth is limited, because the paths of all directories on the way would need quadratic space.
    let depth = entry.path.utf8.count { $0 == UInt8(ascii: "/") }
    guard depth < TreeDirectoryWriter.depthLimit else { return true }
    var path = entry.path
    if entry.lacksData || path.isEmpty { directories.insert(path) }
    while !path.isEmpty {
      path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
      guard directories.insert(path).inserted else { break }
      var directory = TreeEntry(path: path, data: nil)
      directory.lacksData = true
      queue.insert(directory, at: 0)
    }
    return true
  }

  private mutating func nextInOrder() throws(ShellError) -> TreeEntry? {
    if let entry = held {
      held = nil
      return entry
    }
    while let item = try nextItem() {
      let waiting = directory
      switch item {
      case .refused: break
      case .directory(let entry):
        directory = entry
        if let waiting { return waiting }
      case .data(let data, let path):
        guard var entry = waiting, entry.path == path else {
          keepMisplaced(data, of: path)
          break
        }
        directory = nil
        if directories.contains(path) {
          keepMisplaced(data, of: path)
          break
        }
        (entry.data, entry.lacksData) = (data, false)
        return entry
      case .file(let entry):
        guard let waiting else { return entry }
        directory = nil
        held = entry
        return waiting
      }
    }
    defer { directory = nil }
    return directory
  }

  /// Records data that does not directly follow its directory, which has been returned without it.
  private mutating func keepMisplaced(_ data: [UInt8], of path: String) {
    if found != nil, foundBytes + data.count <= Self.misplacedLimitBytes {
      foundBytes += data.count
      found?[path] = data
    } else if misplacedData[path] == nil {
      refusals.append(("\(path)/\(TreeFileName.data)", "it does not follow its directory in the archive"))
    }
  }

  /// The path of the znode for a file's path; nil if a name is not valid for a znode.
  private func decoded(_ path: ArraySlice<Substring.UTF8View>) -> String? {
    var names: [String] = []
    for part in path {
      guard part.first != UInt8(ascii: "."), let name = TreeFileName.decode(part) else { return nil }
      names.append(name)
    }
    return names.joined(separator: "/")
  }

  /// The next entry; nil at the end.
  private mutating func nextItem() throws(ShellError) -> Item? {
    var records: [String: [UInt8]] = [:]
    var longName: String?
    while true {
      let block = try input.peek(TarFormat.blockBytes)
      if block.isEmpty || block.allSatisfy({ $0 == 0 }) { return nil }
      guard block.count == TarFormat.blockBytes, let head = TarFormat.head(block) else {
        throw .badTreeFile(input.name, "it is not a tar archive, or is damaged")
      }
      _ = try input.skip(TarFormat.blockBytes)
      switch TarFormat.Kind(rawValue: head.kind) {
      case .extended?, .global?:
        let content = try content(of: head, limit: Self.recordLimitBytes)
        guard let read = TarFormat.readRecords(content) else {
          throw .badTreeFile(input.name, "the records of an entry are malformed")
        }
        if head.kind == TarFormat.Kind.extended.rawValue {
          records = read
        } else if read[TarWriter.mark] != nil {
          isMarked = true
        }
      case .longName?:
        longName = String(decoding: try content(of: head, limit: 65_536).prefix { $0 != 0 }, as: UTF8.self)
      default:
        var head = head
        if let longName { head.name = longName }
        if let path = records["path"] { head.name = String(decoding: path, as: UTF8.self) }
        if let size = records["size"], let number = Int(String(decoding: size, as: UTF8.self)) { head.size = number }
        return try item(head, records)
      }
    }
  }

  private mutating func item(
    _ head: TarFormat.Head, _ records: [String: [UInt8]]
  ) throws(ShellError) -> Item {
    guard (0...Self.sizeLimitBytes).contains(head.size) else { throw tooLarge(head) }
    let parts = try parts(of: head.name)
    let isDirectory = head.kind == TarFormat.Kind.directory.rawValue
    let isData = parts.last.map { $0.elementsEqual(TreeFileName.data.utf8) } ?? false
    let isIndex = parts.last.map { $0.elementsEqual(TreeFileName.index.utf8) } ?? false
    guard isDirectory || head.kind == TarFormat.Kind.file.rawValue, !isIndex,
      let path = decoded(isData ? parts.dropLast() : parts[...])
    else {
      let isFile = isDirectory || head.kind == TarFormat.Kind.file.rawValue
      if !isIndex {
        refusals.append(
          (head.name, isFile ? "its name is not valid for a znode" : "it is neither a file nor a directory"))
      }
      // Links have no content, whatever size they state.
      if isFile, try !input.skip(head.size + TarFormat.padding(after: head.size)) { throw truncated() }
      return .refused
    }
    let content = try content(of: head, limit: Self.sizeLimitBytes)
    if isData { return .data(content, of: path) }
    var acl: [ACL]? = isMarked ? ACL.openUnsafe : nil
    if let text = records[TarWriter.aclKey] { acl = try ValueParser.acl(Word(bytes: text)) }
    if isDirectory {
      var entry = TreeEntry(path: path, data: nil, acl: acl)
      entry.lacksData = !isMarked
      return .directory(entry)
    }
    return .file(TreeEntry(path: path, data: records[TarWriter.nullKey] == nil ? content : nil, acl: acl))
  }

  private mutating func content(of head: TarFormat.Head, limit: Int) throws(ShellError) -> [UInt8] {
    guard (0...limit).contains(head.size) else { throw tooLarge(head) }
    let content = try input.read(head.size)
    guard content.count == head.size, try input.skip(TarFormat.padding(after: head.size)) else { throw truncated() }
    return content
  }

  private func tooLarge(_ head: TarFormat.Head) -> ShellError {
    .badTreeFile(input.name, "\(head.name) has \(head.size) bytes, more than a znode can have")
  }

  private func truncated() -> ShellError { .badTreeFile(input.name, "it ends in the middle of an entry") }

  /// The names of the path below the root of the archive.
  private func parts(of name: String) throws(ShellError) -> ArraySlice<Substring.UTF8View> {
    let parts = name.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
    guard !name.hasPrefix("/"), !parts.contains(where: { $0.elementsEqual("..".utf8) }) else {
      throw .badTreeFile(input.name, "the entry \(Tokenizer.quote(Word(name))) points out of the archive")
    }
    return parts[...]
  }
}
