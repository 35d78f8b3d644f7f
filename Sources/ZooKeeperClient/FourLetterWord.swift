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
    await withCheckedContinuation { continuation in
      ask(
        word, of: address, Encryption(tls, isRequired: false), on: ZooKeeperClient.sharedGroup.next(),
        limitMilliseconds: limit.milliseconds
      ) { continuation.resume(returning: $0.map { String(decoding: $0, as: UTF8.self) }) }
    }
  }

  /// The last zxid in the answer to `srvr`; nil if it has none, as from a server that does not serve.
  static func zxid(in answer: String) -> Zxid? {
    for line in answer.split(whereSeparator: \.isNewline) where line.hasPrefix("Zxid: 0x") {
      return UInt64(line.dropFirst("Zxid: 0x".count), radix: 16).map { Zxid(rawValue: Int64(bitPattern: $0)) }
    }
    return nil
  }

  /// As `ask`, calling `answer` once on `loop`.
  static func ask(
    _ word: String, of address: ServerAddress, _ encryption: Encryption, on loop: any EventLoop,
    limitMilliseconds: Int64, _ answer: @escaping @Sendable ([UInt8]?) -> Void
  ) {
    ClientBootstrap(group: loop)
      .connectTimeout(.milliseconds(limitMilliseconds))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try encryption.encrypt(channel, to: address)
          try channel.pipeline.syncOperations.addHandler(
            QuestionHandler(word, limit: .milliseconds(limitMilliseconds), answer))
        }
      }
      .connect(to: address)
      .whenFailure { _ in answer(nil) }
  }
}

/// Sends the question, gathers the answer until the server closes the connection, and reports it once.
private final class QuestionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let word: String
  private let limit: TimeAmount
  private let answer: @Sendable ([UInt8]?) -> Void
  private var received: [UInt8] = []
  private var hasAnswered = false

  init(_ word: String, limit: TimeAmount, _ answer: @escaping @Sendable ([UInt8]?) -> Void) {
    self.word = word
    self.limit = limit
    self.answer = answer
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(NIOAny(ByteBuffer(string: word)), promise: nil)
    let channel = context.channel
    context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    if received.count > FourLetterWord.limitBytes { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) { finish() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func finish() {
    guard !hasAnswered else { return }
    hasAnswered = true
    answer(received.isEmpty ? nil : received)
  }
}
