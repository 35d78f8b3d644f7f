import Zab
import ZooKeeperProtocol

extension ServerConfiguration {
  /// The ports of one member of a local ensemble.
  package struct LocalMember: Hashable, Sendable {
    package var clientPort: Int
    package var quorumPort: Int
    package var electionPort: Int

    /// Creates a member with these ports.
    package init(clientPort: Int, quorumPort: Int, electionPort: Int) {
      self.clientPort = clientPort
      self.quorumPort = quorumPort
      self.electionPort = electionPort
    }
  }

  /// Makes the server one of several on this machine's loopback interface.
  ///
  /// - Parameters:
  ///   - members: all members; their ids are 1, 2, 3 …
  ///   - id: the id of this server.
  package mutating func join(_ members: [LocalMember], as id: Int) {
    precondition(members.indices.contains(id - 1), "server \(id) is not among \(members.count)")
    let configuration = QuorumConfiguration(
      members: members.enumerated().map { index, member in
        QuorumConfiguration.Member(
          id: ServerID(rawValue: Int64(index + 1)),
          addresses: [
            .init(host: "127.0.0.1", quorumPort: member.quorumPort, electionPort: member.electionPort)
          ],
          client: ServerAddress(host: clientAddress, port: member.clientPort))
      })
    quorum = configuration
    clientPort = members[id - 1].clientPort
    var joined = Ensemble(serverID: ServerID(rawValue: Int64(id)), quorum: configuration)
    joined.tickTimeMilliseconds = tickTimeMilliseconds
    joined.times = quorumTimes
    joined.isReconfigEnabled = features.allowsReconfig
    ensemble = joined
  }
}
