import Testing
import TransportSecurity

@testable import ZooKeeperServer

/// The keys about the page for browsers.
@Suite struct WebConfigurationTests {
  private static let store = "web.ssl.keyStore.location=/k\n"
  private static let trust = "web.ssl.trustStore.location=/t\n"

  private func read(_ lines: String) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile(parsing: "dataDir=/d\nclientPort=0\n" + lines, file: "zoo.cfg")
  }

  private func problems(_ lines: String) -> [String] {
    do throws(ConfigurationError) {
      _ = try read(lines)
      return []
    } catch {
      return error.problems.map(\.text)
    }
  }

  @Test func thereIsNoPageUnlessItIsAskedFor() throws {
    #expect(try !read("").configuration.web.isEnabled)
    let web = try read("web.enable=true").configuration.web
    #expect(web.isEnabled && web.address == "127.0.0.1" && web.port == 9090 && !web.hasLogin && !web.isReadOnly)
    #expect(web.encryption == nil)
    #expect(try read("web.enable=true\nweb.hostNames=a, b.c,").configuration.web.names == ["a", "b.c"])
    #expect(
      try read("web.readOnly=true").warnings.map(\.message) == ["web.readOnly has no effect without web.enable=true"])
  }

  @Test func otherMachinesNeedEncryptionAndALogin() throws {
    let open = "web.enable=true\nweb.serverAddress=0.0.0.0\n"
    let both = problems(open)
    #expect(both.count == 2 && both[0].contains("in the clear") && both[1].contains("no login"), "\(both)")
    #expect(both.allSatisfy { $0.hasPrefix("zoo.cfg:4: ") }, "\(both)")
    #expect(problems(open + Self.store).count == 1)
    #expect(problems(open + "web.tokenFile=/x").count == 1)
    #expect(problems(open + "web.tokenFile=/x\nweb.insecureListen=true") == [])
    #expect(problems(open + "web.passwordFile=/x\n" + Self.store) == [])
    #expect(problems(open + Self.store + Self.trust) == [])
    for address in ["127.0.0.5", "::1", "localhost"] {
      #expect(problems("web.enable=true\nweb.serverAddress=\(address)") == [])
    }
  }

  @Test func certificatesAreALoginIfThereIsAnAuthority() throws {
    func authentication(_ lines: String) throws -> TLSSettings.ClientAuthentication? {
      try read("web.enable=true\n" + Self.store + lines).configuration.web.encryption?.clientAuthentication
    }
    #expect(try authentication("") == TLSSettings.ClientAuthentication.none)
    #expect(try authentication(Self.trust) == .need)
    #expect(try authentication(Self.trust + "web.tokenFile=/x") == .want)
    #expect(try authentication(Self.trust + "web.tokenFile=/x\nweb.ssl.clientAuth=need") == .need)
    #expect(try read("web.enable=true\n" + Self.store + Self.trust).configuration.web.hasLogin)
    // Those of any authority would be let in.
    #expect(problems("web.enable=true\n" + Self.store + "web.ssl.clientAuth=want").count == 1)
    #expect(problems("web.enable=true\n" + Self.trust).first?.contains("web.ssl.keyStore.location") == true)
  }

  @Test func misspeltProtectionIsAFault() throws {
    #expect(problems("web.enable=true\nweb.readonly=true").first?.contains("did you mean web.readOnly?") == true)
    #expect(problems("web.enable=true\nweb.tokenfile=/x").first?.contains("did you mean web.tokenFile?") == true)
    #expect(problems("web.enable=yes").count == 1)
    #expect(problems("web.enable=true\nweb.serverPort=70000").count == 1)
    #expect(problems("web.enable=true\n" + Self.store + "web.ssl.crl=true").count == 1)
  }

  @Test func thePageHasNoCertificateForClientsPorts() {
    let secure = "secureClientPort=1\nssl.keyStore.location=/k\nssl.trustStore.location=/t\nweb.enable=true\n"
    func problems(_ lines: String) -> [String] {
      do throws(ConfigurationError) {
        _ = try ConfigurationFile(parsing: "dataDir=/d\n" + lines, file: "zoo.cfg")
        return []
      } catch {
        return error.problems.map(\.text)
      }
    }
    #expect(problems(secure).first?.contains("ssl.clientAuth=want") == true)
    #expect(problems(secure + "ssl.clientAuth=want") == [])
    #expect(problems(secure + "clientPort=2") == [])
  }

  @Test func filesWithSecretsAreKnown() throws {
    let file = try read("web.enable=true\nweb.tokenFile=/a\nweb.passwordFile=/b")
    #expect(file.secretFiles == ["/a", "/b"])
  }
}
