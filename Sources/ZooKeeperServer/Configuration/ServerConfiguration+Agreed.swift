import EnsembleCore
import TxnLog
import ZooKeeperProtocol

extension ServerConfiguration {
  /// The warning if the members that the ensemble has agreed on are not those of the configuration file; nil if they
  /// are, or if no configuration was saved.
  ///
  /// A server uses the saved configuration. If reconfiguration is enabled, it also updates the file. So when the two
  /// differ, the file was edited since, or the saved configuration was copied from another server.
  ///
  /// - Throws: when the saved configuration cannot be read.
  package func agreedMembersWarning() throws(ServerStartError) -> String? {
    guard let ensemble else { return nil }
    let directory = DataDirectory(
      PosixFileSystem(), dataDirectory: dataDirectory, dataLogDirectory: logDirectory)
    let files = EpochFiles(directory)
    do throws(TxnLogError) {
      guard let agreed = try MemberConfiguration.agreed(files), agreed.version > ensemble.quorum.version,
        !agreed.hasSameMembers(as: ensemble.quorum)
      else { return nil }
      return Self.agreedMembersWarning(agreed, path: files.configurationPath)
    } catch {
      throw ServerStartError(error)
    }
  }

  /// The same, for a configuration that is known.
  static func agreedMembersWarning(_ agreed: QuorumConfiguration, path: String) -> String {
    let members = agreed.members.map { "server.\($0.id)" }.joined(separator: ", ")
    return "the members are those that the ensemble has agreed on (\(members)), as \(path) says, and not those of the"
      + " configuration file; to return to the file, stop all members, remove that file on each, and start them"
  }
}
