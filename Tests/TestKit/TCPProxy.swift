import Foundation
import Synchronization

/// A loopback port in front of a server, which simulates failures of the network: closed connections, refused ones,
/// silence.
///
/// *Thread*: any.
public final class TCPProxy: Sendable {
  private struct State {
    var listener: LoopbackSocket?
    var pairs: [ObjectIdentifier: (client: LoopbackSocket, server: LoopbackSocket)] = [:]
    var connectionCount = 0
    /// The port that new connections are forwarded to.
    var target: UInt16
    /// The number of pieces that the server may still send before one is dropped and all connections are closed; nil
    /// lets all pass.
    var piecesBeforeDrop: Int?
  }

  /// The state of the threads, which is separate from the proxy so that they do not keep that alive.
  private final class Core: Sendable {
    let state: Mutex<State>
    /// Threads wait here while the proxy is stalled. A `Mutex` has no condition to wait for.
    let isStalled = StallGate()

    init(target: UInt16) { state = Mutex(State(target: target)) }
  }

  public let port: UInt16
  private let core: Core

  /// Forwards a free port to `target`.
  ///
  /// - Throws: `TestKitError.systemCall`.
  public init(to target: UInt16) throws(TestKitError) {
    port = try LoopbackPorts.reserve()
    core = Core(target: target)
    try accept()
  }

  deinit {
    refuse()
    cut()
    resume()
  }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// Forwards new connections to another port, as if the server were replaced. Existing ones continue.
  public func retarget(to port: UInt16) { core.state.withLock { $0.target = port } }

  /// The number of connections that were accepted so far.
  public var connectionCount: Int { core.state.withLock { $0.connectionCount } }

  /// Closes all connections, on both sides; new ones are accepted as before.
  public func cut() {
    let pairs = core.state.withLock { state in
      defer { state.pairs.removeAll() }
      return Array(state.pairs.values)
    }
    for pair in pairs {
      pair.client.shutdown()
      pair.server.shutdown()
    }
  }

  /// Lets the server send `count` more pieces, then drops the next one and closes all connections: the request was
  /// carried out, and the client never learns of it. A piece is what arrives at once, mostly one reply.
  public func dropReply(after count: Int) { core.state.withLock { $0.piecesBeforeDrop = count } }

  /// Whether the reply of `dropReply` has been dropped.
  public var hasDropped: Bool { core.state.withLock { $0.piecesBeforeDrop == nil } }

  /// Refuses new connections. Existing ones continue.
  public func refuse() {
    let listener = core.state.withLock { state in
      defer { state.listener = nil }
      return state.listener
    }
    listener?.shutdown()
  }

  /// Accepts new connections, as it does from the start.
  ///
  /// - Throws: `TestKitError.systemCall` if the port was taken in the meantime.
  public func accept() throws(TestKitError) {
    guard core.state.withLock({ $0.listener == nil }) else { return }
    let listener = try LoopbackSocket.listen(on: port)
    core.state.withLock { $0.listener = listener }
    Thread.detachNewThread { [core] in
      while let client = try? listener.accept() { Self.join(client, acceptedBy: listener, core) }
    }
  }

  /// Stops forwarding in both directions, and leaves the connections open.
  public func stall() { core.isStalled.close() }

  /// Forwards again, beginning with what was held back.
  public func resume() { core.isStalled.open() }

  private static func join(_ client: LoopbackSocket, acceptedBy listener: LoopbackSocket, _ core: Core) {
    guard let server = try? LoopbackSocket.connect(to: core.state.withLock(\.target)) else { return client.shutdown() }
    let isRefused = core.state.withLock { state in
      // After `refuse` and `cut`, no connection may be left that was accepted just before.
      guard state.listener === listener else { return true }
      state.connectionCount += 1
      state.pairs[ObjectIdentifier(client)] = (client, server)
      return false
    }
    if isRefused { return client.shutdown() }
    for (source, sink) in [(client, server), (server, client)] {
      let isReply = source === server
      Thread.detachNewThread {
        while let bytes = try? source.read(), !bytes.isEmpty {
          core.isStalled.pass()
          if isReply, isToBeDropped(core) {
            client.shutdown()
            server.shutdown()
            break
          }
          guard (try? sink.write(bytes)) != nil else { break }
        }
        core.isStalled.pass()
        // The end of one direction is forwarded. The other direction may still have data.
        sink.shutdownOutput()
        _ = core.state.withLock { $0.pairs.removeValue(forKey: ObjectIdentifier(client)) }
      }
    }
  }
}

extension TCPProxy {
  /// Counts a piece from the server, and returns whether it must be dropped.
  private static func isToBeDropped(_ core: Core) -> Bool {
    core.state.withLock { state in
      guard let count = state.piecesBeforeDrop else { return false }
      state.piecesBeforeDrop = count == 0 ? nil : count - 1
      return count == 0
    }
  }
}

/// A gate that threads pass while it is open and wait at while it is closed.
///
/// `@unchecked`: `isClosed` is only touched with `condition` locked.
private final class StallGate: @unchecked Sendable {
  private let condition = NSCondition()
  private var isClosed = false

  /// Waits until the gate is open.
  func pass() {
    condition.withLock {
      while isClosed { condition.wait() }
    }
  }

  /// Opens the gate for all threads that wait.
  func open() {
    condition.withLock {
      isClosed = false
      condition.broadcast()
    }
  }

  /// Closes the gate for all threads that come to it from now on.
  func close() { condition.withLock { isClosed = true } }
}
