#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A temporary file for an edited text, in a new directory that no other user can enter.
///
/// Files that an editor leaves beside it, such as a backup, are removed with the directory.
struct EditorFile: ~Copyable {
  let path: String
  private let directory: String

  /// Creates the directory.
  ///
  /// - Parameter name: the name of the file; unusual characters are replaced.
  /// - Throws: exit code 12 with the operating system's reason.
  init(named name: String) throws(ShellError) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    var template = [CChar]("\(parent.isEmpty ? "/tmp" : parent)/zkcli-edit-XXXXXX".utf8CString)
    // The mode of the directory is 0700.
    guard mkdtemp(&template) != nil else {
      throw FileIO.failure("cannot make a directory in \(parent.isEmpty ? "/tmp" : parent)", errno)
    }
    directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    path = "\(directory)/\(Self.fileName(name))"
  }

  deinit {
    if let entries = opendir(directory) {
      while let entry = readdir(entries) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink("\(directory)/\(name)") }
      }
      closedir(entries)
    }
    rmdir(directory)
  }

  /// Replaces the text.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  func write(_ text: [UInt8]) throws(ShellError) {
    unlink(path)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileIO.failure("cannot create \(path)", errno) }
    defer { close(descriptor) }
    if let errorNumber = FileIO.writeAll(text, to: descriptor) {
      throw FileIO.failure("cannot write \(path)", errorNumber)
    }
  }

  /// The text as the editor has left it.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  func read() throws(ShellError) -> [UInt8] { try FileIO.read(path) }

  /// A name without characters that are special in a shell or an editor; its suffix is kept.
  private static func fileName(_ name: String) -> String {
    let letters = name.utf8.suffix(64).map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        byte
      default: UInt8(ascii: "_")
      }
    }
    let text = String(decoding: letters, as: UTF8.self)
    return text.first == "." || text.first == "-" || text.isEmpty ? "_\(text)" : text
  }
}
