internal import Zlib

/// The ways in which applications compress the data of their znodes.
package enum ValueCompression: String, CaseIterable, Hashable, Sendable {
  case gzip, zlib, snappy

  /// No more than this is made of a value, for a few kilobytes can decompress to more than the memory has.
  package static let limitBytes = 64 << 20

  /// Why a value cannot be decompressed.
  package enum Failure: Error, Hashable {
    case damaged
    case tooLarge
    case damagedOrTooLarge
  }

  /// The decompressed data, and how it was compressed; nil if it does not seem to be compressed.
  ///
  /// What begins as a kind does, but is damaged, is a failure. Raw Snappy has nothing to know it by but that it can be
  /// decompressed to its end; what could be text is taken for text.
  package static func recognized(
    _ bytes: [UInt8], limitBytes: Int = limitBytes
  ) throws(Failure) -> (data: [UInt8], kind: ValueCompression)? {
    if bytes.starts(with: [0x1f, 0x8b, 0x08]) {
      return (try gzip.decode(bytes, limitBytes: limitBytes), .gzip)
    }
    if bytes.starts(with: Snappy.streamStart) || bytes.starts(with: Snappy.javaStart) {
      return (try snappy.decode(bytes, limitBytes: limitBytes), .snappy)
    }
    // The first two bytes of zlib are a multiple of 31; so are those of some texts.
    if bytes.count > 2, bytes[0] & 0x0f == 8, (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0,
      let data = try? zlib.decode(bytes, limitBytes: limitBytes)
    {
      return (data, .zlib)
    }
    guard !isText(bytes), let data = try? snappy.decode(bytes, limitBytes: limitBytes), !data.isEmpty else {
      return nil
    }
    return (data, .snappy)
  }

  /// The decompressed data.
  package func decode(_ bytes: [UInt8], limitBytes: Int = limitBytes) throws(Failure) -> [UInt8] {
    switch self {
    case .gzip, .zlib:
      if self == .gzip, !bytes.starts(with: [0x1f, 0x8b]) { throw .damaged }
      if self == .zlib, bytes.starts(with: [0x1f, 0x8b]) { throw .damaged }
      if let data = Self.inflate(bytes, limitBytes) { return data }
      // zlib's answer is the same for both, but few bytes cannot decompress to many.
      throw bytes.count * Self.largestRatio > limitBytes ? .damagedOrTooLarge : .damaged
    case .snappy:
      do throws(Snappy.Failure) {
        if bytes.starts(with: Snappy.streamStart) { return try Snappy.decodeStream(bytes, limitBytes: limitBytes) }
        if bytes.starts(with: Snappy.javaStart) { return try Snappy.decodeJavaStream(bytes, limitBytes: limitBytes) }
        return try Snappy.decode(bytes[...], limitBytes: limitBytes)
      } catch {
        throw error == .tooLarge ? .tooLarge : .damaged
      }
    }
  }

  private static func inflate(_ bytes: [UInt8], _ limitBytes: Int) -> [UInt8]? {
    bytes.withUnsafeBytes { Decompression.inflate($0, limitBytes: limitBytes) }
  }

  /// The most bytes that deflate makes of one.
  private static let largestRatio = 1032

  private static func isText(_ bytes: [UInt8]) -> Bool {
    guard String(validating: bytes, as: UTF8.self) != nil else { return false }
    return bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x0a || $0 == 0x09 || $0 == 0x0d }
  }
}
