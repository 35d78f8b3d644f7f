package import ServerCore
package import TxnLog
package import Zab
package import ZnodeTree
package import ZooKeeperProtocol

/// The configurations that a member knows when it has recovered its disk.
package struct MemberConfiguration: Hashable, Sendable {
  /// The configuration that is known to be committed: that of the configuration file, or a later one that was saved.
  package var committed: QuorumConfiguration
  /// A newer configuration in the log, which may or may not be committed; nil if there is none.
  package var proposed: QuorumConfiguration?

  /// Determines the configurations from the files and the tree.
  ///
  /// - Parameters:
  ///   - file: the members in the configuration file.
  ///   - tree: the recovered tree.
  /// - Throws: `.rejected` when the saved configuration cannot be read, because with an older one instead a second
  ///   leader could be elected; the failure of a call.
  package init(
    file: QuorumConfiguration, _ files: EpochFiles<some FileSystem>, tree: DataTree
  ) throws(TxnLogError) {
    committed = file
    if let agreed = try Self.agreed(files), agreed.version > file.version { committed = agreed }
    let version = committed.version
    proposed = tree.configuration.flatMap { $0.version > version ? $0 : nil }
  }

  /// The last configuration that was saved as committed on this disk; nil if there is none.
  ///
  /// - Throws: `.rejected` when it cannot be read; the failure of a call.
  package static func agreed(_ files: EpochFiles<some FileSystem>) throws(TxnLogError) -> QuorumConfiguration? {
    guard let text = try files.agreedConfiguration() else { return nil }
    let agreed: QuorumConfiguration
    do throws(QuorumConfigurationError) {
      agreed = try QuorumConfiguration(parsing: text)
    } catch {
      throw TxnLogError(.rejected("the saved configuration: \(error.message)"), path: files.configurationPath)
    }
    // A configuration is saved when it is activated, so it has a version and voters.
    guard agreed.version > 0, !agreed.voters.isEmpty else {
      throw TxnLogError(.rejected("the saved configuration has no voters or no version"), path: files.configurationPath)
    }
    return agreed
  }
}

extension EnsembleMember {
  /// Creates a member from what was recovered from its disk.
  ///
  /// - Parameters:
  ///   - file: the members in the configuration file; see `MemberConfiguration`.
  ///   - lastZxid: the last transaction on disk.
  ///   - lacksData: see `ZabPeer`.
  /// - Throws: when the files with the epochs or the members contradict the log or cannot be read.
  package convenience init(
    _ id: ServerID, file: QuorumConfiguration, _ files: EpochFiles<some FileSystem>, _ state: RecoveredState,
    _ history: TxnHistory, lastZxid: Zxid, lacksData: Bool = false, zab: ZabSettings, settings: ServerSettings,
    metrics: CoreMetrics = CoreMetrics()
  ) throws(TxnLogError) {
    let known = try MemberConfiguration(file: file, files, tree: state.tree)
    let epochs = try files.load(lastZxid: lastZxid)
    let peer = ZabPeer(
      id: id, configuration: known.committed, proposed: known.proposed, settings: zab,
      acceptedEpoch: Epoch(rawValue: epochs.accepted), currentEpoch: Epoch(rawValue: epochs.current),
      history: history, lacksData: lacksData)
    self.init(peer, state: state, settings: settings, metrics: metrics)
  }
}
