import NIOCore

/// Receives the body of a POST request, and answers it.
///
/// *Thread*: the calls come on the event loop, one after the future of the other.
protocol HTTPBodyReceiver: AnyObject, Sendable {
  /// Called before the body is read.
  ///
  /// - Parameter lengthBytes: the length of the body; nil if the client does not announce it.
  /// - Returns: the answer if the request is refused. The future never fails.
  func begin(lengthBytes: Int?) -> EventLoopFuture<HTTPAnswer?>

  /// Receives the next piece. Reading pauses until it was processed.
  ///
  /// - Returns: as `begin`.
  func add(_ piece: ByteBuffer) -> EventLoopFuture<HTTPAnswer?>

  /// Called when the body is complete. The future never fails.
  func end() -> EventLoopFuture<HTTPAnswer>

  /// Called last, whether the body was complete or not.
  func close() -> EventLoopFuture<Void>
}

/// Passes a body to its receiver, one piece after the other, and stops reading while too much waits.
///
/// *Thread*: the event loop of the channel.
final class HTTPBodyTransfer {
  /// Called each time a piece was taken.
  var onTaken: (() -> Void)?
  /// Called once, if the receiver refuses the request before its body is complete.
  var onRefused: ((HTTPAnswer) -> Void)?

  /// How many bytes may wait to be taken before reading pauses.
  private static let pendingLimitBytes = 1 << 20

  private let receiver: any HTTPBodyReceiver
  private let channel: any Channel
  /// The calls so far: nil as long as the request was not refused.
  private var progress: EventLoopFuture<HTTPAnswer?>
  private var pendingBytes = 0
  private var isPaused = false
  private var isClosed = false

  init(_ receiver: any HTTPBodyReceiver, _ channel: any Channel) {
    self.receiver = receiver
    self.channel = channel
    progress = channel.eventLoop.makeSucceededFuture(nil)
  }

  /// Begins; `isAccepted` runs when the body may come.
  func begin(lengthBytes: Int?, isAccepted: @escaping () -> Void) {
    progress = receiver.begin(lengthBytes: lengthBytes)
    progress.assumeIsolated().whenSuccess { [self] refusal in
      if let refusal { refuse(refusal) } else { isAccepted() }
    }
  }

  /// Passes the next piece on.
  func add(_ piece: ByteBuffer) {
    pendingBytes += piece.readableBytes
    progress = progress.flatMap { [receiver, loop = channel.eventLoop] refusal in
      refusal == nil ? receiver.add(piece) : loop.makeSucceededFuture(refusal)
    }
    if pendingBytes > Self.pendingLimitBytes { pause() }
    progress.assumeIsolated().whenSuccess { [self] refusal in
      pendingBytes -= piece.readableBytes
      if let refusal { return refuse(refusal) }
      onTaken?()
      if pendingBytes < Self.pendingLimitBytes / 2 { resume() }
    }
  }

  /// Ends a complete body; `answer` takes the answer.
  func end(_ answer: @escaping (HTTPAnswer) -> Void) {
    onTaken = nil
    onRefused = nil
    let answered = progress.flatMap { [receiver, loop = channel.eventLoop] refusal in
      refusal.map { loop.makeSucceededFuture($0) } ?? receiver.end()
    }
    // Another request of the client finds the receiver closed.
    let closed = answered.flatMap { [receiver] answer in receiver.close().map { answer } }
    isClosed = true
    closed.assumeIsolated().whenSuccess { answer($0) }
  }

  /// Ends a body that is not complete, or that was refused.
  func abandon() {
    guard !isClosed else { return }
    isClosed = true
    onTaken = nil
    onRefused = nil
    progress.whenComplete { [receiver] _ in _ = receiver.close() }
    resume()
  }

  private func refuse(_ answer: HTTPAnswer) {
    let onRefused = onRefused
    self.onRefused = nil
    onRefused?(answer)
  }

  private func pause() {
    guard !isPaused else { return }
    isPaused = true
    channel.setOption(.autoRead, value: false).whenComplete { _ in }
  }

  private func resume() {
    guard isPaused else { return }
    isPaused = false
    channel.setOption(.autoRead, value: true).whenComplete { _ in }
  }
}
