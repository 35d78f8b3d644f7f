import JSONFormat
import ZooKeeperProtocol

/// The members of the JSON object in the body of a request.
struct RequestFields {
  private let members: [String: JSON]

  /// - Parameter known: the allowed members.
  /// - Throws: 400 for a body that is not a JSON object, and for unknown or repeated members.
  init(_ body: [UInt8], known: Set<String>) throws(WebError) {
    guard let document = JSONReader.read(body), case .object(let all) = document else {
      throw .badInput("the body must be a JSON object")
    }
    var members: [String: JSON] = [:]
    for (key, value) in all {
      guard known.contains(key) else { throw .badInput("the body has an unknown member \(key)") }
      guard members.updateValue(value, forKey: key) == nil else {
        throw .badInput("the body has the member \(key) more than once")
      }
    }
    self.members = members
  }

  /// The value of a member; nil if it is missing or null.
  subscript(name: String) -> JSON? {
    guard let value = members[name] else { return nil }
    if case .null = value { return nil }
    return value
  }

  /// A text; nil if it is missing or null.
  func optionalText(_ name: String) throws(WebError) -> String? {
    guard let value = self[name] else { return nil }
    guard case .string(let text) = value else { throw .badInput("\(name) must be a string") }
    return text
  }

  /// A required text.
  func text(_ name: String) throws(WebError) -> String {
    guard let text = try optionalText(name) else { throw .badInput("\(name) is missing") }
    return text
  }

  /// A Boolean; `other` if it is missing.
  func flag(_ name: String, default other: Bool = false) throws(WebError) -> Bool {
    guard let value = self[name] else { return other }
    guard case .bool(let flag) = value else { throw .badInput("\(name) must be true or false") }
    return flag
  }

  /// A required Boolean.
  func requiredFlag(_ name: String) throws(WebError) -> Bool {
    guard self[name] != nil else { throw .badInput("\(name) is missing") }
    return try flag(name)
  }

  /// A whole number; nil if it is missing or null.
  func optionalNumber(_ name: String, in range: ClosedRange<Int64>) throws(WebError) -> Int64? {
    guard let value = self[name] else { return nil }
    guard let number = value.wholeNumber, range.contains(number) else {
      throw .badInput("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A required whole number.
  func number(_ name: String, in range: ClosedRange<Int64>) throws(WebError) -> Int64 {
    guard let number = try optionalNumber(name, in: range) else { throw .badInput("\(name) is missing") }
    return number
  }

  /// A list of texts; empty if it is missing.
  func texts(_ name: String, limit: Int) throws(WebError) -> [String] {
    guard let value = self[name] else { return [] }
    guard case .array(let items) = value else { throw .badInput("\(name) must be an array of strings") }
    guard items.count <= limit else { throw .badInput("\(name) has \(items.count) items, more than \(limit)") }
    var texts: [String] = []
    texts.reserveCapacity(items.count)
    for item in items {
      guard let text = item.text else { throw .badInput("\(name) must be an array of strings") }
      texts.append(text)
    }
    return texts
  }

  /// One of several texts; `other` if it is missing.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, default other: Choice
  ) throws(WebError) -> Choice where Choice.RawValue == String {
    guard let text = try optionalText(name) else { return other }
    guard let choice = Choice(rawValue: text) else {
      throw .badInput("\(name) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  /// The data of a znode: the members `data` and `encoding`; nil for null.
  ///
  /// - Throws: 400 for an unknown encoding, and for data that is not valid in it.
  func data() throws(WebError) -> [UInt8]? {
    guard let text = try optionalText("data") else { return nil }
    switch try optionalText("encoding") ?? "utf8" {
    case "utf8": return [UInt8](text.utf8)
    case "base64":
      guard let bytes = Base64.decode([UInt8](text.utf8)) else { throw .badInput("data is not valid base64") }
      return bytes
    default: throw .badInput("encoding must be utf8 or base64")
    }
  }
}

extension JSON {
  /// A whole number of 64 bits. A fraction of zeros is allowed, as in JSON Schema's integers.
  var wholeNumber: Int64? {
    switch self {
    case .number(let number): number
    case .raw(let text): Double(String(decoding: text, as: UTF8.self)).flatMap(Int64.init(exactly:))
    default: nil
    }
  }
}
