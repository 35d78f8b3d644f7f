/// The name of a certificate's subject or issuer.
///
/// The text is the one of Java's `X500Principal.getName()`, since that is what Apache's servers put into ACLs of scheme
/// `x509`: RFC 2253's, with the most specific part first, its nine keywords, and other types by number with their
/// value in hexadecimal.
///
/// *Source*: RFC 2253, sections 2 and 3; `X509AuthenticationProvider.getClientId`.
struct DistinguishedName: Hashable {
  /// The name in DER.
  let encoded: [UInt8]
  /// The text.
  let text: String
  /// The most specific common name; nil if there is none.
  let commonName: String?

  private static let keywords = [
    "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O",
    "2.5.4.11": "OU", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
  ]

  /// Reads a name.
  init(_ value: DERValue) throws(DERError) {
    encoded = Array(value.encoded)
    var parts: [String] = []
    var commonName: String?
    var reader = try value.reader(of: DERValue.Tag.sequence)
    while !reader.isAtEnd {
      var set = try reader.enter(DERValue.Tag.set)
      var attributes: [String] = []
      while !set.isAtEnd { attributes.append(try Self.attribute(&set, &commonName)) }
      parts.append(attributes.joined(separator: "+"))
    }
    self.commonName = commonName
    text = parts.reversed().joined(separator: ",")
  }

  private static func attribute(_ set: inout DERReader, _ commonName: inout String?) throws(DERError) -> String {
    var pair = try set.enter(DERValue.Tag.sequence)
    let type = try pair.next().objectIdentifier()
    let value = try pair.next()
    guard let keyword = keywords[type], let text = string(value) else {
      return type + "=#" + hexadecimal(value.encoded)
    }
    if keyword == "CN" { commonName = text }
    return keyword + "=" + escaped(text)
  }

  /// The text of a value; nil if it has none, or is not valid in its own encoding.
  private static func string(_ value: DERValue) -> String? {
    switch value.tag {
    case DERValue.Tag.utf8String: String(validating: value.contents, as: UTF8.self)
    case DERValue.Tag.printableString, DERValue.Tag.ia5String:
      String(validating: value.contents, as: Unicode.ASCII.self)
    // Latin-1 is what Java and browsers take it for.
    case DERValue.Tag.teletexString: String(String.UnicodeScalarView(value.contents.map { Unicode.Scalar($0) }))
    case DERValue.Tag.bmpString: wide(value.contents)
    default: nil
    }
  }

  private static func wide(_ bytes: ArraySlice<UInt8>) -> String? {
    guard bytes.count.isMultiple(of: 2) else { return nil }
    let start = bytes.startIndex
    let units = stride(from: start, to: bytes.endIndex, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    return String(validating: units, as: UTF16.self)
  }

  /// Escapes what would otherwise end a value: two subjects must not have the same text.
  private static func escaped(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    let isSpace = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\r" }
    let leading = scalars.prefix(while: isSpace).count
    let trailing = scalars.reversed().prefix(while: isSpace).count
    var escaped = ""
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case ",", "+", "\"", "\\", "<", ">", ";": escaped += "\\\(scalar)"
      case "#" where index == 0: escaped += "\\#"
      case " " where index < leading || index >= scalars.count - trailing,
        "\r" where index < leading || index >= scalars.count - trailing:
        escaped += "\\\(scalar)"
      case "\0": escaped += "\\00"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
