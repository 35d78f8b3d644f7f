package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// What a member wants done, in this order; see `MemberRunner`, which does what concerns the disk.
package enum MemberEffect: Equatable {
  case storage(StorageAction)
  case driver(DriverEffect)
}

/// What is left to the driver of a member: its network, and its clients.
package enum DriverEffect: Equatable {
  case transport(TransportAction)
  /// Send SNAP and the tree after it; packets that follow on the connection come after the tree.
  case sendTree(QuorumPacket, TreeStream, ConnectionID)
  /// A tree comes next on the connection: give what arrives to a `MemberRunner.treeReader`, and its result to
  /// `MemberRunner.install`.
  case receiveTree(ConnectionID, Zxid)
  case roleChanged(ZabRole)
  /// The configuration is active, and saved.
  case activate(QuorumConfiguration)
  /// `EnsembleMember.core` serves clients from now on.
  case startServing
  /// Close all connections of clients.
  case stopServing
  case note(ZabNote)
  /// Fatal: stop the server. Nothing may be applied, written or acknowledged after it.
  case failed(MemberFailure)
}

/// Why a member cannot continue.
package enum MemberFailure: Error, Equatable {
  /// A transaction or an epoch makes it impossible.
  case state(String)
  /// The disk does.
  case storage(TxnLogError)
}
