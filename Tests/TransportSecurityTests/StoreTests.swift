import Digests
import NIOSSL
import Testing

@testable import TransportSecurity

/// Stores of every format, and what is wrong with them.
@Suite struct StoreTests {
  private func store(_ name: String, _ password: String? = nil) throws -> TLSStore {
    let path = try #require(Resources.path(name))
    return TLSStore(file: path, password: password.map { .known(Array($0.utf8)) } ?? .none)
  }

  private func identity(_ name: String, _ password: String? = nil) throws -> KeyMaterial {
    var settings = TLSSettings()
    settings.identity = .store(try store(name, password))
    return try KeyMaterial(settings)
  }

  private func subjects(_ certificates: [NIOSSLCertificate]) -> [String] {
    certificates.map { $0.details?.subject ?? "?" }
  }

  private static let server = #"CN=server,OU=a\+b,O=Example\, Inc.,C=DE"#
  private static let authority = "CN=Test CA,O=zkcli"

  @Test(arguments: [
    ("all.pem", nil), ("modern.p12", "secret1"), ("legacy.p12", "secret1"), ("empty-password.p12", ""),
    ("no-mac.p12", "secret1"), ("plain.p12", "secret1"), ("renamed.jks", "secret1"), ("server.jks", "secret1"),
  ]) func identityIsFound(_ name: String, _ password: String?) throws {
    let material = try identity(name, password)
    #expect(subjects(material.chain) == [Self.server, Self.authority])
    #expect(material.key != nil)
  }

  @Test(arguments: [
    ("ca.pem", nil), ("no-key.p12", "secret1"), ("trust.p12", "secret1"), ("trust-legacy.p12", "secret1"),
    ("trust.jks", "secret1"),
  ]) func authoritiesAreFound(_ name: String, _ password: String?) throws {
    var settings = TLSSettings()
    settings.trust = .store(try store(name, password))
    #expect(subjects(try KeyMaterial(settings).roots ?? []) == [Self.authority])
  }

  @Test(arguments: ["server-key.pem", "server-key-encrypted.pem", "server-key-traditional.pem"])
  func certificateAndKeyInTwoFiles(_ keyFile: String) throws {
    var settings = TLSSettings()
    settings.identity = .pair(certificate: try store("chain.pem").file, key: try store(keyFile, "secret1"))
    #expect(subjects(try KeyMaterial(settings).chain) == [Self.server, Self.authority])
  }

  @Test(arguments: [
    ("modern.p12", "wrong", "the password does not open it"), ("legacy.p12", "", "the password does not open it"),
    ("server.jks", "wrong", "the password does not open it"),
    ("other-key-password.jks", "secret1", "another password than the store"),
    ("server.jceks", "secret1", "JCEKS"), ("trust.p12", "secret1", "there is no private key in it"),
    ("ca.pem", nil, "there is no private key in it"), ("missing.pem", nil, "No such file"),
  ]) func faultsAreSaid(_ name: String, _ password: String?, _ message: String) throws {
    var settings = TLSSettings()
    let directory = try #require(Resources.path("ca.pem")).dropLast("ca.pem".count)
    settings.identity = .store(
      TLSStore(file: directory + name, password: password.map { .known(Array($0.utf8)) } ?? .none))
    let error = #expect(throws: TLSStoreError.self) { try KeyMaterial(settings) }
    #expect(error.map { "\($0)" }?.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.file.hasSuffix(name) == true)
  }

  @Test func keysOfOthersAreRefused() throws {
    var settings = TLSSettings()
    settings.identity = .pair(certificate: try store("server.pem").file, key: try store("other-key.pem"))
    let error = #expect(throws: TLSStoreError.self) { try KeyMaterial(settings) }
    #expect(error?.reason.contains("does not belong") == true)
  }

  @Test func encryptedKeysNeedAPassword() throws {
    var settings = TLSSettings()
    settings.identity = .pair(certificate: try store("server.pem").file, key: try store("server-key-encrypted.pem"))
    let error = #expect(throws: TLSStoreError.self) { try KeyMaterial(settings) }
    #expect(error?.reason.contains("no password is given") == true)
    settings.identity = .pair(
      certificate: try store("server.pem").file, key: try store("server-key-encrypted.pem", "wrong"))
    let other = #expect(throws: TLSStoreError.self) { try KeyMaterial(settings) }
    #expect(other?.reason.contains("the password does not open the private key") == true)
  }

  /// Damaged stores are refused, and never end the process.
  @Test(arguments: ["quick.p12", "server.jks", "all.pem"])
  func damagedStoresAreRefused(_ name: String) throws {
    let path = try #require(Resources.path(name))
    let bytes = try SmallFile.read(path)
    var opened = 0
    for step in 0..<200 {
      var damaged = bytes
      if step.isMultiple(of: 2) {
        damaged = Array(damaged.prefix(bytes.count * step / 200))
      } else {
        damaged[bytes.count * step / 200] ^= UInt8(1 << (step % 8))
      }
      if (try? StoreContents(damaged, password: Array("secret1".utf8))) != nil { opened += 1 }
    }
    // Without a seal, a bit in an unimportant place does no harm.
    let isSealed = name != "all.pem"
    #expect(opened == 0 || !isSealed, "\(opened) damaged stores were opened")
  }

  @Test func filesOfOtherKindsAreRefused() throws {
    for (bytes, message) in [([UInt8](), "empty"), (Array("hello".utf8), "neither PEM")] {
      let error = #expect(throws: StoreFault.self) { try StoreContents(bytes, password: []) }
      #expect(error?.reason.contains(message) == true)
    }
    let zeros = #expect(throws: StoreFault.self) { try StoreContents([UInt8](repeating: 0, count: 100), password: []) }
    #expect(zeros != nil)
    let error = #expect(throws: TLSStoreError.self) { try SmallFile.read("/") }
    #expect(error != nil)
    // A file without an end is not read to its end.
    let endless = #expect(throws: TLSStoreError.self) { try SmallFile.read("/dev/zero") }
    #expect(endless?.reason.contains("larger than 4 MiB") == true)
  }

  @Test func certificatesCanBeReadWithoutThePassword() throws {
    var settings = TLSSettings()
    settings.trust = .store(try store("trust.jks"))
    #expect(subjects(try KeyMaterial(settings).roots ?? []) == [Self.authority])
  }

  @Test func passwordsAreNotPrinted() {
    let store = TLSStore(file: "a", password: .known(Array("secret1".utf8)))
    #expect(!"\(store)".contains("115") && !"\(store)".contains("secret1"))
    #expect(!String(reflecting: store).contains("115"))
  }
}

/// The names in certificates.
@Suite struct CertificateDetailsTests {
  private func details(_ name: String) throws -> CertificateDetails {
    let path = try #require(Resources.path(name))
    let certificate = try #require(try NIOSSLCertificate.fromPEMBytes(try SmallFile.read(path)).first)
    return try #require(certificate.details)
  }

  @Test func namesAreRead() throws {
    let details = try details("server.pem")
    #expect(details.subject == #"CN=server,OU=a\+b,O=Example\, Inc.,C=DE"#)
    #expect(details.issuer == "CN=Test CA,O=zkcli")
    #expect(!details.isSelfIssued)
    #expect(details.names == ["localhost", "*.example.org", "127.0.0.1", "0:0:0:0:0:0:0:1"])
    #expect(details.alternativeNames.map(\.kind) == [2, 2, 7, 7, 1, 6])
    #expect(try self.details("ca.pem").isSelfIssued)
  }

  @Test func certificatesAreForNames() throws {
    let details = try details("server.pem")
    for host in ["localhost", "LOCALHOST", "a.example.org", "A.Example.org.", "127.0.0.1", "::1", "0:0::1"] {
      #expect(details.isFor(host: host), "\(host)")
    }
    for host in ["server", "example.org", "a.b.example.org", ".example.org", "127.0.0.2", "", "*.example.com"] {
      #expect(!details.isFor(host: host), "\(host)")
    }
    // Without other names, the subject's counts.
    let authority = try self.details("ca.pem")
    #expect(authority.isFor(host: "test ca"))
    #expect(!authority.isFor(host: "zkcli"))
  }

  @Test func timesAreThoseOfBoringSSL() throws {
    for name in ["server.pem", "ca.pem"] {
      let path = try #require(Resources.path(name))
      let certificate = try #require(try NIOSSLCertificate.fromPEMBytes(try SmallFile.read(path)).first)
      let details = try #require(certificate.details)
      #expect(details.validFromSeconds == Int64(certificate.notValidBefore))
      #expect(details.validUntilSeconds == Int64(certificate.notValidAfter))
    }
  }

  @Test func anythingElseIsNone() throws {
    let path = try #require(Resources.path("server.pem"))
    let der = try #require(try NIOSSLCertificate.fromPEMBytes(try SmallFile.read(path)).first).toDERBytes()
    #expect(CertificateDetails([]) == nil)
    for length in stride(from: 0, to: der.count, by: 7) {
      #expect(CertificateDetails(Array(der.prefix(length))) == nil)
    }
    for place in der.indices {
      var damaged = der
      damaged[place] ^= 0xff
      _ = CertificateDetails(damaged)
    }
  }
}
