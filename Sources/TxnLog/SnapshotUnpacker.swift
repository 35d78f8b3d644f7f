import Zlib

/// Decompresses a snapshot in pieces, if its first bytes show that it is compressed.
///
/// The memory that it takes does not grow with the snapshot.
package struct SnapshotUnpacker: ~Copyable {
  private enum Kind { case unknown, plain, gzip, snappy }

  /// The number of bytes that identify the format.
  private static let headBytes = 4

  private var kind = Kind.unknown
  private var head: [UInt8] = []
  private var gzip: GzipReader?
  private var isGzipComplete = false
  private var snappy = SnappyReader()

  package init() {}

  /// Whether the snapshot is compressed.
  package var isCompressed: Bool { kind == .gzip || kind == .snappy }

  /// Whether nothing is missing at the end. An uncompressed snapshot says that itself.
  package var isComplete: Bool {
    switch kind {
    case .unknown, .plain: true
    case .gzip: isGzipComplete
    case .snappy: snappy.isComplete
    }
  }

  /// Decompresses the next piece, and passes on the output.
  ///
  /// - Returns: false if it is damaged.
  /// - Throws: what `take` throws.
  package mutating func append<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    guard kind == .unknown else { return try pass(bytes, take) }
    head.append(contentsOf: bytes)
    guard head.count >= Self.headBytes else { return true }
    return try passHead(take)
  }

  /// Passes on input that is too short to have a format. Called at the end.
  ///
  /// - Throws: what `take` throws.
  package mutating func finish<Failure: Error>(
    _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    if kind == .unknown, !head.isEmpty, try !passHead(take) { return false }
    return isComplete
  }

  private mutating func passHead<Failure: Error>(
    _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    if head.starts(with: [0x1f, 0x8b]) {
      kind = .gzip
      gzip = GzipReader()
    } else {
      kind = head.starts(with: Snappy.magic.prefix(Self.headBytes)) ? .snappy : .plain
    }
    let begun = head
    head = []
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: begun.count, alignment: 16)
    defer { copy.deallocate() }
    copy.copyBytes(from: begun)
    return try pass(UnsafeRawBufferPointer(copy), take)
  }

  private mutating func pass<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    switch kind {
    case .unknown: return false
    case .plain:
      try take(bytes)
      return true
    case .gzip:
      guard var reader = gzip.take() else { return false }
      let isWhole = try reader.append(bytes, take)
      isGzipComplete = reader.isComplete
      gzip = consume reader
      return isWhole
    case .snappy: return try snappy.append(bytes, take)
    }
  }
}

/// Decompresses a stream of snappy-java that comes piece by piece.
private struct SnappyReader {
  /// The largest block that is read. snappy-java writes blocks of some ten KiB.
  private static let blockLimitBytes = 16 << 20

  private var pending: [UInt8] = []
  private var hasBegun = false

  /// Whether the stream ends with a whole block.
  var isComplete: Bool { hasBegun && pending.isEmpty }

  mutating func append<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    pending.append(contentsOf: bytes)
    var position = 0
    if !hasBegun {
      guard pending.count >= Snappy.headerBytes else { return true }
      guard pending.starts(with: Snappy.magic) else { return false }
      hasBegun = true
      position = Snappy.headerBytes
    }
    while pending.count - position >= 4 {
      let length = pending[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= Self.blockLimitBytes else { return false }
      guard pending.count - position - 4 >= length else { break }
      var block: [UInt8] = []
      let isWhole = pending.withUnsafeBytes { raw in
        Snappy.decompress(
          UnsafeRawBufferPointer(rebasing: raw[(position + 4)..<(position + 4 + length)]), into: &block,
          limitBytes: Self.blockLimitBytes)
      }
      guard isWhole else { return false }
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: block.count, alignment: 16)
      defer { copy.deallocate() }
      copy.copyBytes(from: block)
      try take(UnsafeRawBufferPointer(copy))
      position += 4 + length
    }
    pending.removeFirst(position)
    return true
  }
}
