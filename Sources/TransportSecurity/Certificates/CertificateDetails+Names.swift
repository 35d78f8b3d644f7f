import NIOCore

/// The hosts that a certificate is for.
///
/// *Source*: RFC 6125, section 6; RFC 2818, section 3.1.
extension CertificateDetails {
  /// Whether the certificate is for a name, or for a numeric address.
  ///
  /// The subject's common name is looked at only if there are no names of the kinds that were made for this.
  package func isFor(host: String) -> Bool {
    if let address = try? SocketAddress(ipAddress: host, port: 0) {
      return alternativeNames.contains { name in
        name.kind == AlternativeName.addressKind && (try? SocketAddress(ipAddress: name.text, port: 0)) == address
      }
    }
    let wanted = Self.normalized(host)
    let names = alternativeNames.filter { $0.kind == AlternativeName.dnsKind }
    if !isForHosts {
      return commonName.map { Self.matches(wanted, Self.normalized($0)) } ?? false
    }
    return names.contains { Self.matches(wanted, Self.normalized($0.text)) }
  }

  /// Whether `name` is `pattern`. An asterisk is allowed for the whole first label, if at least two labels follow.
  private static func matches(_ name: String, _ pattern: String) -> Bool {
    if name == pattern { return !name.isEmpty }
    guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: "."), dot != name.startIndex else { return false }
    let rest = pattern.dropFirst(2)
    return rest.contains(".") && name[name.index(after: dot)...] == rest
  }

  /// The name in lower case, without the dot of the root.
  private static func normalized(_ name: String) -> String {
    let lower = name.lowercased()
    return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
  }

  /// The names that the certificate is for: its alternative ones, or else its subject.
  package var names: [String] {
    let names = alternativeNames.filter { [AlternativeName.dnsKind, AlternativeName.addressKind].contains($0.kind) }
    return names.isEmpty && !subject.isEmpty ? [subject] : names.map(\.text)
  }
}
