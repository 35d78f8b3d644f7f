package import Jute
package import ServerCore
package import ZnodeTree
package import ZooKeeperProtocol

/// A consistent state of a tree and its sessions, which a leader sends to a learner. It is encoded piece by piece, as
/// fast as the learner accepts it, while the tree changes.
///
/// *Format*: sessions, ACL lists and znodes as in a snapshot file, the path "/", and the string `BenWasHere`. The
/// length is not sent.
///
/// *Source*: `LearnerHandler`, `SerializeUtils.serializeSnapshot`; `QuorumProtocol` B.6.
///
/// *Thread*: the thread that changes the tree.
package final class TreeStream {
  static let signature = "BenWasHere"

  private let sessions: [SessionID: Int32]
  private var walk: SnapshotWalk?
  private var hasBegun = false

  /// Creates a stream of the tree in its current state.
  package init(_ tree: DataTree, sessions: [SessionID: Int32]) {
    self.sessions = sessions
    walk = tree.startSnapshot()
  }

  /// Appends the next piece, of about `budgetBytes`.
  ///
  /// - Returns: whether it is the last one.
  package func encode(into writer: inout JuteWriter, budgetBytes: Int) -> Bool {
    if !hasBegun { begin(&writer) }
    hasBegun = true
    guard walk?.encode(into: &writer, budgetBytes: budgetBytes) != false else { return false }
    // Released early, so that the tree need no longer keep the old state.
    walk = nil
    writer.writeString("/")
    writer.writeString(Self.signature)
    return true
  }

  private func begin(_ writer: inout JuteWriter) {
    writer.writeInt(Int32(sessions.count))
    for (id, timeout) in sessions.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      writer.writeLong(id.rawValue)
      writer.writeInt(timeout)
    }
    let acls = walk?.acls ?? []
    writer.writeInt(Int32(acls.count))
    for list in acls {
      writer.writeLong(list.key)
      writer.writeVector(list.acl) { $1.encode(into: &$0) }
    }
  }
}

extension TreeStream: Equatable {
  /// Whether both are the same object.
  package static func == (one: TreeStream, other: TreeStream) -> Bool { one === other }
}

/// Reads a `TreeStream` piece by piece, as it arrives.
package struct TreeStreamReader {
  private enum Stage {
    case sessions
    case aclLists
    case znodes
    case signature
  }

  /// Why a stream is not valid.
  package struct Failure: Error, Hashable, Sendable {
    package var reason: String
  }

  private static let maxRecordBytes = 64 << 20
  private let zxid: Zxid
  private var stage = Stage.sessions
  private var sessions: [SessionID: Int32] = [:]
  private var restore: SnapshotRestore?
  private var bytes: [UInt8] = []
  private var offset = 0

  /// Creates a reader for a tree whose last transaction is `zxid`.
  package init(zxid: Zxid, _ settings: TreeSettings) {
    self.zxid = zxid
    restore = settings.restore
  }

  /// Reads bytes that have arrived.
  ///
  /// - Returns: nil until the tree is complete; then the state, and the bytes that follow the tree.
  package mutating func read(
    _ piece: UnsafeRawBufferPointer
  ) throws(Failure) -> (state: RecoveredState, rest: [UInt8])? {
    bytes.append(contentsOf: piece)
    let pending = bytes
    bytes = []
    let result = pending.withUnsafeBytes { raw -> Result<Bool, Failure> in
      do throws(Failure) { return .success(try readStages(raw)) } catch { return .failure(error) }
    }
    let isComplete = try result.get()
    let rest = Array(pending[offset...])
    offset = 0
    guard isComplete else {
      guard rest.count <= Self.maxRecordBytes else { throw Failure(reason: "a record has \(rest.count) bytes or more") }
      bytes = rest
      return nil
    }
    guard let restore = restore.take() else { throw Failure(reason: "the tree had already ended") }
    do throws(SnapshotError) {
      return (RecoveredState(tree: try restore.finish(lastProcessedZxid: zxid), sessions: sessions), rest)
    } catch {
      throw Failure(reason: "\(error.path): \(error.code)")
    }
  }

  /// Reads all complete records.
  ///
  /// - Returns: whether the stream is complete.
  private mutating func readStages(_ raw: UnsafeRawBufferPointer) throws(Failure) -> Bool {
    while true {
      var reader = JuteReader(UnsafeRawBufferPointer(rebasing: raw[offset...]))
      do throws(JuteError) {
        let isLast = try readRecord(&reader)
        offset += reader.offset
        if isLast { return true }
      } catch {
        if case .truncated = error.code { return false }
        throw Failure(reason: "\(error)")
      }
    }
  }

  private mutating func readRecord(_ reader: inout JuteReader) throws(JuteError) -> Bool {
    switch stage {
    case .sessions:
      let count = try reader.readInt()
      guard count >= 0 else { throw JuteError(.negativeLength(Int(count)), offset: reader.offset) }
      let touches = try reader.readFixedBlock(count: Int(count) * SessionTouch.encodedSizeBytes)
      for index in 0..<Int(count) {
        let id = SessionID(rawValue: touches.loadBigEndian(at: index * SessionTouch.encodedSizeBytes, as: Int64.self))
        sessions[id] = touches.loadBigEndian(at: index * SessionTouch.encodedSizeBytes + 8, as: Int32.self)
      }
      stage = .aclLists
    case .aclLists:
      let count = try reader.readInt()
      var lists: [(Int64, [ACL])] = []
      for _ in 0..<max(0, count) {
        let key = try reader.readLong()
        lists.append((key, try reader.readACLs()))
      }
      for list in lists { restore?.addACL(key: list.0, list.1) }
      stage = .znodes
    case .znodes: try readZnode(&reader)
    case .signature:
      let word = try reader.readString()
      guard word == TreeStream.signature else { throw JuteError(.unexpectedNull, offset: reader.offset) }
      return true
    }
    return false
  }

  private mutating func readZnode(_ reader: inout JuteReader) throws(JuteError) {
    let start = reader.offset
    guard let path = try reader.readBorrowedBuffer() else { throw JuteError(.unexpectedNull, offset: start) }
    if path.count == 1, path[0] == UInt8(ascii: "/") {
      stage = .signature
      return
    }
    let data = try reader.readBorrowedBuffer()
    let key = try reader.readLong()
    let stat = try StatPersisted(from: &reader)
    do throws(SnapshotError) {
      try restore?.addZnode(path: path, data: data, aclKey: key, stat: stat)
    } catch {
      throw JuteError(.unknownValue(0), offset: start)
    }
  }
}
