import NIOCore
import NIOPosix
import Synchronization
public import TransportSecurity
public import ZooKeeperProtocol

/// Asks a server one of the four-letter words: questions in plain text, outside of any session.
///
/// ```swift
/// let answer = await FourLetterWord.ask("ruok", of: ServerAddress(host: "zk1", port: 2181), limit: .seconds(1))
/// // answer == "imok"
/// ```
///
/// Servers answer only those that their configuration allows, by default `srvr` alone.
///
/// *Source*: `ClientProtocol` 7.1.
public enum FourLetterWord {
  /// The upper bound on the size of an answer, in bytes; the connection is closed when it is exceeded.
  static let limitBytes = 16 << 20

  /// Asks a server on a new connection, and waits until the server closes it.
  ///
  /// - Parameters:
  ///   - word: the question, such as `srvr` or `mntr`.
  ///   - tls: how the connection is encrypted; nil for one in the clear.
  ///   - limit: the time limit for connecting, and again for the answer.
  /// - Returns: the answer, as far as it came within the limit; nil if nothing came.
  public static func ask(
    _ word: String, of address: ServerAddress, tls: TLSContext? = nil, limit: Duration
  ) async -> String? {
    let answer = await answer(to: word, of: address, tls: tls, limit: limit)
    return (try? answer.get()).map { String(decoding: $0, as: UTF8.self) }
  }

  /// As ``ask(_:of:tls:limit:)``, and says why nothing came.
  public static func answer(
    to word: String, of address: ServerAddress, tls: TLSContext? = nil, limit: Duration
  ) async -> Result<[UInt8], ConnectFailure> {
    await withCheckedContinuation { continuation in
      ask(
        word, of: address, Encryption(tls, isRequired: false), on: ZooKeeperClient.sharedGroup.next(),
        limitMilliseconds: limit.milliseconds
      ) { continuation.resume(returning: $0) }
    }
  }

  /// The last zxid in the answer to `srvr`; nil if it has none, as from a server that does not serve.
  static func zxid(in answer: String) -> Zxid? {
    for line in answer.split(whereSeparator: \.isNewline) where line.hasPrefix("Zxid: 0x") {
      return UInt64(line.dropFirst("Zxid: 0x".count), radix: 16).map { Zxid(rawValue: Int64(bitPattern: $0)) }
    }
    return nil
  }

  /// As `answer`, calling `completion` once on `loop`.
  static func ask(
    _ word: String, of address: ServerAddress, _ encryption: Encryption, on loop: any EventLoop,
    limitMilliseconds: Int64, _ completion: @escaping @Sendable (Result<[UInt8], ConnectFailure>) -> Void
  ) {
    @Sendable func fail(_ error: any Error) {
      let reason = ConnectFailure.Reason(error, limitMilliseconds: limitMilliseconds)
      completion(.failure(ConnectFailure(address: address, reason: reason)))
    }
    ClientBootstrap(group: loop)
      .connectTimeout(.milliseconds(limitMilliseconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try encryption.encrypt(channel, to: address)
          try channel.pipeline.syncOperations.addHandler(
            QuestionHandler(word, of: address, limitMilliseconds: limitMilliseconds, completion))
        }
      }
      .connect(to: address)
      .whenFailure(fail)
  }
}

/// Sends the question, gathers the answer until the server closes the connection, and reports it once.
private final class QuestionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let word: String
  private let address: ServerAddress
  private let limitMilliseconds: Int64
  private let completion: @Sendable (Result<[UInt8], ConnectFailure>) -> Void
  private var received: [UInt8] = []
  /// Why the connection is given up, unless the server closes it.
  private var reason = ConnectFailure.Reason.closedWithoutAnswer
  private var hasAnswered = false
  private var timer: Scheduled<Void>?

  init(
    _ word: String, of address: ServerAddress, limitMilliseconds: Int64,
    _ completion: @escaping @Sendable (Result<[UInt8], ConnectFailure>) -> Void
  ) {
    self.word = word
    self.address = address
    self.limitMilliseconds = limitMilliseconds
    self.completion = completion
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(NIOAny(ByteBuffer(string: word)), promise: nil)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(limitMilliseconds)) { [self] in
      reason = .timedOut(connected: true, milliseconds: limitMilliseconds)
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    if received.count > FourLetterWord.limitBytes { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) { finish() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reason = ConnectFailure.Reason(error, limitMilliseconds: limitMilliseconds)
    context.close(promise: nil)
  }

  private func finish() {
    timer?.cancel()
    guard !hasAnswered else { return }
    hasAnswered = true
    completion(
      received.isEmpty ? .failure(ConnectFailure(address: address, reason: reason)) : .success(received))
  }
}
