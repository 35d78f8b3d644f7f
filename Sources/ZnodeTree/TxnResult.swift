package import ZooKeeperProtocol

/// What became of a transaction when it was applied: all that an answer needs.
package struct TxnResult: Hashable, Sendable {
  /// The operation; in a failed multi, `error` for each part.
  package var opCode: OpCode
  package var error: KeeperError
  /// The znode, where there is one.
  package var path: String?
  /// The znode's counters right after the change, where the answer has them.
  package var stat: Stat?
  /// The parts of a multi.
  package var parts: [TxnResult] = []

  /// Makes one of the given fields.
  package init(opCode: OpCode, error: KeeperError = .ok, path: String? = nil, stat: Stat? = nil) {
    self.opCode = opCode
    self.error = error
    self.path = path
    self.stat = stat
  }
}

/// A change that watches may wait for, in the order in which changes happened.
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
  /// The znode's ACL: an event about it goes only to who may read it.
  package var aclSlot: ACLSlot
  /// The parent's ACL, for the event about the parent's children.
  package var parentACLSlot: ACLSlot

  /// Makes one of the given fields.
  package init(kind: Kind, path: String, zxid: Zxid, aclSlot: ACLSlot, parentACLSlot: ACLSlot) {
    self.kind = kind
    self.path = path
    self.zxid = zxid
    self.aclSlot = aclSlot
    self.parentACLSlot = parentACLSlot
  }
}
