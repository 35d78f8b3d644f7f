import Testing

@testable import SASL

/// The files with which Java programs log in, and what their sections mean.
@Suite struct LoginConfigurationTests {
  @Test func readsTheFileOfApachesGuide() throws {
    let text = """
      /* Users of the server. */
      Server {
        org.apache.zookeeper.server.auth.DigestLoginModule required
        user_super="adminsecret"   // the superuser
        user_bob="bob \\"secret\\"";
      };
      Client {
        org.apache.zookeeper.server.auth.DigestLoginModule REQUIRED
        username="bob" password="bobsecret";
      };
      "Quorum Server" {
        com.sun.security.auth.module.Krb5LoginModule required
        useKeyTab=true storeKey=true useTicketCache=false
        keyTab="/etc/zookeeper.keytab"
        principal="zookeeper/host@EXAMPLE.COM";
      };
      """
    let configuration = try LoginConfiguration(parsing: Array(text.utf8))
    #expect(configuration.sections.map(\.name) == ["Server", "Client", "Quorum Server"])
    #expect(configuration.sections.map(\.line) == [2, 7, 11])
    let server = try LoginMethod(try #require(configuration.section("Server")))
    #expect(server == .digest(DigestLogin(users: ["super": "adminsecret", "bob": "bob \"secret\""])))
    let client = try LoginMethod(try #require(configuration.section("Client")))
    #expect(client == .digest(DigestLogin(username: "bob", password: "bobsecret")))
    let quorum = try LoginMethod(try #require(configuration.section("Quorum Server")))
    #expect(
      quorum
        == .kerberos(KerberosLogin(principal: "zookeeper/host@EXAMPLE.COM", keytab: "/etc/zookeeper.keytab")))
    #expect(configuration.section("server") == nil)
  }

  /// Each text with the line of its mistake.
  @Test(arguments: [
    ("A", 1), ("A {", 1), ("A {\n}", 2), ("A {};\nA {};", 2), ("A {\n x.Y required a=b\n}\n;", 3),
    ("A { x.Y\n maybe; };", 2), ("A { x.Y required\na=\n; };", 3), ("A { x.Y required a=\"b\n\"; };", 1),
    ("/*\n\n", 1), ("A { x.Y required\n a='b'; };", 2), ("A { x.Y required\n a=\"${home}\"; };", 2),
    ("A { x.Y required a=\"\\", 1), ("};", 1), ("A { x.Y required\n\n a=\"\u{1}\" =; };", 3),
  ])
  func mistakesHaveTheirLine(_ text: String, _ line: Int) {
    let error = #expect(throws: LoginConfigurationError.self) { try LoginConfiguration(parsing: Array(text.utf8)) }
    #expect(error?.line == line)
  }

  @Test func everyPrefixOfAFileIsReadOrRefused() throws {
    let text = Array("A { x.Y required a=\"b\\101\" c=d; /* e */ }; // f".utf8)
    let whole = try LoginConfiguration(parsing: text)
    #expect(whole.sections[0].modules[0]["a"] == "bA")
    for length in text.indices {
      let configuration = try? LoginConfiguration(parsing: Array(text[..<length]))
      #expect(configuration == nil || configuration?.sections.isEmpty == true || configuration == whole)
    }
  }

  @Test func errorsDoNotShowSecrets() {
    let text = "A { org.apache.zookeeper.server.auth.DigestLoginModule required password \"hunter2\"; };"
    let error = #expect(throws: LoginConfigurationError.self) { try LoginConfiguration(parsing: Array(text.utf8)) }
    #expect(error.map { !$0.reason.contains("hunter2") } == true)
  }

  @Test func largeFilesAreRefused() {
    #expect(throws: LoginConfigurationError.self) {
      try LoginConfiguration(parsing: [UInt8](repeating: 0x20, count: LoginConfiguration.limitBytes + 1))
    }
    #expect(throws: Never.self) {
      try LoginConfiguration(parsing: [UInt8](repeating: 0x20, count: LoginConfiguration.limitBytes))
    }
  }

  @Test(arguments: [
    "x.Other required", "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true principal=\"p\"",
    "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab=\"k\"",
    "com.sun.security.auth.module.Krb5LoginModule required",
    "x.Y required; x.Z required",
  ])
  func sectionsThatCannotBeUsedAreRefused(_ module: String) throws {
    let configuration = try LoginConfiguration(parsing: Array("A {\n\(module); };".utf8))
    let error = #expect(throws: LoginConfigurationError.self) { try LoginMethod(configuration.sections[0]) }
    #expect(error?.line == 2)
  }
}

/// Names of principals, and the identities made of them.
@Suite struct KerberosNameTests {
  @Test(
    arguments: [
      ("bob", "bob", nil, nil), ("bob@R", "bob", nil, "R"), ("zookeeper/h@R", "zookeeper", "h", "R"),
      ("a/b", "a/b", nil, nil), ("@", "", nil, ""),
    ] as [(String, String, String?, String?)])
  func namesAreTakenApart(_ text: String, _ service: String, _ host: String?, _ realm: String?) {
    let name = KerberosName(parsing: text)
    #expect(name?.service == service && name?.host == host && name?.realm == realm)
    #expect(name?.text == text)
  }

  @Test(arguments: ["a/b/c@R", "a@b@c", "a@b/c"]) func otherNamesAreRefused(_ text: String) {
    #expect(KerberosName(parsing: text) == nil)
    #expect(KerberosNameRules().identity(of: text) == nil)
  }

  @Test func partsAreRemovedFromNamesOfTheOwnRealmOnly() {
    var rules = KerberosNameRules()
    rules.defaultRealm = "R"
    #expect(rules.identity(of: "a/h@R") == "a/h@R")
    rules.removesHost = true
    #expect(rules.identity(of: "a/h@R") == "a@R")
    rules.removesRealm = true
    #expect(rules.identity(of: "a/h@R") == "a")
    #expect(rules.identity(of: "a/h@OTHER") == "a/h@OTHER")
    #expect(rules.identity(of: "bob") == "bob")
    rules.removesHost = false
    #expect(rules.identity(of: "a/h@R") == "a/h")
  }
}
