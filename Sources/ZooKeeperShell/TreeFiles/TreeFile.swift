import JSONFormat
import ZooKeeperProtocol
import ZooKeeperTrees

/// The formats of a subtree outside an ensemble.
enum TreeFormat: String, CaseIterable, Sendable {
  /// One JSON object on each line, see `TreeLines`.
  case jsonl
  /// A tar archive, see `TarWriter`.
  case tar
  /// A directory with a file for each znode, see `TreeDirectoryWriter`.
  case directory = "dir"

  /// The format that the name of a file suggests.
  init?(ending name: String) {
    if name.hasSuffix(".tar") {
      self = .tar
    } else if name.hasSuffix(".jsonl") || name.hasSuffix(".json") {
      self = .jsonl
    } else if name.hasSuffix("/") {
      self = .directory
    } else {
      return nil
    }
  }
}

/// Writes the znodes of a subtree, in order.
protocol TreeFileWriter {
  /// - Throws: `ShellError` with exit code 12 if it cannot be written.
  mutating func add(_ entry: TreeEntry) throws(ShellError)

  /// Ends the file.
  ///
  /// - Throws: as `add`.
  mutating func finish() throws(ShellError)

  /// Znodes that the format cannot store, with the reasons.
  var refusals: [(path: String, reason: String)] { get }
}

/// Returns the znodes of a file, a parent before its children.
protocol TreeFileReader: TreeSource {
  /// - Throws: `ShellError` with exit code 12 if the file is malformed or cannot be read.
  mutating func next() throws(ShellError) -> TreeEntry?

  /// Entries of the file that cannot be znodes, with the reasons.
  var refusals: [(path: String, reason: String)] { get }
}

extension TreeFileReader {
  var omissions: TreeOmissions { TreeOmissions() }

  /// All remaining znodes, for callers that need another order.
  mutating func rest() throws(ShellError) -> [TreeEntry] {
    var entries: [TreeEntry] = []
    while let entry = try next() { entries.append(entry) }
    return entries
  }
}

extension ShellError {
  /// The error for a malformed file.
  static func badTreeFile(_ name: String, _ what: String, hint: String? = nil) -> ShellError {
    ShellError(.localInputOutput, "File", "\(name): \(what)", hint: hint)
  }
}

/// Converts names of znodes to names of files and back.
///
/// A percent sign, a dot at the start and control characters are written as `%` and two hexadecimal digits. So no name
/// is `.` or `..`, and names that begin with a dot are available for files that are not znodes.
enum TreeFileName {
  /// The name of the file with the data of a znode that is a directory because it has children.
  static let data = ".data"
  /// The name of the index, which has properties that files do not have: ACLs and null data.
  static let index = ".zkcli-tree.jsonl"
  /// The maximum length of a file name in bytes.
  static let limitBytes = 255

  /// The path of the file for the path of a znode below its root.
  static func encode(_ path: String) -> String {
    var path = path
    // Nearly all paths are plain.
    if path.withUTF8(isPlain) { return path }
    return path.utf8.split(separator: UInt8(ascii: "/")).map { encode(name: $0) }.joined(separator: "/")
  }

  /// Whether a relative path needs no escapes.
  private static func isPlain(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    var previous = UInt8(ascii: "/")
    for byte in path {
      switch byte {
      case UInt8(ascii: "%"), 0..<0x20, 0x7f: return false
      case UInt8(ascii: "."), UInt8(ascii: "/"): if previous == UInt8(ascii: "/") { return false }
      default: break
      }
      previous = byte
    }
    return previous != UInt8(ascii: "/")
  }

  /// The name of a file for the name of a znode.
  static func encode(name: some Collection<UInt8>) -> String {
    var bytes: [UInt8] = []
    for (index, byte) in name.enumerated() {
      switch byte {
      case UInt8(ascii: "%"), 0..<0x20, 0x7f: bytes += [UInt8(ascii: "%")] + Hex.text(byte).uppercased().utf8
      case UInt8(ascii: ".") where index == 0: bytes += "%2E".utf8
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The name of a znode for the name of a file; nil if it cannot be one.
  static func decode(_ name: some Collection<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = name[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%"), rest.count >= 2 else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2).map(\.hexDigit)
      guard let high = digits[0], let low = digits[1] else {
        bytes.append(byte)
        continue
      }
      bytes.append(UInt8(high) << 4 | UInt8(low))
      rest = rest.dropFirst(2)
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(UInt8(ascii: "/")) else { return nil }
    do throws(ZnodePathError) { try ZnodePath.validate("/" + text) } catch { return nil }
    return text
  }
}
