import TxnLog

/// Why a server does not start, or had to stop, with texts for its operator.
package struct ServerStartError: Error, Hashable, Sendable {
  /// What went wrong.
  package var message: String
  /// What to do about it.
  package var hint: String?

  package init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

extension ServerStartError {
  /// The error of `Listening`, or one of NIO's.
  init(listening error: any Error) {
    self = error as? ServerStartError ?? ServerStartError("cannot listen: \(error)")
  }

  init(_ error: TxnLogError) {
    let place = error.offset.map { "\(error.path) at offset \($0)" } ?? error.path
    self.init(error.code.words(at: place), hint: error.code.hint)
  }
}

extension TxnLogError.Code {
  /// What is wrong with the file at `place`.
  fileprivate func words(at place: String) -> String {
    switch self {
    case .fileSystem(let failure): failure.words
    case .poisoned: "\(place): an earlier write failed"
    case .badHeader: "\(place): the file header is not valid"
    case .unsupportedVersion(let version): "\(place): version \(version) of the file format is not supported"
    case .truncated: "\(place): the file ends too early"
    case .damaged(let damage): "\(place): damaged: \(damage.words)"
    case .zxidOrder(let previous, let found): "\(place): transaction \(found) follows \(previous) out of order"
    case .zxidOutOfRange(let zxid):
      "\(place): the last transaction is \(zxid), and there is no zxid left for the next epoch"
    case .gap(let after, let next): "\(place): the transactions between \(after) and \(next) are missing"
    case .lostHistory(let readable, let snapshot):
      "\(place): the snapshot of \(snapshot) cannot be read, and the log ends at \(readable)"
    case .noValidSnapshot: "\(place): no snapshot can be read"
    case .noSnapshot: "\(place): there are transactions but no snapshot that they follow"
    case .truncationPointMissing(let zxid): "\(place): cannot truncate: transaction \(zxid) is missing"
    case .unsupportedCompression: "\(place): the compression of the file is not supported"
    case .misplacedFile: "\(place): the file belongs in the other one of dataDir and dataLogDir"
    case .badNumber(let text): "\(place): \"\(text)\" is not a valid number for this file"
    case .epochMismatch(let accepted, let current, let zxid):
      "\(place): acceptedEpoch \(accepted), currentEpoch \(current) and last zxid \(zxid) contradict each other"
    case .missingDirectory: "\(place): the directory does not exist, and datadir.autocreate is off"
    case .locked: "another server uses \(place)"
    case .rejected(let reason): "\(place): \(reason)"
    case .badEntry(let lengthBytes): "\(place): an entry cannot have \(lengthBytes) bytes"
    }
  }

  /// What to do about it.
  fileprivate var hint: String? {
    switch self {
    case .damaged, .truncated, .gap, .zxidOrder, .lostHistory, .badHeader, .rejected:
      "nothing was changed; restore the file, or give up the transactions after it with: zkcli server repair CFG"
    case .noValidSnapshot: "nothing was changed; restore a snapshot"
    case .noSnapshot: "restore the snapshot, or set snapshot.trust.empty=true to start from an empty tree"
    case .zxidOutOfRange: "nothing was changed; remove the file if it is not of this ensemble, or restore another"
    case .locked: "stop it, or choose another data directory"
    default: nil
    }
  }
}

extension TxnLogError.Damage {
  fileprivate var words: String {
    switch self {
    case .checksum: "the checksum is wrong"
    case .length(let length): "an entry cannot have a length of \(length) bytes"
    case .terminator: "the end mark is missing"
    case .content: "the content cannot be decoded"
    }
  }
}
