import Digests
import NIOSSL

/// Java's own key store, the format JKS.
///
/// The file is sealed with a hash that the password goes into. Certificates are in the clear; each private key is
/// hidden under a stream of hashes, also of the password.
///
/// *Source*: `sun.security.provider.JavaKeyStore`, `sun.security.provider.KeyProtector`.
enum JavaKeyStore {
  private static let sealBytes = 20
  /// What Java hashes between the password and the contents.
  private static let whitener = [UInt8]("Mighty Aphrodite".utf8)
  /// The algorithm that hides a key: 1.3.6.1.4.1.42.2.17.1.1.
  private static let protectorAlgorithm = "1.3.6.1.4.1.42.2.17.1.1"

  /// Reads a store.
  static func contents(of bytes: [UInt8], password: [UInt8]) throws(StoreFault) -> StoreContents {
    guard bytes.count > sealBytes + 12 else { throw .truncated }
    let body = bytes.dropLast(sealBytes)
    let wide = WidePassword.encode(password)
    // As in Java, certificates can be read without a password, and the file is then not checked.
    guard
      password.isEmpty
        || MessageDigest.areEqual(MessageDigest.sha1.hash(wide + whitener + body), Array(bytes.suffix(sealBytes)))
    else { throw .wrongPassword }
    var reader = StoreReader(body[4...])
    let version = try reader.integer()
    guard version == 1 || version == 2 else { throw StoreFault("version \(version) of Java key stores is not known") }
    let count = try reader.integer()
    var contents = StoreContents()
    for _ in 0..<count {
      let kind = try reader.integer()
      _ = try reader.text()
      _ = try reader.take(8)
      switch kind {
      case 1:
        let hidden = try reader.take(try reader.integer())
        var chain: [NIOSSLCertificate] = []
        for _ in 0..<(try reader.integer()) { chain.append(try certificate(&reader, version)) }
        contents.entries.append(.init(key: try key(Array(hidden), password: wide), chain: chain))
      case 2: contents.certificates.append(try certificate(&reader, version))
      default: throw .truncated
      }
    }
    return contents
  }

  private static func certificate(_ reader: inout StoreReader, _ version: Int) throws(StoreFault) -> NIOSSLCertificate {
    if version == 2 { _ = try reader.text() }
    let der = try reader.take(try reader.integer())
    guard let certificate = try? NIOSSLCertificate(bytes: Array(der), format: .der) else {
      throw StoreFault("a certificate in it is not valid")
    }
    return certificate
  }

  /// Uncovers a private key.
  private static func key(_ hidden: [UInt8], password: [UInt8]) throws(StoreFault) -> NIOSSLPrivateKey {
    let protected: [UInt8]
    do throws(DERError) {
      var reader = DERReader(hidden[...])
      var info = try reader.enter(DERValue.Tag.sequence)
      var algorithm = try info.enter(DERValue.Tag.sequence)
      guard try algorithm.next().objectIdentifier() == protectorAlgorithm else { throw .unexpectedTag }
      protected = Array(try info.next(DERValue.Tag.octetString).contents)
    } catch {
      throw StoreFault("a private key in it is hidden in a way that is not known")
    }
    guard protected.count > 2 * sealBytes else { throw .truncated }
    var link = Array(protected.prefix(sealBytes))
    var plain = Array(protected.dropFirst(sealBytes).dropLast(sealBytes))
    for start in stride(from: 0, to: plain.count, by: sealBytes) {
      link = MessageDigest.sha1.hash(password + link)
      for (offset, byte) in link.enumerated() where start + offset < plain.count { plain[start + offset] ^= byte }
    }
    guard MessageDigest.areEqual(MessageDigest.sha1.hash(password + plain), Array(protected.suffix(sealBytes))) else {
      // Without a password, the store's own seal was not looked at.
      if password.isEmpty { throw StoreFault("a private key in it needs a password, and the given one is empty") }
      throw StoreFault(
        "a private key in it has another password than the store", hint: "give both the same: keytool -keypasswd")
    }
    guard let key = try? NIOSSLPrivateKey(bytes: plain, format: .der) else {
      throw StoreFault("the private key is not valid, or of a kind that cannot be used")
    }
    return key
  }
}

/// Reads the integers, texts and bytes of `java.io.DataInput`.
private struct StoreReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func take(_ count: Int) throws(StoreFault) -> ArraySlice<UInt8> {
    guard count >= 0, rest.count >= count else { throw .truncated }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A number that is not negative.
  mutating func integer() throws(StoreFault) -> Int {
    let value = try take(4).reduce(0) { $0 << 8 | Int($1) }
    guard value <= Int(Int32.max) else { throw .truncated }
    return value
  }

  mutating func text() throws(StoreFault) -> ArraySlice<UInt8> {
    try take(try take(2).reduce(0) { $0 << 8 | Int($1) })
  }
}
