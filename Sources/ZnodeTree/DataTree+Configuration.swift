package import ZooKeeperProtocol

extension DataTree {
  /// The ensemble that `/zookeeper/config` describes; nil when it describes none.
  package var configuration: QuorumConfiguration? {
    guard let id = find("/zookeeper/config") else { return nil }
    let text = withData(of: id) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } ?? "" }
    guard let parsed = try? QuorumConfiguration(parsing: text), !parsed.voters.isEmpty else { return nil }
    return parsed
  }

  /// Writes the description of the ensemble into `/zookeeper/config`, as each server does for itself.
  ///
  /// No transaction does it, and no digest covers it. Its data version is -1: the description has a version of its own.
  ///
  /// *Source*: `DataTree.addConfigNode`, `ZKDatabase.initConfigInZKDatabase`; `QuorumProtocol` B.5.
  package func setConfiguration(_ text: String, version: Int64) {
    guard let id = find("/zookeeper/config") else { return }
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes { replaceData(id, with: $0) }
    slab.mutable(id).pointee.mzxid = version
    slab.mutable(id).pointee.version = -1
  }
}
