/// The events of one watch, in the order of the server's changes.
///
/// A one-shot watch ends after its event; a persistent one with the session. Changes of the session's
/// state come in between (`type` is `none`): after `disconnected`, events of a persistent watch may
/// have been missed until `syncConnected`, because servers tell nothing of that time (a one-shot watch
/// is told late, but told). Dropping the sequence forgets the watch.
///
/// Events wait in a buffer of `limit`; a consumer that lets it overflow gets an error instead of a
/// silent gap.
public struct WatchEvents: AsyncSequence, Sendable {
  public typealias Element = WatchEvent
  public typealias Failure = any Error

  /// How many events may wait for the consumer.
  public static let limit = 16_384

  let stream: AsyncThrowingStream<WatchEvent, any Error>

  /// Takes the events one by one.
  public struct AsyncIterator: AsyncIteratorProtocol {
    var base: AsyncThrowingStream<WatchEvent, any Error>.Iterator

    /// The next event, or nil when the watch is over.
    ///
    /// - Throws: `ZooKeeperError` with `eventOverflow`.
    public mutating func next() async throws -> WatchEvent? { try await base.next(isolation: #isolation) }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: stream.makeAsyncIterator()) }
}

extension WatchEvents {
  /// The driver's end of the sequence.
  struct Sink: Sendable {
    let continuation: AsyncThrowingStream<WatchEvent, any Error>.Continuation

    /// Hands an event to the consumer, or an error when too many wait.
    func send(_ event: WatchEvent) {
      if case .dropped = continuation.yield(event) {
        continuation.finish(throwing: ZooKeeperError(.eventOverflow(limit: WatchEvents.limit), path: event.path))
      }
    }

    /// Ends the sequence behind what still waits.
    func finish() { continuation.finish() }

    /// Calls `body` when the consumer has gone or the sequence has ended.
    func onTermination(_ body: @escaping @Sendable () -> Void) {
      continuation.onTermination = { _ in body() }
    }
  }

  /// Both ends of a new sequence.
  static func make() -> (events: WatchEvents, sink: Sink) {
    let (stream, continuation) = AsyncThrowingStream<WatchEvent, any Error>.makeStream(
      bufferingPolicy: .bufferingOldest(limit))
    return (WatchEvents(stream: stream), Sink(continuation: continuation))
  }
}
