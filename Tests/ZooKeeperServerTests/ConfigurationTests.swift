import Foundation
import TestKit
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// A `zoo.cfg` means the same as for Apache's server, and no key that asks for protection is ignored.
@Suite struct ConfigurationTests {
  private static let base = "dataDir=/d\n"

  private func read(
    _ lines: String, properties: [String: String] = [:], dynamic: String? = nil
  ) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile(
      parsing: Self.base + lines, file: "zoo.cfg", readFile: { _ in dynamic }, properties: properties)
  }

  private func problems(_ lines: String, properties: [String: String] = [:]) -> [String] {
    do throws(ConfigurationError) {
      _ = try read(lines, properties: properties)
      return []
    } catch {
      return error.problems.map(\.text)
    }
  }

  // MARK: Protection

  @Test(arguments: [
    "ssl.keyStore.type=BCFKS", "ssl.clientAuth=yes", "ssl.protocol=TLSv1.1", "ssl.enabledProtocols=TLSv1.2,SSLv3",
    "ssl.ciphersuites=X", "ssl.crl=true", "ssl.ocsp=true", "ssl.context.supplier.class=a.B", "ssl.authProvider=mine",
    "ssl.quorum.crl=true", "ssl.quorum.somethingNew=1", "ssl.x509.somethingNew=1", "ssl.x509.clientCertIdType=DN",
    "ssl.somethingNew=1", "fips-mode=true", "audit.enable=yes",
    "audit.enabel=true", "audit.impl.class=x.Y", "DigestAuthenticationProvider.digestAlg=SHA3-256",
    "DigestAuthenticationProvider.digestAlg=SHA-1x", "DigestAuthenticationProvider.superDigestPath=/none",
    "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProviders", "requireClientAuthScheme=sasl",
    "jaasLoginRenew=3600000", "quorum.auth.enableSasl=true", "quorum.auth.learnerRequireSasl=true",
    "quorum.auth.serverRequireSasl=true",
    "kerberos.removeHostFromPrincipal=true", "sessionRequireClientSASLAuth=true", "superUser=bob",
    "sasl.serverconfig=Server", "security.auth_to_local=RULE", "admin.forceHttps=yes", "admin.needClientAuth=true",
    "admin.portUnification=1", "metricsProvider.httpsPort=x", "metricsProvider.ssl.keyStore.location=/k",
    "metricsProvider.ssl.need.client.auth=true", "metricsProvider.ssl.crl=true", "metricsProvider.ssl.a=b",
    "ensembleAuthName=a", "enforce.auth.enabeld=true", "enforce.auth.enabled=yes", "enforce.auth.enabled=true",
    "enforce.auth.schemes=digest", "secureclientport=2281", "sslquorum=true", "quorum.auth.enable=true",
  ])
  func whatAsksForMissingProtectionIsRefused(line: String) {
    let found = problems("clientPort=0\n\(line)\n")
    #expect(found.count == 1 && found[0].hasPrefix("zoo.cfg:3: "), "\(found)")
    let key = String(line.prefix { $0 != "=" })
    #expect(found.allSatisfy { $0.contains(key) })
    // As a Java system property it asks for the same.
    let property = problems("clientPort=0\n", properties: ["zookeeper." + key: String(line.dropFirst(key.count + 1))])
    let isFileOnly = key.hasPrefix("metricsProvider.http")
    #expect(isFileOnly || property.count == 1, "\(property)")
  }

  @Test(arguments: [
    "sslQuorum=false", "audit.enable=false", "quorum.auth.enableSasl=false\nquorum.auth.learner.saslLoginContext=L",
    "enforce.auth.enabled=false\nenforce.auth.schemes=sasl", "fips-mode=false", "ssl.clientAuth=none",
    "DigestAuthenticationProvider.digestAlg=SHA1", "client.portUnification=false",
    "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory", "admin.forceHttps=false",
    "authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
    "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider",
    "secureClientPort=2281\nssl.keyStore.location=/k", "sslQuorum=true\nssl.quorum.keyStore.location=/k",
    "client.portUnification=true\nssl.keyStore.location=/k\nssl.clientAuth=want\nssl.protocol=TLSv1.3",
    "ssl.keyStore.location=/k\nssl.quorum.trustStore.location=/t\nsslQuorumReloadCertFiles=true",
    "admin.forceHttps=true\nssl.quorum.keyStore.location=/k",
    "admin.portUnification=true\nadmin.needClientAuth=true\nssl.quorum.keyStore.location=/k"
      + "\nssl.quorum.trustStore.location=/t",
    "metricsProvider.httpsPort=7001\nmetricsProvider.ssl.keyStore.location=/k"
      + "\nmetricsProvider.ssl.trustStore.location=/t",
    "metricsProvider.httpsPort=7001\nmetricsProvider.ssl.keyStore.location=/k"
      + "\nmetricsProvider.ssl.need.client.auth=false\nmetricsProvider.ssl.want.client.auth=false",
    "metricsProvider.httpsPort=-1", "kerberos.canonicalizeHostNames=false\nkerberos.minReLoginTimeMs=60000",
    "secureClientPort=2281\nssl.keyStore.location=/k\nssl.allowReverseDnsLookup=true",
  ])
  func whatAsksForNoneIsNot(lines: String) { #expect(problems(lines) == []) }

  /// What is to be encrypted needs a key, and what has a key is not encrypted without being asked to be.
  @Test func encryptionIsAskedForAsAWhole() throws {
    for line in ["secureClientPort=2281", "client.portUnification=true", "sslQuorum=true", "portUnification=true"] {
      #expect(problems(line).first?.contains("keyStore.location") == true, "\(line)")
    }
    #expect(problems("secureClientPortAddress=h").first?.contains("secureClientPort is not set") == true)
    #expect(problems("sslQuorum=yes").first?.contains("true or false") == true)
    let unused = try read("ssl.keyStore.location=/k\nssl.quorum.keyStore.location=/k")
    #expect(unused.warnings.map(\.line) == [2, 3])
    let used = try read("secureClientPort=2281\nssl.keyStore.location=/k\nclientPort=2181").configuration
    #expect(used.opensClientPort && used.usesClientTLS && !used.usesQuorumTLS)
    #expect(try !read("secureClientPort=2281\nssl.keyStore.location=/k").configuration.opensClientPort)
  }

  /// All keys in the chapter about encryption, authentication and authorization of Apache's guide to 3.9.5, and those
  /// that its sources have besides: each is honoured, refused, or has no meaning here.
  @Test func everyKeyOfApachesGuideIsKnown() throws {
    let tls = [
      "keyStore.location", "keyStore.password", "keyStore.passwordPath", "keyStore.type", "trustStore.location",
      "trustStore.password", "trustStore.passwordPath", "trustStore.type", "protocol", "enabledProtocols",
      "ciphersuites", "context.supplier.class", "hostnameVerification", "clientHostnameVerification",
      "allowReverseDnsLookup", "crl", "ocsp", "clientAuth", "handshakeDetectionTimeoutMillis",
    ]
    let keys =
      ["ssl.", "ssl.quorum.", "metricsProvider.ssl."].flatMap { prefix in tls.map { prefix + $0 } } + [
        "DigestAuthenticationProvider.digestAlg", "DigestAuthenticationProvider.enabled",
        "DigestAuthenticationProvider.superDigest", "IPAuthenticationProvider.usexforwardedfor",
        "SASLAuthenticationProvider.superPassword", "X509AuthenticationProvider.superUser", "admin.forceHttps",
        "admin.needClientAuth", "admin.portUnification", "allowSaslFailedClients", "audit.enable", "audit.impl.class",
        "authProvider", "authProvider.1", "client.certReload", "client.portUnification", "digest.enabled",
        "enableEagerACLCheck", "enforce.auth.enabled", "enforce.auth.schemes", "ensembleAuthName", "fips-mode",
        "java.security.auth.login.config", "kerberos.canonicalizeHostNames", "kerberos.minReLoginTimeMs",
        "kerberos.removeHostFromPrincipal", "kerberos.removeRealmFromPrincipal", "kinit", "letAnySaslUserDoX",
        "metricsProvider.httpsPort", "metricsProvider.ssl.need.client.auth", "metricsProvider.ssl.want.client.auth",
        "multiAddress.enabled", "multiAddress.reachabilityCheckTimeoutMs",
        "netty.server.earlyDropSecureConnectionHandshakes", "netty.server.outstandingHandshake.limit",
        "portUnification", "quorum.auth.enableSasl", "quorum.auth.kerberos.servicePrincipal",
        "quorum.auth.learner.saslLoginContext", "quorum.auth.learnerRequireSasl", "quorum.auth.server.saslLoginContext",
        "quorum.auth.serverRequireSasl", "requireKerberosConfig", "sasl.client", "sasl.client.canonicalize.hostname",
        "sasl.client.username", "sasl.clientconfig", "sasl.serverconfig", "secureClientPort",
        "secureClientPortAddress", "security.auth_to_local", "serverCnxnFactory", "sessionRequireClientSASLAuth",
        "skipACL", "ssl.authProvider", "ssl.sslProvider", "sslQuorum", "sslQuorumReloadCertFiles", "superUser",
      ]
    for key in keys {
      do throws(ConfigurationError) {
        #expect(try read("clientPort=0\n\(key)=x").unknownKeys.isEmpty, "\(key)")
      } catch {
        #expect(!error.problems.contains { $0.message.hasPrefix("the key \(key) ") }, "\(key)")
      }
    }
  }

  @Test func operatorsPortsAreEncryptedAsAWhole() throws {
    for line in ["admin.forceHttps=true", "admin.portUnification=true"] {
      #expect(problems(line).first?.contains("ssl.quorum.keyStore.location") == true)
      // Those of any authority would be let in.
      let asking = problems("\(line)\nadmin.needClientAuth=true\nssl.quorum.keyStore.location=/k")
      #expect(asking.count == 1 && asking[0].contains("ssl.quorum.trustStore.location"), "\(asking)")
    }
    #expect(problems("admin.enableServer=false\nadmin.forceHttps=true") == [])
    let metrics = "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n"
    #expect(problems(metrics + "metricsProvider.httpsPort=1").first?.contains("keyStore.location") == true)
    let untrusting = problems("metricsProvider.httpsPort=1\nmetricsProvider.ssl.keyStore.location=/k")
    #expect(untrusting.first?.contains("trustStore.location") == true)
    #expect(problems("metricsProvider.httpPort=-1").first?.contains("httpsPort must be configured") == true)
    let stores = "metricsProvider.ssl.keyStore.location=/k\nmetricsProvider.ssl.trustStore.location=/t\n"
    let secure = try read(metrics + stores + "metricsProvider.httpsPort=7001").configuration.metrics
    #expect(secure?.port == nil && secure?.securePort == 7001 && secure?.tls.acceptsBoth == false)
    #expect(secure?.tls.properties.settings.clientAuthentication == .need)
    let both = try read(metrics + stores + "metricsProvider.httpPort=7001\nmetricsProvider.httpsPort=7001")
    #expect(both.configuration.metrics?.tls.acceptsBoth == true)
    let wanted = try read(
      metrics + stores
        + "metricsProvider.httpPort=1\nmetricsProvider.httpsPort=2\nmetricsProvider.ssl.need.client.auth=false")
    #expect(wanted.configuration.metrics?.tls.properties.settings.clientAuthentication == .want)
    #expect(wanted.configuration.metrics?.port == 1 && wanted.configuration.metrics?.securePort == 2)
    #expect(try read(metrics).configuration.metrics?.port == 7000)
    #expect(try read("").configuration.metrics == nil)
  }

  @Test func digestAlgorithmsAreTakenByJavasNames() throws {
    for name in ["MD5", "sha1", "SHA", "SHA-224", "SHA-256", "sha-384", "SHA-512"] {
      let file = try read("DigestAuthenticationProvider.digestAlg=\(name)")
      #expect(file.configuration.features.digestAlgorithm == name && file.warnings == [])
    }
  }

  @Test func superuserMayComeFromAFile() throws {
    let key = "DigestAuthenticationProvider.superDigestPath=/secret"
    let read = { (text: String?, lines: String) throws(ConfigurationError) in
      try ConfigurationFile(
        parsing: Self.base + lines, file: "zoo.cfg", readFile: { path in path == "/secret" ? text : nil })
    }
    #expect(try read("super:abc=\n", key).configuration.coreSettings.superDigest == "super:abc=")
    for text in [nil, "", "super", "super:a\nsuper:b\n"] as [String?] {
      let error = #expect(throws: ConfigurationError.self) { try read(text, key) }
      #expect(error?.problems.map(\.line) == [2])
      #expect(error?.problems.contains { $0.message.contains("super:a") } == false)
    }
    let both = #expect(throws: ConfigurationError.self) {
      try read("super:a", key + "\nDigestAuthenticationProvider.superDigest=super:b")
    }
    #expect(both?.problems.count == 1)
  }

  /// A file with secrets stays as private as it was when the ensemble changes.
  @Test func rewrittenFilesKeepTheirPermissions() throws {
    let directory = try Scratch.directory("rewrite")
    let path = "\(directory)/zoo.cfg"
    try Scratch.write("dataDir=/d\nserver.1=h:1:2;3\n", to: path)
    for mode in [0o600, 0o640] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      let members = [
        QuorumConfiguration.Member(
          id: ServerID(rawValue: 1), addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)])
      ]
      let rewrite = ConfigurationRewrite(files: PosixFileSystem(), path: path)
      _ = try rewrite.save(QuorumConfiguration(members: members, version: Int64(mode)), own: ServerID(rawValue: 1))
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains("dynamicConfigFile=") && !text.contains("server.1"))
      let found = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(found == mode)
    }
    let kept = try FileManager.default.attributesOfItem(atPath: "\(path).bak")[.posixPermissions] as? Int
    #expect(kept == 0o600)
  }

  @Test func ensembleHasNames() throws {
    let provider = "authProvider.1=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider\n"
    #expect(try read("").configuration.coreSettings.ensembleNames == nil)
    #expect(try read(provider).configuration.coreSettings.ensembleNames == [])
    #expect(try read(provider + "ensembleAuthName= a, b c").configuration.coreSettings.ensembleNames == ["a", "b c"])
    #expect(problems(provider + "ensembleAuthName= ,") == ["zoo.cfg:3: ensembleAuthName must have a name"])
  }

  @Test func auditLogHasItsPlace() throws {
    #expect(try read("auditlog.dir=/a").configuration.audit == nil)
    func path(_ lines: String) throws -> String? { try read(lines).configuration.audit?.path(orIn: "/d") }
    #expect(try path("audit.enable=true") == "/d/zookeeper_audit.log")
    #expect(try path("audit.enable=true\nlog.dir=/l") == "/l/zookeeper_audit.log")
    #expect(try path("auditlog.file=x\nauditlog.dir=/a\nlog.dir=/l\naudit.enable=TRUE") == "/a/x")
    #expect(problems("audit.enable=true\nauditlog.file=a/b").count == 1)
    #expect(problems("audit.enable=true\naudit.impl.class=org.apache.zookeeper.audit.Log4jAuditLogger") == [])
  }

  @Test func enforcedAuthenticationWithDigest() throws {
    let lines = "enforce.auth.enabled=true\nenforce.auth.schemes=digest , ip\n"
    #expect(try read(lines).configuration.coreSettings.requiredSchemes == ["digest", "ip"])
    #expect(
      problems("enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl")
        == [
          "zoo.cfg:3: enforce.auth.schemes needs java.security.auth.login.config, the file with a section for clients"
        ])
    // A blank inside of a name is part of it.
    #expect(problems("enforce.auth.enabled=true\nenforce.auth.schemes=di gest").count == 1)
    #expect(problems(lines + "DigestAuthenticationProvider.enabled=false").count == 1)
    let properties = ["zookeeper.enforce.auth.enabled": "true", "zookeeper.enforce.auth.schemes": "digest"]
    #expect(try read("", properties: properties).configuration.features.requiredSchemes == ["digest"])
    #expect(problems("", properties: ["java.security.auth.login.config": "/jaas.conf"]).count == 1)
    #expect(problems("", properties: ["java.io.tmpdir": "/t", "com.sun.management.jmxremote": ""]) == [])
  }

  @Test(arguments: [
    ("tickTim=2000", "tickTime"), ("clientport=1", "clientPort"), ("TICKTIME=1", "tickTime"),
    ("initLimits=5", "initLimit"), ("autopurge.purgeIntreval=1", "autopurge.purgeInterval"),
    ("4lw.commands.whitlist=*", "4lw.commands.whitelist"), ("noSuchThing=1", nil), ("x=1", nil),
  ])
  func misspeltKeysAreSaid(line: String, meant: String?) throws {
    let file = try read(line)
    #expect(file.unknownKeys.count == 1 && file.unknownKeys[0].line == 2 && file.warnings.isEmpty)
    #expect(file.unknownKeys[0].message.contains(meant.map { "did you mean \($0)?" } ?? "no server knows it"))
    #expect(meant != nil || !file.unknownKeys[0].message.contains("did you mean"))
  }

  // MARK: Doubles

  @Test func theLastOfEveryKindOfKeyCounts() throws {
    let file = try read(
      "tickTime=soon\ntickTime=1\ninitLimit=5\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n"
        + "server.1=d:1:2\ngroup.1=1:2\ngroup.1=1:2:3\nweight.1=0\nweight.1=1\nserver.02=e:1:2\n")
    #expect(file.configuration.tickTimeMilliseconds == 1)
    let quorum = try #require(file.configuration.quorum)
    #expect(quorum.members.map { $0.addresses[0].host } == ["d", "e", "c"])
    #expect(quorum.groups.map { $0.map(\.rawValue) } == [[1, 2, 3]] && quorum.weight(of: ServerID(rawValue: 1)) == 1)
    #expect(
      file.warnings.map(\.text) == [
        "zoo.cfg:2: tickTime is given again in line 3, which is the one that counts",
        "zoo.cfg:6: server.1 is given again in line 9, which is the one that counts",
        "zoo.cfg:10: group.1 is given again in line 11, which is the one that counts",
        "zoo.cfg:12: weight.1 is given again in line 13, which is the one that counts",
        "zoo.cfg:7: server.2 is given again in line 14, which is the one that counts",
      ])
    let dynamic = try read(
      "initLimit=5\nsyncLimit=2\ndynamicConfigFile=f", dynamic: "server.1=a:1:2\r\nserver.2=b:1:2\r\nserver.1=c:1:2")
    #expect(dynamic.configuration.quorum?.members.map { $0.addresses[0].host } == ["c", "b"])
    #expect(dynamic.warnings.first?.text == "f:1: server.1 is given again in line 3, which is the one that counts")
  }

  // MARK: Bounds

  /// A line, whether it causes a warning, and what must hold.
  private static let taken: [(line: String, isSaid: Bool, holds: @Sendable (ServerConfiguration) -> Bool)] = [
    ("maxClientCnxns=-1", false, { $0.maximumConnectionsPerAddress == 0 }),
    ("maxCnxns=-5", false, { $0.maximumConnections == 0 }), ("maxCnxns=many", true, { $0.maximumConnections == 0 }),
    ("minSessionTimeout=-1", false, { $0.sessionTimeoutBounds.lowerBound == 6000 }),
    ("minSessionTimeout=0", false, { $0.sessionTimeoutBounds.lowerBound == 1 }),
    ("maxSessionTimeout=-1", false, { $0.sessionTimeoutBounds.upperBound == 60_000 }),
    ("clientPortListenBacklog=-1", false, { $0.listenBacklog == nil }),
    ("clientPortListenBacklog=100000", false, { $0.listenBacklog == 100_000 }),
    ("preAllocSize=64M", true, { $0.logging.preallocationBytes == 64 << 20 }),
    ("preAllocSize=-1", false, { $0.logging.preallocationBytes == 0 }),
    ("preAllocSize=99999999999999", false, { $0.logging.preallocationBytes == 4 << 30 }),
    ("snapCount=1", false, { $0.logging.snapshotCount == 2 }),
    ("snapCount=lots", true, { $0.logging.snapshotCount == 100_000 }),
    ("snapCount=0x10", false, { $0.logging.snapshotCount == 16 }),
    ("snapSizeLimitInKb=-1", false, { $0.logging.snapshotSizeBytes == 0 }),
    ("snapSizeLimitInKb=9223372036854775807", false, { $0.logging.snapshotSizeBytes == 1 << 50 }),
    ("fsync.warningthresholdms=-1", false, { $0.logging.syncWarningMilliseconds == 0 }),
    ("autopurge.snapRetainCount=-2", true, { $0.retention.snapshotCount == 3 }),
    ("autopurge.purgeInterval=-1", false, { $0.retention.purgeIntervalMilliseconds == 0 }),
    ("autopurge.purgeInterval=24", false, { $0.retention.purgeIntervalMilliseconds == 86_400_000 }),
    ("autopurge.purgeInterval=90m", false, { $0.retention.purgeIntervalMilliseconds == 5_400_000 }),
    ("autopurge.purgeInterval=2000000000d", false, { $0.retention.purgeIntervalMilliseconds == 1_000_000_000_000 }),
    ("tickTime=2147483647\ninitLimit=2147483647", false, { $0.quorumTimes.initLimitTicks == 1 }),
    ("autopurge.purgeInterval=500MS", false, { $0.retention.purgeIntervalMilliseconds == 500 }),
    ("globalOutstandingLimit=-1", false, { $0.outstandingLimit == 0 }),
    ("globalOutstandingLimit=10k", true, { $0.outstandingLimit == 1000 }),
    ("forceSync=maybe", true, { $0.logging.forcesSync }), ("forceSync=NO", true, { $0.logging.forcesSync }),
    ("skipACL=Yes", true, { !$0.features.skipsACL }), ("digest.enabled=yes", true, { !$0.features.hasDigest }),
    ("extendedTypesEnabled=1", true, { !$0.features.hasExtendedTypes }),
    ("admin.enableServer=perhaps", true, { $0.admin.isEnabled }),
    ("admin.serverPort=web", true, { $0.admin.port == 8080 }),
    ("admin.idleTimeout=0", false, { $0.admin.idleTimeoutMilliseconds == 30_000 }),
    ("admin.idleTimeout=500", false, { $0.admin.idleTimeoutMilliseconds == 500 }),
    ("cnxTimeout=0", false, { $0.quorumTimes.connectTimeoutMilliseconds == Int(Int32.max) }),
    ("electionPortBindRetry=-1", false, { $0.quorumTimes.listenRetries == 3 }),
    ("electionPortBindRetry=0", false, { $0.quorumTimes.listenRetries == 0 }),
    ("standaloneEnabled=TRUE", false, { $0.quorumTimes.isStandaloneAllowed }),
    ("tickTime=+2000", false, { $0.tickTimeMilliseconds == 2000 }),
    ("metricsProvider.className=org.apache.zookeeper.metrics.impl.NullMetricsProvider", false, { $0.metrics == nil }),
    ("metricsProvider.httpPort=7000", false, { $0.metrics == nil }),
    (
      "metricsProvider.httpHost=[::1]\nmetricsProvider.className=o.a.PrometheusMetricsProvider", false,
      { $0.metrics == .init(address: "::1", port: 7000) }
    ),
    ("clientPort=1\nclientPortAddress=[::1]", false, { $0.clientAddress == "::1" }),
    ("clientPort=1\nclientPortAddress=::1", false, { $0.clientAddress == "::1" }),
    ("admin.serverAddress=[::1]", false, { $0.admin.address == "::1" }),
    ("electionPort=3888\nsyncEnabled=false\nmaxBatchSize=-1", false, { _ in true }),
    ("commitLogCount=5", false, { $0.quorumTimes.historyCount == 500 }),
    ("watchManagerName=org.apache.zookeeper.server.watch.WatchManagerOptimized", false, { _ in true }),
    ("observerMasterPort=2191", false, { $0.quorumTimes.observerMasterPort == 2191 }),
    ("observerMasterPort=-1", false, { $0.quorumTimes.observerMasterPort == nil }),
    ("observerMaster.sizeLimit=1000", false, { $0.quorumTimes.historyBytes == 1000 }),
    ("observerMaster.sizeLimit=-1", false, { $0.quorumTimes.historyBytes == 0 }),
    ("observer.election.DelayMs=-5", false, { $0.quorumTimes.observerElectionMilliseconds == 0 }),
    ("observer.reconnectDelayMs=70", false, { $0.quorumTimes.observerReconnectMilliseconds == 70 }),
    ("localSessionsEnabled=true", false, { $0.features.hasLocalSessions }),
    ("localSessionsUpgradingEnabled=true", false, { $0.features.upgradesLocalSessions }),
    ("jute.maxbuffer=0x200000", false, { $0.maximumFrameBytes == 2 << 20 }),
    ("znode.container.maxNeverUsedIntervalMs=-1", false, { $0.features.neverUsedContainerMilliseconds == 0 }),
    ("datadir.autocreate=false", false, { !$0.logging.createsDirectories }),
    (
      "connection_throttle_local_session_weight=4", false, { $0.connectionThrottle.localSessionWeight == 4 }
    ),
    ("connection_throttle_local_session_weight=0", false, { $0.connectionThrottle.localSessionWeight == 1 }),
    ("forceSnapshotSync=true", false, { $0.quorumTimes.alwaysSendsTree }),
    ("snapshotSizeFactor=-1", false, { $0.quorumTimes.snapshotSizeFactor == -1 }),
    ("snapshotSizeFactor=1.5", true, { $0.quorumTimes.snapshotSizeFactor == 0.33 }),
    ("commitLogCount=600", false, { $0.quorumTimes.historyCount == 600 }),
    ("db.autocreate=false", false, { !$0.logging.trustsEmptyDirectory }),
    ("request_throttle_max_requests=-5", false, { $0.requestLimits.maximumRequests == 0 }),
    ("request_throttle_stall_time=0", false, { $0.requestLimits.stallMilliseconds == 1 }),
    ("request_throttle_drop_stale=no", true, { !$0.requestLimits.dropsStaleRequests }),
    ("throttled_op_wait_time=5", false, { $0.requestLimits.refusalMilliseconds == 5 }),
    ("largeRequestThreshold=0", false, { $0.requestLimits.largeRequestThresholdBytes == nil }),
    ("largeRequestThreshold=7", false, { $0.requestLimits.largeRequestThresholdBytes == 7 }),
    ("largeRequestMaxBytes=-1", false, { $0.requestLimits.largeRequestLimitBytes == 100 << 20 }),
    ("requestThrottleLimit=5", true, { $0.requestLimits.maximumRequests == 0 }),
    ("request_throttler.shutdownTimeout=7", false, { $0.answerLimitMilliseconds == 7 }),
  ]

  @Test(arguments: taken.indices) func whatApacheTakesIsTaken(index: Int) throws {
    let (line, isSaid, holds) = Self.taken[index]
    let file = try read(line)
    #expect(holds(file.configuration), "\(line)")
    #expect(file.warnings.count == (isSaid ? 1 : 0) && file.unknownKeys.isEmpty, "\(line): \(file.warnings)")
  }

  @Test(arguments: [
    "tickTime=0", "tickTime=-1", "tickTime=2s", "clientPort=70000", "clientPort=x", "maxClientCnxns=60k",
    "minSessionTimeout=9000000000", "maxSessionTimeout=1000", "maxSessionTimeout=0", "autopurge.purgeInterval=1w",
    "autopurge.purgeInterval=", "autopurge.snapRetainCount=x", "standaloneEnabled=yes", "reconfigEnabled=1",
    "electionAlg=1", "electionAlg=x", "peerType=boss", "metricsProvider.className=x.Y", "admin.serverPort=70000",
    "clientPort=1\nclientPortAddress=a;b", "jute.maxbuffer=-1",
    "znode.container.maxPerMinute=0",
  ])
  func whatApacheRefusesIsRefused(line: String) { #expect(problems(line).count == 1, "\(problems(line))") }

  // MARK: Members

  @Test(arguments: [[0, 1, 2], [255, 256, 300], [0, 254, Int64.max - 1]])
  func idsFromZeroOn(ids: [Int64]) throws {
    let lines = ids.map { "server.\($0)=h\($0):1:2" }.joined(separator: "\n")
    var configuration = try read("initLimit=5\nsyncLimit=2\n" + lines).configuration
    #expect(configuration.quorum?.members.map(\.id.rawValue) == ids)
    for id in ids {
      configuration.ensemble = nil
      try configuration.join(as: ServerID(rawValue: id))
      #expect(configuration.coreSettings.serverID == id)
    }
    #expect(problems("initLimit=5\nsyncLimit=2\nserver.-1=a:1:2\n" + lines).count == 1)
  }

  @Test func extendedTypesLeaveRoomForSmallIdsOnly() {
    let lines = "initLimit=5\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\nserver.255=c:1:2\n"
    #expect(problems(lines) == [] && problems(lines + "extendedTypesEnabled=true").count == 1)
  }

  @Test(arguments: [
    ("server.1=[::1]:1:2;[::1]:3", "[::1]:3"), ("server.1 = [::1]:1:2 ; 3 ", "0.0.0.0:3"),
    ("server.1=a:1:2|b:3:4;::1:3", nil), ("server.1=[a;b]:1:2", nil), ("server.1=[a]:1:2", nil),
    ("server.1=a:1:2;[a;b]:3", nil),
  ])
  func addressesOfMembers(line: String, client: String?) throws {
    let others = "initLimit=5\nsyncLimit=2\nserver.2=b:1:2\nserver.3=c:1:2\n"
    guard let client else { return #expect(problems(others + line).count == 1) }
    let quorum = try #require(try read(others + line).configuration.quorum)
    #expect(quorum.member(ServerID(rawValue: 1))?.client?.description == client)
  }

  @Test func systemPropertiesMeanWhatTheyDoToApache() throws {
    let properties = [
      "zookeeper.snapCount": "7", "zookeeper.tickTime": "1", "jute.maxbuffer": "5",
      "zookeeper.4lw.commands.whitelist": "ruok",
      "zookeeper.server.1": "a", "snapCount": "9", "zookeeper.log.dir": "/var/log", "zookeeper.root.logger": "INFO",
      "zookeeper.forceSync": "no",
    ]
    let file = try read("jute.maxbuffer=6\nforceSync=yes\n", properties: properties)
    #expect(file.configuration.logging.snapshotCount == 7 && file.configuration.tickTimeMilliseconds == 3000)
    // The file's keys take precedence, except those that Apache's server reads as system properties only.
    #expect(file.configuration.maximumFrameBytes == 5 && file.configuration.logging.forcesSync)
    #expect(file.configuration.members.isEmpty && file.warnings.isEmpty && file.unknownKeys.isEmpty)
  }

  @Test func whitelistAlwaysHasWhatToolsNeed() throws {
    let policy = try read("4lw.commands.whitelist= ruok, stat").configuration.fourLetterWords
    #expect(policy.allows("ruok") && policy.allows("stat") && policy.allows("srvr") && !policy.allows("mntr"))
    #expect(!policy.allows("isro") && policy.allows("isro", hasReadOnlyMode: true))
  }

  @Test func linesEndAnyWay() throws {
    for lineEnd in ["\r\n", "\r"] {
      let text = "\u{feff}dataDir=/d\(lineEnd)clientPort=5\(lineEnd)tickTime=7"
      let read = try ConfigurationFile(bytes: Array(text.utf8), file: "f", readFile: { _ in nil }).configuration
      #expect(read.dataDirectory == "/d" && read.clientPort == 5 && read.tickTimeMilliseconds == 7)
    }
  }
}
