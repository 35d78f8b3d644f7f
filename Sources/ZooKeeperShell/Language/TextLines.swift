/// The lines of a text file from any system: Unix ends them with LF, Windows with CR LF and old Macs with CR, and some
/// programs write a byte order mark at the start.
enum TextLines {
  /// The mark that Windows programs write before UTF-8 text.
  static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// A line and its terminator: LF, CR LF, CR, or nothing at the end of the text.
  struct Line {
    var bytes: [UInt8]
    var end: [UInt8]
  }

  /// The lines without their terminators. An empty last line is left out.
  ///
  /// - Parameter name: the file, for the message.
  /// - Throws: exit code 12 for UTF-16, which would be misread.
  static func split(_ bytes: [UInt8], name: String) throws(ShellError) -> [[UInt8]] {
    try splitKeepingEnds(bytes, name: name).map(\.bytes)
  }

  /// The lines with their terminators, for values that span lines.
  ///
  /// - Throws: exit code 12 for UTF-16.
  static func splitKeepingEnds(_ bytes: [UInt8], name: String) throws(ShellError) -> [Line] {
    var lines: [Line] = []
    var start = try start(of: bytes[...], name: name)
    while start < bytes.count {
      let end = lineEnd(in: bytes, from: start) ?? (index: bytes.count, length: 0)
      let next = end.index + end.length
      lines.append(Line(bytes: [UInt8](bytes[start..<end.index]), end: [UInt8](bytes[end.index..<next])))
      start = next
    }
    return lines
  }

  /// The first line terminator at or after an offset: its index and its length.
  static func lineEnd(in bytes: [UInt8], from offset: Int) -> (index: Int, length: Int)? {
    guard
      let end = bytes[offset...].firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") })
    else { return nil }
    let isPair =
      bytes[end] == UInt8(ascii: "\r") && end + 1 < bytes.count && bytes[end + 1] == UInt8(ascii: "\n")
    return (end, isPair ? 2 : 1)
  }

  /// The index at which the text begins, after a byte order mark.
  ///
  /// - Throws: exit code 12 for UTF-16.
  static func start(of bytes: ArraySlice<UInt8>, name: String) throws(ShellError) -> Int {
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw ShellError(.localInputOutput, "File", "\(name) is UTF-16", hint: "save it as UTF-8")
    }
    return bytes.startIndex + (bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0)
  }
}
