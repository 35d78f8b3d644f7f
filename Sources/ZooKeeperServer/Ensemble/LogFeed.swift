import EnsembleCore
import Jute
import NIOCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// A part of the log for a learner, which another thread reads a piece at a time. While a piece is being sent, the next
/// one is read.
///
/// *Thread*: the event loop, except for the stream.
final class LogFeed: @unchecked Sendable {
  // @unchecked: `stream` is touched by the worker only, which does one piece of work after another.

  /// The number of bytes that are read at a time.
  private static let pieceBytes = 256 << 10

  /// Packets as they are sent.
  struct Piece {
    var bytes: JuteWriter
    var isLast: Bool
  }

  private let directory: DataDirectory<PosixFileSystem>
  private let start: Zxid
  /// The last transaction that is read.
  let end: Zxid
  private let place: LogPlace?
  private let worker: BackgroundWorker
  private let loop: any EventLoop
  private var stream: LogStream<PosixFileSystem>?
  private var isReading = false
  /// The piece that was read ahead.
  private var ahead: Result<Piece, TxnLogError>?
  /// Whether the piece that was read last is followed by another one.
  private var hasMore = true
  /// What waits for the piece that is being read.
  private var onRead: ((Result<Piece, TxnLogError>) -> Void)?

  /// A feed of the transactions after `start`, up to `end`; `place` is where `start` was found, if that is known.
  init(
    _ directory: DataDirectory<PosixFileSystem>, after start: Zxid, through end: Zxid, at place: LogPlace?,
    worker: BackgroundWorker, loop: any EventLoop
  ) {
    self.directory = directory
    self.start = start
    self.end = end
    self.place = place
    self.worker = worker
    self.loop = loop
  }

  /// Calls `body` on the loop with the next piece, at once if it was read ahead. Must not be called again before that,
  /// or after the last piece or a failure.
  func next(_ body: @escaping (Result<Piece, TxnLogError>) -> Void) {
    let piece = ahead.take()
    if piece == nil { onRead = body }
    readAhead()
    if let piece { body(piece) }
  }

  private func readAhead() {
    guard !isReading, hasMore, ahead == nil else { return }
    isReading = true
    let this = NIOLoopBound(self, eventLoop: loop)
    worker.run { [self] in
      let result: Result<Piece, TxnLogError>
      do throws(TxnLogError) { result = .success(try read()) } catch { result = .failure(error) }
      loop.execute { this.value.take(result) }
    }
  }

  private func take(_ result: Result<Piece, TxnLogError>) {
    isReading = false
    if case .success(let piece) = result { hasMore = !piece.isLast } else { hasMore = false }
    guard let onRead = onRead.take() else { return ahead = result }
    readAhead()
    onRead(result)
  }

  private func read() throws(TxnLogError) -> Piece {
    if stream == nil { stream = try LogStream(directory, after: start, through: end, at: place) }
    guard let stream else { throw TxnLogError(.gap(after: start, next: end), path: directory.logDirectory) }
    var writer = JuteWriter(reservingBytes: Self.pieceBytes + 4096)
    while writer.count < Self.pieceBytes {
      guard let record = try stream.next() else { return Piece(bytes: writer, isLast: true) }
      QuorumPacket.encodeCommitted(record.entry, zxid: record.zxid, into: &writer)
    }
    return Piece(bytes: writer, isLast: false)
  }
}
