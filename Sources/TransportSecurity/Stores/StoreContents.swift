import NIOSSL

/// A password as Java and PKCS#12 hash it.
enum WidePassword {
  /// The password in UTF-16, the higher byte first.
  static func encode(_ password: [UInt8]) -> [UInt8] {
    String(decoding: password, as: UTF8.self).utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
  }
}

/// The contents of a store: certificates, and private keys with their certificates.
struct StoreContents {
  /// A private key of the store.
  struct Entry {
    let key: NIOSSLPrivateKey
    /// Its certificate and those of its issuers, if the format says which they are; otherwise empty.
    let chain: [NIOSSLCertificate]
  }

  /// Certificates outside of entries.
  var certificates: [NIOSSLCertificate] = []
  var entries: [Entry] = []

  /// Reads a store whatever its format is.
  ///
  /// The format is told by the contents: Java writes PKCS#12 into files that are called `.jks`, and opens both by
  /// either name.
  ///
  /// - Parameter password: UTF-8, in its plain form.
  init(_ bytes: [UInt8], password: [UInt8]) throws(StoreFault) {
    guard !bytes.isEmpty else { throw StoreFault("the file is empty") }
    if bytes.starts(with: [0xfe, 0xed, 0xfe, 0xed]) {
      self = try JavaKeyStore.contents(of: bytes, password: password)
    } else if bytes.starts(with: [0xce, 0xce, 0xce, 0xce]) {
      throw StoreFault(
        "a store of the type JCEKS cannot be read", hint: "convert it: keytool -importkeystore -deststoretype PKCS12")
    } else if bytes[0] == DERValue.Tag.sequence {
      self = try PKCS12Store.contents(of: bytes, password: password)
    } else if PEMText.isPEM(bytes) {
      self = try PEMText.contents(of: bytes, password: password)
    } else {
      throw StoreFault("the file is neither PEM, nor PKCS#12, nor a Java key store")
    }
  }

  /// Creates contents from parts.
  init(certificates: [NIOSSLCertificate] = [], entries: [Entry] = []) {
    self.certificates = certificates
    self.entries = entries
  }
}
