import NIOCore
import ZooKeeperProtocol

/// Decides what becomes of the messages to other servers while their links have faults.
///
/// *Thread*: the server's event loop.
final class FaultyLinks {
  private let own: ServerID
  private var links: [ServerID: Link] = [:]
  private var seed: UInt64 = 0
  /// Whether a link has a fault. Everything that is sent asks this first, and normally nothing else.
  private(set) var isActive = false

  private struct Link {
    var fault: ServerFaults.Link
    var random: SplitMix64
  }

  init(of own: ServerID) { self.own = own }

  /// Uses these faults from now on. The decisions about a link are the same for the same seed, counted from when it got
  /// the fault.
  func update(_ faults: ServerFaults) {
    let before = links
    links = [:]
    for (id, fault) in faults.links where fault != ServerFaults.Link() {
      let server = ServerID(rawValue: id)
      if seed == faults.seed, let link = before[server], link.fault == fault {
        links[server] = link
      } else {
        let own = UInt64(bitPattern: own.rawValue) << 32
        links[server] = Link(
          fault: fault, random: SplitMix64(seed: faults.seed ^ own ^ UInt64(bitPattern: id)))
      }
    }
    seed = faults.seed
    isActive = !links.isEmpty
  }

  /// How long to hold the next bytes for a server back.
  func delay(to server: ServerID?) -> TimeAmount {
    guard let server, let link = links[server] else { return .zero }
    let (delay, jitter) = (TimeAmount(link.fault.delay).nanoseconds, TimeAmount(link.fault.jitter).nanoseconds)
    guard jitter > 0 else { return .nanoseconds(delay) }
    return .nanoseconds(max(0, delay + Int64.random(in: -jitter...jitter, using: &links[server]!.random)))
  }

  /// Whether the next message to a server breaks the connection.
  func breaksConnection(to server: ServerID?) -> Bool {
    guard let server, let link = links[server], link.fault.breakProbability > 0 else { return false }
    return Double.random(in: 0..<1, using: &links[server]!.random) < link.fault.breakProbability
  }
}
