import Foundation
import TestKit
import Testing

/// The interactive shell while the world around it changes: events, lost connections, expiry, interrupts.
@Suite(.timeLimit(.minutes(10)))
struct REPLConnectionTests {
  private typealias Session = REPLTests.Session

  @Test func eventsComeAboveThePromptAndTheTypedLineStays() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("event")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    let shell = try await Session.open(try #require(zkcli.server))
    try await shell.run("addWatch \(path)")
    try await shell.terminal.type("set \(path) half a l")
    try await shell.seeTyped("set \(path) half a l")
    expect(try await zkcli("set", path, "w"))
    let screen = try await shell.see("event: NodeDataChanged \(path)")
    try await shell.seeTyped("set \(path) half a l")
    #expect(screen.contains("event: NodeDataChanged"))
    try await shell.terminal.send("C-c")
    try await shell.enter("printwatches off")
    try await shell.enter("printwatches")
    try await shell.see("printwatches is off")
    expect(try await zkcli("create", "\(path)/unseen"), output: "\(path)/unseen\n")
    try await shell.enter("ls \(path)")
    try await shell.see("\nunseen\n")
    #expect(try await !shell.terminal.screen().contains("NodeCreated"))
    try await shell.enter("removewatches \(path)")
    try await shell.enter("removewatches \(path)")
    try await shell.see("NoWatcher \(path)")
  }

  @Test func interruptCancelsTheCommandAndNotTheShell() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let shell = try await Session.open(proxy.connectString, "--timeout", "60s", "--session-timeout", "50s")
    proxy.stall()
    try await shell.enter("get /zookeeper")
    // A ^C that comes before the line was taken would only clear it.
    try await eventually("a line that was taken") { try await shell.terminal.cursor().column == 0 }
    try await shell.terminal.send("C-c")
    try await shell.see("interrupted")
    proxy.resume()
    try await shell.enter("getAllChildrenNumber /zookeeper/config")
    try await shell.see("\n0\n")
  }

  @Test func tabDoesNotHoldTypingUpWhenNoServerAnswers() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let shell = try await Session.open(proxy.connectString, "--session-timeout", "50s")
    proxy.stall()
    try await shell.terminal.type("get /zoo")
    try await shell.terminal.send("Tab")
    try await shell.terminal.type("typed")
    try await shell.seeTyped("get /zootyped")
    proxy.resume()
  }

  @Test func restartedServerIsFoundAgainWithTheSameSession() async throws {
    let server = try await ApacheServer.start(.permissive)
    let shell = try await Session.open(server.connectString, "--session-timeout", "50s")
    try await shell.enter("create -e /held v")
    try await shell.see("\n/held\n")
    try await shell.terminal.type("get /hel")
    try await server.kill()
    try await shell.see("session: connection lost, looking for a server")
    try await shell.see("(CONNECTING)")
    try await server.restart()
    try await shell.see("session: connected")
    try await shell.seeTyped("get /hel")
    try await shell.enter("d")
    try await shell.see("\nv\n")
    try await shell.enter("getEphemerals")
    try await shell.terminal.waitUntil("the ephemeral znode again", timeout: .seconds(20)) {
      $0.ranges(of: "\n/held\n").count == 2
    }
  }

  @Test func expiredSessionIsReplacedByTheNextCommand() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let path = uniquePath("expired")
    let shell = try await Session.open(
      proxy.connectString, "--session-timeout", "50s", "--timeout", "60s", "--connect-timeout", "60s")
    try await shell.enter("create -e \(path)")
    try await shell.see("\n\(path)\n")
    proxy.refuse()
    proxy.cut()
    try await Zkcli.patient(server.connectString).endSession(owning: path, on: server.port)
    try await proxy.acceptAgain()
    try await shell.see("session: expired; its ephemeral znodes are gone")
    try await shell.see("(EXPIRED)")
    try await shell.enter("exists -v \(path)")
    try await shell.enter("getAllChildrenNumber /zookeeper/config")
    try await shell.see("\n0\n")
    try await shell.terminal.waitUntil("a connected prompt", timeout: .seconds(20)) {
      $0.split(separator: "\n").last?.contains("(CONNECTED)") == true
    }
  }

  @Test func shellOpensWithoutAServer() async throws {
    let refused = try refusedServer()
    let shell = try await Session.open(refused, waitingFor: "CLOSED")
    try await shell.see("connection refused")
    try await shell.enter("help quit")
    try await shell.see("usage: quit")
    let server = try await ApacheServer.shared().connectString
    try await shell.enter("connect \(server)")
    try await shell.see("(CONNECTED)")
  }

  @Test func hangUpClosesTheSession() async throws {
    let server = try await ApacheServer.start(.permissive)
    let shell = try await Session.open(server.connectString)
    #expect(try server.sessionCount == 1)
    try await shell.terminal.close()
    try await server.expectNoSessions()
  }

  @Test func compatibilityModeHasZkClisPrompt() async throws {
    let server = try await ApacheServer.shared().connectString
    let shell = try await Session.open(server, "--compat")
    try await shell.see("Welcome to ZooKeeper!")
    try await shell.see("[zk: \(server)(CONNECTED) 0]")
    try await shell.enter("ls /zookeeper")
    try await shell.see("\n[config, quota]\n")
    try await shell.see("[zk: \(server)(CONNECTED) 1]")
    try await shell.enter("history")
    try await shell.see("0 - ls /zookeeper")
    try await shell.enter("nonsense")
    try await shell.see("Command not found: Command not found nonsense")
    try await shell.see("[zk: \(server)(CONNECTED) 3]")
    try await shell.terminal.send("C-d")
    #expect(try await shell.terminal.waitForExit() == 127)
  }
}
