package import ZooKeeperProtocol

/// A message that a member of an ensemble sends or receives, or a change of its role.
package enum TracedEvent: Sendable {
  /// A message of either port.
  package enum Message: Sendable {
    case vote(ElectionNotification)
    case packet(QuorumPacket)
  }

  /// A message on its way to a server; nil while that has not said who it is.
  case sent(Message, to: ServerID?)
  /// A message that is about to be handled.
  case received(Message, from: ServerID?)
  /// The server changes its role to this one, with this last transaction.
  case role(String, Zxid)
}

/// Where the messages between servers can be watched.
///
/// *Thread*: the server's event loop.
final class MessageTap {
  /// Takes each event when it happens; nil, at the cost of one comparison for each message, when no trace is gathered.
  var onEvent: (@Sendable (TracedEvent) -> Void)?
}
