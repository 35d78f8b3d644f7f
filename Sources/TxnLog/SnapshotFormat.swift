package import ZooKeeperProtocol

/// The layout of a snapshot: header, sessions, ACL lists, nodes, and sections that are sealed one by one.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileSnap`; `StorageFormat` D.4, D.5.
enum SnapshotFormat {
  /// `ZKSN`.
  static let magic: UInt32 = 0x5a4b_534e
  static let version: Int32 = 2
  static let headerBytes = 16
  /// A long for the checksum, and the string "/".
  static let sealBytes = 13
  /// The path that ends the nodes, and the text of a seal.
  static let terminator = "/"
  /// An ACL key, the stat, and the lengths of path and data.
  static let nodeOverheadBytes = 4 + 4 + 8 + StatPersisted.encodedSizeBytes
  /// No path or data is longer, whatever a file says.
  static let maxFieldBytes = 256 << 20
}

/// A session in a snapshot.
package struct SnapshotSession: Hashable, Sendable {
  package var id: SessionID
  package var timeoutMilliseconds: Int32

  /// A session with its negotiated timeout.
  package init(id: SessionID, timeoutMilliseconds: Int32) {
    self.id = id
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}

/// An ACL list in a snapshot, under the number by which nodes refer to it.
package struct SnapshotACLList: Hashable, Sendable {
  /// The key of "anyone may do anything", which is never listed.
  package static let openKey: Int64 = -1

  package var key: Int64
  package var acl: [ACL]

  /// The list that nodes call `key`.
  package init(key: Int64, acl: [ACL]) {
    self.key = key
    self.acl = acl
  }
}

/// What a snapshot says about the tree as it was when writing ended.
///
/// A snapshot may be fuzzy: begun at the zxid of its name, it may hold effects of later transactions, up to this one.
package struct SnapshotDigest: Hashable, Sendable {
  /// The last transaction applied when writing ended; 0 when there was no digest yet.
  package var zxid: Zxid
  package var version: Int32
  package var treeDigest: UInt64

  /// A digest of the present version unless said otherwise.
  package init(zxid: Zxid, version: Int32 = TxnDigest.currentVersion, treeDigest: UInt64) {
    self.zxid = zxid
    self.version = version
    self.treeDigest = treeDigest
  }
}

/// A node of a snapshot whose bytes stay where the reader or the tree has them.
package struct SnapshotNodeView {
  /// Empty for the root.
  package let path: UnsafeRawBufferPointer
  /// nil for null, which is not the same as empty.
  package let data: UnsafeRawBufferPointer?
  package let aclKey: Int64
  package let stat: StatPersisted

  /// A view of bytes that the caller keeps alive while it is used.
  package init(path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, aclKey: Int64, stat: StatPersisted) {
    self.path = path
    self.data = data
    self.aclKey = aclKey
    self.stat = stat
  }

  /// The node with bytes of its own.
  package var node: SnapshotNode {
    SnapshotNode(
      path: String(decoding: path, as: UTF8.self), data: data.map { [UInt8]($0) }, aclKey: aclKey, stat: stat)
  }
}

/// A node of a snapshot.
package struct SnapshotNode: Hashable, Sendable {
  /// Empty for the root.
  package var path: String
  /// nil for null, which is not the same as empty.
  package var data: [UInt8]?
  package var aclKey: Int64
  package var stat: StatPersisted

  /// A node of the given fields.
  package init(path: String, data: [UInt8]?, aclKey: Int64, stat: StatPersisted) {
    self.path = path
    self.data = data
    self.aclKey = aclKey
    self.stat = stat
  }
}
