import TestKit
import Testing

/// Plaintext, TLS and mutual TLS, with every kind of identity, of three clients, with our servers and Apache's.
@Suite(.timeLimit(.minutes(10)))
struct ProtectionMatrixTests {
  /// No client lacks anything. In five of the cells of a table there is nothing to log in with, and it is checked that
  /// no access is given: a stranger's, and those of certificates without mutual TLS.
  @Test(.enabled(if: KerberosRealm.isInstalled), arguments: ServerKind.allCases)
  func everyClientReadsWhatItsIdentityMayRead(_ kind: ServerKind) async throws {
    let servers = try await ProtectedServers.start(kind)
    let expected = Dictionary(uniqueKeysWithValues: ProtectionMatrix.cells.map { ("\($0)", $0.expected) })
    #expect(expected.count == 18)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in ProtectionMatrix.Client.allCases {
        group.addTask {
          guard let results = try await servers.results(of: client) else { return }
          for (cell, value) in expected.sorted(by: { $0.key < $1.key }) {
            #expect(results[cell] == value, "\(client.rawValue) with \(kind.rawValue): \(cell)")
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
