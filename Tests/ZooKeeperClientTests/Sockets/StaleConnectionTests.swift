import NIOCore
import NIOPosix
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Connections that come about after the client has gone elsewhere.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct StaleConnectionTests {
  @Test func lateConnectionDoesNotTakeThePlaceOfTheLiveOne() async throws {
    let server = try await ApacheServer.shared()
    try await withClient(server.connectString) { client in
      let late = try await ClientBootstrap(group: client.driver.loop)
        .connect(host: "127.0.0.1", port: Int(server.port)).get()
      try await client.driver.loop.submit { client.driver.onConnected(late, attempt: 0) }.get()
      // It is closed, and the client talks on where it was.
      try await client.withTimeLimit(.seconds(10)).sync()
      try await late.closeFuture.get()
    }
  }
}
