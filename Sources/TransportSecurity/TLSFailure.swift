package import NIOCore
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why a connection could not be encrypted, or had to be given up.
public enum TLSFailure: Error, Hashable, Sendable {
  /// The certificate was valid until a moment that has passed, in seconds since 1970.
  case expired(subject: String, untilSeconds: Int64)
  /// The certificate is not valid before a moment to come, in seconds since 1970.
  case notYetValid(subject: String, fromSeconds: Int64)
  /// The certificate was not issued by an authority that is trusted.
  case untrusted(subject: String, issuer: String)
  /// The certificate is trusted, and is for others than the one that was connected to.
  case wrongName(names: [String])
  /// The other end wants a certificate, and none is configured here.
  case certificateRequired
  /// The other end was asked for a certificate, and has presented none.
  case noCertificate
  /// The other end refuses the certificate that it was sent, with this alert of TLS.
  case certificateRefused(alert: String)
  /// The other end speaks no TLS.
  case notTLS
  /// The other end expects TLS, and was spoken to without.
  case plaintext
  /// The two ends have no version of TLS or no cipher suite in common.
  case nothingInCommon(String)
  /// The other end has closed the connection during the handshake.
  case closed
  /// Something else, in BoringSSL's terms.
  case other(String)

  /// What is wrong, as a clause; `who` names the other end.
  public func description(of who: String) -> String {
    switch self {
    case .expired(let subject, let seconds):
      "\(who)'s certificate (\(subject)) has expired on \(Self.date(seconds))"
    case .notYetValid(let subject, let seconds):
      "\(who)'s certificate (\(subject)) is not valid before \(Self.date(seconds))"
    case .untrusted(let subject, let issuer):
      "\(who)'s certificate (\(subject)) is not trusted: it was issued by \(issuer)"
    case .wrongName(let names):
      names.isEmpty
        ? "\(who)'s certificate is not for this name" : "\(who)'s certificate is for \(names.joined(separator: ", "))"
    case .certificateRequired: "\(who) requires a certificate of its clients"
    case .noCertificate: "\(who) has presented no certificate"
    case .certificateRefused(let alert): "\(who) does not accept the certificate of this side (\(alert))"
    case .notTLS: "\(who) does not speak TLS on this port"
    case .plaintext: "\(who) expects TLS on this port"
    case .nothingInCommon(let detail): "\(who) supports no version or cipher of TLS that is allowed here (\(detail))"
    case .closed: "\(who) closed the connection during the TLS handshake"
    case .other(let detail): "TLS with \(who) failed: \(detail)"
    }
  }

  private static func date(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
  }
}

extension TLSFailure {
  /// Translates an error of a channel with encryption; nil if it is another kind of error.
  ///
  /// *Thread*: the channel's event loop, before the channel is closed.
  package init?(_ error: any Error, on channel: any Channel) {
    switch error {
    case NIOSSLError.handshakeFailed(.sslError(let stack)) where stack.contains(.eofDuringHandshake): self = .closed
    case NIOSSLError.handshakeFailed(let error): self.init(boring: "\(error)", channel)
    case let error as BoringSSLError: self.init(boring: "\(error)", channel)
    case let error as TLSFailure: self = error
    case let error as NIOSSLExtraError: self = .other("\(error)")
    // The other end has closed the connection without saying so in TLS first, which most programs do.
    case NIOSSLError.uncleanShutdown: return nil
    case is NIOSSLError: self = .other("\(error)")
    default: return nil
    }
  }

  /// BoringSSL's reasons that have their own case. The names are those of its `err_data`, and of the alerts of RFC
  /// 8446, section 6.
  private init(boring text: String, _ channel: any Channel) {
    func has(_ reasons: String...) -> Bool { reasons.contains { text.contains($0) } }
    if has("CERTIFICATE_VERIFY_FAILED") {
      self = TLSContext.peerCertificate(of: channel).map { Self.verdict(on: $0) } ?? .other("CERTIFICATE_VERIFY_FAILED")
    } else if has("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST") {
      self = .notTLS
    } else if has("ALERT_CERTIFICATE_REQUIRED") {
      self = .certificateRequired
    } else if has("PEER_DID_NOT_RETURN_A_CERTIFICATE") {
      self = .noCertificate
    } else if has("ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_UNSUPPORTED_CERTIFICATE") {
      self = .certificateRefused(alert: Self.reason(text))
    } else if has(
      "UNSUPPORTED_PROTOCOL", "NO_SHARED_CIPHER", "ALERT_PROTOCOL_VERSION", "ALERT_HANDSHAKE_FAILURE",
      "NO_CIPHERS_AVAILABLE", "ALERT_INSUFFICIENT_SECURITY")
    {
      self = .nothingInCommon(Self.reason(text))
    } else {
      self = .other(Self.reason(text))
    }
  }

  /// Why a certificate was not accepted, of which BoringSSL says only that it was not.
  private static func verdict(on certificate: CertificateDetails) -> TLSFailure {
    let now = Int64(time(nil))
    if now > certificate.validUntilSeconds {
      return .expired(subject: certificate.subject, untilSeconds: certificate.validUntilSeconds)
    }
    if now < certificate.validFromSeconds {
      return .notYetValid(subject: certificate.subject, fromSeconds: certificate.validFromSeconds)
    }
    return .untrusted(
      subject: certificate.subject, issuer: certificate.isSelfIssued ? "itself" : certificate.issuer)
  }

  /// The name of the reason in BoringSSL's description of an error: the part after its last colon.
  private static func reason(_ text: String) -> String {
    guard let start = text.firstRange(of: "OPENSSL_internal:") else { return text }
    return String(text[start.upperBound...].prefix { $0 != " " && $0 != "]" && $0 != ")" })
  }
}
