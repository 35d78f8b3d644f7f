import JSONFormat
import NIOHTTP1
import TransportSecurity

/// A request with its body.
struct WebRequest: Sendable {
  var method: HTTPMethod
  /// The path of the target, percent-decoded.
  var path: String
  var query: WebQuery
  var headers: HTTPHeaders
  /// The client that sent it.
  var client: WebClient
  var body: [UInt8] = []

  /// The part of the path after `/api/v1`; nil for requests outside the API.
  var endpoint: String? {
    guard path.hasPrefix(Self.apiRoot) else { return nil }
    return String(path.dropFirst(Self.apiRoot.count))
  }

  /// Whether the method can change something.
  var isUnsafe: Bool { method != .GET && method != .HEAD }

  /// The value of a header that must not be repeated; nil if it is missing.
  ///
  /// - Throws: 400 if it is repeated.
  func header(_ name: String) throws(WebError) -> String? {
    let values = headers[name]
    guard values.count <= 1 else { throw .badInput("the header \(name) is there more than once") }
    return values.first
  }

  /// The value of a cookie; nil if the client has none with this name.
  func cookie(_ name: String) -> String? {
    for header in headers["Cookie"] {
      for part in header.split(separator: ";") {
        let halves = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
        if halves.count == 2, halves[0] == name { return String(halves[1]) }
      }
    }
    return nil
  }

  private static let apiRoot = "/api/v1"
}

/// The other end of a connection.
struct WebClient: Sendable {
  /// Its numeric address, without the port.
  var address: String
  /// The certificate that it has presented; nil without TLS, or without a certificate.
  var certificate: CertificateDetails?
  /// Whether the connection is encrypted.
  var isEncrypted = false
}

/// The parameters of a query.
///
/// They are encoded as in forms: a plus sign is a blank, and percent signs begin encoded bytes.
struct WebQuery: Sendable {
  private let values: [String: String]

  /// - Throws: 400 for a text that is not percent-encoded UTF-8, and for a repeated name.
  init(parsing text: some StringProtocol) throws(WebError) {
    var values: [String: String] = [:]
    for part in text.split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentEncoding.decode(halves[0], plusIsBlank: true),
        let value = PercentEncoding.decode(halves.count == 2 ? halves[1] : "", plusIsBlank: true)
      else { throw .badInput("the query is not percent-encoded UTF-8") }
      guard values.updateValue(value, forKey: name) == nil else {
        throw .badInput("the parameter \(name) is there more than once")
      }
    }
    self.values = values
  }

  /// The value of a parameter; nil if it is missing.
  subscript(name: String) -> String? { values[name] }

  /// The names of all parameters.
  var names: Set<String> { Set(values.keys) }

  /// A required parameter.
  func required(_ name: String) throws(WebError) -> String {
    guard let value = values[name] else { throw .badInput("the parameter \(name) is missing") }
    return value
  }

  /// A whole number.
  ///
  /// - Throws: 400 for any other text, and for one out of `range`.
  func number(_ name: String, in range: ClosedRange<Int64>) throws(WebError) -> Int64? {
    guard let text = values[name] else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      throw .badInput(
        "the parameter \(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A Boolean: `1` or `true`, `0` or `false`; false if it is missing.
  func flag(_ name: String) throws(WebError) -> Bool {
    switch values[name] {
    case "1", "true": return true
    case nil, "0", "false": return false
    default: throw .badInput("the parameter \(name) must be 0 or 1")
    }
  }

  /// One of several texts.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default other: Choice
  ) throws(WebError) -> Choice where Choice.RawValue == String {
    guard let text = values[name] else { return other }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw .badInput("the parameter \(name) must be one of \(known)")
    }
    return choice
  }
}

/// The encoding of texts in the target of a request.
///
/// *Source*: RFC 3986, 2.1.
enum PercentEncoding {
  /// The decoded text; nil if a percent sign does not begin an encoded byte, or the bytes are not UTF-8.
  static func decode(_ text: some StringProtocol, plusIsBlank: Bool = false) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.next()?.hexDigit, let low = rest.next()?.hexDigit else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsBlank: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The text with everything encoded that is not a letter, a digit or one of `-._~`.
  static func encode(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        String(Unicode.Scalar(byte))
      default: "%" + Hex.text(byte).uppercased()
      }
    }.joined()
  }
}
