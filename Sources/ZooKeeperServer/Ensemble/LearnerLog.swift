import EnsembleCore
import NIOCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// Reads the log on a leader's disk for learners, on a separate thread and in pieces, so that neither the event loop
/// nor another learner waits for long.
///
/// *Thread*: the event loop.
final class LearnerLog {
  /// Whether a learner can be sent a part of the log.
  enum Finding: String, Sendable {
    case complete
    /// The learner's last transaction is missing, or what follows is not known to be committed, or is too much.
    case unsuitable = "unsuitable or too much"
    case tooSlow = "too slow to read"
  }

  /// The number of bytes that are examined at a time.
  private static let examinedBytes = 8 << 20

  private let directory: DataDirectory<PosixFileSystem>
  private let sizeFactor: Double
  private let loop: any EventLoop
  private let worker = BackgroundWorker()
  /// Where the last examination has found the transaction that its learner has. It is sent what follows at once.
  private var foundPlace: LogPlace?

  /// - Parameter sizeFactor: see `DataDirectory.logLimitBytes`.
  init(_ directory: DataDirectory<PosixFileSystem>, sizeFactor: Double, loop: any EventLoop) {
    self.directory = directory
    self.sizeFactor = sizeFactor
    self.loop = loop
  }

  /// Ends the thread, after the piece that is being read.
  func stop() { worker.stop() }

  /// The transactions after `start`, up to `end`, as packets.
  func feed(after start: Zxid, through end: Zxid) -> LogFeed {
    LogFeed(directory, after: start, through: end, at: foundPlace, worker: worker, loop: loop)
  }

  /// Finds out whether a learner can be sent the transactions after `start`, up to `end`.
  ///
  /// - Parameters:
  ///   - place: where to look for `start`; see `LogStream.init`.
  ///   - patience: how long that may take.
  ///   - isWanted: asked between two pieces. Once it is false, the examination ends without a finding.
  ///   - body: called on the loop with the finding.
  func examine(
    after start: Zxid, through end: Zxid, at place: LogPlace?, for patience: TimeAmount,
    while isWanted: @escaping () -> Bool, _ body: @escaping (Finding) -> Void
  ) {
    let examination = Examination(directory, start, end, at: place, sizeFactor)
    let callbacks = NIOLoopBound((isWanted: isWanted, body: body), eventLoop: loop)
    proceed(examination, until: .now() + patience, callbacks)
  }

  private typealias Callbacks = NIOLoopBound<(isWanted: () -> Bool, body: (Finding) -> Void)>

  private func proceed(_ examination: Examination, until deadline: NIODeadline, _ callbacks: Callbacks) {
    let this = NIOLoopBound(self, eventLoop: loop)
    worker.run { [loop] in
      let isComplete = examination.proceed(budgetBytes: Self.examinedBytes)
      let foundPlace = examination.foundPlace
      loop.execute {
        guard callbacks.value.isWanted() else { return }
        this.value.foundPlace = isComplete == true ? foundPlace : nil
        if let isComplete { return callbacks.value.body(isComplete ? .complete : .unsuitable) }
        guard .now() < deadline else { return callbacks.value.body(.tooSlow) }
        this.value.proceed(examination, until: deadline, callbacks)
      }
    }
  }

  /// An examination that begins on the worker's thread.
  private final class Examination: @unchecked Sendable {
    // @unchecked: `begun` is touched by the worker only, which does one piece of work after another.
    private let directory: DataDirectory<PosixFileSystem>
    private let start: Zxid
    private let end: Zxid
    private let place: LogPlace?
    private let sizeFactor: Double
    private var begun: LogExamination<PosixFileSystem>?

    /// Where the transaction that the learner has was found.
    var foundPlace: LogPlace? { begun?.foundPlace }

    init(
      _ directory: DataDirectory<PosixFileSystem>, _ start: Zxid, _ end: Zxid, at place: LogPlace?,
      _ sizeFactor: Double
    ) {
      self.directory = directory
      self.start = start
      self.end = end
      self.place = place
      self.sizeFactor = sizeFactor
    }

    func proceed(budgetBytes: Int) -> Bool? {
      let examination =
        begun
        ?? LogExamination(
          directory, after: start, through: end, limitBytes: directory.logLimitBytes(factor: sizeFactor),
          at: place)
      begun = examination
      return examination.proceed(budgetBytes: budgetBytes)
    }
  }
}
