/// The number of a znode in its tree: an index into the slab, used again after a delete. 0 stands for no znode.
package typealias ZnodeID = UInt32

/// What the tree keeps of a znode, except for its name and data, which are a block of the arena.
///
/// *Shape*: 88 bytes. Children are a doubly linked list through the siblings, so that the cost of listing is
/// proportional to their number, and a znode needs no set of them. The order of the fields leaves no gaps.
///
/// The block has, in this order: the length of the name (see `nameLength`); if `hasExtras`, the owner and the aversion;
/// the name; the data. Most znodes have no owner, and keep the ACL that they were created with.
struct ZnodeRecord {
  var czxid: Int64 = 0
  var mzxid: Int64 = 0
  var pzxid: Int64 = 0
  var ctimeMilliseconds: Int64 = 0
  var mtimeMilliseconds: Int64 = 0
  /// nil only for a free record.
  var block: UnsafeMutableRawPointer?
  var version: Int32 = 0
  /// As stored: the number of creates of children.
  var cversion: Int32 = 0
  /// -1 is null.
  var dataLength: Int32 = -1
  var parent: ZnodeID = 0
  var firstChild: ZnodeID = 0
  /// In a free record, the next free one.
  var nextSibling: ZnodeID = 0
  var previousSibling: ZnodeID = 0
  var childCount: UInt32 = 0
  /// `aclSlot`, and `extrasFlag`.
  private var aclSlotAndFlag: UInt32 = 0
  /// This znode's contribution to the tree's digest, which a change must subtract.
  var digest: UInt32 = 0

  /// Set when the block has an owner and an aversion, which are not both 0.
  private static let extrasFlag: UInt32 = 0x8000_0000
  private static let ownerLengthBytes = 8
  /// The size of owner and aversion.
  private static let extrasLengthBytes = 12
  /// The length byte of a long name: its length is in the four bytes that follow.
  private static let longNameMark: UInt8 = 255
  /// The longest name, in bytes; no frame is as large.
  static let maximumNameLengthBytes = 0x7fff_ffff

  /// A slot of the ACL cache; 0 is the open ACL.
  var aclSlot: UInt32 {
    get { aclSlotAndFlag & ~Self.extrasFlag }
    set { aclSlotAndFlag = aclSlotAndFlag & Self.extrasFlag | newValue }
  }

  private(set) var hasExtras: Bool {
    get { aclSlotAndFlag & Self.extrasFlag != 0 }
    set { aclSlotAndFlag = newValue ? aclSlotAndFlag | Self.extrasFlag : aclSlotAndFlag & ~Self.extrasFlag }
  }

  /// The length of the name in bytes.
  var nameLength: Int {
    guard let block else { return 0 }
    let short = block.load(as: UInt8.self)
    return short == Self.longNameMark ? Int(block.loadUnaligned(fromByteOffset: 1, as: UInt32.self)) : Int(short)
  }

  private static func lengthBytes(ofNameLength nameLength: Int) -> Int { nameLength < Int(longNameMark) ? 1 : 5 }

  /// Where the extras begin, if there are any.
  private var extrasOffset: Int { Self.lengthBytes(ofNameLength: nameLength) }

  var nameOffset: Int { extrasOffset + (hasExtras ? Self.extrasLengthBytes : 0) }
  var dataOffset: Int { nameOffset + nameLength }
  var blockLength: Int { dataOffset + max(0, Int(dataLength)) }

  /// The raw `ephemeralOwner`: see `EphemeralOwner`.
  var owner: Int64 {
    guard hasExtras, let block else { return 0 }
    return block.loadUnaligned(fromByteOffset: extrasOffset, as: Int64.self)
  }

  /// The number of changes of the ACL.
  var aversion: Int32 {
    guard hasExtras, let block else { return 0 }
    return block.loadUnaligned(fromByteOffset: extrasOffset + Self.ownerLengthBytes, as: Int32.self)
  }

  /// The length of a block for these parts.
  static func blockLength(nameLength: Int, dataLength: Int, owner: Int64, aversion: Int32) -> Int {
    let extrasLength = owner == 0 && aversion == 0 ? 0 : extrasLengthBytes
    return lengthBytes(ofNameLength: nameLength) + extrasLength + nameLength + dataLength
  }

  /// Sets the block, which must have `blockLength(…)` bytes, and writes the parts to it.
  mutating func fill(
    _ block: UnsafeMutableRawPointer, name: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, owner: Int64,
    aversion: Int32
  ) {
    if name.count < Int(Self.longNameMark) {
      block.storeBytes(of: UInt8(name.count), as: UInt8.self)
    } else {
      block.storeBytes(of: Self.longNameMark, as: UInt8.self)
      block.storeBytes(of: UInt32(name.count), toByteOffset: 1, as: UInt32.self)
    }
    self.block = block
    hasExtras = owner != 0 || aversion != 0
    if hasExtras {
      block.storeBytes(of: owner, toByteOffset: extrasOffset, as: Int64.self)
      block.storeBytes(of: aversion, toByteOffset: extrasOffset + Self.ownerLengthBytes, as: Int32.self)
    }
    if let base = name.baseAddress { (block + nameOffset).copyMemory(from: base, byteCount: name.count) }
    fill(data: data)
  }

  /// Writes data to the block, which must have room for it.
  mutating func fill(data: UnsafeRawBufferPointer?) {
    dataLength = data.map { Int32($0.count) } ?? -1
    guard let block, let data, let base = data.baseAddress else { return }
    (block + dataOffset).copyMemory(from: base, byteCount: data.count)
  }

  var name: UnsafeRawBufferPointer {
    guard let block else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: block + nameOffset, count: nameLength)
  }

  /// nil is null, distinct from empty.
  var data: UnsafeRawBufferPointer? {
    guard dataLength >= 0, let block else { return nil }
    return UnsafeRawBufferPointer(start: block + dataOffset, count: Int(dataLength))
  }
}
