/// The hash functions that ZooKeeper's identities, SASL mechanisms and key stores are made with.
///
/// They are here, and not swift-crypto's, because that library brings Foundation: measured with SHA-1 alone, the
/// binary grew from 8.7 to 25.1 MB, and the start of a one-shot command from 2.2 to 3.2 million instructions. None of
/// them protects a connection; TLS is BoringSSL's.
package enum MessageDigest: CaseIterable, Hashable, Sendable {
  case md5, sha1, sha224, sha256, sha384, sha512

  /// Finds an algorithm by the name that `java.security.MessageDigest` has for it, in any case.
  package init?(javaName: String) {
    switch javaName.uppercased() {
    case "MD5": self = .md5
    case "SHA", "SHA1", "SHA-1": self = .sha1
    case "SHA224", "SHA-224": self = .sha224
    case "SHA256", "SHA-256": self = .sha256
    case "SHA384", "SHA-384": self = .sha384
    case "SHA512", "SHA-512": self = .sha512
    default: return nil
    }
  }

  /// The length of a hash, in bytes.
  package var lengthBytes: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha224: 28
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  /// The length of the blocks in which a message is taken in, in bytes.
  package var blockBytes: Int {
    switch self {
    case .md5, .sha1, .sha224, .sha256: 64
    case .sha384, .sha512: 128
    }
  }

  /// The hash of a message.
  package func hash(_ message: [UInt8]) -> [UInt8] {
    switch self {
    case .md5: MD5.hash(message)
    case .sha1: SHA1.hash(message)
    case .sha224: SHA256.hash(message, .sha224)
    case .sha256: SHA256.hash(message, .sha256)
    case .sha384: SHA512.hash(message, .sha384)
    case .sha512: SHA512.hash(message, .sha512)
    }
  }

  /// The authentication code of a message.
  ///
  /// *Source*: RFC 2104, section 2.
  package func authenticationCode(key: [UInt8], message: [UInt8]) -> [UInt8] {
    var block = key.count > blockBytes ? hash(key) : key
    block += [UInt8](repeating: 0, count: blockBytes - block.count)
    return hash(block.map { $0 ^ 0x5c } + hash(block.map { $0 ^ 0x36 } + message))
  }

  /// Whether two hashes are equal, in a time that does not depend on where they differ.
  package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// The order of a number's bytes in a message and in a hash.
enum ByteOrder {
  case littleEndian, bigEndian
}

/// The Merkle-Damgård construction, which all these functions share: a message is padded to whole blocks, and each
/// block is mixed into a state.
enum BlockHash {
  /// Mixes a message into `state`, and gives the state's bytes.
  ///
  /// - Parameters:
  ///   - order: that of the padding's length, and of the integers of the result.
  ///   - compress: mixes one block of 16 integers into the state.
  static func run<Word: FixedWidthInteger & UnsignedInteger>(
    _ message: [UInt8], _ state: [Word], _ order: ByteOrder,
    compress: (UnsafeMutableBufferPointer<Word>, UnsafeRawBufferPointer) -> Void
  ) -> [UInt8] {
    let wordBytes = Word.bitWidth / 8
    let blockBytes = 16 * wordBytes
    var padded = message
    let lengthBytes = 2 * wordBytes
    let used = (message.count + 1 + lengthBytes) % blockBytes
    padded.reserveCapacity(message.count + 2 * blockBytes)
    padded.append(0x80)
    padded.append(contentsOf: repeatElement(0, count: (used == 0 ? 0 : blockBytes - used) + lengthBytes - 8))
    append(UInt64(message.count) &* 8, order, to: &padded)
    var state = state
    state.withUnsafeMutableBufferPointer { state in
      padded.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: blockBytes) {
          compress(state, UnsafeRawBufferPointer(rebasing: bytes[start..<start + blockBytes]))
        }
      }
    }
    var hash: [UInt8] = []
    hash.reserveCapacity(state.count * wordBytes)
    for word in state { append(word, order, to: &hash) }
    return hash
  }

  private static func append<Word: FixedWidthInteger>(_ word: Word, _ order: ByteOrder, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: order == .bigEndian ? word.bigEndian : word.littleEndian) { bytes.append(contentsOf: $0) }
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// The number with its bits moved right, those that fall out coming back at the left.
  func rotatedRight(_ count: Int) -> Self { self &>> Self(count) | self &<< Self(Self.bitWidth - count) }

  /// The number with its bits moved left, those that fall out coming back at the right.
  func rotatedLeft(_ count: Int) -> Self { rotatedRight(Self.bitWidth - count) }
}
