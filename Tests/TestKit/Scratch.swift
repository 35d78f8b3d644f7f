import Foundation
import Synchronization

/// Temporary directories of this test process; they go away with it, even when it crashes.
public enum Scratch {
  private static let nextNumber = Mutex(0)

  /// The directory above all others, and the shell that removes it at the end.
  private static let root = Result<(path: String, sweeper: RunningCommand), TestKitError> { () throws(TestKitError) in
    let temporary = FileManager.default.temporaryDirectory
    var template = Array(temporary.appending(path: "zkcli-tests-XXXXXX").path.utf8CString)
    guard mkdtemp(&template) != nil else { throw .systemCall("mkdtemp") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (path, try RunningCommand("/bin/sh", ["-c", sweep, "sweeper", path]))
  }

  /// Reading ends when the test process does, however that comes about; a server that is still being killed may write
  /// between two removals, hence the attempts.
  private static let sweep = """
    read -r never
    attempts=0
    until rm -rf "$1" 2>/dev/null || [ "$attempts" -eq 50 ]; do
      attempts=$((attempts + 1))
      sleep 0.2
    done
    """

  /// Makes an empty directory whose name starts with `purpose`.
  ///
  /// - Throws: `TestKitError.systemCall`.
  public static func directory(_ purpose: String) throws(TestKitError) -> String {
    let number = nextNumber.withLock { number in
      number += 1
      return number
    }
    let path = "\(try root.get().path)/\(purpose)-\(number)"
    guard mkdir(path, 0o700) == 0 else { throw .systemCall("mkdir \(path)") }
    return path
  }

  /// Writes `text` to the file at `path`.
  ///
  /// - Throws: `TestKitError.systemCall`.
  public static func write(_ text: String, to path: String) throws(TestKitError) {
    let raw = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard raw >= 0 else { throw .systemCall("open \(path)") }
    try Descriptor(owning: raw).write(Array(text.utf8))
  }
}
