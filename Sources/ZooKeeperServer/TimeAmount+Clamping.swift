import NIOCore

extension TimeAmount {
  /// Longer than any server runs.
  private static let longestMilliseconds: Int64 = 10 * 365 * 24 * 3_600_000

  /// So many milliseconds, but no more than NIO can add to a point in time: what configurations allow is far beyond
  /// that, and an overflow would end the server.
  static func milliseconds(clamping milliseconds: some BinaryInteger) -> TimeAmount {
    .milliseconds(min(Int64(clamping: milliseconds), longestMilliseconds))
  }
}
