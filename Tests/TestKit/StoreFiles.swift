/// The committed stores of keys and certificates, which the tests of their formats describe.
///
/// The server's certificate is for `localhost` and the addresses of loopback; the password is `secret1`.
public enum StoreFiles {
  private static let directory =
    #filePath.split(separator: "/TestKit/", maxSplits: 1)[0] + "/TransportSecurityTests/Stores"

  /// The path of a store.
  public static func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// The keys of `zoo.cfg` for a key store and the authority, after a prefix.
  public static func lines(
    _ prefix: String, key: String = "server.jks", trust: String = "trust.jks"
  ) -> [String] {
    [
      "\(prefix).keyStore.location=\(path(key))", "\(prefix).keyStore.password=secret1",
      "\(prefix).trustStore.location=\(path(trust))", "\(prefix).trustStore.password=secret1",
    ]
  }
}
