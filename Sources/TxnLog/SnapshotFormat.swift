package import ZooKeeperProtocol

/// The layout of a snapshot: header, sessions, ACL lists, nodes, and further sections.
///
/// The nodes and each further section end with a seal: the checksum of everything before it.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileSnap`; `StorageFormat` D.4, D.5.
enum SnapshotFormat {
  /// `ZKSN`.
  static let magic: UInt32 = 0x5a4b_534e
  static let version: Int32 = 2
  static let headerBytes = 16
  /// The size of a seal: a long with the checksum, and the string "/".
  static let sealBytes = 13
  /// The path that ends the nodes, and the text of a seal.
  static let terminator = "/"
  /// The size of an ACL key, a stat, and the lengths of path and data.
  static let nodeOverheadBytes = 4 + 4 + 8 + StatPersisted.encodedSizeBytes
  /// The largest size of a path or data that is read, in bytes. It keeps a damaged length from allocating more.
  static let maxFieldBytes = 256 << 20
}

/// A session in a snapshot.
package struct SnapshotSession: Hashable, Sendable {
  package var id: SessionID
  package var timeoutMilliseconds: Int32

  package init(id: SessionID, timeoutMilliseconds: Int32) {
    self.id = id
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}

/// An ACL list in a snapshot, with the key by which nodes refer to it.
package struct SnapshotACLList: Hashable, Sendable {
  /// The key of the open ACL, which is never listed.
  package static let openKey: Int64 = -1

  package var key: Int64
  package var acl: [ACL]

  package init(key: Int64, acl: [ACL]) {
    self.key = key
    self.acl = acl
  }
}

/// The digest of the tree as it was when the writing of a snapshot ended.
///
/// A snapshot may be fuzzy: it can have effects of transactions after the zxid in its name, up to the one of the
/// digest.
package struct SnapshotDigest: Hashable, Sendable {
  /// The last transaction applied when writing ended; 0 if there was no digest yet.
  package var zxid: Zxid
  package var version: Int32
  package var treeDigest: UInt64

  package init(zxid: Zxid, version: Int32 = TxnDigest.currentVersion, treeDigest: UInt64) {
    self.zxid = zxid
    self.version = version
    self.treeDigest = treeDigest
  }
}

/// A node of a snapshot that refers to bytes in the reader or in the tree.
package struct SnapshotNodeView {
  /// Empty for the root.
  package let path: UnsafeRawBufferPointer
  /// nil for null, which is not the same as empty.
  package let data: UnsafeRawBufferPointer?
  package let aclKey: Int64
  package let stat: StatPersisted

  /// A view of bytes, which the caller must keep alive as long as the view is used.
  package init(path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, aclKey: Int64, stat: StatPersisted) {
    self.path = path
    self.data = data
    self.aclKey = aclKey
    self.stat = stat
  }

  /// A copy of the node that owns its bytes.
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

  package init(path: String, data: [UInt8]?, aclKey: Int64, stat: StatPersisted) {
    self.path = path
    self.data = data
    self.aclKey = aclKey
    self.stat = stat
  }
}
