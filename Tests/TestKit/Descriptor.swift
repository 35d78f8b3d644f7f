import Foundation

/// A file descriptor that is closed when its last owner releases it.
///
/// Because it is closed in `deinit` only, threads can share it: a number that a blocked `read` still uses is never
/// closed and given to another file in the meantime.
final class Descriptor: Sendable {
  let raw: Int32

  /// Takes over `raw`.
  init(owning raw: Int32) { self.raw = raw }

  deinit { close(raw) }

  /// Reads what there is, waiting for the first byte; empty at the end of the stream.
  func read(atMost limitBytes: Int = 65_536) throws(TestKitError) -> [UInt8] {
    while true {
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: limitBytes) { buffer, initialized in
        count = Foundation.read(raw, buffer.baseAddress, limitBytes)
        initialized = max(0, count)
      }
      if count >= 0 { return bytes }
      if errno != EINTR { throw .systemCall("read") }
    }
  }

  /// Writes all of `bytes`, waiting while the other end is full.
  func write(_ bytes: [UInt8]) throws(TestKitError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(raw, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw .systemCall("write")
      }
    }
  }

  /// Makes a pipe. No child has an end that it was not given, see `spawnProcess`: it would keep the reader from ever
  /// seeing the end of the stream, and with it the watchdogs from noticing that the tests are gone.
  static func pipe() throws(TestKitError) -> (readEnd: Descriptor, writeEnd: Descriptor) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else { throw .systemCall("pipe") }
    // For processes that Foundation starts.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }
}

/// Makes a write to a closed pipe or socket an error instead of the end of the test process; done once.
let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

extension TestKitError {
  /// The error for a failed `call`, with the text of `number`, or of the current `errno`.
  static func systemCall(_ call: String, number: Int32 = errno) -> TestKitError {
    TestKitError(.systemCall, "\(call): \(String(cString: strerror(number)))")
  }
}
