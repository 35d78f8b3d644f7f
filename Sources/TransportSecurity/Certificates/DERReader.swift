/// A value in DER: its tag and the bytes of its contents.
struct DERValue {
  /// The tags that are needed here; the bits of class and form are part of them.
  enum Tag {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let utf8String: UInt8 = 0x0c
    static let printableString: UInt8 = 0x13
    static let teletexString: UInt8 = 0x14
    static let ia5String: UInt8 = 0x16
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let universalString: UInt8 = 0x1c
    static let bmpString: UInt8 = 0x1e
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31

    /// The tag of a context-specific, constructed value.
    static func constructed(_ number: UInt8) -> UInt8 { 0xa0 | number }
  }

  let tag: UInt8
  let contents: ArraySlice<UInt8>
  /// The value with its tag and length.
  let encoded: ArraySlice<UInt8>

  /// Reads the values inside of this one, which must have the given tag.
  func reader(of tag: UInt8) throws(DERError) -> DERReader {
    guard self.tag == tag else { throw .unexpectedTag }
    return DERReader(contents)
  }

  /// The object identifier, in dotted form.
  func objectIdentifier() throws(DERError) -> String {
    guard tag == Tag.objectIdentifier, contents.last.map({ $0 < 0x80 }) == true else { throw .unexpectedTag }
    var arcs: [UInt64] = []
    var arc: UInt64 = 0
    for byte in contents {
      // Eight more bits would not fit. No identifier in use comes near this.
      guard arc < 1 << 56 else { throw .tooLarge }
      arc = arc << 7 | UInt64(byte & 0x7f)
      guard byte < 0x80 else { continue }
      arcs.append(arc)
      arc = 0
    }
    // The first two arcs share a number, in which the first one is 0, 1 or 2.
    let root = min(arcs[0] / 40, 2)
    let second = arcs[0] - root * 40
    return ([root, second] + arcs.dropFirst()).map(String.init).joined(separator: ".")
  }

  /// A number from 0 to the largest `Int32`.
  func smallInteger() throws(DERError) -> Int {
    guard tag == Tag.integer, !contents.isEmpty else { throw .unexpectedTag }
    guard contents.count <= 4, contents[contents.startIndex] < 0x80 else { throw .tooLarge }
    return contents.reduce(0) { $0 << 8 | Int($1) }
  }
}

/// Why bytes are not the DER that was expected.
enum DERError: Error {
  case truncated, unexpectedTag, tooLarge
}

/// Reads values in DER one after the other.
///
/// It is strict in what can hide something, which is lengths and ends, and it leaves the rules of particular types to
/// BoringSSL, which has accepted a certificate before its names are read here. swift-asn1 is not used because it brings
/// Foundation.
///
/// *Source*: ITU-T X.690, sections 8 and 10.
struct DERReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// Whether all values have been read.
  var isAtEnd: Bool { rest.isEmpty }

  /// The tag of the next value; nil at the end.
  var nextTag: UInt8? { rest.first }

  /// Reads the next value, whatever it is.
  mutating func next() throws(DERError) -> DERValue {
    let start = rest.startIndex
    guard rest.count >= 2 else { throw .truncated }
    let tag = rest[start]
    // Tags above 30 take several bytes, and none of the structures that are read here has one.
    guard tag & 0x1f != 0x1f else { throw .unexpectedTag }
    var length = Int(rest[start + 1])
    var body = start + 2
    if length > 0x7f {
      let count = length & 0x7f
      guard (1...4).contains(count), rest.endIndex - body >= count else { throw .tooLarge }
      length = rest[body..<body + count].reduce(0) { $0 << 8 | Int($1) }
      body += count
    }
    guard rest.endIndex - body >= length else { throw .truncated }
    let value = DERValue(tag: tag, contents: rest[body..<body + length], encoded: rest[start..<body + length])
    rest = rest[(body + length)...]
    return value
  }

  /// Reads the next value, which must have the given tag.
  mutating func next(_ tag: UInt8) throws(DERError) -> DERValue {
    let value = try next()
    guard value.tag == tag else { throw .unexpectedTag }
    return value
  }

  /// Enters the next value, which must have the given tag.
  mutating func enter(_ tag: UInt8) throws(DERError) -> DERReader { DERReader(try next(tag).contents) }

  /// Reads the next value if it has the given tag.
  mutating func optional(_ tag: UInt8) throws(DERError) -> DERValue? { nextTag == tag ? try next() : nil }
}

/// Writes values in DER.
enum DERWriter {
  /// A value with the given contents.
  static func value(_ tag: UInt8, _ contents: some Collection<UInt8>) -> [UInt8] {
    var bytes = [tag]
    let length = contents.count
    if length < 0x80 {
      bytes.append(UInt8(length))
    } else {
      let big = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: length >> $0) }
        .drop { $0 == 0 }
      bytes.append(0x80 | UInt8(big.count))
      bytes += big
    }
    return bytes + contents
  }

  /// A sequence of values.
  static func sequence(_ values: [UInt8]...) -> [UInt8] { value(DERValue.Tag.sequence, values.flatMap(\.self)) }

  /// A set of values.
  static func set(_ values: [UInt8]...) -> [UInt8] { value(DERValue.Tag.set, values.flatMap(\.self)) }

  /// A number below 128.
  static func integer(_ number: UInt8) -> [UInt8] { value(DERValue.Tag.integer, [number]) }

  /// Bytes as an octet string.
  static func octets(_ bytes: [UInt8]) -> [UInt8] { value(DERValue.Tag.octetString, bytes) }

  /// Whole bytes as a bit string.
  static func bits(_ bytes: [UInt8]) -> [UInt8] { value(DERValue.Tag.bitString, [0] + bytes) }

  /// An object identifier, from its encoded contents.
  static func identifier(_ contents: [UInt8]) -> [UInt8] { value(DERValue.Tag.objectIdentifier, contents) }
}
