import Foundation
import TestKit
import Testing

/// The page beside a shell on servers of its own.
@Suite(.timeLimit(.minutes(5)))
struct SandboxPageTests {
  private func get(_ port: UInt16, _ path: String) throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    let head = "GET \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\r\n"
    try socket.write(Array(head.utf8))
    return String(decoding: try socket.readToEnd(), as: UTF8.self)
  }

  @Test func aScriptsServersAreShown() async throws {
    let shell = try RunningCommand(try Products.executable("zkcli"), ["--local", "3", "--web=0"])
    let servers = try #require(try await shell.nextLine(of: .error, within: .seconds(60)))
    #expect(servers.hasPrefix("zkcli: local ensemble of 3 servers at "))
    let place = try #require(try await shell.nextLine(of: .error, within: .seconds(60)))
    let port = try #require(place.firstMatch(of: /^zkcli: page at http:\/\/127\.0\.0\.1:(\d+)\/$/)).1
    let number = try #require(UInt16(port))
    try shell.write("create /shown x\n")
    #expect(try await shell.nextLine(within: .seconds(60)) == "/shown")
    #expect(try get(number, "/").contains("<title>"))
    #expect(try get(number, "/api/v1/session").contains(#""sandbox":{"size":3}"#))
    // A server may be behind; the one that the page asks is in step before long.
    try await eventually("the znode is seen") { try get(number, "/api/v1/children?path=/").contains(#""shown""#) }
    shell.closeInput()
    #expect(try await shell.waitForEnd(within: .seconds(60)) == .exited(0))
    #expect(throws: (any Error).self) { try get(number, "/") }
  }

  @Test func aPortInUseIsAnError() async throws {
    let port = try LoopbackPorts.reserve()
    let first = try RunningCommand(try Products.executable("zkcli"), ["--local", "--web=\(port)"])
    _ = try await first.nextLine(of: .error, within: .seconds(60))
    #expect(try await first.nextLine(of: .error, within: .seconds(60)) == "zkcli: page at http://127.0.0.1:\(port)/")
    let second = try await CommandRun.run(
      try Products.executable("zkcli"), ["--local", "--web=127.0.0.1:\(port)", "ls", "/"])
    #expect(second.exitStatus == 12 && second.errorOutput.contains("127.0.0.1:\(port) is in use"))
    first.closeInput()
    #expect(try await first.waitForEnd(within: .seconds(60)) == .exited(0))
  }
}
