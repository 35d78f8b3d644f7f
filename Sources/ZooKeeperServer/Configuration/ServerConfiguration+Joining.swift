import TxnLog
import ZooKeeperProtocol

extension ServerConfiguration {
  /// The configuration of the member whose number is in `myid`; unchanged if there is no ensemble.
  ///
  /// - Throws: with Apache's text when `myid` is missing, is not a number, or is not that of a member.
  package func joined() throws(ServerStartError) -> ServerConfiguration {
    guard ensemble == nil, quorum != nil || loneMember?.client != nil else { return self }
    var configuration = self
    let directory = DataDirectory(PosixFileSystem(), dataDirectory: dataDirectory)
    let id: Int64?
    do throws(TxnLogError) {
      id = try EpochFiles(directory).serverID()
    } catch {
      guard case .badNumber(let text) = error.code else { throw ServerStartError(error) }
      throw ServerStartError(
        "serverid \(text) is not a number", hint: "myid must have the server's number and nothing else")
    }
    guard quorum != nil else {
      // A standalone server needs no number, but one that has it listens at the address in its line, as Apache's does.
      guard let member = loneMember, let client = member.client, member.id.rawValue == id else { return self }
      do throws(QuorumConfigurationError) {
        try configuration.listen(at: client, of: member.id)
      } catch {
        throw ServerStartError(error.message)
      }
      return configuration
    }
    do throws(QuorumConfigurationError) {
      try configuration.join(as: id.map { ServerID(rawValue: $0) })
    } catch {
      let isKnown = id.map { quorum?.member(ServerID(rawValue: $0)) != nil } ?? false
      throw ServerStartError(
        error.message,
        hint: isKnown ? nil : "write the server's number, the N of its server.N line, to \(dataDirectory)/myid")
    }
    return configuration
  }
}
