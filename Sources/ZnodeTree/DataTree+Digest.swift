internal import Checksums
internal import Jute
package import ZooKeeperProtocol

/// The digest of version 2: the CRC-32 of a znode's path, data and stored counters, summed over all znodes that are not
/// under `/zookeeper/`.
///
/// *Source*: `org.apache.zookeeper.server.DigestCalculator`; `StorageFormat` C.6.
extension DataTree {
  /// The checksum of path and data, which `finishDigest` completes. It is kept while a change is outstanding, so that
  /// another change of the counters only needs the checksum of 60 bytes.
  ///
  /// - Parameter path: "/" is taken as empty.
  package func digestPrefix(path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?) -> UInt32 {
    var state = CRC32.initial
    if path.count > 1 { state = CRC32.update(state, path) }
    if let data { state = CRC32.update(state, data) }
    return state
  }

  /// The digest of a znode, from the checksum of its path and data.
  package func finishDigest(_ prefix: UInt32, _ stat: StatPersisted) -> UInt32 {
    withUnsafeTemporaryAllocation(byteCount: 60, alignment: 8) { block in
      block.storeBigEndian(stat.czxid.rawValue, at: 0)
      block.storeBigEndian(stat.mzxid.rawValue, at: 8)
      block.storeBigEndian(stat.pzxid.rawValue, at: 16)
      block.storeBigEndian(stat.ctimeMilliseconds, at: 24)
      block.storeBigEndian(stat.mtimeMilliseconds, at: 32)
      block.storeBigEndian(stat.version, at: 40)
      block.storeBigEndian(stat.cversion, at: 44)
      block.storeBigEndian(stat.aversion, at: 48)
      block.storeBigEndian(stat.ephemeralOwner, at: 52)
      return CRC32.update(prefix, UnsafeRawBufferPointer(block))
    }
  }

  /// Whether the tree's digest includes the znode at `path`.
  package static func isCountedInDigest(_ path: UnsafeRawBufferPointer) -> Bool {
    !PathBytes.hasPrefix(path, "/zookeeper/")
  }

  /// A znode's present contribution to the tree's digest.
  package func digest(of id: ZnodeID) -> UInt32 { slab.record(id).pointee.digest }
}
