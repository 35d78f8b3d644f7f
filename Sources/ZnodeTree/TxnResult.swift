package import ZooKeeperProtocol

/// The digests of znodes as a transaction leaves them, as far as the server that has made it knows them. They are part
/// of the tree's digest, which is in the transaction, so they need not be computed once more when it is applied.
package struct KnownDigests: Hashable, Sendable {
  /// Of the znode that is created or changed.
  package var own: UInt32?
  /// Of the parent of the znode that is created or deleted.
  package var parent: UInt32?

  /// None is known, as in a transaction of another server.
  package init() {}
}

/// The result of applying a transaction: everything that the reply needs.
package struct TxnResult: Hashable, Sendable {
  /// The operation; in a failed multi, `error` for each part.
  package var opCode: OpCode
  package var error: KeeperError
  /// The znode; nil for operations without one.
  package var path: String?
  /// The znode's stat right after the change, if the reply has it.
  package var stat: Stat?
  /// The parts of a multi.
  package var parts: [TxnResult] = []

  package init(opCode: OpCode, error: KeeperError = .ok, path: String? = nil, stat: Stat? = nil) {
    self.opCode = opCode
    self.error = error
    self.path = path
    self.stat = stat
  }
}

/// A change that watches may wait for.
///
/// The ACL slots stay valid until the next transaction is applied.
package struct TreeChange: Hashable, Sendable {
  /// What happened to the znode.
  package enum Kind: Hashable, Sendable {
    case created
    case deleted
    case dataChanged
  }

  package var kind: Kind
  package var path: String
  package var zxid: Zxid
  /// The znode's ACL: only clients that may read the znode get an event about it.
  package var aclSlot: ACLSlot
  /// The parent's ACL, for the event about the parent's children.
  package var parentACLSlot: ACLSlot

  package init(kind: Kind, path: String, zxid: Zxid, aclSlot: ACLSlot, parentACLSlot: ACLSlot) {
    self.kind = kind
    self.path = path
    self.zxid = zxid
    self.aclSlot = aclSlot
    self.parentACLSlot = parentACLSlot
  }
}
