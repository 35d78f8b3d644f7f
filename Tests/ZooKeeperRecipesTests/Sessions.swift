import TestKit
import ZooKeeperClient
import ZooKeeperProtocol

/// Runs `body` with a connected session, and closes it whatever happens.
func withSession<Value: Sendable>(
  _ connectString: String, timeout: Duration = .seconds(60),
  _ body: @Sendable (ZooKeeperClient) async throws -> Value
) async throws -> Value {
  let client = try await session(connectString, timeout: timeout)
  do {
    let value = try await body(client)
    await client.close()
    return value
  } catch {
    await client.close(limit: .seconds(1))
    throw error
  }
}

/// A connected session; the caller closes it.
func session(_ connectString: String, timeout: Duration = .seconds(60)) async throws -> ZooKeeperClient {
  var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: connectString))
  configuration.sessionTimeout = timeout
  configuration.connectTimeout = .seconds(10)
  let client = ZooKeeperClient(configuration)
  try await client.withTimeLimit(.seconds(90)).connected(failsFast: false)
  return client
}

/// Whether a znode has no children.
///
/// What recipes make above their znodes are containers, which a server takes away some time after the last child has
/// gone: one that is gone is as good as one that is empty, and which of both it is the server's clock decides.
func isEmpty(_ path: String, _ client: ZooKeeperClient) async throws -> Bool {
  do throws(ZooKeeperError) {
    return try await client.getChildren(path).isEmpty
  } catch {
    guard error.code == .server(.noNode) else { throw error }
    return true
  }
}

/// Waits until a znode has so many children that `isWanted`.
func children(
  of path: String, _ client: ZooKeeperClient, until isWanted: ([String]) -> Bool
) async throws -> [String] {
  try await eventually("the wanted children of \(path)", within: .seconds(30)) {
    let names = (try? await client.getChildren(path)) ?? []
    return isWanted(names) ? names : nil
  }
}

extension String {
  /// The bytes of the text.
  var bytes: [UInt8] { [UInt8](utf8) }
}
