import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// Runs `body` with a sandbox, which is stopped whatever happens.
@discardableResult
func withEnsemble<Value>(
  _ settings: LocalEnsemble.Settings, _ body: (LocalEnsemble) async throws -> Value
) async throws -> Value {
  let ensemble = try await LocalEnsemble.start(settings)
  do {
    let value = try await body(ensemble)
    await ensemble.stop()
    return value
  } catch {
    await ensemble.stop()
    throw error
  }
}

/// Runs `body` with a session, which is closed whatever happens.
@discardableResult
func withClient<Value>(
  _ servers: String, _ body: (ZooKeeperClient) async throws -> Value
) async throws -> Value {
  var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: servers))
  configuration.requestTimeLimit = .seconds(20)
  let client = ZooKeeperClient(configuration)
  do {
    let value = try await body(client)
    await client.close()
    return value
  } catch {
    await client.close(limit: .zero)
    throw error
  }
}
