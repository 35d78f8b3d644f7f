/// The events of one watch, in the order of the server's changes.
///
/// ```swift
/// for try await event in try await client.addWatch("/config", mode: .persistentRecursive) where event.type != .none {
///   print(event.type.name, event.path ?? "")
/// }
/// ```
///
/// The sequence of a one-shot watch ends after its event, that of a persistent watch with the session. Changes of the
/// session's state come in between, with the `type` `none`. Between `disconnected` and `syncConnected`, events of a
/// persistent watch are missed, because servers do not report afterwards what has changed meanwhile. A one-shot watch
/// misses nothing: its event comes late. Dropping the sequence removes the watch from the client.
///
/// Up to `limit` events wait for the consumer. If there are more, the sequence ends with an error instead of hiding a
/// gap.
public struct WatchEvents: AsyncSequence, Sendable {
  /// One event.
  public typealias Element = WatchEvent
  /// Always ``ZooKeeperError``. The type is not more exact because `AsyncThrowingStream`'s is not.
  public typealias Failure = any Error

  /// The number of events that may wait for the consumer.
  public static let limit = 16_384

  let stream: AsyncThrowingStream<WatchEvent, any Error>

  /// Returns the events one by one.
  public struct AsyncIterator: AsyncIteratorProtocol {
    var base: AsyncThrowingStream<WatchEvent, any Error>.Iterator

    /// The next event, or nil at the end of the watch. Waits if there is none yet; cancellation of the task ends the
    /// sequence.
    ///
    /// - Throws: `ZooKeeperError` with `eventOverflow` after events were dropped.
    public mutating func next() async throws -> WatchEvent? { try await base.next(isolation: #isolation) }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: stream.makeAsyncIterator()) }
}

extension WatchEvents {
  /// The driver's end of the sequence.
  struct Sink: Sendable {
    let continuation: AsyncThrowingStream<WatchEvent, any Error>.Continuation

    /// Passes an event to the consumer, or ends the sequence with an error if too many wait.
    func send(_ event: WatchEvent) {
      if case .dropped = continuation.yield(event) {
        continuation.finish(throwing: ZooKeeperError(.eventOverflow(limit: WatchEvents.limit), path: event.path))
      }
    }

    /// Ends the sequence after the events that still wait.
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
