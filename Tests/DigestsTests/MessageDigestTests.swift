import Testing

@testable import Digests

/// The functions against the values that `openssl dgst` has for the same messages.
@Suite struct MessageDigestTests {
  private static let abc: [(MessageDigest, String)] = [
    (.md5, "900150983cd24fb0d6963f7d28e17f72"),
    (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (.sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha384,
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
    ),
    (
      .sha512,
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
  ]

  @Test(arguments: abc) func abcHasThePublishedHash(_ digest: MessageDigest, _ hash: String) {
    #expect(hex(digest.hash([UInt8]("abc".utf8))) == hash)
    #expect(digest.lengthBytes == hash.utf8.count / 2)
  }

  /// Lengths around the ends of blocks, where padding needs another block. The sums are of the hashes of `length` times
  /// "a", one after the other.
  @Test(arguments: [
    (MessageDigest.md5, "1b67605e9f10c2bd22131ac2df1de453"), (.sha1, "8f060e5ceb0aca67ee63d585732bc2e9b17f68e7"),
    (.sha256, "bb1d6350a010747691407a8d005ae593c312035fffd871290fbf5832f7c828ef"),
    (
      .sha512,
      "f468bca9f4a756dcf44c686a6ac7b40fbcd67a1aa503c67f4a84364b5c14e3ce"
        + "65b08933a1e0e41cd3e0d938d3ac343f4c73a664788df895ce09bd3de0f9c50a"
    ),
  ]) func everyLengthUpToTwoBlocks(_ digest: MessageDigest, _ hash: String) {
    let all = (0...260).flatMap { digest.hash([UInt8](repeating: UInt8(ascii: "a"), count: $0)) }
    #expect(hex(digest.hash(all)) == hash)
  }

  /// *Source*: RFC 2202, test cases 1 and 6; RFC 4231, test cases 2 and 6.
  @Test func authenticationCodes() {
    let long = [UInt8](repeating: 0xaa, count: 80)
    let message = [UInt8]("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
    #expect(
      hex(
        MessageDigest.sha1.authenticationCode(
          key: [UInt8](repeating: 0x0b, count: 20), message: [UInt8]("Hi There".utf8)))
        == "b617318655057264e28bc0b6fb378c8ef146be00")
    #expect(
      hex(MessageDigest.sha1.authenticationCode(key: long, message: message))
        == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
    #expect(
      hex(
        MessageDigest.sha256.authenticationCode(
          key: [UInt8]("Jefe".utf8), message: [UInt8]("what do ya want for nothing?".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      hex(
        MessageDigest.sha512.authenticationCode(key: [UInt8](repeating: 0xaa, count: 131), message: message))
        == "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598")
  }

  @Test func javaNames() {
    #expect(MessageDigest(javaName: "sha-512") == .sha512)
    #expect(MessageDigest(javaName: "SHA") == .sha1)
    #expect(MessageDigest(javaName: "MD2") == nil)
  }

  @Test func comparison() {
    #expect(MessageDigest.areEqual([1, 2], [1, 2]))
    #expect(!MessageDigest.areEqual([1, 2], [1, 3]))
    #expect(!MessageDigest.areEqual([3, 1], [1, 1]))
    #expect(!MessageDigest.areEqual([1, 2], [1, 2, 3]))
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
