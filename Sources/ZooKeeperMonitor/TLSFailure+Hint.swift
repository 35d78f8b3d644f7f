public import TransportSecurity

extension TLSFailure {
  /// What the user can do about it.
  public var hint: String? {
    switch self {
    case .expired: "renew the server's certificate"
    case .notYetValid: "is the clock of this machine right?"
    case .untrusted: "name the authority that has issued it with --cacert FILE"
    case .wrongName: "connect by a name that the certificate is for, or give that name with --tls-server-name"
    case .certificateRequired: "give a certificate and its key with --cert FILE and --key FILE"
    case .certificateRefused: "use a certificate that was issued by an authority which the server trusts"
    case .notTLS: "is this the server's secureClientPort? Without --tls, the connection is not encrypted"
    case .plaintext: "add --tls, or write zks:// in front of the servers"
    case .closed:
      "is this the server's secureClientPort, and is a certificate needed (--cert FILE and --key FILE)? Without --tls,"
        + " the connection is not encrypted"
    case .noCertificate, .nothingInCommon, .other: nil
    }
  }
}
