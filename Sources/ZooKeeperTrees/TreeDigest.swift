import Digests
import ZooKeeperProtocol

/// A digest that is equal for two subtrees if, and for all practical purposes only if, they have the same znodes with
/// the same data and ACLs.
///
/// Each znode is hashed with the digest of all previous ones. The path of the root, and versions, times and zxids, are
/// not included.
public struct TreeDigest: Hashable, Sendable {
  /// The number of znodes in it.
  public private(set) var count = 0
  private var state = [UInt8](repeating: 0, count: 32)

  public init() {}

  /// Adds the next znode, in the order of `ZnodePath.precedes`.
  public mutating func add(_ entry: TreeEntry) {
    count += 1
    var message = state
    func append(_ bytes: some Collection<UInt8>) {
      // The length is prepended, so that different lists of parts give different messages.
      withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { message += $0 }
      message += bytes
    }
    append(entry.path.utf8)
    append(CollectionOfOne(entry.data == nil ? 0 : 1))
    append(entry.data ?? [])
    for text in (entry.acl ?? []).map(\.text).sorted() { append(text.utf8) }
    state = MessageDigest.sha256.hash(message)
  }

  /// The first half of the digest in hexadecimal.
  public var text: String {
    state.prefix(16).map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
