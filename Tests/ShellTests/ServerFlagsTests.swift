import Testing

@testable import ZooKeeperShell

/// What the environment hands to a server.
@Suite struct ServerFlagsTests {
  private func flags(_ variables: [String: String], _ files: [String: String] = [:]) -> ServerFlags {
    ServerFlags(ShellEnvironment(variables: variables), configurationFile: "/conf/zoo.cfg") { path in
      files[path].map { Array($0.utf8) }
    }
  }

  @Test func propertiesComeFromVariablesAndFiles() {
    let read = flags(
      ["SERVER_JVMFLAGS": "-Xmx1g -Dzookeeper.snapCount=5 -Djute.maxbuffer=1", "CLIENT_JVMFLAGS": "-Dno=1"],
      [
        "/conf/java.env": "export JVMFLAGS=\"-Djute.maxbuffer=2 -XX:+UseG1GC\"\r\n",
        "/conf/zookeeper-env.sh": "SERVER_JVMFLAGS=\"$SERVER_JVMFLAGS -Da=b\"\nJVMFLAGS=$(date)\n",
      ])
    #expect(read.properties == ["zookeeper.snapCount": "5", "jute.maxbuffer": "2", "a": "b"])
    #expect(read.warnings.count == 1 && read.warnings[0].hasPrefix("/conf/zookeeper-env.sh:2: "))
    #expect(read.remarks.contains("ignored -Xmx1g from $SERVER_JVMFLAGS"))
    #expect(read.remarks.contains("used -Djute.maxbuffer from $JVMFLAGS"))
  }

  /// What cannot be evaluated is shown, but not the secrets in it.
  @Test func secretsAreNotShown() {
    let read = flags(
      ["JVMFLAGS": "-javaagent:a.jar=password=hunter1"],
      [
        "/conf/java.env":
          "SERVER_JVMFLAGS=\"$(x) -Dzookeeper.DigestAuthenticationProvider.superDigest=super:hunter2\"\n"
          + "JVMFLAGS=\"$JVMFLAGS $(y) -Dzookeeper.ssl.keyStore.password=hunter3\"\n"
      ])
    #expect(read.warnings.map { $0.contains("JVMFLAGS=***") } == [true, true], "\(read.warnings)")
    #expect(!(read.warnings + read.remarks).joined().contains("hunter"), "\(read.remarks)")
  }

  @Test func logsHaveTheDirectoryOfTheScript() {
    #expect(flags(["ZOO_LOG_DIR": "/logs"]).properties == ["zookeeper.log.dir": "/logs"])
    let own = flags(["ZOO_LOG_DIR": "/logs", "SERVER_JVMFLAGS": "-Dzookeeper.log.dir=/own"])
    #expect(own.properties == ["zookeeper.log.dir": "/own"])
  }

  @Test func directoryIsNamedOrThatOfTheConfiguration() {
    let files = ["/other/java.env": "JVMFLAGS=-Dx=1", "/conf/java.env": "JVMFLAGS=-Dx=2"]
    #expect(flags([:], files).properties == ["x": "2"])
    #expect(flags(["ZOOCFGDIR": "/other"], files).properties == ["x": "1"])
    #expect(
      flags(["ZOO_DATADIR_AUTOCREATE_DISABLE": "1"]).properties == ["zookeeper.datadir.autocreate": "false"])
  }
}
