import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A buffered reader of a descriptor.
struct ByteSource {
  /// The name for messages.
  let name: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var position = 0
  private var hasEnded = false

  /// The maximum length of a line, which is more than any znode needs.
  static let lineLimitBytes = 64 << 20

  init(_ descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// The next bytes without consuming them: `count`, or fewer at the end.
  ///
  /// - Throws: exit code 12 with the operating system's reason; `Cancelled`.
  mutating func peek(_ count: Int) throws(ShellError) -> ArraySlice<UInt8> {
    while buffer.count - position < count, !hasEnded { try fill() }
    return buffer[position..<min(position + count, buffer.count)]
  }

  /// The next bytes: `count`, or fewer at the end.
  mutating func read(_ count: Int) throws(ShellError) -> [UInt8] {
    let bytes = [UInt8](try peek(count))
    position += bytes.count
    return bytes
  }

  /// Skips bytes; false if there were not enough.
  mutating func skip(_ count: Int) throws(ShellError) -> Bool {
    var missing = count
    while missing > 0 {
      let part = try peek(min(missing, 65_536)).count
      guard part > 0 else { return false }
      position += part
      missing -= part
    }
    return true
  }

  /// The next line without its line end; nil at the end.
  ///
  /// - Throws: exit code 12 if it is longer than `lineLimitBytes`.
  mutating func line() throws(ShellError) -> [UInt8]? {
    var searched = position
    while true {
      if let end = newline(from: searched) {
        defer { position = end + 1 }
        return [UInt8](buffer[position..<end])
      }
      guard !hasEnded else {
        guard position < buffer.count else { return nil }
        defer { position = buffer.count }
        return [UInt8](buffer[position...])
      }
      guard buffer.count - position <= Self.lineLimitBytes else {
        throw .badTreeFile(name, "a line has more than \(Self.lineLimitBytes >> 20) MiB")
      }
      let length = buffer.count - position
      try fill()
      searched = position + length
    }
  }

  /// The index of the next newline in the buffer.
  private func newline(from start: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard start < bytes.count, let base = bytes.baseAddress else { return nil }
      guard let found = memchr(base + start, 0x0a, bytes.count - start) else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  private mutating func fill() throws(ShellError) {
    buffer.removeFirst(position)
    position = 0
    let chunk = try FileIO.readSome(descriptor, name: name)
    if chunk.isEmpty { hasEnded = true }
    buffer += chunk
  }
}

/// A buffered writer of a file.
struct ByteSink {
  /// Writes bytes.
  private let take: ([UInt8]) throws(ShellError) -> Void
  /// Ends the file.
  private let end: () throws(ShellError) -> Void
  private var pending: [UInt8] = []

  private static let bufferBytes = 64 << 10

  init(
    write take: @escaping ([UInt8]) throws(ShellError) -> Void,
    finish end: @escaping () throws(ShellError) -> Void = { () throws(ShellError) in }
  ) {
    self.take = take
    self.end = end
  }

  /// Writes bytes.
  mutating func write(_ bytes: some Collection<UInt8>) throws(ShellError) { try write { $0 += bytes } }

  /// Lets `append` append bytes to the buffer.
  mutating func write(_ append: (inout [UInt8]) -> Void) throws(ShellError) {
    append(&pending)
    if pending.count >= Self.bufferBytes { try flush() }
  }

  /// Writes all bytes, and ends the file.
  mutating func finish() throws(ShellError) {
    try flush()
    try end()
  }

  private mutating func flush() throws(ShellError) {
    guard !pending.isEmpty else { return }
    try take(pending)
    pending.removeAll(keepingCapacity: true)
  }
}

/// A new file that gets its name only when it is complete.
struct NewFile {
  private let path: String
  private let partPath: String
  private let descriptor: Int32

  /// - Parameter replaces: whether an existing file is replaced.
  /// - Throws: exit code 4 if a file with the name exists and is not replaced; 12 with the operating system's reason.
  init(_ path: String, replaces: Bool) throws(ShellError) {
    self.path = path
    partPath = path + ".part"
    if !replaces, access(path, F_OK) == 0 {
      throw ShellError(.conflict, "File", "\(path) exists already", hint: "--overwrite replaces it")
    }
    descriptor = open(partPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw FileIO.failure("cannot create \(partPath)", errno) }
  }

  /// The writer of the file.
  var sink: ByteSink {
    ByteSink { [descriptor, partPath] bytes throws(ShellError) in
      if let errorNumber = FileIO.writeAll(bytes, to: descriptor) {
        throw FileIO.failure("cannot write \(partPath)", errorNumber)
      }
    } finish: { [descriptor, path, partPath] () throws(ShellError) in
      guard fsync(descriptor) == 0 else { throw FileIO.failure("cannot write \(partPath)", errno) }
      guard rename(partPath, path) == 0 else { throw FileIO.failure("cannot rename \(partPath) to \(path)", errno) }
      // Closed last: after a failure, `abandon` closes it, and until then its number must not be reused.
      close(descriptor)
    }
  }

  /// Removes the incomplete file, after a failure.
  func abandon() {
    close(descriptor)
    unlink(partPath)
  }
}
