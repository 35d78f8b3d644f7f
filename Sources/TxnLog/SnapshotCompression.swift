import Zlib

/// The compressions of snapshots that servers can be configured to write (`snapshot.compression.method`).
///
/// *Source*: `org.apache.zookeeper.server.persistence.SnapStream`; `StorageFormat` D.5.
package enum SnapshotCompression: String, Hashable, Sendable {
  case gzip = "gz"
  case snappy

  /// The suffix of the name of a compressed snapshot.
  package var suffix: String { "." + rawValue }

  /// The upper bound on the decompressed size, in bytes.
  static let maxBytes = 16 << 30

  /// The compression that follows from the suffix of the name; nil for none.
  init?(path: String) {
    if path.hasSuffix(Self.gzip.suffix) {
      self = .gzip
    } else if path.hasSuffix(Self.snappy.suffix) {
      self = .snappy
    } else {
      return nil
    }
  }

  /// Decompresses `packed`, the content of the file at `path`.
  ///
  /// - Throws: `damaged` if it is not valid, or too large.
  func decompress(_ packed: [UInt8], path: String) throws(TxnLogError) -> [UInt8] {
    let unpacked = packed.withUnsafeBytes { raw in
      switch self {
      case .gzip: Decompression.inflate(raw, limitBytes: Self.maxBytes)
      case .snappy: Snappy.decompressStream(raw, limitBytes: Self.maxBytes)
      }
    }
    guard let unpacked else { throw TxnLogError(.damaged(.content), path: path) }
    return unpacked
  }
}

/// The framing of snappy-java's output stream around raw snappy blocks.
///
/// *Shape*: magic (8 bytes), version (int), compatible version (int); then blocks, each an int with its length and the
/// raw block: a varint with the decompressed length, then literals and copies.
///
/// *Source*: snappy's `format_description.txt`; snappy-java's `SnappyOutputStream`.
enum Snappy {
  static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]

  /// The size of the magic number and the versions, which precede the blocks.
  static let headerBytes = 16

  /// The decompressed stream; nil if it is not valid.
  static func decompressStream(_ bytes: UnsafeRawBufferPointer, limitBytes: Int) -> [UInt8]? {
    guard bytes.count >= headerBytes, bytes.starts(with: magic) else { return nil }
    var output: [UInt8] = []
    var position = headerBytes
    while position < bytes.count {
      guard bytes.count - position >= 4 else { return nil }
      let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
      position += 4
      guard length <= bytes.count - position else { return nil }
      let block = UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
      guard decompress(block, into: &output, limitBytes: limitBytes) else { return nil }
      position += length
    }
    return output
  }

  /// Appends a decompressed block; false if it is not valid.
  static func decompress(
    _ block: UnsafeRawBufferPointer, into output: inout [UInt8], limitBytes: Int
  ) -> Bool {
    var cursor = ByteCursor(bytes: block)
    guard let size = cursor.varint() else { return false }
    let start = output.count
    let end = start + size
    guard end <= limitBytes else { return false }
    while let tag = cursor.byte() {
      guard output.count <= end else { return false }
      if tag & 3 == 0 {
        guard let length = cursor.literalLength(tag), let literal = cursor.take(length) else { return false }
        guard length <= end - output.count else { return false }
        output.append(contentsOf: literal)
        continue
      }
      let distance: Int
      let length: Int
      switch tag & 3 {
      case 1:
        guard let low = cursor.byte() else { return false }
        (length, distance) = (Int(tag >> 2 & 7) + 4, Int(tag >> 5) << 8 | Int(low))
      default:
        guard let value = cursor.littleEndian(byteCount: tag & 3 == 2 ? 2 : 4) else { return false }
        (length, distance) = (Int(tag >> 2) + 1, value)
      }
      guard distance > 0, distance <= output.count - start, length <= end - output.count else { return false }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
    return output.count == end
  }
}

/// Reads the small numbers of compressed formats.
private struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func littleEndian(byteCount: Int) -> Int? {
    var value = 0
    for index in 0..<byteCount {
      guard let byte = byte() else { return nil }
      value |= Int(byte) << (8 * index)
    }
    return value
  }

  mutating func varint() -> Int? {
    var value = 0
    for shift in stride(from: 0, to: 35, by: 7) {
      guard let byte = byte() else { return nil }
      value |= Int(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  /// The length of a literal, which is in its tag or in the bytes after it.
  mutating func literalLength(_ tag: UInt8) -> Int? {
    let inTag = Int(tag >> 2)
    return inTag < 60 ? inTag + 1 : littleEndian(byteCount: inTag - 59).map { $0 + 1 }
  }

  mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count <= bytes.count - position else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }
}
