internal import Jute
package import ZooKeeperProtocol

/// The parts of a transaction that a listing needs: the session, the time, and the operations on znodes.
///
/// Nothing is copied: paths refer to the bytes of the entry, which must stay valid.
package struct TxnOutline {
  /// The session, the time and the kind of the transaction.
  package let header: TxnHeader
  private let body: UnsafeRawBufferPointer

  /// One operation of the transaction.
  package struct Operation {
    /// The kind of operation; nil for an unknown number.
    package var opCode: OpCode?
    /// Empty for an operation without a znode.
    package var path = UnsafeRawBufferPointer(start: nil, count: 0)
    /// nil for null, and for an operation without data.
    package var data: UnsafeRawBufferPointer?
    /// The znode's version afterwards, or that of its ACL.
    package var version: Int32?
    /// Whether the session owns the znode.
    package var isEphemeral = false
    /// The time to live of a znode, or the timeout of a session.
    package var milliseconds: Int64?
    /// Why a request was refused.
    package var error: KeeperError?
    /// The znode's new ACL.
    package var acl: [ACL]?
    /// Whether it is a deletion because of the session's end.
    package var isOfClosingSession = false
    /// Whether it was rolled back, because another operation of the same transaction failed.
    package var isUndone = false
  }

  /// Parses the header of an entry; nil if there are not enough bytes.
  package init?(_ entry: UnsafeRawBufferPointer) {
    var reader = JuteReader(entry)
    guard let header = try? TxnHeader(from: &reader) else { return nil }
    self.header = header
    body = UnsafeRawBufferPointer(rebasing: entry[reader.offset...])
  }

  /// Calls `visit` with each operation, in order, until it returns false.
  ///
  /// The end of a session is followed by a delete for each ephemeral znode that the transaction lists.
  ///
  /// - Parameter readsACLs: whether the ACLs of operations are decoded.
  /// - Returns: whether the body could be decoded.
  @discardableResult
  package func forEachOperation(readsACLs: Bool = false, _ visit: (Operation) -> Bool) -> Bool {
    var reader = JuteReader(body)
    do throws(JuteError) {
      guard header.opCode == .multi else {
        _ = try Self.visit(header.opCode, &reader, readsACLs, visit)
        return true
      }
      let hasFailed = try Self.hasFailed(reader)
      let count = Int(try reader.readInt())
      var index = 0
      while index < count {
        let opCode = OpCode(rawValue: try reader.readInt())
        guard let part = try reader.readBorrowedBuffer() else { return false }
        var partReader = JuteReader(part)
        let goesOn = try Self.visit(opCode, &partReader, readsACLs) { operation in
          var operation = operation
          operation.isUndone = hasFailed
          return visit(operation)
        }
        guard goesOn else { return true }
        index += 1
      }
      return true
    } catch {
      return false
    }
  }

  /// Whether an operation of a multi is an error, so that none was carried out.
  private static func hasFailed(_ reader: JuteReader) throws(JuteError) -> Bool {
    var reader = reader
    var count = try reader.readInt()
    while count > 0 {
      if try reader.readInt() == OpCode.error.rawValue { return true }
      _ = try reader.readBorrowedBuffer()
      count -= 1
    }
    return false
  }

  /// - Returns: whether to continue.
  private static func visit(
    _ opCode: OpCode?, _ reader: inout JuteReader, _ readsACLs: Bool, _ visit: (Operation) -> Bool
  ) throws(JuteError) -> Bool {
    var operation = Operation(opCode: opCode)
    switch opCode {
    case .create, .create2, .createContainer, .createTTL:
      operation.path = try readPath(&reader)
      operation.data = try reader.readBorrowedBuffer()
      try readACL(&reader, into: &operation, readsACLs)
      if opCode == .create || opCode == .create2 {
        operation.isEphemeral = try reader.readBool()
      } else if opCode == .createTTL {
        _ = try reader.readInt()
        operation.milliseconds = try reader.readLong()
      }
    case .delete, .deleteContainer: operation.path = try readPath(&reader)
    case .setData, .reconfig:
      operation.path = try readPath(&reader)
      operation.data = try reader.readBorrowedBuffer()
      operation.version = try reader.readInt()
    case .setACL:
      operation.path = try readPath(&reader)
      try readACL(&reader, into: &operation, readsACLs)
      operation.version = try reader.readInt()
    case .check:
      operation.path = try readPath(&reader)
      operation.version = try reader.readInt()
    case .createSession: operation.milliseconds = Int64(try reader.readInt())
    case .error: operation.error = KeeperError(rawValue: try reader.readInt())
    case .closeSession:
      guard visit(operation) else { return false }
      return visitClosing(&reader, visit)
    default: break
    }
    return visit(operation)
  }

  /// The deletes of a session's end. The list can be missing; a digest in its place looks like a truncated list.
  private static func visitClosing(_ reader: inout JuteReader, _ visit: (Operation) -> Bool) -> Bool {
    var check = reader
    guard let count = try? check.readInt() else { return true }
    var index = Int32(0)
    while index < count {
      guard (try? readPath(&check)) != nil else { return true }
      index += 1
    }
    _ = try? reader.readInt()
    index = 0
    while index < count, let path = try? readPath(&reader) {
      guard visit(Operation(opCode: .delete, path: path, isOfClosingSession: true)) else { return false }
      index += 1
    }
    return true
  }

  private static func readPath(_ reader: inout JuteReader) throws(JuteError) -> UnsafeRawBufferPointer {
    try reader.readBorrowedBuffer() ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }

  private static func readACL(
    _ reader: inout JuteReader, into operation: inout Operation, _ isWanted: Bool
  ) throws(JuteError) {
    guard !isWanted else {
      operation.acl = try reader.readACLs()
      return
    }
    var count = try reader.readInt()
    while count > 0 {
      _ = try reader.readInt()
      _ = try reader.readBorrowedBuffer()
      _ = try reader.readBorrowedBuffer()
      count -= 1
    }
  }
}

/// A filter for transactions.
package struct TxnFilter: Hashable, Sendable {
  /// Only transactions that have changed this znode.
  package var path: String?
  /// With `path`, also transactions that have changed its descendants.
  package var includesDescendants = false
  /// Only transactions of this session.
  package var session: SessionID?
  /// Only transactions with an operation of one of these kinds.
  package var opCodes: Set<OpCode>?
  /// Bounds of the zxid, both inclusive.
  package var zxids = Zxid(rawValue: .min)...Zxid(rawValue: .max)
  /// Bounds of the time, in milliseconds since 1970, both inclusive.
  package var times = Int64.min...Int64.max

  /// A filter that all transactions pass.
  package init() {}

  /// Whether a transaction passes.
  package func includes(_ outline: TxnOutline) -> Bool {
    guard zxids.contains(outline.header.zxid), times.contains(outline.header.timeMilliseconds) else { return false }
    if let session, outline.header.sessionID != session { return false }
    guard path != nil || opCodes != nil else { return true }
    var isFound = false
    outline.forEachOperation { operation in
      isFound = includes(operation)
      return !isFound
    }
    return isFound
  }

  /// Whether an operation is of one of the kinds, and concerns one of the znodes.
  package func includes(_ operation: TxnOutline.Operation) -> Bool {
    if let opCodes, operation.opCode.map(opCodes.contains) != true { return false }
    guard let path else { return true }
    guard !operation.isUndone, operation.opCode != .check else { return false }
    if path == "/" { return includesDescendants ? !operation.path.isEmpty : operation.path.elementsEqual("/".utf8) }
    return path.utf8.withContiguousStorageIfAvailable { wanted in
      let wanted = UnsafeRawBufferPointer(wanted)
      guard operation.path.count >= wanted.count else { return false }
      guard UnsafeRawBufferPointer(rebasing: operation.path[..<wanted.count]).elementsEqual(wanted) else {
        return false
      }
      return operation.path.count == wanted.count
        || includesDescendants && operation.path[wanted.count] == UInt8(ascii: "/")
    } ?? false
  }
}
