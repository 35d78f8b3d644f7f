internal import CGSSAPI
internal import SASL

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// Credentials of Kerberos: tickets to show, or keys to check tickets with.
///
/// *Thread*: one at a time. Acquiring them may read files and ask the KDC.
final class GSSCredential {
  private let library: GSSLibrary
  private(set) var handle: zk_gss_handle?

  /// What credentials are for.
  enum Usage: Int32 {
    /// To begin contexts, as a client.
    case initiate = 1
    /// To accept contexts, as a server.
    case accept = 2
  }

  /// Acquires credentials.
  ///
  /// Where they come from is passed in a store, because the variables of the environment by which the library is
  /// usually told hold for the whole process.
  ///
  /// - Throws: `unavailable` with the reason.
  init(_ library: GSSLibrary, _ login: KerberosLogin, _ usage: Usage) throws(SASLError) {
    self.library = library
    if let keytab = login.keytab { try Self.check(keytab: keytab) }
    var name = try login.principal.map { (text) throws(SASLError) in try library.name(text, .principal) } ?? nil
    defer { library.release(name: &name) }
    let store = Self.store(login, usage)
    var minor: UInt32 = 0
    let major = GSSLibrary.withKerberos { oid in
      var mechanisms = zk_gss_oid_set(count: 1, elements: oid)
      return Self.withStore(store) { set in
        library.acquireCredential(&minor, name, .max, &mechanisms, usage.rawValue, set, &handle, nil, nil)
      }
    }
    guard !GSSLibrary.isError(major) else {
      let who = login.principal.map { " for \($0)" } ?? ""
      let place = login.keytab.map { " from \($0)" } ?? ""
      let what = "no Kerberos credentials\(who)\(place)"
      if login.keytab != nil, KerberosFailure.isMissingCache(minor: Int32(bitPattern: minor)) {
        // The library has looked into the key table first, and speaks of the cache in memory.
        throw SASLError(.unavailable, "\(what): the key table has no key of the principal; klist -k lists it")
      }
      throw library.failure(major, minor, doing: what)
    }
  }

  deinit {
    var minor: UInt32 = 0
    if handle != nil { _ = library.releaseCredential(&minor, &handle) }
  }

  /// Checks the file of a key table, because the library's errors are less clear.
  private static func check(keytab: String) throws(SASLError) {
    guard access(keytab, R_OK) != 0 else { return }
    throw SASLError(.unavailable, "the key table \(keytab) cannot be read: \(String(cString: strerror(errno)))")
  }

  private static func store(_ login: KerberosLogin, _ usage: Usage) -> [(key: String, value: String)] {
    switch (usage, login.keytab) {
    case (.accept, let keytab?): return [("keytab", "FILE:" + keytab)]
    case (.accept, nil): return []
    case (.initiate, let keytab?):
      // Tickets that were got with the keys stay in memory, where later connections of the process find them. The
      // library gets new ones when they are about to expire.
      return [("client_keytab", "FILE:" + keytab), ("ccache", "MEMORY:zkcli \(login.principal ?? "") \(keytab)")]
    case (.initiate, nil):
      guard let cache = login.ticketCache else { return [] }
      return [("ccache", cache.hasPrefix("/") ? "FILE:" + cache : cache)]
    }
  }

  private static func withStore<Value>(
    _ store: [(key: String, value: String)], _ body: (UnsafePointer<zk_gss_key_value_set>?) -> Value
  ) -> Value {
    if store.isEmpty { return body(nil) }
    let texts = store.map { (strdup($0.key), strdup($0.value)) }
    defer {
      for (key, value) in texts {
        free(key)
        free(value)
      }
    }
    let elements = texts.map { zk_gss_key_value(key: $0.0, value: $0.1) }
    return elements.withUnsafeBufferPointer { elements in
      var set = zk_gss_key_value_set(count: UInt32(elements.count), elements: elements.baseAddress)
      return withUnsafePointer(to: &set, body)
    }
  }
}
