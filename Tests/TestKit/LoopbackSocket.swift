import Foundation

/// A blocking TCP socket on 127.0.0.1.
///
/// `shutdown` may be called from any thread and wakes the ones that are blocked in it; the descriptor itself closes
/// with the last reference.
public final class LoopbackSocket: Sendable {
  private let descriptor: Descriptor
  /// The port it is bound to.
  public let localPort: UInt16

  private init(_ descriptor: Descriptor) throws(TestKitError) {
    self.descriptor = descriptor
    var address = sockaddr_in()
    let failure = withSocketAddress(&address) { getsockname(descriptor.raw, $0, &$1) }
    guard failure == 0 else { throw .systemCall("getsockname") }
    localPort = UInt16(bigEndian: address.sin_port)
  }

  /// Connects to `port`; with a `timeout`, each later read or write that takes longer fails.
  ///
  /// - Throws: `TestKitError.systemCall`, also if nothing listens there.
  public static func connect(to port: UInt16, timeout: Duration? = nil) throws(TestKitError) -> LoopbackSocket {
    let descriptor = try makeDescriptor()
    if let timeout {
      let (seconds, attoseconds) = timeout.components
      var value = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
      let size = socklen_t(MemoryLayout<timeval>.size)
      setsockopt(descriptor.raw, SOL_SOCKET, SO_RCVTIMEO, &value, size)
      setsockopt(descriptor.raw, SOL_SOCKET, SO_SNDTIMEO, &value, size)
    }
    var address = loopbackAddress(port)
    let failure = withSocketAddress(&address) { Foundation.connect(descriptor.raw, $0, $1) }
    guard failure == 0 else { throw .systemCall("connect to port \(port)") }
    return try LoopbackSocket(descriptor)
  }

  /// Listens on `port`, or on a free one if it is 0.
  ///
  /// - Throws: `TestKitError.systemCall`, also when the port is taken.
  public static func listen(on port: UInt16 = 0) throws(TestKitError) -> LoopbackSocket {
    let descriptor = try makeDescriptor()
    var yes: Int32 = 1
    setsockopt(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = loopbackAddress(port)
    let failure = withSocketAddress(&address) { bind(descriptor.raw, $0, $1) }
    guard failure == 0, Foundation.listen(descriptor.raw, 64) == 0 else { throw .systemCall("listen on port \(port)") }
    return try LoopbackSocket(descriptor)
  }

  /// Waits for the next connection.
  ///
  /// - Throws: `TestKitError.systemCall`, also after `shutdown`.
  public func accept() throws(TestKitError) -> LoopbackSocket {
    while true {
      let raw = Foundation.accept(descriptor.raw, nil, nil)
      if raw >= 0 { return try LoopbackSocket(Self.withoutDelay(Descriptor(owning: raw))) }
      if errno != EINTR && errno != ECONNABORTED { throw .systemCall("accept") }
    }
  }

  /// Reads what there is, waiting for the first byte; empty when the peer is done.
  public func read(atMost limitBytes: Int = 65_536) throws(TestKitError) -> [UInt8] {
    try descriptor.read(atMost: limitBytes)
  }

  /// Reads exactly `lengthBytes`.
  ///
  /// - Throws: `TestKitError.ended` if the peer is done before.
  public func readExactly(_ lengthBytes: Int) throws(TestKitError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < lengthBytes {
      let more = try descriptor.read(atMost: lengthBytes - bytes.count)
      guard !more.isEmpty else { throw TestKitError(.ended, "peer closed after \(bytes.count) of \(lengthBytes)") }
      bytes += more
    }
    return bytes
  }

  /// Reads until the peer is done.
  public func readToEnd() throws(TestKitError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let more = try descriptor.read()
      if more.isEmpty { return bytes }
      bytes += more
    }
  }

  /// Reads one frame, a four-byte big-endian length and so many bytes, and returns it without the length.
  public func readFrame() throws(TestKitError) -> [UInt8] {
    let length = try readExactly(4).reduce(0) { $0 << 8 | Int($1) }
    return try readExactly(length)
  }

  /// Writes all of `bytes`.
  public func write(_ bytes: [UInt8]) throws(TestKitError) { try descriptor.write(bytes) }

  /// Writes `payload` as one frame.
  public func writeFrame(_ payload: [UInt8]) throws(TestKitError) {
    let length = UInt32(payload.count)
    try write([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + payload)
  }

  /// Ends both directions, or stops listening; threads blocked here wake up.
  public func shutdown() { _ = Foundation.shutdown(descriptor.raw, Int32(SHUT_RDWR)) }

  /// Ends the output: the peer reads the end of the stream.
  public func shutdownOutput() { _ = Foundation.shutdown(descriptor.raw, Int32(SHUT_WR)) }

  private static func makeDescriptor() throws(TestKitError) -> Descriptor {
    _ = ignoreBrokenPipes
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard raw >= 0 else { throw .systemCall("socket") }
    return withoutDelay(Descriptor(owning: raw))
  }

  /// Disables Nagle's algorithm, whose delay of forty milliseconds would be most of a test's time.
  private static func withoutDelay(_ descriptor: Descriptor) -> Descriptor {
    var yes: Int32 = 1
    setsockopt(descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }
}

/// The address of `port` on this machine alone.
private func loopbackAddress(_ port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}

/// Calls `body` with `address` as the C functions want it.
private func withSocketAddress(
  _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32
) -> Int32 {
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  return withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
  }
}
