import NIOCore

extension TimeAmount {
  /// Ten years, which is longer than any server runs.
  private static let longestMilliseconds: Int64 = 10 * 365 * 24 * 3_600_000

  /// An amount of milliseconds, limited to what NIO can add to a point in time. Configurations allow far more, and an
  /// overflow would trap.
  static func milliseconds(clamping milliseconds: some BinaryInteger) -> TimeAmount {
    .milliseconds(min(Int64(clamping: milliseconds), longestMilliseconds))
  }
}
