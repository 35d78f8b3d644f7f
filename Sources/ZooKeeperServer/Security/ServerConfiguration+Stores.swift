import TransportSecurity

extension ServerConfiguration {
  /// Tries whether the stores of keys and certificates can be used.
  ///
  /// *Thread*: any that may block.
  ///
  /// - Returns: what an operator should know of stores that can be used: keys that every user can read, and
  ///   certificates that have expired or expire within 30 days.
  /// - Throws: when one cannot be used.
  package func checkStores() throws(ServerStartError) -> [String] {
    var warnings: [String] = []
    if usesClientTLS { warnings += try Self.check(clientTLS, purpose: "the clients' port") }
    if usesQuorumTLS { warnings += try Self.check(quorumTLS, purpose: "the servers' ports") }
    if usesAdminTLS { warnings += try Self.check(adminTLS, purpose: "the AdminServer's port") }
    if let metrics, metrics.securePort != nil { warnings += try Self.check(metrics.tls, purpose: "the metrics' port") }
    if web.isEnabled, web.encryption != nil { warnings += try Self.check(web.tls, purpose: "the page's port") }
    return warnings
  }

  private static func check(_ tls: PortTLS, purpose: String) throws(ServerStartError) -> [String] {
    let settings = tls.properties.settings
    let context: TLSContext
    do throws(TLSStoreError) { context = try TLSContext(server: settings) } catch {
      throw ServerStartError("TLS of \(purpose): \(error)", hint: error.hint)
    }
    let ending = context.expirations.compactMap { $0.warning(at: Host.wallMilliseconds / 1000) }
    return settings.exposedKeyFiles.map { "every user can read the private key in \($0)" } + ending
  }
}
