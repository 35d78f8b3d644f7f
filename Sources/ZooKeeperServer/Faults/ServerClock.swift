import NIOCore
import ServerCore

/// The clocks of a server: that of the machine for time spans, and a wall clock that may be wrong.
///
/// *Thread*: the server's event loop.
final class ServerClock {
  /// What the wall clock is ahead of the machine's.
  var offsetMilliseconds: Int64 = 0

  /// The current time of both.
  var now: ServerTime {
    ServerTime(
      monotonicMicroseconds: Self.monotonicMicroseconds, wallMilliseconds: wallMilliseconds)
  }

  /// The machine's clock for time spans.
  static var monotonicMicroseconds: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1000) }

  /// The wall clock, in milliseconds since 1970.
  var wallMilliseconds: Int64 { Host.wallMilliseconds + offsetMilliseconds }
}
