import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import ZooKeeperServer

/// Why a connection to another server cannot be opened.
struct OutboundCallTests {
  private static func failure(host: String, port: Int) async throws -> any Error {
    do {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: host, port: port).get()
      try await channel.close()
      throw TestKitError(.ended, "something listens at port \(port)")
    } catch let error as TestKitError {
      throw error
    } catch {
      return error
    }
  }

  /// An election waits for no vote of a server whose port refuses connections, by a name or by a number.
  @Test(arguments: ["127.0.0.1", "localhost"])
  func aPortThatNobodyHasRefuses(host: String) async throws {
    let failure = try await Self.failure(host: host, port: Int(try LoopbackPorts.reserve()))
    #expect(OutboundCall.isRefusal(failure), "\(failure)")
  }

  /// A server of which nothing is known may have a vote.
  @Test func otherFailuresAreNoRefusals() async throws {
    let unknownName = try await Self.failure(host: "no-such-host.invalid", port: 1)
    for failure in [
      unknownName, ChannelError.connectTimeout(.seconds(1)), IOError(errnoCode: EHOSTUNREACH, reason: ""),
    ] {
      #expect(!OutboundCall.isRefusal(failure), "\(failure)")
    }
  }
}
