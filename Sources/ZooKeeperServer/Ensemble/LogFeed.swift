import EnsembleCore
import Jute
import NIOCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// A part of the log for a learner, which another thread reads a piece at a time, when the connection has room for it.
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

  /// Reads the next piece, and calls `body` with it on the loop.
  func next(_ body: @escaping (Result<Piece, TxnLogError>) -> Void) {
    let body = NIOLoopBound(body, eventLoop: loop)
    worker.run { [self] in
      let result: Result<Piece, TxnLogError>
      do throws(TxnLogError) { result = .success(try read()) } catch { result = .failure(error) }
      loop.execute { body.value(result) }
    }
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
