internal import CGSSAPI
package import SASL

/// What else is asked of the library.
package enum Kerberos {
  /// The realm of names without one, from krb5.conf; nil if it has none.
  ///
  /// - Throws: `unavailable` if the library is not installed.
  ///
  /// *Thread*: one that may block.
  package static func defaultRealm() throws(SASLError) -> String? {
    let library = try GSSLibrary.shared()
    var context: zk_gss_handle?
    guard library.initKerberos(&context) == 0 else { return nil }
    defer { library.freeKerberos(context) }
    var realm: UnsafeMutablePointer<CChar>?
    guard library.getDefaultRealm(context, &realm) == 0, let realm else { return nil }
    defer { library.freeDefaultRealm(context, realm) }
    return String(cString: realm)
  }

  /// Acquires a server's credentials and drops them, so that a server that cannot accept anyone does not start.
  ///
  /// - Throws: `unavailable` with the reason.
  package static func check(acceptor login: KerberosLogin) throws(SASLError) {
    _ = try GSSCredential(try GSSLibrary.shared(), login, .accept)
  }
}
