import NIOSSL
import ZooKeeperProtocol

/// Certificates and keys in PEM: Base64 between lines that say what it is.
///
/// *Source*: RFC 7468.
enum PEMText {
  private struct Block {
    let label: String
    /// The block with its first and last line.
    let text: ArraySlice<UInt8>

    /// Whether a key needs a password: PKCS#8 says so in the label, the older form in a header.
    var isEncrypted: Bool { label.contains("ENCRYPTED") || text.firstRange(of: [UInt8]("ENCRYPTED".utf8)) != nil }
  }

  private static let begin = [UInt8]("-----BEGIN ".utf8)

  /// Whether the bytes are PEM. Text in front of the first block is allowed.
  static func isPEM(_ bytes: [UInt8]) -> Bool { bytes.firstRange(of: begin) != nil }

  /// Reads the certificates and keys. Blocks of other kinds are skipped.
  ///
  /// - Parameter password: that of encrypted keys.
  static func contents(of bytes: [UInt8], password: [UInt8]) throws(StoreFault) -> StoreContents {
    var contents = StoreContents()
    for block in try blocks(in: bytes) {
      switch block.label {
      case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
        guard let certificate = try? NIOSSLCertificate.fromPEMBytes(Array(block.text)).first else {
          throw StoreFault("a certificate in it is not valid")
        }
        contents.certificates.append(certificate)
      case let label where label.hasSuffix("PRIVATE KEY"):
        guard !password.isEmpty || !block.isEncrypted else {
          throw StoreFault("the private key is encrypted, and no password is given for it")
        }
        contents.entries.append(.init(key: try key(block, password: password), chain: []))
      default: break
      }
    }
    return contents
  }

  /// Reads a private key that is a PKCS#8 structure under a password, as key stores have them.
  static func key(encrypted der: [UInt8], password: [UInt8]) throws(StoreFault) -> NIOSSLPrivateKey {
    let text = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\(Base64.encode(der))\n-----END ENCRYPTED PRIVATE KEY-----\n"
    return try key(Block(label: "ENCRYPTED PRIVATE KEY", text: [UInt8](text.utf8)[...]), password: password)
  }

  private static func key(_ block: Block, password: [UInt8]) throws(StoreFault) -> NIOSSLPrivateKey {
    do {
      return try NIOSSLPrivateKey(bytes: Array(block.text), format: .pem) { setPassword in setPassword(password) }
    } catch {
      throw block.isEncrypted
        ? StoreFault("the password does not open the private key, or the key is damaged")
        : StoreFault("the private key is not valid, or of a kind that cannot be used")
    }
  }

  private static func blocks(in bytes: [UInt8]) throws(StoreFault) -> [Block] {
    var blocks: [Block] = []
    var rest = bytes[...]
    while let start = rest.firstRange(of: begin) {
      let line = rest[start.upperBound...].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
      let label = String(decoding: line, as: UTF8.self)
      guard label.hasSuffix("-----") else { throw .truncated }
      let name = String(label.dropLast(5))
      guard let end = rest[line.endIndex...].firstRange(of: [UInt8]("-----END \(name)-----".utf8)) else {
        throw StoreFault("the block that begins with \"-----BEGIN \(name)-----\" has no end")
      }
      blocks.append(Block(label: name, text: rest[start.lowerBound..<end.upperBound] + [UInt8(ascii: "\n")]))
      rest = rest[end.upperBound...]
    }
    return blocks
  }
}
