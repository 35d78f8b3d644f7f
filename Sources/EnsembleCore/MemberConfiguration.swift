package import ServerCore
package import TxnLog
package import Zab
package import ZnodeTree
package import ZooKeeperProtocol

/// Who belongs to the ensemble, as far as a member knows when it has read its disk.
package struct MemberConfiguration: Hashable, Sendable {
  /// What is known to be committed: what the configuration file says, or what was agreed on since.
  package var committed: QuorumConfiguration
  /// What the log says beyond that, which may be committed or not.
  package var proposed: QuorumConfiguration?

  /// Finds it out.
  ///
  /// - Parameters:
  ///   - file: what the configuration file says.
  ///   - tree: the recovered tree.
  /// - Throws: `.rejected` when what was agreed on cannot be read, for an older configuration in its place could elect
  ///   a second leader; the failure of a call.
  package init(
    file: QuorumConfiguration, _ files: EpochFiles<some FileSystem>, tree: DataTree
  ) throws(TxnLogError) {
    committed = file
    if let agreed = try Self.agreed(files), agreed.version > file.version { committed = agreed }
    let version = committed.version
    proposed = tree.configuration.flatMap { $0.version > version ? $0 : nil }
  }

  /// The last configuration that was known to be committed on this disk; nil if there never was one.
  ///
  /// - Throws: `.rejected` when it cannot be read; the failure of a call.
  package static func agreed(_ files: EpochFiles<some FileSystem>) throws(TxnLogError) -> QuorumConfiguration? {
    guard let text = try files.agreedConfiguration() else { return nil }
    let agreed: QuorumConfiguration
    do throws(QuorumConfigurationError) {
      agreed = try QuorumConfiguration(parsing: text)
    } catch {
      throw TxnLogError(.rejected("the agreed configuration: \(error.message)"), path: files.configurationPath)
    }
    // It is written when one is taken up, and so has both.
    guard agreed.version > 0, !agreed.voters.isEmpty else {
      throw TxnLogError(.rejected("the agreed configuration: no voters or no version"), path: files.configurationPath)
    }
    return agreed
  }
}

extension EnsembleMember {
  /// A member over what recovery has read from its disk.
  ///
  /// - Parameters:
  ///   - file: who belongs to the ensemble, as the configuration file says; see `MemberConfiguration`.
  ///   - lastZxid: the last transaction on the disk.
  /// - Throws: when the files about epochs or members contradict the log or cannot be read.
  package convenience init(
    _ id: ServerID, file: QuorumConfiguration, _ files: EpochFiles<some FileSystem>, _ state: RecoveredState,
    _ history: TxnHistory, lastZxid: Zxid, zab: ZabSettings, settings: ServerSettings
  ) throws(TxnLogError) {
    let known = try MemberConfiguration(file: file, files, tree: state.tree)
    let epochs = try files.load(lastZxid: lastZxid)
    let peer = ZabPeer(
      id: id, configuration: known.committed, proposed: known.proposed, settings: zab,
      acceptedEpoch: Epoch(rawValue: epochs.accepted), currentEpoch: Epoch(rawValue: epochs.current),
      history: history)
    self.init(peer, state: state, settings: settings)
  }
}
