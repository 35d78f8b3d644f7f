import JSONFormat

/// The metrics that a server reports, in its order.
///
/// *Source*: `org.apache.zookeeper.server.command.MonitorCommand`, `admin.Commands.MonitorCommand`; `ClientProtocol` 7.
public struct ServerMetrics: Hashable, Sendable {
  /// A metric, such as `znode_count` with the value `5`.
  public struct Figure: Hashable, Sendable {
    /// The name without the prefix `zk_` of the four-letter word.
    public let name: String
    /// The value as the server wrote it; usually a number.
    public let text: String
  }

  public let figures: [Figure]
  private let places: [String: Int]

  private init?(_ figures: [Figure]) {
    guard !figures.isEmpty else { return nil }
    self.figures = figures
    places = [String: Int](figures.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  /// Parses an answer to `mntr`; nil if it has no line of the form `zk_NAME TAB VALUE`.
  public init?(mntr answer: [UInt8]) {
    self.init(
      answer.split(separator: UInt8(ascii: "\n")).compactMap { line in
        guard line.starts(with: "zk_".utf8), let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { return nil }
        let value = line[(tab + 1)...].drop { $0 == UInt8(ascii: " ") }
        return Figure(
          name: String(decoding: line[line.startIndex + 3..<tab], as: UTF8.self),
          text: String(decoding: value, as: UTF8.self).trimmingLineEnd)
      })
  }

  /// Parses an answer of the AdminServer's `monitor`; nil if it is not one.
  init?(monitor document: JSON) {
    guard case .object(let members) = document else { return nil }
    self.init(
      members.compactMap { name, value in
        guard name != "command", name != "error", let text = value.figure else { return nil }
        return Figure(name: name, text: text)
      })
  }

  /// The text of a metric; nil if the server does not report it.
  public subscript(name: String) -> String? { places[name].map { figures[$0].text } }

  /// The value of a metric; nil if the server does not report it, or it is not a number.
  public func number(_ name: String) -> Double? {
    guard let number = self[name].flatMap(Double.init), number.isFinite else { return nil }
    return number
  }

  /// The value of a counter, clamped to the range of its type.
  public func count(_ name: String) -> Int64? { number(name).map { Int64(clamping: $0) } }
}

extension Int64 {
  /// The nearest integer, clamped to the range of the type.
  init(clamping number: Double) { self = Int64(exactly: number.rounded()) ?? (number < 0 ? .min : .max) }
}

extension JSON {
  /// A number, text or truth value as text.
  fileprivate var figure: String? {
    switch self {
    case .number(let number): String(number)
    case .string(let text): text
    case .raw(let text): String(decoding: text, as: UTF8.self)
    case .bool(let flag): flag ? "1" : "0"
    case .null, .array, .object: nil
    }
  }
}

extension String {
  /// The text without a carriage return at its end.
  var trimmingLineEnd: String { hasSuffix("\r") ? String(dropLast()) : self }
}
