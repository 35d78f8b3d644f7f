import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The keys and certificates of one side of a connection, out of its files.
struct KeyMaterial {
  /// The authorities; nil for the system's.
  private(set) var roots: [NIOSSLCertificate]?
  /// The own certificate and those of its issuers, in the order in which they are sent.
  private(set) var chain: [NIOSSLCertificate] = []
  private(set) var key: NIOSSLPrivateKey?

  /// Reads the files.
  ///
  /// *Thread*: any that may block.
  init(_ settings: TLSSettings) throws(TLSStoreError) {
    if case .store(let store) = settings.trust { roots = try Self.roots(store) }
    switch settings.identity {
    case nil: break
    case .store(let store): try take(try Self.contents(store), from: store.file, keyFile: store.file)
    case .pair(let certificate, let key):
      var contents = try Self.contents(TLSStore(file: certificate))
      contents.entries = try Self.contents(key).entries
      try take(contents, from: certificate, keyFile: key.file)
    }
  }

  private static func roots(_ store: TLSStore) throws(TLSStoreError) -> [NIOSSLCertificate] {
    let contents = try contents(store)
    // As in Java, the certificate of a private key is trusted too.
    let all = contents.certificates + contents.entries.flatMap(\.chain)
    guard !all.isEmpty else { throw TLSStoreError(store.file, "there is no certificate in it") }
    return all
  }

  /// Reads a store.
  private static func contents(_ store: TLSStore) throws(TLSStoreError) -> StoreContents {
    let bytes = try SmallFile.read(store.file)
    let password: [UInt8]
    var source = ""
    switch store.password {
    case .none: password = []
    case .known(let bytes): password = bytes
    case .file(let path):
      password = try PasswordFile.read(path)
      source = " (the password is that of \(path))"
    }
    do throws(StoreFault) {
      return try StoreContents(bytes, password: password)
    } catch {
      throw TLSStoreError(store.file, error.reason + source, hint: error.hint)
    }
  }

  /// Takes the first key of a store, and finds its certificate and the issuers of that.
  private mutating func take(
    _ contents: StoreContents, from file: String, keyFile: String
  ) throws(TLSStoreError) {
    guard let entry = contents.entries.first else { throw TLSStoreError(keyFile, "there is no private key in it") }
    let candidates = entry.chain + contents.certificates
    guard !candidates.isEmpty else { throw TLSStoreError(file, "there is no certificate in it") }
    guard let leaf = candidates.first(where: { Self.fits($0, entry.key) }) else {
      throw TLSStoreError(
        file, "the private key does not belong to any certificate in it",
        hint: file == keyFile ? nil : "the key is the one of \(keyFile)")
    }
    key = entry.key
    chain = Self.chain(from: leaf, candidates)
  }

  /// Whether a key is that of a certificate. NIOSSL does not compare them, but BoringSSL does when it is to use both.
  private static func fits(_ certificate: NIOSSLCertificate, _ key: NIOSSLPrivateKey) -> Bool {
    let configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
    return (try? NIOSSLContext(configuration: configuration)) != nil
  }

  /// The certificate, its issuer, the issuer of that, up to a root or as far as they are there.
  private static func chain(
    from leaf: NIOSSLCertificate, _ candidates: [NIOSSLCertificate]
  ) -> [NIOSSLCertificate] {
    var pool = candidates.compactMap { certificate in certificate.details.map { (certificate, $0) } }
    var chain = [leaf]
    var last = leaf.details
    while let current = last, !current.isSelfIssued,
      let place = pool.firstIndex(where: { current.isIssued(by: $0.1) && $0.0 != chain.last })
    {
      let issuer = pool.remove(at: place)
      chain.append(issuer.0)
      last = issuer.1
    }
    return chain
  }

  /// The moments at which certificates cease to be valid, with their subjects; one that was read twice counts once.
  var expirations: [CertificateExpiration] {
    var known: Set<CertificateExpiration> = []
    return (chain + (roots ?? [])).compactMap { certificate in
      certificate.details.map { CertificateExpiration(subject: $0.subject, untilSeconds: $0.validUntilSeconds) }
    }.filter { known.insert($0).inserted }
  }
}

/// When a certificate ceases to be valid.
package struct CertificateExpiration: Hashable, Sendable {
  /// The subject, as Java's `X500Principal.getName()` prints it.
  package let subject: String
  /// The last second at which it is valid, in seconds since 1970.
  package let untilSeconds: Int64

  /// The lifetime below which the end is announced, in days.
  private static let announcedDays: Int64 = 30

  /// A warning for the operator if the certificate expires soon.
  ///
  /// - Parameter seconds: the present time, in seconds since 1970.
  package func warning(at seconds: Int64) -> String? {
    let days = (untilSeconds - seconds) / 86_400
    if untilSeconds < seconds { return "the certificate of \(subject) has expired" }
    return days < Self.announcedDays ? "the certificate of \(subject) expires in \(days) days" : nil
  }
}

extension NIOSSLCertificate {
  /// The fields of the certificate; nil if it cannot be parsed.
  var details: CertificateDetails? { (try? toDERBytes()).flatMap { CertificateDetails($0) } }
}

/// A file that holds nothing but a password.
package enum PasswordFile {
  /// Reads it. The end of the last line is not a part of the password.
  ///
  /// *Source*: `SecretUtils.readSecret` of Apache, which removes one line end too.
  package static func read(_ path: String) throws(TLSStoreError) -> [UInt8] {
    var bytes = try SmallFile.read(path)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return bytes
  }
}
