import Foundation
import Synchronization

/// A TCP server on loopback that behaves badly, in a way that is set for each connection.
///
/// *Thread*: any. Each connection has a thread with blocking calls, so that a behaviour reads like a script.
public final class FakeServer: Sendable {
  /// What happens on one connection.
  public enum Behaviour: Sendable {
    /// Nothing is ever accepted; the kernel completes the TCP handshake all the same.
    case neverAccept
    /// Accepted, and closed at once.
    case closeAtOnce
    /// Accepted and read from, but never answered.
    case silence
    /// These bytes follow the first frame received, then silence.
    case answer([UInt8])
    /// A frame's length of nearly 2 GB, and nothing more.
    case hugeLength
    /// Bytes that are no protocol at all, before anything was received.
    case garbage
    /// Anything else; the connection is closed when it returns.
    case script(@Sendable (LoopbackSocket) throws -> Void)
  }

  private struct State {
    var connectionCount = 0
    var open: [ObjectIdentifier: LoopbackSocket] = [:]
    var isStopped = false
  }

  /// The state of the listening thread, which is separate from the server so that the thread does not keep that alive.
  private final class Core: Sendable {
    let listener: LoopbackSocket
    let behaviours: [Behaviour]
    let state = Mutex(State())

    init(listener: LoopbackSocket, behaviours: [Behaviour]) {
      self.listener = listener
      self.behaviours = behaviours
    }
  }

  private let core: Core

  /// Listens on a free port; the first connection gets the first of `behaviours` and so on, the last one repeats.
  ///
  /// - Throws: `TestKitError.systemCall`.
  public init(_ behaviours: Behaviour...) throws(TestKitError) {
    precondition(!behaviours.isEmpty, "a server needs a behaviour")
    core = Core(listener: try LoopbackPorts.listen(), behaviours: behaviours)
    Thread.detachNewThread { [core] in Self.acceptAll(core) }
  }

  deinit { stop() }

  public var port: UInt16 { core.listener.localPort }

  /// The address for clients, as `host:port`.
  public var connectString: String { "127.0.0.1:\(port)" }

  /// The number of connections that were accepted so far.
  public var connectionCount: Int { core.state.withLock { $0.connectionCount } }

  /// Stops listening and cuts all connections.
  public func stop() {
    core.listener.shutdown()
    let open = core.state.withLock { state in
      state.isStopped = true
      return Array(state.open.values)
    }
    for socket in open { socket.shutdown() }
  }

  private static func acceptAll(_ core: Core) {
    var number = 0
    while true {
      let behaviour = core.behaviours[min(number, core.behaviours.count - 1)]
      if case .neverAccept = behaviour { return }
      guard let socket = try? core.listener.accept() else { return }
      let isStopped = core.state.withLock { state in
        state.connectionCount += 1
        state.open[ObjectIdentifier(socket)] = socket
        return state.isStopped
      }
      if isStopped { return socket.shutdown() }
      number += 1
      Thread.detachNewThread {
        // The client closing first is one of the expected ends.
        try? serve(socket, behaviour)
        socket.shutdown()
        _ = core.state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(socket)) }
      }
    }
  }

  private static func serve(_ socket: LoopbackSocket, _ behaviour: Behaviour) throws {
    switch behaviour {
    case .neverAccept, .closeAtOnce:
      return
    case .silence:
      break
    case .answer(let bytes):
      _ = try socket.readFrame()
      try socket.write(bytes)
    case .hugeLength:
      _ = try socket.readFrame()
      try socket.write([0x7f, 0xff, 0xff, 0xff])
    case .garbage:
      try socket.write(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    case .script(let body):
      return try body(socket)
    }
    // Silence means reading on, until the client gives up.
    _ = try socket.readToEnd()
  }
}
