package import ZooKeeperProtocol

extension DataTree {
  /// The configuration in `/zookeeper/config`; nil if it has no voters or cannot be read.
  package var configuration: QuorumConfiguration? {
    guard let id = find("/zookeeper/config") else { return nil }
    let text = withData(of: id) { bytes in bytes.map { String(decoding: $0, as: UTF8.self) } ?? "" }
    guard let parsed = try? QuorumConfiguration(parsing: text), !parsed.voters.isEmpty else { return nil }
    return parsed
  }

  /// Writes a configuration into `/zookeeper/config`, as each server does when it begins to serve.
  ///
  /// It is not part of a transaction, and not covered by the digest. The data version is -1, because the configuration
  /// contains its version. A configuration that is there already keeps the time at which it was written, which for an
  /// agreed one is that of its transaction, the same on all servers.
  ///
  /// - Parameter wallMilliseconds: now, in milliseconds since 1970.
  ///
  /// *Source*: `DataTree.addConfigNode`, `ZKDatabase.initConfigInZKDatabase`; `QuorumProtocol` B.5.
  package func setConfiguration(_ text: String, version: Int64, wallMilliseconds: Int64) {
    guard let id = find("/zookeeper/config") else { return }
    let bytes = Array(text.utf8)
    let stat = slab.record(id).pointee
    let isSame = stat.mzxid == version && withData(of: id) { $0.map { $0.elementsEqual(bytes) } ?? false }
    if isSame, stat.mtimeMilliseconds != 0 { return }
    bytes.withUnsafeBytes { replaceData(id, with: $0) }
    slab.mutable(id).pointee.mzxid = version
    slab.mutable(id).pointee.mtimeMilliseconds = wallMilliseconds
    slab.mutable(id).pointee.version = -1
  }
}
