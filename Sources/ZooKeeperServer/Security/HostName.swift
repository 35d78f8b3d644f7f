import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The names of addresses, as the system's resolver has them.
enum HostName {
  /// The name of an address; nil if it has none.
  ///
  /// *Thread*: any that may block.
  static func of(_ address: SocketAddress) -> String? {
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = address.withSockAddr { pointer, length in
      getnameinfo(pointer, socklen_t(length), &name, socklen_t(name.count), nil, 0, NI_NAMEREQD)
    }
    guard status == 0 else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
