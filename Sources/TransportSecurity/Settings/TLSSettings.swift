/// What a connection's encryption must be like, and which files it needs: the same type for clients and servers.
///
/// ```swift
/// var settings = TLSSettings()
/// settings.trust = .store(TLSStore(file: "/etc/zookeeper/ca.pem"))
/// configuration.tls = try TLSContext(client: settings)
/// ```
public struct TLSSettings: Hashable, Sendable {
  /// Whose certificates are accepted.
  public enum Trust: Hashable, Sendable {
    /// Certificates of the authorities that the operating system trusts.
    case system
    /// The certificates in a file, and certificates that these have issued.
    case store(TLSStore)
    /// All certificates: a process that can redirect the connection can read and change what is sent.
    case anybody
  }

  /// Where the own certificate and its key are.
  public enum Identity: Hashable, Sendable {
    /// Both in one file.
    case store(TLSStore)
    /// In two files.
    case pair(certificate: String, key: TLSStore)
  }

  /// Whether a server asks its clients for certificates.
  public enum ClientAuthentication: String, Hashable, Sendable {
    /// A client need not have a certificate, and is not asked for one.
    case none
    /// A client is asked; one that it presents must be valid.
    case want
    /// A client without a valid certificate is refused.
    case need
  }

  /// The versions of the protocol.
  public enum Version: Int, Hashable, Comparable, Sendable {
    case tls12, tls13

    public static func < (left: Version, right: Version) -> Bool { left.rawValue < right.rawValue }
  }

  /// Whose certificates are accepted.
  public var trust = Trust.system
  /// The own certificate; a server must have one.
  public var identity: Identity?
  /// Whether the other end's certificate must be for the name or address that was connected to.
  public var verifiesName = true
  /// The name that the server's certificate must be for, if it is not the one that is connected to.
  public var serverName: String?
  /// Whether a server asks for certificates.
  public var clientAuthentication = ClientAuthentication.need
  /// The versions that are accepted.
  public var versions = Version.tls12...Version.tls13
  /// The cipher suites for TLS 1.2, by the names of the IANA; empty for BoringSSL's choice. Those of TLS 1.3 cannot be
  /// chosen.
  public var cipherSuites: [String] = []

  public init() {}
}

/// A file with certificates, keys or both, and what opens it.
///
/// The format is recognized by the contents: PEM, PKCS#12, or Java's own (JKS).
public struct TLSStore: Hashable, Sendable {
  /// Where the password is.
  public enum Password: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// There is none.
    case none
    /// It is known already, in UTF-8.
    case known([UInt8])
    /// It is the contents of a file, without the end of the line.
    case file(String)

    /// A text without the password, so that none appears in a log.
    public var description: String {
      switch self {
      case .none: "none"
      case .known: "***"
      case .file(let path): "in \(path)"
      }
    }

    public var debugDescription: String { description }
  }

  /// The path.
  public var file: String
  public var password: Password

  public init(file: String, password: Password = .none) {
    self.file = file
    self.password = password
  }
}
