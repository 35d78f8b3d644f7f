import JSONFormat
import NIOCore
import NIOHTTP1
import Synchronization

/// A stream of server-sent events.
///
/// Events are collected for a short time and sent together, so that there are few writes. The buffer for a slow reader
/// is bounded: further events are lost, and the reader is told how many. A stream whose reader receives nothing for a
/// minute is closed.
///
/// *Source*: WHATWG HTML, "Server-sent events".
final class EventStream: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var droppedCount = 0
    /// Whether bytes are being sent or will be shortly.
    var isSending = false
    var channel: (any Channel)?
    var end: CheckedContinuation<Void, Never>?
    var isOver = false
  }

  /// How long events are collected. Separate writes of 50 events per second to each of 200 streams would take a tenth
  /// of a core.
  private static let gathering = TimeAmount.milliseconds(40)

  let id: String
  /// The cluster that the stream follows.
  let cluster: String
  private let state = Mutex(State())
  private let onEnd: @Sendable (EventStream) -> Void

  init(cluster: String, onEnd: @escaping @Sendable (EventStream) -> Void) {
    id = String(SecretText.make().prefix(32))
    self.cluster = cluster
    self.onEnd = onEnd
  }

  /// The bytes of an event.
  static func bytes(_ name: String, _ document: JSON) -> [UInt8] {
    var bytes = [UInt8]("event: \(name)\ndata: ".utf8)
    document.append(to: &bytes)
    bytes += [0x0a, 0x0a]
    return bytes
  }

  /// The bytes of a comment, which shows both ends that the connection is alive.
  static let heartbeat = [UInt8](":\n\n".utf8)

  /// Queues an event. It is lost if the buffer is full.
  func send(_ bytes: [UInt8]) {
    let channel = state.withLock { state -> (any Channel)? in
      guard !state.isOver else { return nil }
      guard state.pending.count + bytes.count <= WebLimits.streamBytes else {
        if bytes != Self.heartbeat { state.droppedCount += 1 }
        return nil
      }
      state.pending += bytes
      guard !state.isSending, let channel = state.channel else { return nil }
      state.isSending = true
      return channel
    }
    guard let channel else { return }
    channel.eventLoop.assumeOnLoopOrExecute { [self] in
      channel.eventLoop.scheduleTask(in: Self.gathering) { self.flush(channel) }
    }
  }

  /// Sends events on a connection until it ends, or `end` is called.
  func run(on channel: any Channel) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isOver { return true }
          state.channel = channel
          state.end = continuation
          state.isSending = true
          return false
        }
        if isOver { return continuation.resume() }
        channel.eventLoop.execute { self.flush(channel) }
      }
    } onCancel: {
      end()
    }
  }

  /// Ends the stream.
  func end() {
    let (continuation, wasOver) = state.withLock { state in
      defer {
        state.isOver = true
        state.end = nil
        state.pending = []
      }
      return (state.end, state.isOver)
    }
    guard !wasOver else { return }
    continuation?.resume()
    onEnd(self)
  }

  /// Sends the queued events.
  ///
  /// *Thread*: the channel's event loop.
  private func flush(_ channel: any Channel) {
    let bytes = state.withLock { state -> [UInt8] in
      guard !state.isOver else { return [] }
      var bytes: [UInt8] = []
      swap(&bytes, &state.pending)
      if state.droppedCount > 0 {
        bytes += Self.bytes("lagging", .object([("dropped", .number(state.droppedCount))]))
        state.droppedCount = 0
      }
      if bytes.isEmpty { state.isSending = false }
      return bytes
    }
    guard !bytes.isEmpty else { return }
    let timer = channel.eventLoop.scheduleTask(in: AnswerSender.pieceLimit) { channel.close(promise: nil) }
    let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))
    channel.writeAndFlush(part).whenComplete { result in
      timer.cancel()
      guard case .success = result else { return self.end() }
      let isMore = self.state.withLock { state in
        if state.pending.isEmpty, state.droppedCount == 0 { state.isSending = false }
        return state.isSending
      }
      if isMore { channel.eventLoop.scheduleTask(in: Self.gathering) { self.flush(channel) } }
    }
  }
}

extension EventLoop {
  /// Runs a function on the loop, at once if it is called there.
  fileprivate func assumeOnLoopOrExecute(_ body: @escaping @Sendable () -> Void) {
    if inEventLoop { body() } else { execute(body) }
  }
}
