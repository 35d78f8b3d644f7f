import ZooKeeperProtocol
import ZooKeeperTrees

/// Writes a subtree as a tar archive.
///
/// A znode without children is a file. One with children is a directory, and its data, unless null, is the file `.data`
/// in it. Other properties are in records: `ZKCLI.acl` is the ACL as `getAcl` prints it, unless it is
/// `world:anyone:cdrwa`, and `ZKCLI.null` marks a file that stands for null.
struct TarWriter: TreeFileWriter {
  private var output: ByteSink
  /// The last znode, kept because only the next one shows whether it is a file or a directory.
  private var last: TreeEntry?
  let refusals: [(path: String, reason: String)] = []

  /// A record for all entries that marks archives of this program, in which an entry without an ACL has the open one.
  static let mark = "ZKCLI.tree"
  static let aclKey = "ZKCLI.acl"
  static let nullKey = "ZKCLI.null"

  init(_ output: consuming ByteSink) throws(ShellError) {
    self.output = output
    try put(TarFormat.records([(Self.mark, [0x31])]), "pax_global_header", .global, modifiedSeconds: 0)
  }

  /// Adds the next znode.
  mutating func add(_ entry: TreeEntry) throws(ShellError) {
    if let last {
      try write(last, hasChildren: last.path.isEmpty || ZnodePath.isWithin("/" + entry.path, "/" + last.path))
    }
    last = entry
  }

  /// Writes the last znode, and ends the file.
  mutating func finish() throws(ShellError) {
    if let last { try write(last, hasChildren: last.path.isEmpty) }
    try output.write([UInt8](repeating: 0, count: 2 * TarFormat.blockBytes))
    try output.finish()
  }

  private mutating func write(_ entry: TreeEntry, hasChildren: Bool) throws(ShellError) {
    let name = entry.path.isEmpty ? "." : TreeFileName.encode(entry.path)
    let seconds = (entry.stat?.mtimeMilliseconds ?? 0) / 1000
    var records: [(key: String, value: [UInt8])] = []
    if let acl = entry.acl, acl != ACL.openUnsafe {
      records.append((Self.aclKey, [UInt8](acl.map(\.text).joined(separator: ",").utf8)))
    }
    guard hasChildren else {
      if entry.data == nil { records.append((Self.nullKey, [0x31])) }
      return try put(entry.data ?? [], name, .file, records, modifiedSeconds: seconds)
    }
    try put([], name + "/", .directory, records, modifiedSeconds: seconds)
    if let data = entry.data {
      try put(data, "\(name)/\(TreeFileName.data)", .file, modifiedSeconds: seconds)
    }
  }

  private mutating func put(
    _ content: [UInt8], _ name: String, _ kind: TarFormat.Kind, _ records: [(key: String, value: [UInt8])] = [],
    modifiedSeconds: Int64
  ) throws(ShellError) {
    var records = records
    if name.utf8.count > TarFormat.nameBytes { records.append(("path", [UInt8](name.utf8))) }
    if !records.isEmpty {
      try putBlocks(
        TarFormat.records(records), .init(name: "pax_header", kind: TarFormat.Kind.extended.rawValue, size: 0))
    }
    try putBlocks(content, .init(name: name, kind: kind.rawValue, size: 0, modifiedSeconds: modifiedSeconds))
  }

  private mutating func putBlocks(_ content: [UInt8], _ head: TarFormat.Head) throws(ShellError) {
    var head = head
    head.size = content.count
    try output.write { TarFormat.append(head, to: &$0) }
    try output.write(content)
    try output.write(repeatElement(0, count: TarFormat.padding(after: content.count)))
  }
}
