import Foundation
import TestKit
import Testing

/// Clusters of the configuration file, against a server.
@Suite(.timeLimit(.minutes(10)))
struct ClusterTests {
  /// A `zkcli` that knows the shared server as `dev`, as `prod`, which is protected, and as `view`, which is read-only.
  static func zkcli(_ more: String = "") async throws -> (zkcli: Zkcli, config: String) {
    let server = try await ApacheServer.shared().connectString
    let directory = try Scratch.directory("config")
    try Scratch.write("secret\n", to: "\(directory)/bob")
    chmod("\(directory)/bob", 0o600)
    try Scratch.write(
      """
      [clusters.dev]
      servers = "\(server)"
      auth = [{ user = "bob", password-file = "bob" }]
      [clusters.prod]
      servers = "\(server)"
      protected = true
      auth = [{ user = "bob", password-command = "echo secret" }]
      [clusters.view]
      servers = "\(server)"
      read-only = true
      auth = [{ user = "bob", password-env = "BOB" }]
      [aliases]
      ll = "ls -l"
      \(more)
      """, to: "\(directory)/config.toml")
    let zkcli = Zkcli(server: nil).with(["ZKCLI_CONFIG": "\(directory)/config.toml", "BOB": "secret"])
    return (zkcli, "\(directory)/config.toml")
  }

  @Test func aClusterIsChosenByItsNameWithItsIdentities() async throws {
    let (zkcli, config) = try await Self.zkcli()
    for name in ["dev", "prod", "view"] {
      let run = try await zkcli("-c", name, "whoami")
      #expect(run.output.contains("digest: bob"), "\(run.errorOutput)")
    }
    let listed = try await zkcli("-c", "dev", "clusters")
    #expect(listed.output.split(separator: "\n").map { $0.prefix(6) } == ["* dev ", "  prod", "  view"])
    #expect(try await zkcli("-v", "-c", "dev", "exists", "/").errorOutput.contains("cluster dev from --cluster"))
    expect(try await zkcli("-c", "nope", "ls"), status: 2, error: "there is no cluster nope")
    let document = try json(try await zkcli("-o", "json", "clusters", "--config", config).output)
    #expect((document as? [[String: Any]])?.map { $0["protected"] as? Bool } == [false, true, false])
  }

  @Test func aProtectedClusterNeedsItsNameInScripts() async throws {
    let (zkcli, _) = try await Self.zkcli()
    let path = uniquePath("protected")
    try await #expect(zkcli("-c", "prod", "create", "-p", "\(path)/a/b").exitStatus == 0)
    let refused = try await zkcli("-c", "prod", "deleteall", "--yes", path)
    expect(refused, status: 2, error: "the cluster prod is protected; --yes=prod does it")
    expect(try await zkcli("-c", "dev", "deleteall", "--yes=prod", path), status: 2, error: "the cluster is dev")
    try await #expect(zkcli("-c", "prod", "exists", "\(path)/a/b").exitStatus == 0)
    try await #expect(zkcli("-c", "prod", "deleteall", "--yes=prod", path).exitStatus == 0)
    try await #expect(zkcli("-c", "prod", "exists", path).exitStatus == 1)
  }

  @Test func aReadOnlyClusterIsNotWritten() async throws {
    let (zkcli, _) = try await Self.zkcli()
    let path = uniquePath("view")
    expect(try await zkcli("-c", "view", "create", path), status: 5, error: "the cluster view is read-only here")
    expect(try await zkcli("-c", "dev", "create", path), output: "\(path)\n")
    expect(try await zkcli("-c", "dev", "cp", path, "view:\(path)2"), status: 5, error: "read-only")
    expect(try await zkcli("-c", "view", "cp", path, "dev:\(path)-copy"))
    expect(
      try await zkcli("-c", "view", "-f", "-", input: Array("set \(path) x\n".utf8)), status: 5, error: "read-only")
    expect(try await zkcli("-c", "view", "get", path))
  }

  @Test func aliasesWorkOnTheCommandLineButNotInScripts() async throws {
    let (zkcli, _) = try await Self.zkcli()
    let run = try await zkcli("-c", "dev", "ll", "/")
    #expect(run.exitStatus == 0 && run.output.contains(" zookeeper"))
    expect(try await zkcli("-c", "dev", "-f", "-", input: Array("ll /\n".utf8)), status: 2, error: "unknown command ll")
  }

  @Test func aMistakeInTheFileStopsWhatNeedsServersAndNothingElse() async throws {
    let (zkcli, config) = try await Self.zkcli("[clusters.dev2]\nserver = \"x\"")
    expect(try await zkcli("ls"), status: 2, error: "\(config):15: unknown key server; did you mean servers?")
    expect(try await zkcli("-c", "dev", "ls"), status: 2, error: "unknown key server")
    for command in [["help", "clusters"], ["version"], ["-c", "nope", "help"]] {
      try await #expect(zkcli.run(command).exitStatus == 0)
    }
    let server = try await ApacheServer.shared().connectString
    try await #expect(zkcli("-s", server, "exists", "/").exitStatus == 0)
  }

  @Test func secretsThatOthersCanReadAreWarnedOf() async throws {
    let (zkcli, config) = try await Self.zkcli()
    chmod(config.replacing("config.toml", with: "bob"), 0o644)
    expect(try await zkcli("-c", "dev", "exists", "/"), error: "contains secrets and is accessible to everyone")
    chmod(config, 0o666)
    expect(try await zkcli("-c", "dev", "exists", "/"), status: 2, error: "other users can change this file")
  }

  @Test func thePromptNamesTheClusterAndAProtectedOneAsksForIt() async throws {
    let (zkcli, config) = try await Self.zkcli()
    let server = try await ApacheServer.shared().connectString
    let path = uniquePath("asked")
    try await #expect(zkcli("-c", "dev", "create", "-p", "\(path)/a/b").exitStatus == 0)
    let shell = try await REPLTests.Session.open(server, "-c", "dev", variables: ["ZKCLI_CONFIG": config])
    try await shell.see("type help for the commands")
    try await shell.see("[zk: dev \(server)(CONNECTED) /]")
    try await shell.terminal.type("use pr")
    try await shell.terminal.send("Tab")
    try await shell.see("use prod")
    try await shell.terminal.send("Enter")
    try await shell.see("[zk: prod \(server)(CONNECTED) /]")
    try await shell.enter("deleteall \(path)")
    try await shell.see("Delete 3 znodes, \(path) and all under it on prod? It is protected")
    try await shell.enter("y")
    try await shell.see("Refused: nothing was changed")
    try await shell.enter("rm -r \(path)/a")
    try await shell.see("Delete 2 znodes")
    try await shell.enter("prod")
    try await shell.run("exists \(path)/a/b")
    try await #expect(zkcli("-c", "dev", "exists", "\(path)/a").exitStatus == 1)
  }

  @Test func pathsElsewhereAreCompleted() async throws {
    let (zkcli, config) = try await Self.zkcli()
    let server = try await ApacheServer.shared().connectString
    let path = uniquePath("elsewhere")
    try await #expect(zkcli("-c", "dev", "create", "-p", "\(path)/long-name").exitStatus == 0)
    let own = try await ServerKind.zkcli.connectString
    let shell = try await REPLTests.Session.open(own, variables: ["ZKCLI_CONFIG": config])
    try await shell.terminal.type("cp dev:\(path)/lo")
    try await shell.terminal.send("Tab")
    try await shell.see("cp dev:\(path)/long-name")
    try await shell.terminal.send("C-c")
    try await shell.run("connect --as b \(server)\(path)")
    try await shell.terminal.type("b: get lo")
    try await shell.terminal.send("Tab")
    try await shell.see("b: get long-name")
    let listed = try await zkcli("__complete", "--", "-c", "dev", "diff", "/", "dev:\(path)/")
    #expect(listed.output.hasPrefix("dev:\(path)/long-name"), "\(listed.output)")
  }

  @Test func sessionsStandSideBySide() async throws {
    let (zkcli, _) = try await Self.zkcli()
    let path = uniquePath("beside")
    let server = try await ApacheServer.shared().connectString
    try await #expect(zkcli("-c", "dev", "create", path).exitStatus == 0)
    let script = """
      connect --as b \(server)\(path)
      b: create /inner v
      get \(path)/inner
      b: ls /
      b: close
      b: ls /
      """
    let run = try await zkcli("-c", "dev", "-f", "-", input: Array(script.utf8))
    expect(run, status: 2, output: "/inner\nv\ninner\n", error: "unknown command b:")
  }
}
