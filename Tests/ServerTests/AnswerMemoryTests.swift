#if os(Linux)
  import Foundation
  import TestKit
  import Testing

  /// What a server keeps of large answers.
  @Suite(.timeLimit(.minutes(5)))
  struct AnswerMemoryTests {
    private static let count = 150
    private static let dataBytes = 900_000
    /// The handshake of a new session with a timeout of 30 s.
    private static let connectRequest: [UInt8] =
      [UInt8](repeating: 0, count: 14) + [0x75, 0x30] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 16]
      + [UInt8](repeating: 0, count: 17)

    /// Clients that have read something large once do not occupy that much memory from then on.
    @Test func largeAnswersAreForgotten() async throws {
      let server = try ServerUnderTest(["maxClientCnxns=0"])
      try await server.start()
      let processID = try #require(server.command?.processID)
      func residentMiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) / 1024
      }
      // A setData of the root, whose version does not matter.
      let root: [UInt8] = [0, 0, 0, 1] + Array("/".utf8)
      let length = withUnsafeBytes(of: Int32(Self.dataBytes).bigEndian) { Array($0) }
      let data = length + [UInt8](repeating: 7, count: Self.dataBytes)
      let writer = try Self.client(of: server)
      try writer.writeFrame([0, 0, 0, 1, 0, 0, 0, 5] + root + data + [255, 255, 255, 255])
      #expect(try writer.readFrame().count > 16)
      // The allocator may keep what it gets back, but then it has it for the next ones.
      var clients: [LoopbackSocket] = []
      var sizes = [try residentMiB()]
      for _ in 0..<2 {
        let crowd = try (0..<Self.count).map { _ in try Self.client(of: server) }
        for client in crowd {
          try client.writeFrame([0, 0, 0, 2, 0, 0, 0, 4] + root + [0])
          #expect(try client.readFrame().count > Self.dataBytes)
        }
        clients += crowd
        sizes.append(try residentMiB())
        // Memory is given back a second or two after an answer.
        let moment = ContinuousClock.now + .seconds(4)
        try await eventually("some seconds", within: .seconds(60)) { ContinuousClock.now >= moment }
      }
      #expect(sizes[2] - sizes[1] < (sizes[1] - sizes[0]) / 2, "\(sizes)")
    }

    private static func client(of server: ServerUnderTest) throws -> LoopbackSocket {
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))
      try socket.writeFrame(connectRequest)
      #expect(try socket.readFrame().count > 20)
      return socket
    }
  }
#endif
