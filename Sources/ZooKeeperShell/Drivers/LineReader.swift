/// Reads the lines of a descriptor as they arrive, so that commands from a slow pipe run at once.
///
/// A line ends with LF, CR LF or CR. A byte order mark at the start is skipped.
struct LineReader {
  private let descriptor: Int32
  private let name: String
  private var buffer: [UInt8] = []
  /// The index in `buffer` at which the next line begins.
  private var start = 0
  /// The index in `buffer` up to which no line end was found.
  private var searched = 0
  private var hasEnded = false
  private var hasBegun = false

  init(_ descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Whether the next line is available without waiting.
  var hasLine: Bool { hasEnded || lineEnd(from: searched) != nil }

  /// The next line, or nil at the end of the file.
  ///
  /// - Throws: exit code 12 if the descriptor cannot be read or is UTF-16; 6 if a line is longer than
  ///   `FileIO.limitBytes`.
  mutating func next() throws(ShellError) -> TextLines.Line? {
    if !hasBegun { try begin() }
    while true {
      if let (end, length) = lineEnd(from: searched) {
        defer {
          start = end + length
          searched = start
        }
        return TextLines.Line(bytes: [UInt8](buffer[start..<end]), end: [UInt8](buffer[end..<(end + length)]))
      }
      if hasEnded {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return TextLines.Line(bytes: [UInt8](buffer[start...]), end: [])
      }
      try readMore()
    }
  }

  /// Skips a byte order mark, if there is one.
  private mutating func begin() throws(ShellError) {
    hasBegun = true
    // Waits for more bytes only if those read so far could be a part of a mark, because a slow writer may send a
    // command of two letters.
    repeat {
      if buffer.isEmpty || TextLines.byteOrderMark.starts(with: buffer) { try readMore() } else { break }
    } while !hasEnded && buffer.count < TextLines.byteOrderMark.count
    start = try TextLines.start(of: buffer[...], name: name)
    searched = start
  }

  private mutating func readMore() throws(ShellError) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    // The last byte may be a CR whose LF arrives now.
    searched = max(0, buffer.count - 1)
    let chunk = try FileIO.readSome(descriptor, name: name)
    hasEnded = chunk.isEmpty
    buffer += chunk
    if buffer.count > FileIO.limitBytes {
      throw ShellError(.overLimit, "TooLarge", "\(name) has a line of more than \(FileIO.limitBytes >> 20) MiB")
    }
  }

  /// The index and the length of the line end; nil if it has not arrived yet.
  private func lineEnd(from offset: Int) -> (index: Int, length: Int)? {
    guard let end = TextLines.lineEnd(in: buffer, from: offset) else { return nil }
    // An LF may follow a CR that is the last byte.
    let isOpen = buffer[end.index] == UInt8(ascii: "\r") && end.index + 1 == buffer.count && !hasEnded
    return isOpen ? nil : end
  }
}
