import TestKit
import ZooKeeperClient
import ZooKeeperProtocol

/// Runs `body` with a connected session, and closes it whatever happens.
func withSession<Value: Sendable>(
  _ connectString: String, _ body: @Sendable (ZooKeeperClient) async throws -> Value
) async throws -> Value {
  var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: connectString))
  configuration.sessionTimeout = .seconds(60)
  configuration.connectTimeout = .seconds(10)
  let client = ZooKeeperClient(configuration).withTimeLimit(.seconds(90))
  do {
    try await client.connected(failsFast: false)
    let value = try await body(client)
    await client.close()
    return value
  } catch {
    await client.close(limit: .seconds(1))
    throw error
  }
}

extension String {
  /// The bytes of the text.
  var bytes: [UInt8] { [UInt8](utf8) }
}
