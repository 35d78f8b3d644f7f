/// The settings of an Apache server that tests change.
public struct ApacheConfiguration: Sendable {
  /// Short enough that the shortest session, two ticks, expires within a test.
  public var tickTimeMilliseconds = 500
  /// The largest session timeout: what Apache's default ticks would allow.
  public var maxSessionTimeoutMilliseconds = 60_000
  /// Lines added at the end of `zoo.cfg`, such as `reconfigEnabled=true`.
  public var extraLines: [String] = []
  /// System properties, such as `readonlymode.enabled`.
  public var systemProperties: [String: String] = [:]
  public var heapMegabytes = 256
  /// How long a server may take until it serves: half a second on an idle machine, many on one that is compiling.
  public var startLimit: Duration = .seconds(60)

  /// The defaults for tests.
  public init() {}

  /// Every kind of node allowed, and `super:secret` as the superuser: what the shared servers run with.
  public static var permissive: ApacheConfiguration {
    var configuration = ApacheConfiguration()
    configuration.systemProperties["zookeeper.extendedTypesEnabled"] = "true"
    // The digest of "super:secret": Base64 of its SHA-1.
    configuration.systemProperties["zookeeper.DigestAuthenticationProvider.superDigest"] =
      "super:lK75jTNcA+U9vtVEw5vB51mj/w4="
    return configuration
  }

  /// The text of `zoo.cfg`, without anything on ports and peers.
  func commonLines(directory: String) -> [String] {
    [
      "dataDir=\(directory)/data",
      "tickTime=\(tickTimeMilliseconds)",
      "maxSessionTimeout=\(maxSessionTimeoutMilliseconds)",
      "maxClientCnxns=0",
      "admin.enableServer=false",
      "4lw.commands.whitelist=*",
    ]
  }

  /// The arguments of `java` for the server configured in `directory`.
  func javaArguments(directory: String, classPath: String = Self.classPath) -> [String] {
    let quickStart = ["-Xmx\(heapMegabytes)m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    var properties = [
      // A file outside of the directory would outlive a killed server.
      "java.io.tmpdir": directory,
      // Logs to the standard error, which goes to a file.
      "org.slf4j.simpleLogger.defaultLogLevel": "info",
      "org.slf4j.simpleLogger.showDateTime": "true",
      "zookeeper.jmx.log4j.disable": "true",
      // A test's data need not survive a power failure: there is no sync, and no preallocation of 64 MB.
      "zookeeper.forceSync": "no",
      "zookeeper.preAllocSize": "256",
    ]
    properties.merge(systemProperties) { _, given in given }
    return quickStart + ["-XX:-UsePerfData"] + properties.sorted { $0.key < $1.key }.map { "-D\($0.key)=\($0.value)" }
      + ["-cp", classPath, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "\(directory)/zoo.cfg"]
  }

  /// Debian's jar names all its dependencies in its manifest, except for a logging library and two parts of Netty,
  /// which TLS needs.
  static let classPath = ["zookeeper", "slf4j-simple", "netty-codec", "netty-resolver"]
    .map { "/usr/share/java/\($0).jar" }.joined(separator: ":")

  /// The AdminServer also needs Jetty and Jackson with their dependencies.
  static let adminClassPath = "\(classPath):/usr/share/java/*"
}
