/// Which name of a client's certificate is its identity of scheme `x509`.
///
/// *Source*: `X509AuthenticationProvider.getClientId` and `matchAndExtractSAN` of Apache.
package struct CertificateIdentity: Hashable, Sendable {
  /// Whether an alternative name is taken, rather than the subject.
  package var usesAlternativeName = false
  /// The kind of the alternative name, as in RFC 5280; nil when it is not configured.
  package var matchKind: Int?
  /// The alternative name must contain a match of this.
  package var matchPattern = ".*"
  /// The identity is what this matches in the name.
  package var extractPattern = ".*"
  /// Of what is matched, the group of this number; 0 is all of it.
  package var extractGroup = 0

  package init() {}

  /// Why the rule cannot be used; nil if it can.
  package var fault: String? {
    guard usesAlternativeName else { return nil }
    guard let matchKind, (0...8).contains(matchKind) else {
      return "clientCertIdType=SAN needs a clientCertIdSanMatchType from 0 to 8"
    }
    for pattern in [matchPattern, extractPattern] where (try? Regex(pattern)) == nil {
      return "\"\(pattern)\" is not a regular expression"
    }
    return nil
  }

  /// The identity of a certificate. If no alternative name fits, or several do, it is the subject.
  package func identity(of certificate: CertificateDetails) -> String {
    guard usesAlternativeName, let match = try? Regex(matchPattern), let extract = try? Regex(extractPattern) else {
      return certificate.subject
    }
    let names = certificate.alternativeNames.filter { $0.kind == matchKind && $0.text.contains(match) }
    guard names.count == 1, let found = names[0].text.firstMatch(of: extract), extractGroup < found.output.count,
      let identity = found.output[extractGroup].substring
    else { return certificate.subject }
    return String(identity)
  }
}
