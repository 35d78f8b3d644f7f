import EnsembleCore
import TxnLog
import ZooKeeperProtocol

extension ServerConfiguration {
  /// What to say when the members that the ensemble has agreed on are not those of the configuration file; nil when
  /// they are, or when nothing was agreed on.
  ///
  /// A server goes by what was agreed on. Where ensembles may change, the file is brought up to date with it; where the
  /// two differ, somebody has edited the file since, or an agreement has come from elsewhere.
  ///
  /// - Throws: when what was agreed on cannot be read.
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
