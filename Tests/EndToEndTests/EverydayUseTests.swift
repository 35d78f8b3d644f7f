import Foundation
import TestKit
import Testing

/// What people do with the shell every day, and what zkCli.sh has made hard for them.
@Suite(.timeLimit(.minutes(10)))
struct EverydayUseTests {
  @Test func nothingButTheAnswerIsOnStdout() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    try await #expect(zkcli("create", path, "1").exitStatus == 0)
    expect(try await zkcli("get", path), output: "1")
    expect(try await zkcli("create", "-s", "\(path)/n-"), output: "\(path)/n-0000000000\n")
  }

  @Test func theExitCodeNamesTheCause() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    try await #expect(zkcli("create", "-p", "\(path)/child").exitStatus == 0)
    for (arguments, status) in [
      (["get", "\(path)/nope"], 3), (["delete", path], 4), (["delete", path, "7"], 2), (["delqouta", path], 2),
      (["delquota", path], 3), (["listquota", path], 3), (["setquota", "-n", "0", path], 2),
      (["addauth", "bogus", "x"], 5), (["multi", "check", path, "9"], 4), (["set", path, "a", "b"], 2),
      (["-s", try refusedServer(), "ls"], 7),
    ] as [([String], Int32)] {
      try await #expect(zkcli.run(arguments).exitStatus == status, "\(arguments)")
    }
    expect(try await zkcli("setAcl", "\(path)/child", "world:anyone:r"))
    try await #expect(zkcli("setAcl", "-R", path, "world:anyone:cdrwa").exitStatus == 11)
    expect(try await zkcli("setAcl", path, "world:anyone:r"))
    try await #expect(zkcli("deleteall", path).exitStatus == 11)
    try await #expect(zkcli.script("get \(path)/nope\nls /\n").exitStatus == 3)
  }

  @Test func blanksQuotesAndJSONAreStoredAsTyped() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    try await #expect(zkcli("create", path).exitStatus == 0)
    for (typed, stored) in [
      (#"'{"k": "v"}'"#, #"{"k": "v"}"#), (#""it's""#, "it's"), (#"'it'\''s'"#, "it's"), (#"pre"fix""#, "prefix"),
      (#""a \"b\" \\""#, #"a "b" \"#), ("x!!y", "x!!y"), (#"a\ b"#, "a b"), (#""""#, ""),
    ] {
      let run = try await zkcli.script("set \(path) \(typed)\n")
      expect(run, "\(typed)")
      expect(try await zkcli("get", path), output: stored, "\(typed)")
    }
  }

  @Test func aCommandWaitsForItsConnection() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    proxy.stall()
    // What is tested is that it waits, not for how long: the machine may be busy.
    let command = try Zkcli(server: proxy.connectString)
      .start("--connect-timeout", "60s", "--timeout", "60s", "ls", "/zookeeper")
    try await eventually("a connection", within: .seconds(90)) { proxy.connectionCount > 0 }
    proxy.resume()
    #expect(try await command.waitForEnd(within: .seconds(60)) == .exited(0))
    #expect(command.bytes(of: .output) == Array("config\nquota\n".utf8))
  }

  @Test func aBulkDeleteListsWhatRemains() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    for child in ["a/held", "b/c"] { try await #expect(zkcli("create", "-p", "\(path)/\(child)").exitStatus == 0) }
    expect(try await zkcli("setAcl", "\(path)/a", "world:anyone:ra"))
    let run = try await zkcli("deleteall", path)
    expect(
      run, status: 11,
      error: "Partial \(path): 3 left undone: \(path) (NotEmpty), \(path)/a (NotEmpty), \(path)/a/held (NoAuth)")
    expect(try await zkcli("ls", path), output: "a\n")
  }

  @Test func aReplyThatIsTooLargeIsExplained() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    let names = (0..<600).map { "\(path)/\(String(repeating: "x", count: 200))\($0)" }
    let grown = try await zkcli.script("create \(path)\n" + names.map { "create \($0)\n" }.joined())
    #expect(grown.exitStatus == 0)
    let run = try await zkcli("ls", path, "--max-buffer", "64K")
    expect(run, status: 6, error: "over the limit of 65536; accept it with --max-buffer 1M")
    try await #expect(zkcli("ls", path).output.split(separator: "\n").count == 600)
  }

  @Test func aWalkHasManyRequestsUnderway() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    let all = try await TreeTests.grow(path, 1_000, zkcli)
    // The proxy holds back what the server says for a while, so that what was asked together arrives together: with one
    // round trip for each znode there would be a reply for each.
    let proxy = try DelayingProxy(to: try await ApacheServer.shared().port, delay: .milliseconds(60))
    let run = try await Zkcli(server: proxy.connectString)("ls", "-R", path)
    #expect(run.output.split(separator: "\n").map(String.init) == all)
    #expect(proxy.replyCount < 200)
  }

  @Test func parentsAndTheZnodeItselfAreCreatedOnDemand() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    expect(try await zkcli("create", "-p", "\(path)/a/b", "v"), output: "\(path)/a/b\n")
    // What is made on the way is empty.
    #expect(try jsonObject(try await zkcli("get", "-o", "json", "\(path)/a").output)["data"] is NSNull)
    for value in ["first", "second"] {
      expect(try await zkcli("set", "--create", "\(path)/c", value))
      expect(try await zkcli("get", "\(path)/c"), output: value)
    }
  }

  @Test func helpNeedsNoServerAndKnowsAliases() async throws {
    let zkcli = Zkcli(server: nil)
    let overview = try await zkcli("help")
    for command in ["ls", "get", "set", "create", "delete", "deleteall", "getAcl", "multi", "quit"] {
      #expect(overview.output.contains("  \(command) "))
      let run = try await zkcli("help", command)
      #expect(run.exitStatus == 0)
      #expect(run.output.hasPrefix("usage: \(command)"))
      #expect(run.output.contains("Examples:"))
    }
    for alias in ["cat", "rm", "rmr", "exit", "GETACL"] { try await #expect(zkcli("help", alias).exitStatus == 0) }
  }

  @Test func aMissingPermissionIsNotAFailedAuthentication() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("everyday")
    try await #expect(zkcli("create", "-p", "\(path)/locked").exitStatus == 0)
    expect(try await zkcli("setAcl", "\(path)/locked", "digest:bob:x:cdrwa"))
    expect(
      try await zkcli("get", "\(path)/locked"), status: 5, error: "NoAuth \(path)/locked: the ACL does not allow it")
    // And no walk hangs on it.
    let run = try await zkcli("ls", "-R", path)
    expect(run, status: 11, output: "\(path)\n\(path)/locked\n", error: "its children cannot be listed")
  }
}
