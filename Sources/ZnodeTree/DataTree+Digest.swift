internal import Checksums
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
      let long = { (value: Int64, offset: Int) in
        block.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int64.self)
      }
      let int = { (value: Int32, offset: Int) in
        block.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
      }
      long(stat.czxid.rawValue, 0)
      long(stat.mzxid.rawValue, 8)
      long(stat.pzxid.rawValue, 16)
      long(stat.ctimeMilliseconds, 24)
      long(stat.mtimeMilliseconds, 32)
      int(stat.version, 40)
      int(stat.cversion, 44)
      int(stat.aversion, 48)
      long(stat.ephemeralOwner, 52)
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
