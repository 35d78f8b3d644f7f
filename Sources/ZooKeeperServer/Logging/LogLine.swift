import JSONFormat
import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The form of a line of the server's log.
package enum LogFormat: String, CaseIterable, Sendable {
  /// The time, the level, the message, and fields as `key=value`.
  case text
  /// A JSON object: `time`, `level`, `message`, and the fields.
  case json
}

/// A message of the log and its fields, which is to become one line whatever is in them.
struct LogLine {
  /// The largest number of bytes of a message or of a field.
  static let maximumPartBytes = 8192

  let level: Logger.Level
  let message: String
  /// Sorted by their names.
  var fields: [(key: String, value: Logger.MetadataValue)]
  let wallMilliseconds: Int64

  /// Encodes the line, with its end.
  ///
  /// - Parameter isForJournal: whether the line is for systemd's journal: it begins with a priority, and has no time.
  func bytes(_ format: LogFormat, isForJournal: Bool) -> [UInt8] {
    let priority = isForJournal ? "<\(level.priority)>" : ""
    switch format {
    case .json:
      var members: [(key: String, value: JSON)] = isForJournal ? [] : [("time", .string(time))]
      members += [("level", .string(level.rawValue)), ("message", .string(Self.shortened(message)))]
      members += fields.map { ($0.key, Self.json($0.value)) }
      return Array(priority.utf8) + JSON.object(members).bytes + [UInt8(ascii: "\n")]
    case .text:
      var line = isForJournal ? priority : "\(time) "
      line += "\(level.rawValue.uppercased()) \(Self.visible(message))"
      for (key, value) in fields { line += " \(key)=\(Self.visible("\(value)"))" }
      return Array(line.utf8) + [UInt8(ascii: "\n")]
    }
  }

  /// In UTC: `2026-11-28T20:51:43.123Z`.
  private var time: String {
    var (seconds, parts) = (time_t(wallMilliseconds / 1000), tm())
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let text = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "\(text).\("\(1000 + wallMilliseconds % 1000)".dropFirst())Z"
  }

  /// The text with its control characters escaped: a peer could otherwise forge lines, or command a terminal.
  private static func visible(_ text: String) -> String {
    let text = shortened(text)
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
  }

  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > maximumPartBytes else { return text }
    return String(decoding: text.utf8.prefix(maximumPartBytes), as: UTF8.self) + "... (\(text.utf8.count) bytes)"
  }

  private static func json(_ value: Logger.MetadataValue) -> JSON {
    switch value {
    case .stringConvertible(let number as Int): .number(number)
    case .stringConvertible(let number as Int64): .number(number)
    case .array(let values): .array(values.map(json))
    default: .string(shortened("\(value)"))
    }
  }
}

extension Logger.Level {
  /// The priority of the level in `syslog` and in systemd's journal.
  var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
