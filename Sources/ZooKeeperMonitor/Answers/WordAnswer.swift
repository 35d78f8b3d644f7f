public import TransportSecurity
public import ZooKeeperClient
public import ZooKeeperProtocol

/// The outcome of sending a four-letter word to a server.
public enum WordAnswer: Hashable, Sendable {
  case text([UInt8])
  /// The server's configuration does not allow it.
  case notAllowed
  /// The server is up, but is not part of a quorum.
  case notServing
  case failed(ConnectFailure.Reason)

  /// Asks a server.
  ///
  /// - Parameter limit: the time limit for connecting, and again for the answer.
  public static func ask(
    _ word: String, of address: ServerAddress, tls: TLSContext?, limit: Duration
  ) async -> WordAnswer {
    switch await FourLetterWord.answer(to: word, of: address, tls: tls, limit: limit) {
    case .failure(let failure): .failed(failure.reason)
    case .success(let bytes): WordAnswer(bytes)
    }
  }

  /// Classifies an answer.
  ///
  /// *Source*: `FourLetterCommands`, `NopCommand.ZK_NOT_SERVING`.
  init(_ bytes: [UInt8]) {
    let start = String(decoding: bytes.prefix(200), as: UTF8.self)
    if start.contains("is not executed because it is not in the whitelist") {
      self = .notAllowed
    } else if start.hasPrefix("This ZooKeeper instance is not currently serving requests") {
      self = .notServing
    } else {
      self = .text(bytes)
    }
  }

  /// The bytes of an answer.
  public var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
}
