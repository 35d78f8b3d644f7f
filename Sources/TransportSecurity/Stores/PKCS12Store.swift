import Digests
import NIOSSL

/// A PKCS#12 file: the key store of Java since version 9, and of most other programs.
///
/// NIOSSL opens such a file only if it holds exactly one private key and a certificate of that key; with any other it
/// ends the process, or fails. A trust store has no key at all. So the structure is read here, and BoringSSL is asked
/// only to decrypt: the keys one by one, as PKCS#8, and the certificates through a file that is put together of the
/// encrypted parts and the key of ``KnownKey``.
///
/// *Source*: RFC 7292.
enum PKCS12Store {
  /// The parts of a file that are looked at here.
  private struct Parts {
    /// Encrypted parts, as they are.
    var encrypted: [[UInt8]] = []
    /// Bags that are not encrypted and hold no keys.
    var plainBags: [[UInt8]] = []
    /// Private keys under the password.
    var shroudedKeys: [[UInt8]] = []
    var plainKeys: [[UInt8]] = []
  }

  /// Reads a file.
  static func contents(of bytes: [UInt8], password: [UInt8]) throws(StoreFault) -> StoreContents {
    let sealed: [UInt8]
    let seal: PKCS12Seal?
    let parts: Parts
    do throws(DERError) {
      var outer = DERReader(bytes[...])
      var file = try outer.enter(DERValue.Tag.sequence)
      guard try file.next().smallInteger() == 3 else { throw .unexpectedTag }
      sealed = Array(try data(in: try file.next(DERValue.Tag.sequence)))
      seal = try file.optional(DERValue.Tag.sequence).map { value throws(DERError) in try PKCS12Seal(value) }
      parts = try Self.parts(of: sealed)
    } catch {
      throw StoreFault("the file is not a PKCS#12 file in DER that a password seals, or it is damaged")
    }
    guard let key = PKCS12Seal.encodings(of: password).first(where: { seal?.fits(sealed, $0) ?? true }) else {
      throw .wrongPassword
    }
    var contents = StoreContents(certificates: try certificates(parts, password, key))
    for shrouded in parts.shroudedKeys {
      contents.entries.append(.init(key: try PEMText.key(encrypted: shrouded, password: password), chain: []))
    }
    for plain in parts.plainKeys {
      guard let key = try? NIOSSLPrivateKey(bytes: plain, format: .der) else {
        throw StoreFault("the private key is not valid, or of a kind that cannot be used")
      }
      contents.entries.append(.init(key: key, chain: []))
    }
    return contents
  }

  // MARK: Structure

  /// The bytes inside of a `ContentInfo` of the type data.
  private static func data(in info: DERValue) throws(DERError) -> ArraySlice<UInt8> {
    var reader = DERReader(info.contents)
    guard try reader.next().objectIdentifier() == "1.2.840.113549.1.7.1" else { throw .unexpectedTag }
    var wrapped = try reader.enter(DERValue.Tag.constructed(0))
    return try wrapped.next(DERValue.Tag.octetString).contents
  }

  private static func parts(of safe: [UInt8]) throws(DERError) -> Parts {
    var parts = Parts()
    var outer = DERReader(safe[...])
    var infos = try outer.enter(DERValue.Tag.sequence)
    while !infos.isAtEnd {
      let info = try infos.next(DERValue.Tag.sequence)
      var reader = DERReader(info.contents)
      switch try reader.next().objectIdentifier() {
      case "1.2.840.113549.1.7.1": try sortBags(try data(in: info), into: &parts)
      default: parts.encrypted.append(Array(info.encoded))
      }
    }
    return parts
  }

  private static func sortBags(_ bytes: ArraySlice<UInt8>, into parts: inout Parts) throws(DERError) {
    var outer = DERReader(bytes)
    var bags = try outer.enter(DERValue.Tag.sequence)
    while !bags.isAtEnd {
      let bag = try bags.next(DERValue.Tag.sequence)
      var reader = DERReader(bag.contents)
      let type = try reader.next().objectIdentifier()
      let contents = Array(try reader.next(DERValue.Tag.constructed(0)).contents)
      switch type {
      case "1.2.840.113549.1.12.10.1.1": parts.plainKeys.append(contents)
      case "1.2.840.113549.1.12.10.1.2": parts.shroudedKeys.append(contents)
      default: parts.plainBags.append(Array(bag.encoded))
      }
    }
  }

  // MARK: Certificates

  /// Has BoringSSL decrypt the certificates.
  ///
  /// - Parameter key: the password in the encoding that fits the file.
  private static func certificates(
    _ parts: Parts, _ password: [UInt8], _ key: [UInt8]
  ) throws(StoreFault) -> [NIOSSLCertificate] {
    let keyBag = bag(1, KnownKey.pkcs8)
    let certificateBag = bag(
      3,
      DERWriter.sequence(
        // 1.2.840.113549.1.9.22.1, an X.509 certificate.
        DERWriter.identifier([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01]),
        DERWriter.value(DERValue.Tag.constructed(0), DERWriter.octets(KnownKey.certificate))))
    let bags = parts.plainBags.flatMap(\.self) + certificateBag + keyBag
    let plain = info(DERWriter.value(DERValue.Tag.sequence, bags))
    let safe = DERWriter.value(DERValue.Tag.sequence, parts.encrypted.flatMap(\.self) + plain)
    let file = DERWriter.sequence(DERWriter.integer(3), info(safe), PKCS12Seal.make(for: safe, key))
    // BoringSSL reads no larger file than this, and would not say why.
    guard file.count < 256 << 10 else {
      throw StoreFault("PKCS#12 files above 256 KiB cannot be read", hint: "give the certificates as PEM")
    }
    do {
      // The first certificate is the one of the known key.
      return Array(try NIOSSLPKCS12Bundle(buffer: file, passphrase: password).certificateChain.dropFirst())
    } catch {
      throw StoreFault(
        "its certificates cannot be decrypted: the cipher is not known, or private keys are among them",
        hint: "convert it: keytool -importkeystore, or openssl pkcs12")
    }
  }

  /// A `ContentInfo` of the type data.
  private static func info(_ bytes: [UInt8]) -> [UInt8] {
    DERWriter.sequence(
      DERWriter.identifier([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01]),
      DERWriter.value(DERValue.Tag.constructed(0), DERWriter.octets(bytes)))
  }

  /// A `SafeBag` of the type 1.2.840.113549.1.12.10.1.`type`.
  private static func bag(_ type: UInt8, _ contents: [UInt8]) -> [UInt8] {
    DERWriter.sequence(
      DERWriter.identifier([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, type]),
      DERWriter.value(DERValue.Tag.constructed(0), contents))
  }
}

/// The authentication code that shows whether a password is that of a file, and whether the file is intact.
///
/// *Source*: RFC 7292, sections 4 and B.
private struct PKCS12Seal {
  private let digest: MessageDigest
  private let code: [UInt8]
  private let salt: [UInt8]
  private let iterations: Int

  /// How often a hash may be repeated. Java and OpenSSL write 10,000 and less; a number out of a file must not keep the
  /// program busy for hours.
  private static let maximumIterations = 1_000_000

  private static let digests: [String: MessageDigest] = [
    "1.3.14.3.2.26": .sha1, "2.16.840.1.101.3.4.2.1": .sha256, "2.16.840.1.101.3.4.2.2": .sha384,
    "2.16.840.1.101.3.4.2.3": .sha512, "2.16.840.1.101.3.4.2.4": .sha224,
  ]

  init(_ value: DERValue) throws(DERError) {
    var reader = DERReader(value.contents)
    var info = try reader.enter(DERValue.Tag.sequence)
    var algorithm = try info.enter(DERValue.Tag.sequence)
    guard let digest = Self.digests[try algorithm.next().objectIdentifier()] else { throw .unexpectedTag }
    self.digest = digest
    code = Array(try info.next(DERValue.Tag.octetString).contents)
    salt = Array(try reader.next(DERValue.Tag.octetString).contents)
    iterations = reader.isAtEnd ? 1 : try reader.next().smallInteger()
    guard (1...Self.maximumIterations).contains(iterations) else { throw .tooLarge }
  }

  /// The forms in which a password may have gone into the code: UTF-16 with a zero at the end. Of an empty password
  /// some programs use no bytes at all.
  static func encodings(of password: [UInt8]) -> [[UInt8]] {
    password.isEmpty ? [[0, 0], []] : [WidePassword.encode(password) + [0, 0]]
  }

  /// Whether the code is that of `bytes` under `password`.
  func fits(_ bytes: [UInt8], _ password: [UInt8]) -> Bool {
    let key = Self.key(digest, password: password, salt: salt, iterations: iterations)
    return MessageDigest.areEqual(digest.authenticationCode(key: key, message: bytes), code)
  }

  /// A seal for `bytes`, in DER.
  static func make(for bytes: [UInt8], _ password: [UInt8]) -> [UInt8] {
    let salt = [UInt8](repeating: 0, count: 8)
    let key = key(.sha1, password: password, salt: salt, iterations: 1)
    let sha1 = DERWriter.sequence(DERWriter.identifier([0x2b, 0x0e, 0x03, 0x02, 0x1a]))
    let code = MessageDigest.sha1.authenticationCode(key: key, message: bytes)
    return DERWriter.sequence(DERWriter.sequence(sha1, DERWriter.octets(code)), DERWriter.octets(salt))
  }

  /// The key of the authentication code. It is as long as a hash, so that the first round of appendix B is enough.
  private static func key(_ digest: MessageDigest, password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
    func repeated(_ bytes: [UInt8]) -> [UInt8] {
      let blocks = (bytes.count + digest.blockBytes - 1) / digest.blockBytes
      return (0..<blocks * digest.blockBytes).map { bytes[$0 % bytes.count] }
    }
    let diversifier = [UInt8](repeating: 3, count: digest.blockBytes)
    var hash = digest.hash(diversifier + repeated(salt) + repeated(password))
    for _ in 1..<iterations { hash = digest.hash(hash) }
    return hash
  }
}

/// A key pair that is no secret: the private key is the number 1, and so the public key is the base point of the curve
/// P-256. It is used where NIOSSL insists on a key, and never leaves this process.
///
/// *Source*: FIPS 186-4, section D.1.2.3; RFC 5915, RFC 5480.
private enum KnownKey {
  private static let algorithm = DERWriter.sequence(
    // 1.2.840.10045.2.1, a public key of an elliptic curve, and 1.2.840.10045.3.1.7, the curve.
    DERWriter.identifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
    DERWriter.identifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]))

  private static let basePoint: [UInt8] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
    0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
    0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
    0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
  ]

  /// The private key.
  static let pkcs8 = DERWriter.sequence(
    DERWriter.integer(0), algorithm,
    DERWriter.octets(
      DERWriter.sequence(DERWriter.integer(1), DERWriter.octets([UInt8](repeating: 0, count: 31) + [1]))))

  /// A certificate of the public key, with empty names and a signature that is never verified.
  static let certificate: [UInt8] = {
    let signatureAlgorithm = DERWriter.sequence(
      // 1.2.840.10045.4.3.2, ECDSA with SHA-256.
      DERWriter.identifier([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
    let time = DERWriter.value(DERValue.Tag.utcTime, Array("000101000000Z".utf8))
    let body = DERWriter.sequence(
      DERWriter.integer(1), signatureAlgorithm, DERWriter.sequence(), DERWriter.sequence(time, time),
      DERWriter.sequence(), DERWriter.sequence(algorithm, DERWriter.bits(basePoint)))
    let signature = DERWriter.sequence(DERWriter.integer(1), DERWriter.integer(1))
    return DERWriter.sequence(body, signatureAlgorithm, DERWriter.bits(signature))
  }()
}
