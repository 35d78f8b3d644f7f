import TestKit
import Testing

/// What a server's log says of sessions that expire, many at a time.
@Suite(.timeLimit(.minutes(5)))
struct ExpiryTests {
  private static let count = 60

  /// The handshake of a new session, which wants to live as briefly as it may.
  private static let connectRequest: [UInt8] =
    [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 16]
    + [UInt8](repeating: 0, count: 17)

  @Test func onlyTheFirstGetALine() async throws {
    let server = try ServerUnderTest(["tickTime=2000", "minSessionTimeout=1", "maxClientCnxns=0"])
    try await server.start()
    for _ in 0..<Self.count {
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(30))
      try socket.writeFrame(Self.connectRequest)
      #expect(try socket.readFrame().count == 37)
    }
    try await eventually("the end of all sessions", within: .seconds(60), every: .milliseconds(50)) {
      let lines = server.errorOutput.split(separator: "\n")
      let named = lines.count { $0.contains(" a session has expired ") && $0.contains(" timeout_ms=1") }
      let others = lines.compactMap { line -> Int? in
        guard line.contains(" more sessions have expired ") else { return nil }
        let word = line.split(separator: " ").last ?? ""
        return Int(word.dropFirst("count=".count))
      }
      // They are opened within one tick or, on a busy machine, within some.
      return named + others.reduce(0, +) == Self.count && named <= 10 * (others.count + 1) && !others.isEmpty
    }
  }
}
