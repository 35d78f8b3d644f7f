/// Advice for common failures of Kerberos.
///
/// The texts of the library say what has happened, but rarely what an operator can do about it.
///
/// *Source*: the table `krb5` of MIT's library, whose codes begin at -1765328384.
enum KerberosFailure {
  private static let base: Int32 = -1_765_328_384

  private static let adviceByCode: [Int32: String] = [
    base + 6: "the KDC does not know the client's principal: check its spelling and realm",
    base + 7: "the KDC does not know the service's principal: it is made of the service's name and the server's host "
      + "name, which must be the one in the KDC",
    base + 18: "the KDC has locked or disabled the principal",
    base + 24: "the key or password is not the principal's: make the key table anew",
    base + 32: "get a new ticket with kinit, or log in with a key table",
    base + 37: "set the clocks: those of this host, its peer and the KDC must not differ by more than 5 minutes",
    base + 156: "no KDC of the realm answers: check that it runs, and its address in krb5.conf",
    base + 154: "the realm is not in krb5.conf and has no KDC in the DNS",
    base + 181: "the key table has no key of the principal: list it with klist -k",
    base + 195: "there is no such cache of tickets: log in with kinit, or use a key table",
    base + 31: "the peer's ticket is for another key: the key table is older than the KDC's key",
    base + 44: "the KDC has a newer key than the key table: make the key table anew",
    base + 45: "the key table lacks the key for which the ticket is made: make the key table anew",
  ]

  /// A clause with advice; nil if the library's text is sufficient.
  static func advice(minor: Int32, major: UInt32) -> String? {
    if let advice = adviceByCode[minor] { return advice }
    switch major >> 16 & 0xff {
    case 7: return "there are no credentials: log in with kinit, or use a key table"
    case 11: return adviceByCode[base + 32]
    default: return nil
    }
  }

  /// Whether the library has found no cache of tickets.
  static func isMissingCache(minor: Int32) -> Bool { minor == base + 195 }

  /// Whether a status is about what the peer has sent, and not about this side's credentials: a token that is defective
  /// or forged.
  static func isOfThePeer(_ major: UInt32) -> Bool { [6, 9, 10].contains(major >> 16 & 0xff) }
}
