import Jute
package import ZooKeeperProtocol

/// A request as it is sent, but for its xid. Made once, it can be sent often, at the cost of a copy of its bytes.
package struct EncodedRequest: Sendable {
  /// A whole frame; the xid is filled in when it is sent.
  fileprivate let frame: [UInt8]

  package init(_ request: ClientRequest) {
    var writer = JuteWriter()
    request.encodeFrame(xid: .first, into: &writer)
    frame = writer.takeBytes()
  }

  /// Without the length before it.
  fileprivate var lengthBytes: Int { frame.count - FrameSplitter.prefixLengthBytes }

  fileprivate func append(to writer: inout JuteWriter, xid: Xid) {
    let start = writer.count
    frame.withUnsafeBytes { writer.writeBlock($0) }
    writer.overwriteInt(xid.rawValue, at: start + FrameSplitter.prefixLengthBytes)
  }
}

/// A request of a stream that waits for its reply.
struct StreamedCall {
  var xid: Xid
  var number: Int
  var sentNanoseconds: Int64
  var deadline: Int64
  /// Whether its stream was told the outcome, because of a time limit. The reply is still expected.
  var isAnswered = false
}

/// The outcome of a request of a stream.
struct StreamReply {
  /// The closed list of outcomes, small enough to be copied without a count of references.
  enum Outcome {
    case success
    case server(KeeperError)
    case timedOut
    /// The connection or the session ended before the reply.
    case lost
  }

  var number: Int
  var sentNanoseconds: Int64
  var outcome: Outcome
}

/// Streams: requests of which only the outcome is wanted, such as those of a load.
///
/// They share the connection and its xids with all other requests. What is kept of each is small, and no closure, no
/// action and no copy of the reply is made for it: that is four fifths of what another request costs.
extension SessionMachine {
  /// Sends a request of a stream. Its outcome is appended to `streamReplies`, unless it is refused at once.
  ///
  /// - Parameters:
  ///   - number: what the outcome is reported with.
  ///   - sentNanoseconds: the same.
  ///   - deadline: when the stream does not wait any longer, in milliseconds.
  /// - Returns: why it cannot be sent.
  mutating func stream(
    _ request: EncodedRequest, number: Int, sentNanoseconds: Int64, deadline: Int64, now: Int64
  ) -> ZooKeeperError? {
    if let endError { return endError }
    guard request.lengthBytes <= settings.maximumFrameBytes else { return tooLarge(request.lengthBytes) }
    guard case .connected = phase else { return ZooKeeperError(.connectionLoss(outcomeUnknown: false)) }
    let xid = nextXid
    nextXid = nextXid.next
    request.append(to: &outbound, xid: xid)
    lastSent = now
    // The limits of a stream are all of one length, so that only the oldest request can have the earliest one.
    if streamed.isEmpty { earliestDeadline = min(deadline, earliestDeadline ?? deadline) }
    streamed.append(StreamedCall(xid: xid, number: number, sentNanoseconds: sentNanoseconds, deadline: deadline))
    return nil
  }

  /// Takes the reply to the oldest request of a stream.
  ///
  /// - Returns: false if the reply is to another request.
  mutating func takeStreamed(_ header: ReplyHeader) -> Bool {
    guard let call = streamed.first, call.xid == header.xid else { return false }
    // Servers reply in the order of the requests.
    if let other = pending.first, other.xid.isBefore(call.xid) { return false }
    streamed.removeFirst()
    hasBeenServed = true
    if header.zxid > lastZxidSeen { lastZxidSeen = header.zxid }
    if !call.isAnswered { answer(call, header.error == .ok ? .success : .server(header.error)) }
    return true
  }

  /// Reports that no reply will come to what was sent.
  mutating func failStreamed() {
    while let call = streamed.popFirst() {
      if !call.isAnswered { answer(call, .lost) }
    }
  }

  /// Reports the requests whose limits have passed.
  mutating func expireStreamed(now: Int64) {
    for index in streamed.indices {
      guard streamed[index].deadline <= now else { return }
      if !streamed[index].isAnswered { answer(streamed[index], .timedOut) }
      streamed[index].isAnswered = true
    }
  }

  private mutating func answer(_ call: StreamedCall, _ outcome: StreamReply.Outcome) {
    streamReplies.append(
      StreamReply(number: call.number, sentNanoseconds: call.sentNanoseconds, outcome: outcome))
  }
}

extension Xid {
  /// Whether a request with this xid was sent before one with the other, if fewer than 2³⁰ were sent in between.
  fileprivate func isBefore(_ other: Xid) -> Bool {
    let cycle = Int(Int32.max)
    let distance = (Int(other.rawValue) - Int(rawValue) + cycle) % cycle
    return distance > 0 && distance < cycle / 2
  }
}
