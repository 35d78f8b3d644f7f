import LineEditor
import TestKit
import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct ClusterFileTests {
  static let text = """
    default = "dev"
    [clusters.dev]
    servers = "localhost:2181"
    [clusters.prod]
    servers = ["zk1:2181", "zk2:2181/app"]
    timeout = "3s"
    protected = true
    read-only = true
    prompt-color = "cyan"
    tls = { cacert = "ca.pem", cert = "/etc/me.pem", key = "~/me.key", server-name = "zk" }
    auth = [
      { scheme = "digest", user = "bob", password-file = "bob.secret" },
      { user = "eve", password-env = "EVE" },
      { user = "ann" },
    ]
    [clusters.prod.sasl]
    mechanism = "digest"
    user = "kim"
    password-command = "pass zk"
    [aliases]
    ll = "ls -l"
    """

  private func read(_ text: String, mayRunCommands: Bool = true) throws -> ClusterFile {
    try ClusterFile(parsing: Array(text.utf8), path: "/c/f.toml", home: "/home/me", mayRunCommands: mayRunCommands)
  }

  @Test func aClusterHasWhatTheFileSays() throws {
    let file = try read(Self.text)
    #expect(file.names == ["dev", "prod"] && file.defaultName?.text == "dev")
    #expect(file.expansion(of: "ll") == "ls -l" && file.expansion(of: "lx") == nil)
    let prod = try file.cluster("prod", from: "--cluster")
    #expect(prod.isProtected && prod.isReadOnly && prod.promptColor == .cyan)
    let values = prod.values.mapValues(\.text)
    #expect(
      values == [
        .server: "zk1:2181,zk2:2181/app", .timeout: "3s", .tls: "true", .cacert: "/c/ca.pem", .cert: "/etc/me.pem",
        .key: "/home/me/me.key", .tlsServerName: "zk", .sasl: "digest", .user: "kim",
      ])
    #expect(prod.values[.timeout]?.source == "/c/f.toml:6 timeout")
    #expect(prod.saslPassword == .command("pass zk"))
    #expect(prod.identities.map(\.user) == ["bob", "eve", "ann"])
    #expect(prod.identities.map(\.reference) == [.file("/c/bob.secret"), .variable("EVE"), nil])
  }

  @Test(arguments: [
    ("serves = 1", "f.toml:1: unknown key serves"), ("[clusters.a]\nserver = 'x'", "f.toml:2: unknown key server; did"),
    ("[clusters.a]\nservers = 'x'\nprotect = true", "f.toml:3: unknown key protect; did you mean protected?"),
    ("[clusters.a]\n", "f.toml:1: the cluster a has no servers"),
    ("[clusters.a]\nservers = ':x'", "f.toml:2: servers :x is not a list of servers"),
    ("[clusters.a]\nservers = 'x'\ntimeout = '5'", "f.toml:3: timeout 5 has no unit"),
    ("[clusters.a]\nservers = 'x'\ntimeout = 5", "timeout must be a text in quotes, and is a number"),
    ("[clusters.a]\nservers = 'x'\nprotected = 'yes'", "protected must be true or false, and is a string"),
    (
      "[clusters.a]\nservers = 'x'\nprompt-color = 'grean'",
      "f.toml:3: prompt-color cannot be grean; did you mean green"
    ),
    (
      "[clusters.a]\nservers = 'x'\nauth = [{user = 'b', password = 'x'}]",
      "f.toml:3: this file cannot contain passwords"
    ),
    ("[clusters.a]\nservers = 'x'\nauth = [{password-env = 'x'}]", "f.toml:3: an identity of the scheme digest needs"),
    (
      "[clusters.a]\nservers = 'x'\nauth = [{user = 'b', password-env = 'x', password-file = 'y'}]",
      "there are two passwords"
    ),
    ("[clusters.a]\nservers = 'x'\ntls = {insecure = true, cacert = 'c'}", "insecure and cacert contradict"),
    ("[clusters.a]\nservers = 'x'\nsasl = {user = 'b'}", "sasl needs a mechanism"),
    (
      "[clusters.a]\nservers = 'x'\nsasl = {mechanism = 'gssapi', user = 'b'}",
      "user cannot be combined with the mechanism"
    ),
    ("[clusters.'a b']\nservers = 'x'", "the name of a cluster can contain only letters"),
    ("default = 'dev'\n[clusters.def]\nservers = 'x'", "f.toml:1: there is no cluster dev; /c/f.toml has def"),
    ("[aliases]\nls = 'ls -l'", "f.toml:2: ls is a command already"), ("[aliases]\nx = 'lsx'", "unknown command lsx"),
    ("[aliases]\n'a b' = 'ls'", "cannot be typed as a command"), ("x = ", "f.toml:1: expected a value"),
  ])
  func mistakesAreNamedWithFileAndLine(text: String, message: String) {
    let error = #expect(throws: ShellError.self) { try read(text) }
    #expect(error?.exitCode == .usage && error?.text.contains(message) == true, "\(error?.text ?? "")")
  }

  @Test func noCommandOfAFileThatOthersCanChangeIsRun() {
    let error = #expect(throws: ShellError.self) { try read(Self.text, mayRunCommands: false) }
    #expect(error?.text.contains("other users can change this file") == true)
  }

  // MARK: Precedence

  private func settings(
    _ line: String, _ variables: [String: String] = [:], file: String = Self.text
  ) throws -> ShellSettings {
    let path = try Scratch.directory("config") + "/config.toml"
    try Scratch.write(file, to: path)
    let parsed = ProgramOptions.parse(words(line))
    if let mistake = parsed.mistake { throw mistake }
    return try ShellSettings(
      parsed.globals, environment: ShellEnvironment(variables: variables.merging(["ZKCLI_CONFIG": path]) { $0 + $1 }))
  }

  @Test(
    arguments: [
      ("", [:], "dev", "localhost:2181"), ("-c prod", [:], "prod", "zk1:2181,zk2:2181/app"),
      ("-c dev", ["ZKCLI_SERVER": "x:1", "ZKCLI_CLUSTER": "prod"], "dev", "localhost:2181"),
      ("", ["ZKCLI_CLUSTER": "prod"], "prod", "zk1:2181,zk2:2181/app"),
      ("", ["ZKCLI_CLUSTER": "prod", "ZKCLI_SERVER": "x:1"], nil, "x:1"), ("", ["ZK_HOSTS": "y:1"], nil, "y:1"),
      ("-s z:1", ["ZKCLI_CLUSTER": "prod"], nil, "z:1"),
    ] as [(String, [String: String], String?, String)])
  func optionsComeBeforeVariablesAndTheseBeforeTheFile(
    line: String, variables: [String: String], cluster: String?, servers: String
  ) throws {
    let settings = try settings(line, variables)
    #expect(settings.cluster?.name == cluster)
    #expect(settings.connectString.description.hasSuffix(servers))
  }

  @Test func valuesOfTheFileGiveWayToVariablesAndOptions() throws {
    #expect(try settings("-c prod").timeLimit == .seconds(3))
    #expect(try settings("-c prod", ["ZKCLI_TIMEOUT": "4s"]).timeLimit == .seconds(4))
    #expect(try settings("-c prod --timeout 5s", ["ZKCLI_TIMEOUT": "4s"]).timeLimit == .seconds(5))
    #expect(try settings("-c prod").identities.count == 3)
    #expect(try settings("-c prod", ["ZKCLI_AUTH": "digest:a:b"]).identities.map(\.user) == [""])
    let remarks = try settings("-v -c prod").remarks
    #expect(remarks.contains { $0.hasPrefix("servers ") && $0.contains(":5 servers") }, "\(remarks)")
    #expect(remarks.contains { $0.hasPrefix("timeout 3s from") })
  }

  @Test func anotherClusterGetsNothingOfTheFirstOnesSecrets() throws {
    let first = try settings("-s z:1 --auth digest:a:b --tls --timeout 7s")
    let next = try first.using(
      cluster: "dev", from: "use", ShellEnvironment(variables: ["ZKCLI_CONFIG": first.origin.location?.path ?? ""]))
    #expect(next.cluster?.name == "dev" && next.identities.isEmpty && !next.tls.isWanted)
    #expect(next.timeLimit == .seconds(7))
    let mistake = try first.using(
      cluster: "nope", from: "use", ShellEnvironment(variables: ["ZKCLI_CONFIG": first.origin.location?.path ?? ""])
    ).clusterMistake
    #expect(mistake?.text.hasPrefix("use: there is no cluster nope") == true, "\(mistake?.text ?? "")")
  }

  @Test(arguments: [
    ("-c nope", "--cluster: there is no cluster nope"), ("-c prud", "config.toml has dev, prod"),
    ("-c prod -s x:1", "--cluster cannot be combined with --server"),
    ("-c prod --local", "--cluster cannot be combined with --local"),
  ])
  func clustersThatDoNotExistAreRefused(line: String, message: String) {
    var mistake: ShellError?
    do { mistake = try settings(line).clusterMistake } catch { mistake = error as? ShellError }
    #expect(mistake?.exitCode == .usage && mistake?.text.contains(message) == true, "\(mistake?.text ?? "")")
  }

  @Test func aNamedFileMustExist() throws {
    let environment = ShellEnvironment(variables: ["ZKCLI_CONFIG": "/nonexistent/config.toml"])
    #expect(try ShellSettings([:], environment: environment).clusterMistake?.exitCode == .localInputOutput)
    #expect(throws: Never.self) {
      try ShellSettings([:], environment: ShellEnvironment(variables: ["HOME": "/nonexistent"]))
    }
  }

  @Test func theNativePromptNamesTheClusterInItsColour() {
    var place = PromptState.Place(servers: "s", server: "h:1", directory: "/", state: .syncConnected)
    let dialect = NativeDialect()
    place.cluster = NamedCluster(name: "prod", isProtected: true)
    #expect(dialect.prompt(place, commandCount: 0).pieces[1] == .init("prod", style: .red))
    place.cluster?.color = .cyan
    #expect(dialect.prompt(place, commandCount: 0).pieces[1] == .init("prod", style: .cyan))
  }
}
