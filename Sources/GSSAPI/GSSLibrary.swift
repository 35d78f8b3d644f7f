internal import CGSSAPI
internal import SASL

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#elseif canImport(Musl)
  internal import Musl
#endif

/// MIT's library of Kerberos, loaded when it is first needed.
///
/// *Thread*: any. The functions may do I/O.
struct GSSLibrary: Sendable {
  let importName: zk_gss_import_name
  let displayName: zk_gss_display_name
  let releaseName: zk_gss_release_handle
  let releaseCredential: zk_gss_release_handle
  let releaseBuffer: zk_gss_release_buffer
  let deleteContext: zk_gss_delete_context
  let acquireCredential: zk_gss_acquire_cred_from
  let initContext: zk_gss_init_sec_context
  let acceptContext: zk_gss_accept_sec_context
  let inquireContext: zk_gss_inquire_context
  let wrap: zk_gss_wrap
  let unwrap: zk_gss_unwrap
  let displayStatus: zk_gss_display_status
  let initKerberos: zk_krb5_init_context
  let freeKerberos: zk_krb5_free_context
  let getDefaultRealm: zk_krb5_get_default_realm
  let freeDefaultRealm: zk_krb5_free_default_realm

  #if canImport(Darwin)
    private static let fileName = "libgssapi_krb5.dylib"
  #else
    private static let fileName = "libgssapi_krb5.so.2"
  #endif

  private static let loaded: Result<GSSLibrary, SASLError> = Result { () throws(SASLError) in try GSSLibrary() }

  /// The library.
  ///
  /// - Throws: `unavailable` if it is not installed.
  static func shared() throws(SASLError) -> GSSLibrary { try loaded.get() }

  private init() throws(SASLError) {
    guard let handle = dlopen(Self.fileName, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw SASLError(
        .unavailable,
        "Kerberos needs the library \(Self.fileName), which cannot be loaded (\(reason)); on Debian and Ubuntu, "
          + "install the package libgssapi-krb5-2")
    }
    func find<Function>(_ name: String, _: Function.Type = Function.self) throws(SASLError) -> Function {
      guard let address = dlsym(handle, name) else {
        throw SASLError(.unavailable, "the library \(Self.fileName) is not MIT's, or too old: it lacks \(name)")
      }
      return unsafeBitCast(address, to: Function.self)
    }
    importName = try find("gss_import_name")
    displayName = try find("gss_display_name")
    releaseName = try find("gss_release_name")
    releaseCredential = try find("gss_release_cred")
    releaseBuffer = try find("gss_release_buffer")
    deleteContext = try find("gss_delete_sec_context")
    acquireCredential = try find("gss_acquire_cred_from")
    initContext = try find("gss_init_sec_context")
    acceptContext = try find("gss_accept_sec_context")
    inquireContext = try find("gss_inquire_context")
    wrap = try find("gss_wrap")
    unwrap = try find("gss_unwrap")
    displayStatus = try find("gss_display_status")
    initKerberos = try find("krb5_init_context")
    freeKerberos = try find("krb5_free_context")
    getDefaultRealm = try find("krb5_get_default_realm")
    freeDefaultRealm = try find("krb5_free_default_realm")
  }

  // MARK: Bytes

  /// Calls `body` with a buffer of the library's kind, which is valid during the call.
  static func withBuffer<Value>(_ bytes: [UInt8], _ body: (UnsafeMutablePointer<zk_gss_buffer>) -> Value) -> Value {
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { raw in
      var buffer = zk_gss_buffer(length: raw.count, value: raw.baseAddress)
      return withUnsafeMutablePointer(to: &buffer, body)
    }
  }

  /// The bytes of a buffer that the library has allocated, which is released.
  func take(_ buffer: inout zk_gss_buffer) -> [UInt8] {
    let bytes = buffer.value.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: buffer.length)) } ?? []
    var minor: UInt32 = 0
    _ = releaseBuffer(&minor, &buffer)
    return bytes
  }

  // MARK: Names

  /// How the text of a name is meant.
  enum NameKind {
    /// `service/host@REALM`.
    case principal
    /// `service@host`, for which the library finds the realm.
    case hostBasedService

    fileprivate var oid: [UInt8] {
      switch self {
      case .principal: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01]
      case .hostBasedService: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04]
      }
    }
  }

  /// The object identifier of Kerberos 5.
  private static let kerberos: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]

  /// Calls `body` with an object identifier, which is valid during the call.
  private static func withOID<Value>(_ oid: [UInt8], _ body: (UnsafeMutablePointer<zk_gss_oid>) -> Value) -> Value {
    var oid = oid
    return oid.withUnsafeMutableBytes { raw in
      var value = zk_gss_oid(length: UInt32(raw.count), elements: raw.baseAddress)
      return withUnsafeMutablePointer(to: &value, body)
    }
  }

  /// Calls `body` with the object identifier of Kerberos 5.
  static func withKerberos<Value>(_ body: (UnsafeMutablePointer<zk_gss_oid>) -> Value) -> Value {
    withOID(kerberos, body)
  }

  /// A name as the library knows it. The caller releases it.
  ///
  /// - Throws: `unavailable` if it is not one.
  func name(_ text: String, _ kind: NameKind) throws(SASLError) -> zk_gss_handle? {
    var minor: UInt32 = 0
    var name: zk_gss_handle?
    let major = Self.withBuffer(Array(text.utf8)) { buffer in
      Self.withOID(kind.oid) { importName(&minor, buffer, $0, &name) }
    }
    guard !Self.isError(major) else { throw failure(major, minor, doing: "the name \(text) cannot be used") }
    return name
  }

  /// Releases a name.
  func release(name: inout zk_gss_handle?) {
    var minor: UInt32 = 0
    if name != nil { _ = releaseName(&minor, &name) }
  }

  /// The text of a name.
  ///
  /// - Throws: `notAuthentic` if it is not text.
  func text(of name: zk_gss_handle?) throws(SASLError) -> String {
    var minor: UInt32 = 0
    var buffer = zk_gss_buffer()
    let major = displayName(&minor, name, &buffer, nil)
    guard !Self.isError(major) else { throw failure(major, minor, doing: "the peer's name cannot be shown") }
    let bytes = take(&buffer)
    guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw SASLError(.notAuthentic, "the peer's name is not a text")
    }
    return text
  }

  // MARK: Status

  /// Whether a major status says that a call has failed: the upper 16 bits.
  static func isError(_ major: UInt32) -> Bool { major & 0xffff_0000 != 0 }

  /// Whether a major status says that a context's ticket has expired.
  static func isExpired(_ major: UInt32) -> Bool { major >> 16 & 0xff == 12 }

  /// Whether a major status says that another message of the peer is needed.
  static func needsMore(_ major: UInt32) -> Bool { major & 1 != 0 }

  /// The error for a status.
  func failure(_ major: UInt32, _ minor: UInt32, doing what: String) -> SASLError {
    let cause = minor == 0 ? text(of: major, kind: 1) : text(of: minor, kind: 2)
    let advice = KerberosFailure.advice(minor: Int32(bitPattern: minor), major: major).map { "; \($0)" } ?? ""
    let isLocal = KerberosFailure.isOfThePeer(major) ? SASLError.Code.notAuthentic : .unavailable
    return SASLError(isLocal, "\(what): \(cause)\(advice)")
  }

  private func text(of status: UInt32, kind: Int32) -> String {
    var texts: [String] = []
    var more: UInt32 = 0
    repeat {
      var minor: UInt32 = 0
      var buffer = zk_gss_buffer()
      let major = Self.withKerberos { displayStatus(&minor, status, kind, $0, &more, &buffer) }
      guard !Self.isError(major) else { break }
      texts.append(String(decoding: take(&buffer), as: UTF8.self))
    } while more != 0 && texts.count < 4
    return texts.isEmpty ? "status \(status)" : texts.joined(separator: ": ")
  }
}
