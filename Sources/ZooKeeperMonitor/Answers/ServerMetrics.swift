import JSONFormat

/// The figures that a server gives about itself, in its order.
///
/// *Source*: `org.apache.zookeeper.server.command.MonitorCommand`, `admin.Commands.MonitorCommand`; `ClientProtocol` 7.
public struct ServerMetrics: Hashable, Sendable {
  /// A figure: `znode_count` and `5`.
  public struct Figure: Hashable, Sendable {
    /// Without the `zk_` that the four-letter word puts in front.
    public let name: String
    /// As the server wrote it; most are numbers.
    public let text: String
  }

  public let figures: [Figure]
  private let places: [String: Int]

  private init?(_ figures: [Figure]) {
    guard !figures.isEmpty else { return nil }
    self.figures = figures
    places = [String: Int](figures.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  /// Reads the answer to `mntr`; nil if it has no line of the form `zk_NAME TAB VALUE`.
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

  /// Reads the answer of AdminServer's `monitor`; nil if it is none.
  init?(monitor document: JSON) {
    guard case .object(let members) = document else { return nil }
    self.init(
      members.compactMap { name, value in
        guard name != "command", name != "error", let text = value.figure else { return nil }
        return Figure(name: name, text: text)
      })
  }

  /// The text of a figure; nil if the server does not give it.
  public subscript(name: String) -> String? { places[name].map { figures[$0].text } }

  /// The value of a figure; nil if the server does not give it, or it is no number.
  public func number(_ name: String) -> Double? {
    guard let number = self[name].flatMap(Double.init), number.isFinite else { return nil }
    return number
  }

  /// A figure that counts something, between the ends of its type.
  public func count(_ name: String) -> Int64? { number(name).map { Int64(clamping: $0) } }
}

extension Int64 {
  /// The whole number next to one that is finite.
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
  /// Without the carriage return before a line's end.
  var trimmingLineEnd: String { hasSuffix("\r") ? String(dropLast()) : self }
}
