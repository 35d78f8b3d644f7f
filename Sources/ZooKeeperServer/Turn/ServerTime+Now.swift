import NIOCore
import ServerCore

extension ServerTime {
  /// The current time of the two clocks of this machine.
  static var now: ServerTime {
    ServerTime(
      monotonicMicroseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1000),
      wallMilliseconds: Host.wallMilliseconds)
  }
}
