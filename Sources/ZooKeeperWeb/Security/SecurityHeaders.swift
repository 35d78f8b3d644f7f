/// The headers of every answer that keep other pages, and what is shown on this one, from doing harm.
enum SecurityHeaders {
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// - Parameter isEncrypted: whether the connection is, so that browsers are told to use no other.
  static func all(isEncrypted: Bool) -> [(name: String, value: String)] {
    let always = [
      ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
      ("X-Frame-Options", "DENY"),
    ]
    return always + (isEncrypted ? [("Strict-Transport-Security", "max-age=86400")] : [])
  }
}
