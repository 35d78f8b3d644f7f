import NIOCore

/// Connections with which the same is done, some in each turn, so that everything else goes on meanwhile.
///
/// *Thread*: the event loop.
final class ConnectionPieces: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private let loop: any EventLoop
  private let count: Int
  private let body: (ServerConnectionHandler) -> Void
  private var waiting = CircularBuffer<ServerConnectionHandler>()
  private var isScheduled = false

  /// - Parameters:
  ///   - count: how many in a turn.
  ///   - body: what is done with each.
  init(_ loop: any EventLoop, count: Int, _ body: @escaping (ServerConnectionHandler) -> Void) {
    self.loop = loop
    self.count = count
    self.body = body
  }

  /// Begins with the first of these connections at once, if no others are waiting.
  func add(_ handlers: [ServerConnectionHandler]) {
    waiting.append(contentsOf: handlers)
    if !isScheduled { goOn() }
  }

  private func goOn() {
    for _ in 0..<min(count, waiting.count) {
      if let handler = waiting.popFirst() { body(handler) }
    }
    guard !waiting.isEmpty else { return }
    isScheduled = true
    loop.assumeIsolated().scheduleTask(in: TurnLoop.breath) { [self] in
      isScheduled = false
      goOn()
    }
  }
}
