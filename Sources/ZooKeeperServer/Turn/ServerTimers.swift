import NIOCore

/// The periodic work of a server. Each run ends a turn, so that its output is sent.
///
/// *Thread*: the event loop.
final class ServerTimers {
  private let loop: any EventLoop
  private let turns: TurnLoop
  private var tasks: [RepeatedTask] = []

  init(_ loop: any EventLoop, _ turns: TurnLoop) {
    self.loop = loop
    self.turns = turns
  }

  /// Calls `body` at intervals until `stop`, the first time after one interval.
  func every(_ interval: TimeAmount, _ body: @escaping () -> Void) {
    let body = NIOLoopBound(body, eventLoop: loop)
    let task = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [turns] _ in
      body.value()
      turns.end()
    }
    tasks.append(task)
  }

  /// Cancels all timers.
  func stop() {
    for task in tasks { task.cancel() }
    tasks = []
  }
}
