/// The fields of a certificate of a peer or of a store.
///
/// BoringSSL has parsed the certificate before; this reads the fields that NIOSSL does not give, or gives in a way that
/// ends the process when they are malformed.
///
/// *Source*: RFC 5280, sections 4.1 and 4.2.1.6.
package struct CertificateDetails: Sendable {
  /// An alternative name of the subject.
  package struct AlternativeName: Hashable, Sendable {
    /// The number of the kind in RFC 5280: 1 is an e-mail address, 2 a DNS name, 6 a URI, 7 an IP address.
    package let kind: Int
    /// The text; of an IP address, its numeric form.
    package let text: String

    package static let dnsKind = 2
    package static let addressKind = 7
  }

  private let subjectName: DistinguishedName
  private let issuerName: DistinguishedName
  /// The first second at which it is valid, in seconds since 1970.
  package let validFromSeconds: Int64
  /// The last second at which it is valid, in seconds since 1970.
  package let validUntilSeconds: Int64
  /// The alternative names, in their order; those of kinds without a text are left out.
  package let alternativeNames: [AlternativeName]
  /// Whether there are alternative names of hosts, also if none of them can be read.
  let isForHosts: Bool

  /// The largest number of alternative names that are read; the rest is ignored.
  private static let maximumNames = 1000

  /// The subject, as Java's `X500Principal.getName()` prints it.
  package var subject: String { subjectName.text }
  /// The common name of the subject; nil if it has none.
  package var commonName: String? { subjectName.commonName }
  /// The issuer, in the same form.
  package var issuer: String { issuerName.text }
  /// Whether subject and issuer are the same, as in the certificate of a root.
  package var isSelfIssued: Bool { subjectName.encoded == issuerName.encoded }

  /// Whether `issuer` may have issued this certificate, by its name.
  package func isIssued(by issuer: CertificateDetails) -> Bool { issuerName.encoded == issuer.subjectName.encoded }

  /// Reads a certificate in DER; nil if the bytes are not a certificate.
  package init?(_ bytes: [UInt8]) {
    do throws(DERError) { try self.init(parsing: bytes) } catch { return nil }
  }

  private init(parsing bytes: [UInt8]) throws(DERError) {
    var outer = DERReader(bytes[...])
    var certificate = try outer.enter(DERValue.Tag.sequence)
    var body = try certificate.enter(DERValue.Tag.sequence)
    _ = try body.optional(DERValue.Tag.constructed(0))
    _ = try body.next(DERValue.Tag.integer)
    _ = try body.next(DERValue.Tag.sequence)
    issuerName = try DistinguishedName(try body.next())
    var validity = try body.enter(DERValue.Tag.sequence)
    validFromSeconds = try Self.time(try validity.next())
    validUntilSeconds = try Self.time(try validity.next())
    subjectName = try DistinguishedName(try body.next())
    _ = try body.next(DERValue.Tag.sequence)
    var names: [AlternativeName] = []
    var isForHosts = false
    while !body.isAtEnd {
      let value = try body.next()
      if value.tag == DERValue.Tag.constructed(3) { names = try Self.alternativeNames(value, &isForHosts) }
    }
    alternativeNames = names
    self.isForHosts = isForHosts
  }

  private static func alternativeNames(
    _ extensions: DERValue, _ isForHosts: inout Bool
  ) throws(DERError) -> [AlternativeName] {
    var outer = DERReader(extensions.contents)
    var list = try outer.enter(DERValue.Tag.sequence)
    var names: [AlternativeName] = []
    while !list.isAtEnd {
      var one = try list.enter(DERValue.Tag.sequence)
      guard try one.next().objectIdentifier() == "2.5.29.17" else { continue }
      var value = try one.next()
      if value.tag == 0x01 { value = try one.next() }
      var wrapped = try value.reader(of: DERValue.Tag.octetString)
      var items = try wrapped.enter(DERValue.Tag.sequence)
      while !items.isAtEnd, names.count < maximumNames {
        let item = try items.next()
        isForHosts = isForHosts || item.tag == 0x82 || item.tag == 0x87
        if let name = name(item) { names.append(name) }
      }
    }
    return names
  }

  private static func name(_ value: DERValue) -> AlternativeName? {
    switch value.tag {
    // A NUL would make the name mean another one to code that is written in C.
    case 0x81, 0x82, 0x86:
      guard !value.contents.contains(0), let text = String(validating: value.contents, as: Unicode.ASCII.self) else {
        return nil
      }
      return AlternativeName(kind: Int(value.tag & 0x1f), text: text)
    case 0x87:
      return address(Array(value.contents)).map { AlternativeName(kind: AlternativeName.addressKind, text: $0) }
    default: return nil
    }
  }

  private static func address(_ bytes: [UInt8]) -> String? {
    switch bytes.count {
    case 4: bytes.map { String($0) }.joined(separator: ".")
    case 16:
      stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        .joined(separator: ":")
    default: nil
    }
  }

  // MARK: Times

  /// The time in seconds since 1970.
  private static func time(_ value: DERValue) throws(DERError) -> Int64 {
    let yearDigits = value.tag == DERValue.Tag.utcTime ? 2 : 4
    guard value.tag == DERValue.Tag.utcTime || value.tag == DERValue.Tag.generalizedTime else { throw .unexpectedTag }
    var digits: [Int64] = []
    for byte in value.contents.dropLast() {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw .unexpectedTag }
      digits.append(Int64(byte - UInt8(ascii: "0")))
    }
    guard value.contents.last == UInt8(ascii: "Z"), digits.count == yearDigits + 10 else { throw .unexpectedTag }
    let year = digits.prefix(yearDigits).reduce(0) { $0 * 10 + $1 }
    let pairs = stride(from: yearDigits, to: digits.count, by: 2).map { digits[$0] * 10 + digits[$0 + 1] }
    // RFC 5280, section 4.1.2.5.1: two digits mean 1950 to 2049.
    let fullYear = yearDigits == 4 ? year : year < 50 ? 2000 + year : 1900 + year
    let days = daysSince1970(year: fullYear, month: pairs[0], day: pairs[1])
    return ((days * 24 + pairs[2]) * 60 + pairs[3]) * 60 + pairs[4]
  }

  /// The number of days between 1970-01-01 and a day of the Gregorian calendar.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    // Years are counted from March, so that the leap day is the last one.
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = month > 2 ? month - 3 : month + 9
    let days = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400
    return days + (marchMonth * 153 + 2) / 5 + day - 1 - 719_468
  }
}
