import Foundation
import Synchronization

/// Reserves ports on 127.0.0.1 for servers whose ports must be configured before they start.
public enum LoopbackPorts {
  private static let taken = Mutex<Set<UInt16>>([])

  /// A port that was free a moment ago and that this process has not handed out before.
  ///
  /// Another process may still take it first, so that the caller must try again with another port. Ports are below the
  /// range from which the kernel picks the local port of outgoing connections: a client that keeps reconnecting to a
  /// port of that range while its server is down would sooner or later be connected to itself.
  ///
  /// - Throws: `TestKitError.systemCall` if nothing is free.
  public static func reserve() throws(TestKitError) -> UInt16 {
    for _ in 0..<1000 {
      let wanted = belowOutgoing.isEmpty ? 0 : UInt16.random(in: belowOutgoing)
      // A port that was handed out is not tried: its server could not listen meanwhile.
      guard wanted == 0 || taken.withLock({ $0.insert(wanted).inserted }) else { continue }
      guard let listener = try? LoopbackSocket.listen(on: wanted) else { continue }
      let port = listener.localPort
      if wanted != 0 || taken.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw TestKitError(.systemCall, "no free port on 127.0.0.1")
  }

  /// Listens on a port of `reserve`, and on another one if another process has taken it.
  ///
  /// - Throws: `TestKitError.systemCall`.
  static func listen() throws(TestKitError) -> LoopbackSocket {
    for _ in 0..<20 {
      if let listener = try? LoopbackSocket.listen(on: try reserve()) { return listener }
    }
    return try LoopbackSocket.listen(on: try reserve())
  }

  /// The unprivileged ports below the kernel's range; empty if that has nearly all ports, and any free one is used.
  private static let belowOutgoing: Range<UInt16> = {
    let setting = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
    let first = setting?.split(whereSeparator: \.isWhitespace).first.flatMap { UInt16($0) } ?? 32_768
    let lowest: UInt16 = 10_000
    return first >= lowest + 2_000 ? lowest..<first : lowest..<lowest
  }()
}
