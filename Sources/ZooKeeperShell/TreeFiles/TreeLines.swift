import JSONFormat
import ZooKeeperProtocol
import ZooKeeperTrees

/// A subtree as lines of JSON.
///
/// *Shape*: the first line is `{"zkcli":"tree","version":1,"root":"/app"}`. Each other line is a znode:
/// `{"path":"/a/b","data":"text","encoding":"utf8","acl":[{"scheme":"world","id":"anyone","permissions":"cdrwa"}]}`.
/// The path is that below the root, which is `/` itself; data that is not UTF-8 is in base64, and null is null. `acl`
/// and `encoding` may be left out.
enum TreeLines {
  static let version: Int64 = 1

  /// The first line.
  static func head(root: String) -> [UInt8] {
    JSON.object([("zkcli", .string("tree")), ("version", .number(version)), ("root", .string(root))]).bytes + [0x0a]
  }

  /// The line of a znode.
  ///
  /// - Parameter acl: the znode's ACL as `acl(_:)` writes it; nil leaves it out.
  static func line(_ entry: TreeEntry, acl: [UInt8]?) -> [UInt8] {
    var members: [(key: String, value: JSON)] = [("path", .string("/" + entry.path))]
    members += JSON.encoded(entry.data, .plain)
    if let acl { members.append(("acl", .raw(acl))) }
    var line: [UInt8] = []
    line.reserveCapacity(128 + entry.path.utf8.count + (entry.data?.count ?? 0) * 4 / 3 + (acl?.count ?? 0))
    JSON.object(members).append(to: &line)
    line.append(0x0a)
    return line
  }

  /// An ACL in the line of a znode.
  static func acl(_ acl: [ACL]) -> [UInt8] { JSON.array(acl.map { JSON.of($0) }).bytes }

  /// The znode of a line.
  ///
  /// - Returns: nil for a first line.
  /// - Throws: what is wrong with it, as the rest of a sentence that begins with the place.
  static func entry(_ line: [UInt8]) throws(TreeLineError) -> TreeEntry? {
    guard let document = JSONReader.read(line), case .object = document else {
      throw TreeLineError("it is not a JSON object")
    }
    if let kind = document["zkcli"]?.text {
      guard kind == "tree", case .number(version)? = document["version"] else {
        throw TreeLineError("it is not a subtree of a version that this program can read")
      }
      return nil
    }
    guard let path = document["path"]?.text else { throw TreeLineError("it has no path") }
    do throws(ZnodePathError) { try ZnodePath.validate(path) } catch {
      throw TreeLineError("\(Tokenizer.quote(path)) is not the path of a znode")
    }
    return TreeEntry(path: String(path.dropFirst()), data: try data(document), acl: try acl(document))
  }

  private static func data(_ document: JSON) throws(TreeLineError) -> [UInt8]? {
    switch document["data"] {
    case .null?, nil: return nil
    case .string(let text)?:
      switch document["encoding"] {
      case .string("base64")?:
        guard let bytes = Base64.decode([UInt8](text.utf8)) else { throw TreeLineError("its data is not valid base64") }
        return bytes
      case .string("utf8")?, .null?, nil: return [UInt8](text.utf8)
      default: throw TreeLineError("its encoding is neither utf8 nor base64")
      }
    default: throw TreeLineError("its data is not a string")
    }
  }

  private static func acl(_ document: JSON) throws(TreeLineError) -> [ACL]? {
    guard let list = document["acl"], case .array = list else { return nil }
    do throws(ShellError) { return try ValueParser.acl(list) } catch {
      throw TreeLineError(error.message)
    }
  }
}

/// What is wrong with a line.
struct TreeLineError: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Writes a subtree as lines of JSON.
struct TreeLinesWriter: TreeFileWriter {
  private var output: ByteSink
  /// The ACL of the last znode as it was written: most znodes have that of the one before.
  private var last: (acl: [ACL], text: [UInt8])?
  let refusals: [(path: String, reason: String)] = []

  init(_ output: consuming ByteSink, root: String) throws(ShellError) {
    self.output = output
    try self.output.write(TreeLines.head(root: root))
  }

  /// Takes the next znode.
  mutating func add(_ entry: TreeEntry) throws(ShellError) {
    if let acl = entry.acl, last?.acl != acl { last = (acl, TreeLines.acl(acl)) }
    try output.write(TreeLines.line(entry, acl: entry.acl == nil ? nil : last?.text))
  }

  /// Writes what is left, and ends the file.
  mutating func finish() throws(ShellError) { try output.finish() }
}

/// Reads a subtree from lines of JSON.
struct TreeLinesReader: TreeFileReader {
  private var input: ByteSource
  private var number = 0
  let refusals: [(path: String, reason: String)] = []

  init(_ input: ByteSource) { self.input = input }

  mutating func next() throws(ShellError) -> TreeEntry? {
    while let line = try input.line() {
      number += 1
      // Blank lines are for people.
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      do throws(TreeLineError) {
        if let entry = try TreeLines.entry(line) { return entry }
      } catch {
        throw .badTreeFile("\(input.name):\(number)", error.reason)
      }
    }
    return nil
  }
}
