package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// Something that a member wants done, in the order of emission. `MemberRunner` performs what concerns the disk.
package enum MemberEffect: Equatable {
  case storage(StorageAction)
  case driver(DriverEffect)
}

/// An effect that the driver of a member performs: it concerns the network or the clients.
package enum DriverEffect: Equatable {
  case transport(TransportAction)
  /// Send SNAP and the tree after it; packets that follow on the connection come after the tree.
  case sendTree(QuorumPacket, TreeStream, ConnectionID)
  /// Find out with a `LogExamination` whether the log has these transactions; see `ZabAction.examineLog`.
  case examineLog(ConnectionID, after: Zxid, through: Zxid)
  /// Send DIFF, and after it the packets of a `LogStream`; packets that follow on the connection come after these.
  case sendLog(QuorumPacket, after: Zxid, through: Zxid, ConnectionID)
  /// The next bytes on the connection are a tree: give them to a `MemberRunner.treeReader`, and its result to
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
  /// A transaction, a configuration or an epoch does not permit it, for the reason given.
  case state(String)
  /// The disk has failed.
  case storage(TxnLogError)
}
