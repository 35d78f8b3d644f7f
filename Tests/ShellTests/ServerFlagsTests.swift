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

  @Test func directoryIsNamedOrThatOfTheConfiguration() {
    let files = ["/other/java.env": "JVMFLAGS=-Dx=1", "/conf/java.env": "JVMFLAGS=-Dx=2"]
    #expect(flags([:], files).properties == ["x": "2"])
    #expect(flags(["ZOOCFGDIR": "/other"], files).properties == ["x": "1"])
    #expect(
      flags(["ZOO_DATADIR_AUTOCREATE_DISABLE": "1"]).properties == ["zookeeper.datadir.autocreate": "false"])
  }
}
