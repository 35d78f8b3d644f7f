import Foundation
import JSONFormat
import Testing

@testable import ZooKeeperShell

/// What is known of a server in the background.
@Suite(.timeLimit(.minutes(10))) struct ServerAnswerTests {
  @Test(
    arguments: [
      ("Zookeeper version: x\nMode: leader\n", nil, "running", "leader", true, nil),
      ("srvr is not executed because it is not in the whitelist.\n", 7, "running", nil, true, "4lw.commands.whitelist"),
      ("srvr is not executed because it is not in the whitelist.\n", nil, "running", nil, true, "It is running, but"),
      ("This ZooKeeper instance is not currently serving requests\n", 7, "not serving", nil, false, "no quorum"),
      (nil, 7, "not answering", nil, false, "process 7, but does not answer at h:1"),
      ("HTTP/1.1 400\r\n", nil, "not answering", nil, false, "no ZooKeeper server"),
      (nil, nil, "not running", nil, false, "probably not running"), ("", nil, "not running", nil, false, "probably"),
    ] as [(String?, Int?, String, String?, Bool, String?)])
  func repliesToStatus(
    reply: String?, process: Int?, state: String, mode: String?, isRunning: Bool, message: String?
  ) {
    let known = StatusReply(reply, process: process, address: "h:1")
    #expect(known.state == state && known.mode == mode && known.isRunning == isRunning)
    #expect(message.map { known.message?.contains($0) == true } ?? (known.message == nil), "\(known)")
  }

  @Test func faultsAreSplitIntoLineAndMessage() {
    let text = "/c/zoo.cfg:3: no such key\n/c/zoo.cfg: dataDir is missing\nsomething else: 5"
    #expect(
      ServerAnswer.faults(in: text, of: "/c/zoo.cfg") == [
        .init(line: 3, message: "no such key"), .init(line: nil, message: "dataDir is missing"),
        .init(line: nil, message: "something else: 5"),
      ])
  }

  @Test func documents() {
    var status = ServerAnswer(action: "status", file: "/c")
    (status.state, status.address, status.mode, status.process) = ("running", "h:1", "leader", 7)
    #expect(
      String(decoding: JSON.of(status).bytes, as: UTF8.self)
        == #"{"action":"status","file":"/c","state":"running","address":"h:1","mode":"leader","process":7}"#)
    var check = ServerAnswer(action: "check", file: "/c")
    check.faults = [.init(line: 2, message: "no")]
    check.warnings = ["hm"]
    #expect(
      String(decoding: JSON.of(check).bytes, as: UTF8.self)
        == #"{"action":"check","file":"/c","faults":[{"line":2,"message":"no"}],"warnings":["hm"]}"#)
    var upgrade = ServerAnswer(action: "upgrade-check", file: "/c")
    upgrade.state = "can start"
    upgrade.findings = [.init(weight: "fact", text: "1 snapshot")]
    #expect(
      String(decoding: JSON.of(upgrade).bytes, as: UTF8.self)
        == #"{"action":"upgrade-check","file":"/c","state":"can start","#
        + #""findings":[{"weight":"fact","text":"1 snapshot"}]}"#)
    var unit = ServerAnswer(action: "unit", file: "/c")
    unit.message = "[Unit]\n"
    #expect(
      String(decoding: JSON.of(unit).bytes, as: UTF8.self)
        == #"{"action":"unit","file":"/c","message":"[Unit]\n"}"#)
  }

  @Test func whoHasTheLockFileOpenIsTheServer() throws {
    let file = "/nonexistent/zoo.cfg"
    let path = NSTemporaryDirectory() + "lock-\(UUID().uuidString)"
    defer { unlink(path) }
    let own = getpid()
    #expect(ServerIdentity.of(own, lockFile: path, configurationFile: file) == .stranger(own))
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    #expect(ServerIdentity.of(own, lockFile: path, configurationFile: file) == .server(own))
    // Whoever runs the tests lives, and has other files open.
    let other = getppid()
    #expect(ServerIdentity.of(other, lockFile: path, configurationFile: file) == .stranger(other))
    #expect(ServerIdentity.of(0, lockFile: path, configurationFile: file) == .none)
    #expect(ServerIdentity.of(-1, lockFile: path, configurationFile: file) == .none)
    // As high a number as no process has.
    #expect(ServerIdentity.of(.max, lockFile: path, configurationFile: file) == .none)
  }
}
