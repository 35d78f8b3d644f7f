import NIOCore
import NIOHTTP1

/// Sends one answer on a connection.
struct AnswerSender: Sendable {
  let channel: any Channel
  let head: HTTPRequestHead
  let isEncrypted: Bool

  /// The time limit for a client to receive a piece.
  static let pieceLimit = TimeAmount.seconds(60)

  /// Sends an answer and returns when the client has been sent all of it.
  ///
  /// - Returns: whether the connection can be used for another request.
  /// - Throws: if the connection is lost, or the client does not receive the answer in time.
  func send(_ answer: WebAnswer) async throws -> Bool {
    var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
    for (name, value) in SecurityHeaders.all(isEncrypted: isEncrypted) { headers.add(name: name, value: value) }
    if !head.isKeepAlive, !headers.contains(name: "Connection") { headers.add(name: "Connection", value: "close") }
    let writer = PieceWriter(channel: channel)
    switch answer.body {
    case .bytes(let bytes):
      let hasBody = ![.noContent, .notModified].contains(answer.status)
      if hasBody { headers.replaceOrAdd(name: "Content-Length", value: "\(bytes.count)") }
      try await begin(answer.status, headers)
      if head.method != .HEAD, hasBody { try await writer.write(bytes) }
    case .pieces(let produce):
      try await begin(answer.status, headers)
      if head.method != .HEAD { try await produce(writer) }
    case .events(let stream):
      try await begin(answer.status, headers)
      if head.method != .HEAD {
        await stream.run(on: channel)
        return false
      }
    }
    try await writer.write(.end(nil))
    return true
  }

  private func begin(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) async throws {
    let response = HTTPResponseHead(version: head.version, status: status, headers: headers)
    channel.write(HTTPServerResponsePart.head(response), promise: nil)
  }
}

/// Sends the pieces of a body.
struct PieceWriter: Sendable {
  let channel: any Channel

  /// Sends bytes and returns when the operating system has accepted them.
  ///
  /// - Throws: if the connection is lost, or the client receives nothing for `AnswerSender.pieceLimit`.
  func write(_ bytes: [UInt8]) async throws {
    guard !bytes.isEmpty else { return }
    try await write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
  }

  /// Sends a part, as `write(_:)`.
  func write(_ part: HTTPServerResponsePart) async throws {
    let channel = channel
    let timer = channel.eventLoop.scheduleTask(in: AnswerSender.pieceLimit) { channel.close(promise: nil) }
    defer { timer.cancel() }
    try await channel.writeAndFlush(part).get()
  }
}
