import JSONFormat
import ZooKeeperProtocol
import ZooKeeperTrees

/// Writes a subtree as a directory. The layout is that of `TarWriter`, and `.zkcli-tree.jsonl` at the top has the
/// properties that files do not have.
///
/// A directory that was written before can be updated: files of unchanged znodes are left alone, and those of deleted
/// znodes are removed.
struct TreeDirectoryWriter: TreeFileWriter {
  private let top: OpenDirectory
  /// The open directories on the path of the znode that was written last, with their names.
  private var open: [(name: String, directory: OpenDirectory)] = []
  /// The last znode, kept because only the next one shows whether it is a file or a directory.
  private var last: TreeEntry?
  private var index: [UInt8] = []
  /// The znodes that an earlier run has written, by path.
  private var known: [String: TreeDirectoryIndex.Line]
  private(set) var refusals: [(path: String, reason: String)] = []

  /// The maximum number of open directories, and so the maximum depth.
  static let depthLimit = 200

  /// - Parameter resumes: whether the directory can already contain files of this subtree.
  /// - Throws: exit code 4 if it contains files otherwise; 12 with the operating system's reason.
  init(_ path: String, resumes: Bool) throws(ShellError) {
    top = try OpenDirectory(path)
    known = resumes ? try TreeDirectoryIndex.read(in: top) : [:]
    if !resumes, try !top.entries().isEmpty {
      throw ShellError(
        .conflict, "File", "the directory \(path) is not empty",
        hint: "--resume updates an earlier export; any other directory must be empty")
    }
  }

  /// Adds the next znode.
  mutating func add(_ entry: TreeEntry) throws(ShellError) {
    if let last {
      try write(last, hasChildren: ZnodePath.isWithin("/" + entry.path, "/" + last.path))
    }
    last = entry
  }

  /// Writes the last znode, and ends the export.
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

  /// The open directory with a path.
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

  /// Removes the files of znodes that have been deleted since the last run.
  private mutating func removeStale() throws(ShellError) {
    for path in known.keys.sorted() {
      let names = path.utf8.split(separator: UInt8(ascii: "/")).map { TreeFileName.encode(name: $0) }
      guard let name = names.last else { continue }
      do throws(ShellError) {
        let parent = try directory(of: names.dropLast())
        parent.remove(name)
        if parent.has(name) { try directory(of: names[...]).remove(TreeFileName.data) }
      } catch {
        // Its directory was removed as well.
        continue
      }
    }
    while let last = open.popLast() { last.directory.close() }
    for path in known.keys.sorted(by: >) { try removeDirectory(path) }
  }

  /// Removes the directory of a deleted znode, if it is empty.
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

/// The index of an export into a directory, with a line of JSON for each znode.
enum TreeDirectoryIndex {
  /// The properties of a znode in a line.
  struct Line: Hashable {
    var isNull: Bool
    var acl: [ACL]?
    /// The transaction that set the data and the version of the ACL, which show whether the znode has changed.
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

    /// The text of the line.
    func bytes(path: String) -> [UInt8] {
      var members: [(key: String, value: JSON)] = [("path", .string("/" + path)), ("null", .bool(isNull))]
      if let acl { members.append(("acl", .array(acl.map { JSON.of($0) }))) }
      if let mzxid { members.append(("mzxid", .string(mzxid))) }
      if let aversion { members.append(("aversion", .number(aversion))) }
      return JSON.object(members).bytes + [0x0a]
    }
  }

  /// The lines by the paths of their znodes; empty if there is no index.
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
