/// The headers of every answer that protect against other pages, and against contents that this one shows.
enum SecurityHeaders {
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// - Parameter isEncrypted: whether the connection is encrypted, so that browsers are told to use only such
  ///   connections.
  static func all(isEncrypted: Bool) -> [(name: String, value: String)] {
    let always = [
      ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
      ("X-Frame-Options", "DENY"),
    ]
    return always + (isEncrypted ? [("Strict-Transport-Security", "max-age=86400")] : [])
  }
}
