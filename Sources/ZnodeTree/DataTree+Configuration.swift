package import ZooKeeperProtocol

extension DataTree {
  /// The configuration in `/zookeeper/config`; nil if it has no voters or cannot be read.
  package var configuration: QuorumConfiguration? {
    guard let id = find("/zookeeper/config") else { return nil }
    let text = withData(of: id) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } ?? "" }
    guard let parsed = try? QuorumConfiguration(parsing: text), !parsed.voters.isEmpty else { return nil }
    return parsed
  }

  /// Writes a configuration into `/zookeeper/config`, as each server does when it starts.
  ///
  /// It is not part of a transaction, and not covered by the digest. The data version is -1, because the configuration
  /// contains its version.
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
