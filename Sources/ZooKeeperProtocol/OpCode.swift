/// The operation that a request asks for.
///
/// *Source*: `org.apache.zookeeper.ZooDefs.OpCode`; `ClientProtocol` 1.5.
public enum OpCode: Int32, CaseIterable, Hashable, Sendable {
  /// The type of watch events; never requested.
  case notification = 0
  /// Creates a znode, and answers with its path.
  case create = 1
  /// Deletes a znode without children.
  case delete = 2
  /// Reads a znode's stat, and watches also a znode that does not exist.
  case exists = 3
  /// Reads a znode's data and stat.
  case getData = 4
  /// Replaces a znode's data.
  case setData = 5
  /// Reads a znode's ACL and stat.
  case getACL = 6
  /// Replaces a znode's ACL.
  case setACL = 7
  /// Lists a znode's children.
  case getChildren = 8
  /// Waits until the server has caught up with the leader.
  case sync = 9
  /// Keeps the session alive.
  case ping = 11
  /// Lists a znode's children, and reads its stat.
  case getChildren2 = 12
  /// Checks a znode's version; part of a multi only.
  case check = 13
  /// Several writes and checks in one transaction.
  case multi = 14
  /// Creates a znode, and answers with its path and stat.
  case create2 = 15
  /// Changes the membership of the ensemble.
  case reconfig = 16
  /// Checks whether the connection has a watch.
  case checkWatches = 17
  /// Removes watches of the connection.
  case removeWatches = 18
  /// Creates a container.
  case createContainer = 19
  /// Deletes a container or TTL znode; made by the leader only.
  case deleteContainer = 20
  /// Creates a TTL znode.
  case createTTL = 21
  /// Several reads in one request.
  case multiRead = 22
  /// Proves an identity.
  case auth = 100
  /// Sets standard watches again after a reconnect.
  case setWatches = 101
  /// A step of SASL authentication.
  case sasl = 102
  /// Lists the session's ephemeral znodes.
  case getEphemerals = 103
  /// Counts a znode's descendants.
  case getAllChildrenNumber = 104
  /// Sets watches of all kinds again after a reconnect.
  case setWatches2 = 105
  /// Sets a persistent watch.
  case addWatch = 106
  /// Lists the identities of the connection.
  case whoAmI = 107
  /// Begins a session; used between servers and in transactions.
  case createSession = -10
  /// Ends the session.
  case closeSession = -11
  /// The type of a transaction or result that failed.
  case error = -1
}
