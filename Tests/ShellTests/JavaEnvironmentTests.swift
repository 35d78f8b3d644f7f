import Testing

@testable import ZooKeeperShell

/// What stands in the environment for `java` when the program is called by a name of Apache's.
@Suite(.timeLimit(.minutes(10))) struct JavaEnvironmentTests {
  private func settings(
    _ variables: [String: String], files: [String: String] = [:], _ options: [OptionName: [Word]] = [:]
  ) throws(ShellError) -> ShellSettings {
    var settings = try ShellSettings(options, environment: ShellEnvironment())
    let environment = ShellEnvironment(programName: "zkCli.sh", variables: variables)
    try settings.apply(
      JavaEnvironment(JavaEnvironment.clientVariables, of: environment) { path in
        files[path].map { [UInt8]($0.utf8) }
      })
    return settings
  }

  @Test(
    arguments: [
      (["CLIENT_JVMFLAGS": "-Dzookeeper.client.secure=true"], [:]),
      (["JVMFLAGS": "-Xmx1g -Dzookeeper.client.secure=TRUE -Da=b"], [:]),
      ([:], ["/etc/zookeeper/conf/java.env": "export CLIENT_JVMFLAGS='-Dzookeeper.client.secure=true'"]),
      (["ZOOCFGDIR": "/c", "X": "true"], ["/c/zookeeper-env.sh": "JVMFLAGS=-Dzookeeper.client.secure=$X"]),
    ] as [([String: String], [String: String])])
  func sessionsAreEncryptedWhereTLSIsAskedFor(variables: [String: String], files: [String: String]) throws {
    #expect(try settings(variables, files: files).tls.isWanted)
  }

  @Test func noSessionInTheClearWhereTLSMayBeAskedFor() {
    let files = ["/etc/zookeeper/conf/java.env": "if x; then\nCLIENT_JVMFLAGS=-Dzookeeper.client.secure=true\nfi"]
    let error = #expect(throws: ShellError.self) { try settings([:], files: files) }
    #expect(error?.exitCode == .usage)
    #expect(error?.message.contains("asks for TLS") == true)
  }

  @Test func theLastOneCounts() throws {
    let variables = [
      "CLIENT_JVMFLAGS": "-Dzookeeper.request.timeout=5000 -Djute.maxbuffer=1",
      "JVMFLAGS": "-Djute.maxbuffer=4194304 -Xmx1g -Dzookeeper.client.secure=false",
    ]
    let settings = try settings(variables)
    #expect(settings.timeLimit == .seconds(5))
    #expect(settings.maximumFrameBytes == 4_194_304)
    #expect(settings.warnings.isEmpty)
    #expect(settings.remarks.contains("used -Djute.maxbuffer from $JVMFLAGS"))
    #expect(settings.remarks.contains("ignored -Xmx1g from $JVMFLAGS"))
  }

  @Test func whatOnlyAShellCanTellIsWarnedOf() throws {
    let files = ["/etc/zookeeper/conf/java.env": "A=1\nJVMFLAGS=$(cat flags)\n. /other\n"]
    #expect(
      try settings([:], files: files).warnings == [
        "/etc/zookeeper/conf/java.env:2: ignored, because only a shell can evaluate it: JVMFLAGS=$(cat flags)"
      ])
    let sasl = ["JVMFLAGS": "-Djava.security.auth.login.config=/x"]
    var warnings: [String] = []
    let error = #expect(throws: ShellError.self) { try settings(sasl).javaSASL.options(warnings: &warnings) }
    #expect(error?.message.contains("cannot open /x") == true)
    let without = ["JVMFLAGS": "-Djava.security.auth.login.config=/x -Dzookeeper.sasl.client=false"]
    #expect(try settings(without).warnings.isEmpty)
    #expect(try settings(without).javaSASL.options(warnings: &warnings)?.login == nil)
  }

  @Test func theVariablesCountUnderApachesNamesOnly() throws {
    let variables = ["CLIENT_JVMFLAGS": "-Dzookeeper.client.secure=true", "ZOOCFGDIR": "/nonexistent"]
    let environment = ShellEnvironment(variables: variables)
    #expect(try !ShellSettings([:], environment: environment).connectString.requiresTLS)
    #expect(try ShellSettings([:], environment: environment, dialect: ZkCliDialect()).connectString.requiresTLS)
  }
}
