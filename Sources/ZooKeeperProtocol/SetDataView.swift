/// A transaction that sets a znode's data, read where it lies in the log: most of a long log are such, and to copy path
/// and data first took half of the time of applying one.
///
/// *Shape*: the same as `TxnEntry` with `Txn.setData`.
package struct SetDataView {
  package let header: TxnHeader
  /// ASCII. The bytes of any other path may need repair, which is left to decoding.
  package let path: UnsafeRawBufferPointer
  /// nil is null.
  package let data: UnsafeRawBufferPointer?
  /// The version after the change.
  package let version: Int32
  package let digest: TxnDigest?

  /// The view of an encoded entry, whose bytes must stay as long as the view; nil if it is another transaction, or must
  /// be decoded.
  package init?(_ entry: UnsafeRawBufferPointer) {
    let start = TxnHeader.encodedSizeBytes
    guard entry.count >= start + 4,
      entry.loadBigEndian(at: start - 4, as: Int32.self) == OpCode.setData.rawValue
    else { return nil }
    let pathLength = Int(entry.loadBigEndian(at: start, as: Int32.self))
    guard pathLength > 0, pathLength <= entry.count - start - 8 else { return nil }
    path = UnsafeRawBufferPointer(rebasing: entry[(start + 4)..<(start + 4 + pathLength)])
    guard path.allSatisfy({ $0 < 0x80 }) else { return nil }
    var offset = start + 4 + pathLength
    let dataLength = Int(entry.loadBigEndian(at: offset, as: Int32.self))
    offset += 4
    guard dataLength >= -1, max(0, dataLength) <= entry.count - offset - 4 else { return nil }
    if dataLength < 0 {
      data = nil
    } else {
      data = UnsafeRawBufferPointer(rebasing: entry[offset..<(offset + dataLength)])
      offset += dataLength
    }
    version = entry.loadBigEndian(at: offset, as: Int32.self)
    offset += 4
    header = TxnHeader(block: UnsafeRawBufferPointer(rebasing: entry[..<start]))
    digest =
      entry.count - offset < TxnEntry.digestSizeBytes
      ? nil
      : TxnDigest(
        version: entry.loadBigEndian(at: offset, as: Int32.self),
        treeDigest: entry.loadBigEndian(at: offset + 4, as: UInt64.self))
  }
}
