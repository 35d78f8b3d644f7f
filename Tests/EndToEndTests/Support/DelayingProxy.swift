import Foundation
import Synchronization
import TestKit

/// A connection to a server that is far away: what the server says arrives `delay` later, however much it is.
///
/// One connection alone; a client that opens more finds them closed.
final class DelayingProxy: Sendable {
  private let server: FakeServer
  private let replies = Replies()

  /// How often something came from the server.
  var replyCount: Int { replies.count.withLock(\.self) }

  private final class Replies: Sendable {
    let count = Mutex(0)
  }

  /// Stands before the server on the loopback port `target`.
  init(to target: UInt16, delay: Duration) throws {
    let seconds = Double(delay.components.attoseconds) / 1e18 + Double(delay.components.seconds)
    server = try FakeServer(
      .script { [replies] client in
        let remote = try LoopbackSocket.connect(to: target)
        Thread.detachNewThread {
          while let bytes = try? remote.read(), !bytes.isEmpty {
            replies.count.withLock { $0 += 1 }
            // The one place where a test passes time: it is the distance itself.
            Thread.sleep(forTimeInterval: seconds)
            guard (try? client.write(bytes)) != nil else { break }
          }
          client.shutdown()
        }
        while let bytes = try? client.read(), !bytes.isEmpty { try remote.write(bytes) }
        remote.shutdown()
      })
  }

  /// The address for clients, as `host:port`.
  var connectString: String { server.connectString }
}
