import Foundation
import TestKit
import Testing

/// No session stays behind, however a command ends. The server is this suite's own, so that it can be counted.
@Suite(.timeLimit(.minutes(10)))
struct SessionTests {
  @Test func hundredCommandsLeaveNoSession() async throws {
    let server = try await ApacheServer.start(.permissive)
    let zkcli = Zkcli(server: server.connectString)
    let run = try await zkcli.shell(
      "zkcli create /x v && for i in $(seq 100); do zkcli get /x; zkcli get /nope 2>/dev/null; done")
    #expect(run.output == "/x\n" + String(repeating: "v", count: 100))
    try await server.expectNoSessions()
    #expect(try server.fourLetterWord("dump").contains("Sessions with Ephemerals (0)"))
  }

  /// All ends but one: a server that refuses an identity closes the connection at once, and keeps the session until its
  /// timeout, which is why single commands ask for a short one.
  @Test func everyEndClosesTheSession() async throws {
    let server = try await ApacheServer.start(.permissive)
    let zkcli = Zkcli(server: server.connectString)
    _ = try await TreeTests.grow("/tree", 3_000, zkcli)
    try await server.expectNoSessions()
    for line in [
      "zkcli create -e /e", "zkcli set /tree v -v 9", "zkcli nonsense", "printf 'pwd\\nls /\\nget /nope\\n' | zkcli",
      "zkcli ls -R / | head -1", "zkcli ls -R / > /dev/full", "zkcli get -w /tree --timeout 200ms",
      "zkcli --compat get /tree", "echo 'get /tree' | zkcli --compat", "zkcli ls 1>&-",
      "zkcli -s \(server.connectString)/nope ls", "zkcli multi check /tree 7", "echo 'close' | zkcli",
      "printf 'ls\\nconnect\\nconnect\\nls\\n' | zkcli", "printf 'ls\\nquit\\n' | zkcli", "zkcli __complete get /",
    ] {
      _ = try await zkcli.shell("{ \(line); } 2>/dev/null")
      try await eventually("end of the session of: \(line)", within: .seconds(3)) { try server.sessionCount == 0 }
    }
    #expect(try await zkcli("exists", "/e").exitStatus == 1)
  }

  @Test func signalsCloseTheSession() async throws {
    let server = try await ApacheServer.start(.permissive)
    let zkcli = Zkcli(server: server.connectString)
    for signal in [SIGINT, SIGTERM, SIGHUP] {
      let watching = try zkcli.start("addWatch", "/")
      let script = try zkcli.start()
      try script.write("create -e /held\n")
      #expect(try await script.nextLine() == "/held")
      try await eventually("both sessions") { try server.sessionCount == 2 }
      try await eventually("the watch") { try server.fourLetterWord("wchp").contains("/") }
      for command in [watching, script] {
        command.send(signal: signal)
        #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(128 + signal))
      }
      try await server.expectNoSessions()
    }
    #expect(try await zkcli("exists", "/held").exitStatus == 1)
  }
}
