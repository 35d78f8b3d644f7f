import Foundation
import TestKit
import Testing

/// Which connections a server's ports accept, at which addresses, and for how long.
@Suite(.timeLimit(.minutes(10)))
struct PortTests {
  private static func connectRequest(declaring lengthBytes: Int32) -> [UInt8] {
    withUnsafeBytes(of: lengthBytes.bigEndian) { Array($0) } + [UInt8](repeating: 0, count: 20)
  }

  /// A client without a session cannot fill the memory, because its first frame is limited.
  @Test func firstFrameThatIsTooLongEndsTheConnection() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let greedy = try LoopbackSocket.connect(to: server.port, timeout: .seconds(20))
    try greedy.write(Self.connectRequest(declaring: 1_000_000))
    #expect(try greedy.readToEnd() == [])
    #expect(try server.ask("ruok") == "imok")
  }

  /// A client without a session is disconnected, however often it sends a byte.
  @Test func drippingConnectionEnds() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let dripping = try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))
    try dripping.write(Self.connectRequest(declaring: 45))
    let start = ContinuousClock.now
    try await eventually("the end", within: .seconds(60), every: .milliseconds(500)) { () -> Bool in
      // A write to a connection that is gone fails, sooner or later.
      do { try dripping.write([0]) } catch { return true }
      return false
    }
    #expect(ContinuousClock.now - start > .seconds(5))
  }

  @Test func halfRequestsOfAdministratorsEnd() async throws {
    let port = try LoopbackPorts.reserve()
    let server = try ServerUnderTest([
      "admin.enableServer=true", "admin.serverAddress=127.0.0.1", "admin.serverPort=\(port)", "admin.idleTimeout=300",
    ])
    try await server.start()
    let half = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    try half.write(Array("GET /commands/ruok HTT".utf8))
    let silent = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    #expect(try half.readToEnd() == [] && silent.readToEnd() == [])
    let whole = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    for command in ["server_stats", "dirs", "monitor"] {
      try whole.write(Array("GET /commands/\(command) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
      let answer = String(decoding: try whole.read(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
    }
    // More at once than there are places: those that are not let in are told at once.
    var held: [LoopbackSocket] = []
    for _ in 0..<150 { held.append(try LoopbackSocket.connect(to: port, timeout: .seconds(30))) }
    for socket in held { #expect(try socket.readToEnd() == []) }
  }

  @Test func wordsAreAnsweredToWhoSaysNoMore() async throws {
    let server = try ServerUnderTest(["4lw.commands.whitelist=ruok,mntr,envi,cons,dirs", "readonlymode.enabled=true"])
    try await server.start()
    func ask(_ word: String) throws -> String {
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(30))
      try socket.write(Array(word.utf8))
      socket.shutdownOutput()
      return String(decoding: try socket.readToEnd(), as: UTF8.self)
    }
    // Whatever the whitelist says, scripts need the one, and clients of a read-only server the other.
    #expect(try ask("srvr").contains("Mode: standalone") && ask("isro") == "rw")
    #expect(try ask("stat").contains("not in the whitelist"))
    let figures = try ask("mntr")
    for name in ["last", "min", "max"] { #expect(figures.contains("zk_\(name)_client_response_size\t-1\n")) }
    #expect(figures.contains("zk_open_file_descriptor_count\t") && !figures.contains("descriptor_count\t0\n"))
    let environment = try ask("envi")
    for name in ["os.memory.free", "os.memory.max", "os.memory.total"] {
      #expect(environment.contains(try Regex("\(name)=[0-9]+MB\n")), "\(environment)")
    }
    for name in ["java.home", "java.io.tmpdir", "java.class.path"] { #expect(environment.contains("\n\(name)=")) }
    // The connection of the request counts too.
    #expect(try ask("cons").contains(#/127\.0\.0\.1:\d+\[0\]\(queued=0,recved=1,sent=0\)\n/#))
    #expect(try ask("dirs").contains(#/datadir_size: [1-9]/#))
  }

  /// Clients that have lost their server come back all at once, while the loop may be busy: the system keeps them,
  /// where a dropped one would try again after a second. The server here is as busy as can be.
  @Test(arguments: [(lines: [], kept: 300), (lines: ["clientPortListenBacklog=4"], kept: 5)])
  func connectionsWaitToBeAccepted(_ lines: [String], kept: Int) async throws {
    let systemLimit = (try? String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8))
      .flatMap { Int($0.trimmingCharacters(in: .newlines)) }
    let server = try ServerUnderTest(lines)
    try await server.start()
    server.command?.send(signal: SIGSTOP)
    defer { server.command?.send(signal: SIGCONT) }
    var waiting: [LoopbackSocket] = []
    for _ in 0..<min(kept, systemLimit ?? 128) {
      waiting.append(try LoopbackSocket.connect(to: server.port, timeout: .seconds(5)))
    }
    guard kept < 300 else { return }
    // The queue takes one more than it says.
    #expect(throws: TestKitError.self) {
      for _ in 0..<3 { waiting.append(try LoopbackSocket.connect(to: server.port, timeout: .milliseconds(300))) }
    }
  }

  /// A full log is followed by the next one, even when clients use every descriptor that they can get.
  @Test func logRollsWhenDescriptorsRunOut() async throws {
    let server = try ServerUnderTest(
      ["snapCount=50", "maxClientCnxns=0"], wrapper: ["/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"])
    try await server.start(isLimited: true)
    let writer = try RunningCommand(try Products.executable("zkcli"), ["-s", server.connectString])
    try writer.write("create /first\n")
    #expect(try await writer.nextLine(within: .seconds(90)) == "/first")
    var held: [LoopbackSocket] = []
    for _ in 0..<200 { held.append(try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))) }
    for number in 0..<200 {
      try writer.write("create /n\(number)\n")
      #expect(try await writer.nextLine(within: .seconds(90)) == "/n\(number)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(server.dataDirectory)/version-2")
    #expect(names.count { $0.hasPrefix("log.") } > 1, "\(names)")
    #expect(server.command?.ending == nil, "\(server.errorOutput)")
    writer.closeInput()
    held = []
  }

  /// Numbers as Amazon's EMR gives them and larger ones, over IPv6 alone, from files with line ends of another system.
  @Test func membersFromZeroOnElectOverIPv6() async throws {
    let ids = [0, 255, 300]
    var ports: [(quorum: UInt16, election: UInt16)] = []
    for _ in ids { ports.append((try LoopbackPorts.reserve(), try LoopbackPorts.reserve())) }
    let lines = zip(ids, ports).map { "server.\($0)=[::1]:\($1.quorum):\($1.election)\r" }
    let servers = try ids.map { id in
      let server = try ServerUnderTest(["initLimit=20", "syncLimit=10\r", "quorumListenOnAllIPs=\(id == 300)"] + lines)
      try FileManager.default.createDirectory(atPath: server.dataDirectory, withIntermediateDirectories: true)
      try Scratch.write("\(id)\r\n", to: "\(server.dataDirectory)/myid")
      return server
    }
    for server in servers { try server.launch() }
    for server in servers {
      try await eventually("service", within: .seconds(90), every: .milliseconds(50)) {
        ((try? server.ask("srvr")) ?? "").contains("Mode: ")
      }
    }
    // A session of each makes something of its own: their numbers must not be one.
    for (server, id) in zip(servers, ids) {
      let run = try await CommandRun.run(
        try Products.executable("zkcli"), ["-s", server.connectString],
        input: Array("create -e /e\(id)\nsync\nls /\n".utf8))
      #expect(run.exitStatus == 0 && run.output.contains("/e\(id)\n"), "\(run.output)\(run.errorOutput)")
    }
    #expect(try servers[2].ask("srvr").contains("Mode: leader") || servers[1].ask("srvr").contains("Mode: leader"))
    for server in servers { try await server.end(by: SIGKILL) }
  }

  @Test func wildcardTakesBothFamilies() async throws {
    let server = try ServerUnderTest(["clientPortAddress=0.0.0.0"])
    try await server.start()
    for host in ["127.0.0.1", "[::1]"] {
      let run = try await CommandRun.run(
        try Products.executable("zkcli"), ["-s", "\(host):\(server.port)", "whoami"])
      let address = host.filter { $0 != "[" && $0 != "]" }
      #expect(run.exitStatus == 0 && run.output.contains(address == "::1" ? ":" : address), "\(run.output)")
      #expect(!run.output.contains("ffff"))
    }
  }

  /// The own name is not in DNS yet: the server waits for it, says so, and can be stopped meanwhile.
  @Test func ownNameIsWaitedFor() async throws {
    let server = try ServerUnderTest([
      "initLimit=20", "syncLimit=10", "electionPortBindRetry=0", "server.1=nosuch.invalid:1:2",
      "server.2=127.0.0.1:3:4",
      "server.3=127.0.0.1:5:6",
    ])
    try FileManager.default.createDirectory(atPath: server.dataDirectory, withIntermediateDirectories: true)
    try Scratch.write("1", to: "\(server.dataDirectory)/myid")
    try server.launch()
    try await eventually("a second attempt", within: .seconds(60)) { server.errorOutput.contains("attempt=2") }
    #expect(server.errorOutput.contains("the name nosuch.invalid is not known"))
    #expect(try await server.end(by: SIGTERM) == .exited(0))
  }

  /// A client without a required identity may do nothing.
  @Test func enforcedAuthenticationKeepsStrangersOut() async throws {
    let server = try ServerUnderTest(["enforce.auth.enabled=true", "enforce.auth.schemes=digest"])
    try await server.start()
    let zkcli = try Products.executable("zkcli")
    for command in [["create", "/a", "x"], ["ls", "/"]] {
      let run = try await CommandRun.run(zkcli, ["-s", server.connectString] + command)
      #expect(run.exitStatus != 0 && run.errorOutput.contains("SessionClosedRequireSaslAuth"), "\(run.errorOutput)")
    }
    var environment = RunningCommand.cleanEnvironment
    environment["ZKCLI_AUTH"] = "digest:user:secret"
    let known = try await CommandRun.run(
      zkcli, ["-s", server.connectString, "create", "/a", "x"], environment: environment)
    #expect(known.exitStatus == 0, "\(known.errorOutput)")
    // Nobody can prove a certificate or a principal here, so no ACL may name one.
    for acl in ["x509:CN=a:r", "sasl:bob:r"] {
      let run = try await CommandRun.run(
        zkcli, ["-s", server.connectString, "setAcl", "/a", acl], environment: environment)
      #expect(run.exitStatus != 0 && run.errorOutput.contains("InvalidACL"), "\(run.errorOutput)")
    }
  }

  /// The JVM flags that Apache's script passes to Java mean the same here.
  @Test func flagsForJavaAreTaken() async throws {
    let directory = try Scratch.directory("flags")
    let file = "\(directory)/zoo.cfg"
    try Scratch.write("dataDir=\(directory)/data\nclientPort=0\n", to: file)
    try Scratch.write("export JVMFLAGS=\"-Xmx1g -Dzookeeper.sslQuorum=true\"\n", to: "\(directory)/java.env")
    let zkcli = try Products.executable("zkcli")
    let guarded = try await CommandRun.run(zkcli, ["server", "check", file])
    #expect(guarded.exitStatus == 2 && guarded.errorOutput.contains("sslQuorum"), "\(guarded.errorOutput)")
    try FileManager.default.removeItem(atPath: "\(directory)/java.env")
    var environment = RunningCommand.cleanEnvironment
    environment["SERVER_JVMFLAGS"] = "-Dzookeeper.snapCount=lots -XX:+UseG1GC"
    let taken = try await CommandRun.run(zkcli, ["-v", "server", "check", file], environment: environment)
    #expect(taken.exitStatus == 0 && taken.errorOutput.contains("snapCount is not a whole number"))
    #expect(taken.errorOutput.contains("ignored -XX:+UseG1GC"), "\(taken.errorOutput)")
  }
}
