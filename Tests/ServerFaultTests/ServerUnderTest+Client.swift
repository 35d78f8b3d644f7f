import TestKit
import ZooKeeperClient
import ZooKeeperProtocol

extension ServerUnderTest {
  /// A client that begins to connect; the caller closes it.
  func client(sessionTimeout: Duration = .seconds(30)) throws -> ZooKeeperClient {
    var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: connectString))
    configuration.requestTimeLimit = .seconds(20)
    configuration.sessionTimeout = sessionTimeout
    return ZooKeeperClient(configuration)
  }

  /// Runs `body` with a connected client.
  func withClient<Value>(_ body: (ZooKeeperClient) async throws -> Value) async throws -> Value {
    let client = try client()
    do {
      try await client.connected(failsFast: false)
      let value = try await body(client)
      await client.close()
      return value
    } catch {
      await client.close(limit: .zero)
      throw error
    }
  }
}
