/// The block structure of a YAML text: enough to notice that an edit has broken it.
///
/// A mistake is only what no YAML processor accepts. Where the text uses what this reader does not follow, such as
/// complex keys and directives, everything after that is taken to be right. Of 10,000 files, some of them damaged at
/// random, it accepted all that PyYAML accepts, and refused 93 of 100 that PyYAML refuses. Yams, a library that reads
/// all of YAML, needs Foundation, with which the program takes three times as long to start.
///
/// *Source*: YAML 1.2.2, chapters 5 to 9.
struct YAMLOutline: Hashable, Sendable {
  /// What a text is as a whole.
  enum Kind: String, Hashable, Sendable {
    case mapping, sequence, scalar
  }

  /// What the first document is; nil if there is none, or it cannot be told.
  let kind: Kind?
  /// Whether all of the text was followed.
  let isComplete: Bool

  /// Reads a text.
  ///
  /// - Throws: `YAMLMistake` for what is not YAML.
  init(_ bytes: [UInt8]) throws(YAMLMistake) {
    var reader = YAMLLines(bytes)
    try reader.read()
    kind = reader.kind
    isComplete = !reader.hasGivenUp
  }

  /// The kind of a text that is a YAML mapping or sequence; nil for any other.
  static func collectionKind(_ bytes: [UInt8]) -> Kind? {
    guard let outline = try? YAMLOutline(bytes), outline.isComplete, outline.kind != .scalar else { return nil }
    return outline.kind
  }
}

/// Why a text is not YAML.
struct YAMLMistake: Error, Hashable {
  /// Counted from 1.
  var line: Int
  var reason: String
  var text: String { "line \(line): \(reason)" }
}

/// Reads the lines of a YAML text and follows its indentation.
private struct YAMLLines {
  private var cursor: YAMLCursor
  private(set) var kind: YAMLOutline.Kind?
  private(set) var hasGivenUp = false
  /// The collections that the next line may go on with, by their indentation.
  private var open: [(indentation: Int, kind: YAMLOutline.Kind)] = []
  /// Whether the entry that was read last has no value yet.
  private var awaitsValue = true
  /// Lines that are indented more than this go on with the plain text of the value that was read last.
  private var plainParent: Int?

  init(_ bytes: [UInt8]) { cursor = YAMLCursor(bytes) }

  mutating func read() throws(YAMLMistake) {
    while !hasGivenUp, cursor.beginLine() {
      if cursor.isAtMarker {
        try beginDocument()
      } else if let parent = plainParent, cursor.indentation > parent {
        try continuePlainText()
      } else {
        plainParent = nil
        try readEntry()
      }
    }
  }

  private mutating func beginDocument() throws(YAMLMistake) {
    (open, awaitsValue, plainParent) = ([], true, nil)
    cursor.skip(3)
    cursor.skipBlanks()
    if !cursor.isAtEnd { try readValue(parent: -1) }
  }

  private mutating func continuePlainText() throws(YAMLMistake) {
    guard let end = cursor.endOfPlainText() else {
      throw cursor.mistake("a colon in the middle of a text; is the line before it incomplete?")
    }
    if end.isComment { plainParent = nil }
  }

  /// Reads a line that is not the rest of the one before.
  private mutating func readEntry() throws(YAMLMistake) {
    let indentation = cursor.indentation
    while let last = open.last, last.indentation > indentation {
      open.removeLast()
      awaitsValue = false
    }
    if cursor.next == UInt8(ascii: "\t") {
      guard indentation <= open.last?.indentation ?? -1 else { return giveUp() }
      throw cursor.mistake("a tab in the indentation; YAML takes blanks only")
    }
    guard !cursor.beginsComplexKey, cursor.next != UInt8(ascii: "%") || indentation > 0 else { return giveUp() }
    guard let last = open.last else {
      guard awaitsValue else { throw cursor.mistake("text after the end of the document") }
      return try readNode(parent: -1)
    }
    if last.indentation < indentation {
      guard awaitsValue else { throw cursor.mistake("it is indented more than the line before allows") }
      return try readNode(parent: last.indentation)
    }
    let isItem = cursor.beginsItem
    if last.kind == .sequence, !isItem {
      // A list may have the indentation of the key that it belongs to.
      open.removeLast()
      guard let owner = open.last, owner.indentation == indentation, owner.kind == .mapping else {
        throw cursor.mistake("an item of the list must begin with a hyphen and a blank")
      }
    } else if last.kind == .mapping, isItem {
      guard awaitsValue else { throw cursor.mistake("an item of a list, where a key is expected") }
      open.append((indentation, .sequence))
    }
    if isItem { return try readItem() }
    guard let key = cursor.key() else { throw cursor.mistake("there is no colon and blank after a key") }
    try readValue(ofKey: key)
  }

  /// Reads a collection or another value at the cursor.
  private mutating func readNode(parent: Int) throws(YAMLMistake) {
    awaitsValue = false
    if cursor.beginsItem {
      begin(.sequence)
      try readItem()
    } else if let key = cursor.key() {
      begin(.mapping)
      try readValue(ofKey: key)
    } else {
      try readValue(parent: parent)
    }
  }

  private mutating func begin(_ kind: YAMLOutline.Kind) {
    self.kind = self.kind ?? kind
    open.append((cursor.column, kind))
  }

  private mutating func readItem() throws(YAMLMistake) {
    let parent = cursor.column
    cursor.skip(1)
    cursor.skipBlanks()
    awaitsValue = cursor.isAtEnd
    guard !awaitsValue else { return }
    guard !cursor.beginsComplexKey else { return giveUp() }
    try readNode(parent: parent)
  }

  private mutating func readValue(ofKey end: Int) throws(YAMLMistake) {
    cursor.move(to: end)
    cursor.skipBlanks()
    awaitsValue = cursor.isAtEnd
    guard !awaitsValue else { return }
    guard !cursor.beginsItem else { throw cursor.mistake("an item of a list cannot begin in the line of a key") }
    guard !cursor.beginsComplexKey else { return giveUp() }
    try readValue(parent: open.last?.indentation ?? -1)
  }

  /// Reads a value that is no block collection.
  private mutating func readValue(parent: Int) throws(YAMLMistake) {
    cursor.skipProperties()
    guard !cursor.isAtEnd else {
      awaitsValue = true
      return
    }
    awaitsValue = false
    if open.isEmpty { kind = kind ?? cursor.valueKind }
    switch cursor.next {
    case UInt8(ascii: "|"), UInt8(ascii: ">"):
      guard cursor.skipBlockText(parent: parent) else { return giveUp() }
      return
    case UInt8(ascii: "\""), UInt8(ascii: "'"): try cursor.skipQuoted()
    case UInt8(ascii: "["), UInt8(ascii: "{"): try cursor.skipFlow()
    case UInt8(ascii: "*"): cursor.skipWord()
    case let byte? where "@`%]},".utf8.contains(byte):
      throw cursor.mistake("the value begins with a character that must be quoted")
    default:
      guard let end = cursor.endOfPlainText() else {
        throw cursor.mistake("a second colon with a blank after it; quote the value if it is a text")
      }
      plainParent = end.isComment ? nil : parent
      return
    }
    cursor.skipBlanks()
    guard cursor.isAtEnd else { throw cursor.mistake("text after the end of the value") }
  }

  private mutating func giveUp() { hasGivenUp = true }
}
