/// The number of a znode in its tree: an index into the slab, used again after a delete. 0 is nobody.
public typealias ZnodeID = UInt32

/// What the tree keeps of a znode, but for its name and data, which are one block of the arena.
///
/// *Shape*: 96 bytes. Children are a doubly linked list through the siblings, so that listing costs what
/// there is to list and no znode owns a set. The order of the fields leaves no gaps.
struct ZnodeRecord {
  var czxid: Int64 = 0
  var mzxid: Int64 = 0
  var pzxid: Int64 = 0
  var ctimeMilliseconds: Int64 = 0
  var mtimeMilliseconds: Int64 = 0
  /// Owner if `hasOwner`, then name, then data. nil only for a free record.
  var block: UnsafeMutableRawPointer?
  var version: Int32 = 0
  /// Stored, not visible: counts creates only.
  var cversion: Int32 = 0
  var aversion: Int32 = 0
  /// -1 is null.
  var dataLength: Int32 = -1
  var parent: ZnodeID = 0
  var firstChild: ZnodeID = 0
  /// In a free record, the next free one.
  var nextSibling: ZnodeID = 0
  var previousSibling: ZnodeID = 0
  var childCount: UInt32 = 0
  /// A slot of the ACL cache; 0 is the open ACL.
  var aclSlot: UInt32 = 0
  /// This znode's part of the tree digest, kept so that a change need not compute it again.
  var digest: UInt32 = 0
  /// The length of the name in bytes, and `ownerFlag`.
  var nameLengthAndFlags: UInt32 = 0

  /// Set when the block begins with an ephemeralOwner that is not 0.
  static let ownerFlag: UInt32 = 0x8000_0000
  /// The longest name that the field holds, in bytes; far over any frame.
  static let maximumNameLengthBytes = 0x7fff_ffff
  static let ownerLengthBytes = 8

  var hasOwner: Bool { nameLengthAndFlags & Self.ownerFlag != 0 }
  var nameLength: Int { Int(nameLengthAndFlags & ~Self.ownerFlag) }
  var nameOffset: Int { hasOwner ? Self.ownerLengthBytes : 0 }
  var blockLength: Int { nameOffset + nameLength + max(0, Int(dataLength)) }

  /// The raw `ephemeralOwner`: see `EphemeralOwner`.
  var owner: Int64 {
    guard hasOwner, let block else { return 0 }
    return block.loadUnaligned(as: Int64.self)
  }

  var name: UnsafeRawBufferPointer {
    guard let block else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: block + nameOffset, count: nameLength)
  }

  /// nil is null, distinct from empty.
  var data: UnsafeRawBufferPointer? {
    guard dataLength >= 0, let block else { return nil }
    return UnsafeRawBufferPointer(start: block + nameOffset + nameLength, count: Int(dataLength))
  }
}
