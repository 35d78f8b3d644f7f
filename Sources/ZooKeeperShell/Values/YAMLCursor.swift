/// A place in the bytes of a YAML text, and the tokens from there on.
struct YAMLCursor {
  private let bytes: [UInt8]
  private var position = 0
  private var lineStart = 0
  private var nextLine = 0
  private var lineNumber = 0
  /// How many blanks the line begins with.
  private(set) var indentation = 0

  init(_ bytes: [UInt8]) {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    self.bytes = bytes.starts(with: mark) ? [UInt8](bytes.dropFirst(3)) : bytes
  }

  /// Goes to the next line with more than blanks and a comment, after its indentation; false at the end.
  mutating func beginLine() -> Bool {
    while nextLine < bytes.count {
      openLine()
      if !isAtEnd { return true }
    }
    return false
  }

  private mutating func openLine() {
    lineStart = nextLine
    position = lineStart
    lineNumber += 1
    nextLine = (bytes[lineStart...].firstIndex(of: 0x0a) ?? bytes.count) + 1
    while next == 0x20 { position += 1 }
    indentation = position - lineStart
  }

  /// Where the line ends, without its line end.
  private var lineEnd: Int {
    let end = min(nextLine - 1, bytes.count)
    return end > lineStart && bytes[end - 1] == 0x0d ? end - 1 : end
  }

  var next: UInt8? { position < lineEnd ? bytes[position] : nil }
  var column: Int { position - lineStart }

  /// Whether nothing but blanks and a comment is left of the line.
  var isAtEnd: Bool {
    var index = position
    while index < lineEnd, Self.isBlank(bytes[index]) { index += 1 }
    guard index < lineEnd else { return true }
    return bytes[index] == UInt8(ascii: "#") && (index == lineStart || Self.isBlank(bytes[index - 1]))
  }

  /// Whether the line is the mark of the beginning or the end of a document.
  var isAtMarker: Bool {
    guard indentation == 0, lineEnd - position >= 3 else { return false }
    let word = bytes[position..<(position + 3)]
    return (word.elementsEqual("---".utf8) || word.elementsEqual("...".utf8)) && isBlankOrEnd(position + 3)
  }

  var beginsItem: Bool { next == UInt8(ascii: "-") && isBlankOrEnd(position + 1) }
  var beginsComplexKey: Bool {
    (next == UInt8(ascii: "?") || next == UInt8(ascii: ":")) && isBlankOrEnd(position + 1)
  }

  /// What the value at the cursor is, which is no block collection.
  var valueKind: YAMLOutline.Kind {
    switch next {
    case UInt8(ascii: "["): .sequence
    case UInt8(ascii: "{"): .mapping
    default: .scalar
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
  private func isBlankOrEnd(_ index: Int) -> Bool { index >= lineEnd || Self.isBlank(bytes[index]) }

  /// Passes over bytes of the line.
  mutating func skip(_ count: Int) { position = min(position + count, lineEnd) }
  /// Goes to a place that `key` has returned.
  mutating func move(to position: Int) { self.position = position }
  /// Passes over blanks and tabs.
  mutating func skipBlanks() { while let next, Self.isBlank(next) { position += 1 } }
  /// Passes over bytes up to the next blank or the end of the line.
  mutating func skipWord() { while let next, !Self.isBlank(next) { position += 1 } }

  /// Passes over an anchor and a tag.
  mutating func skipProperties() {
    while next == UInt8(ascii: "&") || next == UInt8(ascii: "!") {
      skipWord()
      skipBlanks()
    }
  }

  /// A mistake in the present line.
  func mistake(_ reason: String) -> YAMLMistake { YAMLMistake(line: lineNumber, reason: reason) }

  /// Where the value begins if the line has a key at the cursor: after its colon; nil if it has none.
  func key() -> Int? {
    var probe = self
    probe.skipProperties()
    switch probe.next {
    case nil: return nil
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      guard (try? probe.skipQuoted()) != nil else { return nil }
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      guard (try? probe.skipFlow()) != nil else { return nil }
    case UInt8(ascii: "*"): probe.skipWord()
    case UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "#"): return nil
    default: return probe.colon()
    }
    guard probe.lineNumber == lineNumber else { return nil }
    probe.skipBlanks()
    return probe.next == UInt8(ascii: ":") && isBlankOrEnd(probe.position + 1) ? probe.position + 1 : nil
  }

  /// The place after the first colon in plain text that ends a key.
  private func colon() -> Int? {
    var index = position
    while index < lineEnd {
      if bytes[index] == UInt8(ascii: ":"), isBlankOrEnd(index + 1) { return index + 1 }
      if bytes[index] == UInt8(ascii: "#"), index > lineStart, Self.isBlank(bytes[index - 1]) { return nil }
      index += 1
    }
    return nil
  }

  /// How plain text ends in its line; nil if it has a colon, which would make it a key.
  func endOfPlainText() -> (isComment: Bool, Void)? {
    if colon() != nil { return nil }
    let isComment = (position..<lineEnd).contains { index in
      bytes[index] == UInt8(ascii: "#") && index > position && Self.isBlank(bytes[index - 1])
    }
    return (isComment, ())
  }

  /// Passes over text in quotes, which may go on in other lines.
  mutating func skipQuoted() throws(YAMLMistake) {
    guard let quote = next else { return }
    let start = self
    position += 1
    while true {
      guard let byte = next else {
        guard nextLine < bytes.count else { throw start.mistake("the quote is not closed") }
        openLine()
        guard !isAtMarker else { throw start.mistake("the quote is not closed") }
        continue
      }
      position += 1
      if byte == quote {
        guard quote == UInt8(ascii: "'"), next == quote else { return }
        position += 1
      } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        skip(1)
      }
    }
  }

  /// Passes over a collection in brackets, which may go on in other lines.
  mutating func skipFlow() throws(YAMLMistake) {
    let start = self
    var closers: [UInt8] = []
    // Quotes in the middle of a plain text are part of it.
    var beginsToken = true
    repeat {
      guard let byte = next else {
        guard nextLine < bytes.count else { throw start.mistake("the bracket is not closed") }
        openLine()
        guard !isAtMarker else { throw start.mistake("the bracket is not closed") }
        continue
      }
      if byte == UInt8(ascii: "#"), position == lineStart || Self.isBlank(bytes[position - 1]) {
        position = lineEnd
        continue
      }
      if beginsToken, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        try skipQuoted()
        // Right after a quoted key, a colon needs no blank.
        if next == UInt8(ascii: ":") { position += 1 } else { beginsToken = false }
        continue
      }
      position += 1
      switch byte {
      case UInt8(ascii: "["): closers.append(UInt8(ascii: "]"))
      case UInt8(ascii: "{"): closers.append(UInt8(ascii: "}"))
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard closers.popLast() == byte else {
          throw mistake("the bracket does not close the one opened last")
        }
      default: break
      }
      beginsToken = Self.beginsToken(after: byte, isBefore: isBlankOrEnd(position), wasAt: beginsToken)
    } while !closers.isEmpty
  }

  private static func beginsToken(after byte: UInt8, isBefore isBlank: Bool, wasAt: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","): true
    case UInt8(ascii: ":"), UInt8(ascii: "?"): isBlank
    case 0x20, 0x09: wasAt
    default: false
    }
  }

  /// Passes over the lines of a text that a bar or an angle bracket begins; false if what follows that is unknown.
  mutating func skipBlockText(parent: Int) -> Bool {
    position += 1
    var explicit: Int?
    while let byte = next, byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || (0x31...0x39).contains(byte) {
      if byte >= 0x31 { explicit = max(parent, 0) + Int(byte - 0x30) }
      position += 1
    }
    guard isAtEnd else { return false }
    var wanted = explicit
    while nextLine < bytes.count {
      let before = self
      openLine()
      if next == nil { continue }
      let least = wanted ?? parent + 1
      guard indentation >= least, !isAtMarker else {
        self = before
        return true
      }
      wanted = wanted ?? indentation
    }
    return true
  }
}
