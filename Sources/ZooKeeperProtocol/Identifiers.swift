/// A transaction id: the position of a change in the total order that the ensemble agrees on.
///
/// *Shape*: the leader's epoch in the upper 32 bits, a counter within it in the lower. A standalone
/// server counts from 1 in epoch 0.
///
/// *Source*: Junqueira, Reed, Serafini, "Zab" (DSN 2011), section II.
public struct Zxid: RawRepresentable, Hashable, Comparable, Sendable {
  public var rawValue: Int64

  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// The state of an empty tree, before the first transaction.
  public static let zero = Zxid(rawValue: 0)

  /// The leader period in which the transaction was proposed.
  public var epoch: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

  /// The transaction's position in its epoch, counted from 1.
  public var counter: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

  /// The zxid after this one. It is in the same epoch unless the counter is at its end; the largest zxid is its own
  /// successor.
  public var next: Zxid { rawValue == .max ? self : Zxid(rawValue: rawValue + 1) }

  public static func < (left: Zxid, right: Zxid) -> Bool { left.rawValue < right.rawValue }
}

/// Identifies a server of an ensemble: the N of `server.N`, and what `myid` says.
public struct ServerID: RawRepresentable, Hashable, Comparable, Sendable {
  public var rawValue: Int64

  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// What a server that may not lead proposes as its leader.
  ///
  /// *Source*: `QuorumProtocol` A.4.
  public static let none = ServerID(rawValue: .min)

  /// Whether a server may have the number: 0 or more, and not the largest, which stands for observers without an id.
  ///
  /// *Source*: `QuorumCnxManager`, which takes negative numbers for versions of its protocol, and its `OBSERVER_ID`.
  public var isAssignable: Bool { rawValue >= 0 && rawValue < .max }

  public static func < (left: ServerID, right: ServerID) -> Bool { left.rawValue < right.rawValue }
}

/// The period of one leader: the upper half of its zxids.
///
/// *Source*: Junqueira, Reed, Serafini, "Zab" (DSN 2011), section II.
public struct Epoch: RawRepresentable, Hashable, Comparable, Sendable {
  public var rawValue: Int64

  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// The epoch before the first leader. A standalone server stays in it.
  public static let zero = Epoch(rawValue: 0)

  /// The last possible epoch. Larger numbers would make the zxids negative, and so order them before all others.
  public static let last = Epoch(rawValue: Int64(Int32.max))

  /// The epoch after this one; the last epoch is its own successor.
  public var next: Epoch { Epoch(rawValue: min(rawValue, Self.last.rawValue - 1) + 1) }

  /// The zxid that stands for the epoch itself: that of its NEWLEADER, before its first transaction.
  ///
  /// A raw value outside the possible epochs is clamped to the nearest one.
  public var newLeaderZxid: Zxid { Zxid(rawValue: min(max(rawValue, 0), Self.last.rawValue) << 32) }

  public static func < (left: Epoch, right: Epoch) -> Bool { left.rawValue < right.rawValue }
}

/// Identifies a client's session across connections and servers.
///
/// *Shape*: the id of the server that made it in the top byte, then a clock, then a count
/// (`ClientProtocol` 2.4). It is shown in hexadecimal, as Apache's tools show it.
public struct SessionID: RawRepresentable, Hashable, Sendable {
  public var rawValue: Int64

  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// What a client sends that asks for a new session.
  public static let none = SessionID(rawValue: 0)
}

/// Identifies a request within one connection; replies carry it back.
///
/// *Source*: `ClientProtocol` 1.4.
public struct Xid: RawRepresentable, Hashable, Sendable {
  public var rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// A watch event; only servers send it.
  public static let notification = Xid(rawValue: -1)
  /// A ping and its reply.
  public static let ping = Xid(rawValue: -2)
  /// An authentication packet and its reply.
  public static let auth = Xid(rawValue: -4)
  /// Watches registered again after a reconnect.
  public static let setWatches = Xid(rawValue: -8)

  /// The first xid of an ordinary request.
  public static let first = Xid(rawValue: 1)

  /// The xid after this one; the count wraps from 2³¹-1 to 1, as the official clients' does.
  public var next: Xid { rawValue == .max ? .first : Xid(rawValue: rawValue + 1) }
}

extension Zxid: CustomStringConvertible {
  /// Hexadecimal with `0x`, as Apache's stat output prints it.
  public var description: String { hexadecimal(rawValue) }
}

extension ServerID: CustomStringConvertible {
  public var description: String { "\(rawValue)" }
}

extension Epoch: CustomStringConvertible {
  public var description: String { "\(rawValue)" }
}

extension SessionID: CustomStringConvertible {
  public var description: String { hexadecimal(rawValue) }
}

/// `0x` and the unsigned hexadecimal digits of a 64-bit value.
public func hexadecimal(_ value: Int64) -> String {
  "0x" + String(UInt64(bitPattern: value), radix: 16)
}
