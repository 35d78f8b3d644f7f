/// Why a text is not a list of ACL entries.
public struct ACLTextError: Error, Hashable, Sendable {
  /// What is wrong with the entry.
  public enum Reason: Hashable, Sendable {
    /// The text holds no entry.
    case empty
    /// The entry has not the form `scheme:id:perms`.
    case form
    /// `letter` is not one of c, d, r, w, a.
    case unknownPermission(letter: Character)
  }

  /// What is wrong.
  public let reason: Reason
  /// The entry as it was written.
  public let entry: String
}

extension ACL {
  /// Reads a list of `scheme:id:perms` entries, separated by commas or line ends, such as `world:anyone:r,auth::cdrwa`.
  ///
  /// The scheme ends at the first colon and the permissions begin after the last one, so that ids may contain colons,
  /// as in `digest:user:hash:cdrwa`. Permissions of `-` are the empty set. `\,` and `\\` stand for a comma and a
  /// backslash, `\xHH` for a byte; before any other character a backslash stands for itself. The names of certificates,
  /// which are full of commas, need no escapes: in `x509:CN=a,OU=b:r` what follows the comma cannot begin an entry.
  ///
  /// An unknown letter is refused. zkCli.sh drops it with a warning, and so grants something else than was asked for.
  ///
  /// *Source*: `org.apache.zookeeper.cli.AclParser`; the escapes are ours.
  ///
  /// - Throws: `ACLTextError` naming the first entry that is malformed.
  public static func parse(_ text: String) throws(ACLTextError) -> [ACL] {
    guard !text.isEmpty else { throw ACLTextError(reason: .empty, entry: text) }
    var entries: [ACL] = []
    for raw in rawEntries([UInt8](text.utf8)) {
      let written = String(decoding: raw, as: UTF8.self)
      // Searched by bytes: as a character, a colon or comma with a combining mark after it would be another one.
      let colons = unescapedIndices(of: UInt8(ascii: ":"), in: raw)
      guard let first = colons.first, let last = colons.last, first != last, first != raw.startIndex,
        let scheme = unescaped(raw[..<first]), let id = unescaped(raw[(first + 1)..<last])
      else { throw ACLTextError(reason: .form, entry: written) }
      let letters = String(decoding: raw[(last + 1)...], as: UTF8.self)
      entries.append(ACL(permissions: try Permissions(letters: letters, of: written), scheme: scheme, id: id))
    }
    return entries
  }

  /// The entry in the form that `parse` reads; zkCli.sh's `setAcl` reads it too, unless there are escapes in it.
  public var text: String {
    let letters = permissions.text
    return "\(Self.escaped(scheme, also: ":")):\(Self.escaped(id)):\(letters.isEmpty ? "-" : letters)"
  }

  /// The entries, still with their escapes.
  private static func rawEntries(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var bytes = bytes[...]
    // A list that another program has printed ends with a line end.
    if bytes.count > 1, bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    var entries: [ArraySlice<UInt8>] = []
    var start = bytes.startIndex
    let ends = unescapedIndices(of: UInt8(ascii: ","), or: UInt8(ascii: "\n"), in: bytes) + [bytes.endIndex]
    for end in ends {
      // Within a distinguished name, the comma may be followed by the name's next attribute.
      let isInsideName =
        end < bytes.endIndex && bytes[end] == UInt8(ascii: ",") && isName(bytes[start..<end])
        && beginsNamePart(bytes[(end + 1)...])
      if isInsideName { continue }
      entries.append(bytes[start..<end])
      start = end + 1
    }
    return entries
  }

  /// Whether an entry that ends here would be `scheme:ATTRIBUTE=...`, without permissions.
  private static func isName(_ entry: ArraySlice<UInt8>) -> Bool {
    let colons = unescapedIndices(of: UInt8(ascii: ":"), in: entry)
    guard let first = colons.first, beginsNamePart(entry[(first + 1)...]) else { return false }
    return colons.count == 1
  }

  /// Whether a text begins like a part of a distinguished name: `OU=`, `2.5.4.3=`, `OID.1.2=`.
  ///
  /// *Source*: RFC 2253, section 3.
  private static func beginsNamePart(_ text: ArraySlice<UInt8>) -> Bool {
    let part = text.drop { $0 == UInt8(ascii: " ") }
    let attribute = part.prefix { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"): true
      default: false
      }
    }
    return !attribute.isEmpty && attribute.endIndex < part.endIndex && part[attribute.endIndex] == UInt8(ascii: "=")
  }

  private static func unescapedIndices(
    of byte: UInt8, or other: UInt8? = nil, in bytes: ArraySlice<UInt8>
  ) -> [Int] {
    var indices: [Int] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if bytes[index] == UInt8(ascii: "\\") {
        index += escapeLength(bytes[index...])
        continue
      }
      if bytes[index] == byte || bytes[index] == other { indices.append(index) }
      index += 1
    }
    return indices
  }

  /// How many bytes the escape takes that begins here; 1 where the backslash stands for itself.
  private static func escapeLength(_ bytes: ArraySlice<UInt8>) -> Int {
    guard let next = bytes.dropFirst().first else { return 1 }
    if next == UInt8(ascii: ",") || next == UInt8(ascii: "\\") { return 2 }
    let digits = bytes.dropFirst(2).prefix(2)
    return next == UInt8(ascii: "x") && digits.count == 2 && digits.allSatisfy { hexValue($0) != nil } ? 4 : 1
  }

  /// The text without its escapes; nil when their bytes are no UTF-8.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String? {
    var result: [UInt8] = []
    var rest = bytes
    while let byte = rest.first {
      let length = byte == UInt8(ascii: "\\") ? escapeLength(rest) : 1
      let taken = rest.prefix(length)
      rest = rest.dropFirst(length)
      switch length {
      case 2: result.append(taken.last!)
      case 4: result.append(taken.dropFirst(2).reduce(0) { $0 << 4 | (hexValue($1) ?? 0) })
      default: result.append(byte)
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  /// A text in which nothing can be taken for the end of an entry or of a line, or be obeyed by a terminal.
  private static func escaped(_ text: String, also other: Unicode.Scalar? = nil) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar == "\\" || scalar == "," {
        result += "\\\(scalar)"
      } else if scalar.properties.generalCategory == .control || scalar == other {
        for byte in String(scalar).utf8 { result += "\\x\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))" }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Permissions {
  fileprivate init(letters: String, of entry: String) throws(ACLTextError) {
    self = []
    guard !letters.isEmpty else { throw ACLTextError(reason: .form, entry: entry) }
    if letters == "-" { return }
    for letter in letters {
      guard let known = Self.letters.first(where: { $0.letter == letter }) else {
        throw ACLTextError(reason: .unknownPermission(letter: letter), entry: entry)
      }
      insert(known.permission)
    }
  }
}
