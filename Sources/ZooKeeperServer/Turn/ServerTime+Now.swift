import NIOCore
import ServerCore

extension ServerTime {
  /// The current time of the two clocks of this machine.
  static var now: ServerTime {
    ServerTime(
      monotonicMilliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000),
      wallMilliseconds: Host.wallMilliseconds)
  }
}
