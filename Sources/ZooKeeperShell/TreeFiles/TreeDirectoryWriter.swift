import JSONFormat
import ZooKeeperProtocol
import ZooKeeperTrees

/// Writes a subtree as a directory: the layout is that of `TarWriter`, and `.zkcli-tree.jsonl` at the top says what
/// files do not have.
///
/// A directory that was written before can be brought up to date: files of znodes that have not changed since are left
/// alone, and those of znodes that are gone are removed.
struct TreeDirectoryWriter: TreeFileWriter {
  private let top: OpenDirectory
  /// The directories on the way to the znode that was written last, and their names.
  private var open: [(name: String, directory: OpenDirectory)] = []
  /// Whether it is a file or a directory shows only with the next one.
  private var last: TreeEntry?
  private var index: [UInt8] = []
  /// What an earlier run has written, by the path of the znode.
  private var known: [String: TreeDirectoryIndex.Line]
  private(set) var refusals: [(path: String, reason: String)] = []

  /// So many directories may be open at a time.
  static let depthLimit = 200

  /// - Parameter resumes: whether the directory may have files already, of this subtree.
  /// - Throws: exit code 4 if it has and may not; 12 with the operating system's reason.
  init(_ path: String, resumes: Bool) throws(ShellError) {
    top = try OpenDirectory(path)
    known = resumes ? try TreeDirectoryIndex.read(in: top) : [:]
    if !resumes, try !top.entries().isEmpty {
      throw ShellError(
        .conflict, "File", "the directory \(path) is not empty",
        hint: "--resume brings an export up to date; any other directory must be empty")
    }
  }

  /// Takes the next znode.
  mutating func add(_ entry: TreeEntry) throws(ShellError) {
    if let last {
      try write(last, hasChildren: ZnodePath.isWithin("/" + entry.path, "/" + last.path))
    }
    last = entry
  }

  /// Writes what is left, and ends the file.
  mutating func finish() throws(ShellError) {
    if let last { try write(last, hasChildren: false) }
    try removeStale()
    while let last = open.popLast() { last.directory.close() }
    try top.write(index, to: TreeFileName.index)
    top.close()
  }

  private mutating func write(_ entry: TreeEntry, hasChildren: Bool) throws(ShellError) {
    let names = entry.path.utf8.split(separator: UInt8(ascii: "/")).map { TreeFileName.encode(name: $0) }
    guard names.count < Self.depthLimit else {
      return refusals.append((entry.path, "it is too deep for a directory; the formats jsonl and tar have no limit"))
    }
    guard names.allSatisfy({ $0.utf8.count <= TreeFileName.limitBytes }) else {
      return refusals.append((entry.path, "its name is too long for a file; the formats jsonl and tar have no limit"))
    }
    let line = TreeDirectoryIndex.Line(entry)
    let former = known.removeValue(forKey: entry.path)
    let parent = try directory(of: names.dropLast())
    let isDirectory = hasChildren || names.isEmpty
    if isDirectory, let name = names.last { try parent.makeDirectory(name) }
    let holder = isDirectory ? try directory(of: names[...]) : parent
    let file = isDirectory ? TreeFileName.data : names[names.count - 1]
    if isDirectory, entry.data == nil {
      holder.remove(file)
    } else if former != line || line.mzxid == nil || !holder.has(file) {
      try holder.write(entry.data ?? [], to: file)
    }
    index += line.bytes(path: entry.path)
  }

  /// The open directory with that path of names.
  private mutating func directory(of names: ArraySlice<String>) throws(ShellError) -> OpenDirectory {
    var common = 0
    while common < open.count, common < names.count, open[common].name == names[common] { common += 1 }
    while open.count > common { open.removeLast().directory.close() }
    for name in names[common...] {
      let parent = open.last?.directory ?? top
      open.append((name, try parent.directory(name)))
    }
    return open.last?.directory ?? top
  }

  /// Removes the files of znodes that have gone since the last run.
  private mutating func removeStale() throws(ShellError) {
    for path in known.keys.sorted() {
      let names = path.utf8.split(separator: UInt8(ascii: "/")).map { TreeFileName.encode(name: $0) }
      guard let name = names.last else { continue }
      do throws(ShellError) {
        let parent = try directory(of: names.dropLast())
        parent.remove(name)
        if parent.has(name) { try directory(of: names[...]).remove(TreeFileName.data) }
      } catch {
        // Its directory has gone as well.
        continue
      }
    }
    while let last = open.popLast() { last.directory.close() }
    for path in known.keys.sorted(by: >) { try removeDirectory(path) }
  }

  /// Removes the directory of a znode that has gone, if nothing is left in it.
  private mutating func removeDirectory(_ path: String) throws(ShellError) {
    let names = path.utf8.split(separator: UInt8(ascii: "/")).map { TreeFileName.encode(name: $0) }
    guard let name = names.last else { return }
    do throws(ShellError) {
      try directory(of: names.dropLast()).removeDirectory(name)
    } catch {
      return
    }
  }
}

/// What an export into a directory says beside the files: a line of JSON for each znode.
enum TreeDirectoryIndex {
  /// What a line says of a znode.
  struct Line: Hashable {
    var isNull: Bool
    var acl: [ACL]?
    /// The transaction that set the data, and the version of the ACL: whether the znode has changed since.
    var mzxid: String?
    var aversion: Int64?

    init(isNull: Bool, acl: [ACL]?, mzxid: String?, aversion: Int64?) {
      self.isNull = isNull
      self.acl = acl
      self.mzxid = mzxid
      self.aversion = aversion
    }

    init(_ entry: TreeEntry) {
      self.init(
        isNull: entry.data == nil, acl: entry.acl, mzxid: entry.stat.map { "\($0.mzxid)" },
        aversion: entry.stat.map { Int64($0.aversion) })
    }

    /// The line as it is written.
    func bytes(path: String) -> [UInt8] {
      var members: [(key: String, value: JSON)] = [("path", .string("/" + path)), ("null", .bool(isNull))]
      if let acl { members.append(("acl", .array(acl.map { JSON.of($0) }))) }
      if let mzxid { members.append(("mzxid", .string(mzxid))) }
      if let aversion { members.append(("aversion", .number(aversion))) }
      return JSON.object(members).bytes + [0x0a]
    }
  }

  /// The lines by the paths of their znodes; none where there is no such file.
  ///
  /// - Throws: exit code 12 if it cannot be read, or a line is damaged.
  static func read(in directory: OpenDirectory) throws(ShellError) -> [String: Line] {
    guard directory.has(TreeFileName.index) else { return [:] }
    let name = "\(directory.name)/\(TreeFileName.index)"
    var lines: [String: Line] = [:]
    for (number, text) in try directory.read(TreeFileName.index).split(separator: 0x0a).enumerated() {
      guard let document = JSONReader.read([UInt8](text)), let path = document["path"]?.text, path.hasPrefix("/") else {
        throw .badTreeFile("\(name):\(number + 1)", "it is not a JSON object with a path")
      }
      var acl: [ACL]?
      if let list = document["acl"] { acl = try ValueParser.acl(Word(bytes: list.bytes)) }
      var aversion: Int64?
      if case .number(let number)? = document["aversion"] { aversion = number }
      var isNull = false
      if case .bool(true)? = document["null"] { isNull = true }
      lines[String(path.dropFirst())] = Line(
        isNull: isNull, acl: acl, mzxid: document["mzxid"]?.text, aversion: aversion)
    }
    return lines
  }
}
