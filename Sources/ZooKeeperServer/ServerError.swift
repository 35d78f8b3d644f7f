import TxnLog

/// Why a server does not start, or had to stop, in words for the person who runs it.
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
    case .badHeader: "\(place): it does not begin as such a file does"
    case .unsupportedVersion(let version): "\(place): version \(version) of the format is not known"
    case .truncated: "\(place): the file ends too early"
    case .damaged(let damage): "\(place): damaged: \(damage.words)"
    case .zxidOrder(let previous, let found): "\(place): transaction \(found) stands behind \(previous)"
    case .zxidOutOfRange(let zxid):
      "\(place): the last transaction is \(zxid), and there is no zxid left for the next epoch"
    case .gap(let after, let next): "\(place): the transactions between \(after) and \(next) are missing"
    case .lostHistory(let readable, let snapshot):
      "\(place): the snapshot of \(snapshot) cannot be read, and the log ends at \(readable)"
    case .noValidSnapshot: "\(place): no snapshot can be read"
    case .noSnapshot: "\(place): there are transactions but no snapshot that they follow"
    case .truncationPointMissing(let zxid): "\(place): transaction \(zxid) is not there"
    case .unsupportedCompression: "\(place): the file is compressed in a way that is not known"
    case .misplacedFile: "\(place): the file belongs into the other one of dataDir and dataLogDir"
    case .badNumber(let text): "\(place): \"\(text)\" is not a number that can be there"
    case .epochMismatch(let accepted, let current, let zxid):
      "\(place): acceptedEpoch \(accepted), currentEpoch \(current) and the last transaction \(zxid) do not fit"
    case .missingDirectory: "\(place): the directory is not there, and datadir.autocreate is off"
    case .locked: "another server uses \(place)"
    case .rejected(let reason): "\(place): \(reason)"
    case .badEntry(let lengthBytes): "\(place): an entry of \(lengthBytes) bytes"
    }
  }

  /// What to do about it.
  fileprivate var hint: String? {
    switch self {
    case .damaged, .truncated, .gap, .zxidOrder, .lostHistory, .badHeader, .rejected:
      "nothing was changed; restore the file, or give up what follows with: zkcli server repair CFG"
    case .noValidSnapshot: "nothing was changed; restore a snapshot"
    case .noSnapshot: "restore the snapshot; snapshot.trust.empty=true starts from nothing instead"
    case .zxidOutOfRange: "nothing was changed; remove the file if it is no server's of yours, or restore another"
    case .locked: "stop it, or choose another data directory"
    default: nil
    }
  }
}

extension TxnLogError.Damage {
  fileprivate var words: String {
    switch self {
    case .checksum: "the checksum is wrong"
    case .length(let length): "a length of \(length)"
    case .terminator: "the end mark is missing"
    case .content: "the content makes no sense"
    }
  }
}
