import TxnLog
import ZnodeFormats
import ZooKeeperHistory
import ZooKeeperProtocol

extension ShellError {
  /// The error for a data directory that cannot give an answer.
  init(_ error: HistoryError) {
    let path = error.path
    switch error.code {
    case .file(let failure): self.init(.localInputOutput, "File", failure.sentence)
    case .noData:
      self.init(
        .localInputOutput, "NoData", "\(path) has neither a snapshot nor a log of ZooKeeper",
        hint: "name a dataDir, the version-2 in it, or one of the files")
    case .noSnapshot:
      self.init(
        .localInputOutput, "NoSnapshot", "\(path) has no snapshot to start from, and its log begins too late",
        hint: "log show prints the transactions nevertheless")
    case .tooEarly(let earliest, let time):
      let when = time.map { ", before \(TimeStyle.shortText(milliseconds: $0))" } ?? ""
      self.init(
        .localInputOutput, "TooEarly", "the earliest state that \(path) has is that at \(earliest)\(when)",
        hint: "--at \(earliest) shows it")
    case .beyondEnd(let last):
      self.init(
        .localInputOutput, "TooLate", "the last transaction in \(path) is \(last)", hint: "--at \(last) shows it")
    case .timeWithoutLog:
      self.init(
        .localInputOutput, "NoLog", "\(path) has no log, and only a log has times",
        hint: "--log-dir names the directory of the logs")
    case .stopped: self = .cancelled(outcomeUnknown: false, path: nil)
    }
  }
}

extension HistoryFinding {
  /// What the finding means for the answer, as a sentence without a full stop.
  var sentence: String {
    switch self {
    case .skippedSnapshot(let error):
      "a snapshot was left out: \(error.sentence); an older one and the log led to the same state"
    case .partialSnapshot(let error, let zxid, let count):
      "\(error.sentence); shown are the first \(count) znodes of the state at \(zxid)"
    case .damagedLog(let error, let last): "\(error.sentence); transactions after \(last) are missing"
    case .gap(let after, let next): "the transactions between \(after) and \(next) are missing in the log"
    case .digestMismatch(let zxid): "the state at \(zxid) differs from that of the servers: the digests do not match"
    case .aheadOfLog(let snapshot, let log):
      "the snapshot includes transactions up to \(snapshot), but the log ends with \(log)"
    case .noLog(let directory):
      "there is no log in \(directory), only snapshots; --log-dir names the directory of the logs"
    }
  }
}

extension TxnLogError {
  /// The place and the kind of the damage, as a sentence without a full stop.
  var sentence: String {
    if case .fileSystem(let failure) = code { return failure.words }
    let place = offset.map { "\(path) at offset \($0)" } ?? path
    return "\(place): \(reason)"
  }

  private var reason: String {
    switch code {
    case .badHeader: "it is not a file of ZooKeeper's"
    case .truncated: "it ends too early"
    case .damaged(.checksum): "a checksum is wrong"
    case .damaged(.length(let length)): "the length \(length) is impossible"
    case .damaged(.terminator): "the end of a record is missing"
    case .damaged(.content): "it cannot be decoded"
    case .zxidOrder(let previous, let found): "the transaction \(found) comes after \(previous)"
    case .rejected(let text): text
    default: "it is damaged"
    }
  }
}
