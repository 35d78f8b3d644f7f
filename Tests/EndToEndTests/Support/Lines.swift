import Foundation
import TestKit
import Testing

/// A file to which several processes append lines, which tell in which order things happened.
struct LineLog: Sendable {
  let directory: String
  let path: String

  init() throws {
    directory = try Scratch.directory("lines")
    path = "\(directory)/log"
    try Scratch.write("", to: path)
  }

  /// The lines so far.
  var lines: [String] {
    (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
  }

  /// Waits until the log has a line.
  func wait(for line: String, within limit: Duration = .seconds(40)) async throws {
    try await eventually("the line \(line)", within: limit, every: .milliseconds(10)) { lines.contains(line) }
  }

  /// Waits until it has so many lines.
  func wait(forCount count: Int, within limit: Duration = .seconds(60)) async throws -> [String] {
    try await eventually("\(count) lines", within: limit, every: .milliseconds(10)) {
      let lines = lines
      return lines.count >= count ? lines : nil
    }
  }
}

/// The number that a fencing token is.
func token(_ text: some StringProtocol) throws -> UInt64 {
  try #require(text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : nil, "\(text)")
}

extension Zkcli {
  /// A `zkcli` for the shared server of a kind, whose limits leave a machine time that is doing something else.
  static func patient(_ server: ServerKind) async throws -> Zkcli { patient(try await server.connectString) }

  /// A `zkcli` for some servers, whose limits leave a machine time that is doing something else.
  static func patient(_ servers: String) -> Zkcli {
    Zkcli(server: servers).with([
      "ZKCLI_CONNECT_TIMEOUT": "60s", "ZKCLI_TIMEOUT": "60s", "ZKCLI_SESSION_TIMEOUT": "40s",
    ])
  }
}
