import Platform

/// The space of a file system.
public struct DiskSpace: Hashable, Sendable {
  public var freeBytes: Int64
  public var totalBytes: Int64

  /// The size that is allocated for a new file of the log.
  static let logFileBytes: Int64 = 64 << 20

  public init(freeBytes: Int64, totalBytes: Int64) {
    self.freeBytes = freeBytes
    self.totalBytes = totalBytes
  }

  /// The free share, from 0 to 1.
  public var freeShare: Double { totalBytes > 0 ? Double(freeBytes) / Double(totalBytes) : 0 }

  /// The disk space that a server reports; nil if it does not, as Apache's servers.
  init?(_ metrics: ServerMetrics?) {
    guard let free = metrics?.count("log_dir_free_bytes"), let total = metrics?.count("log_dir_total_bytes") else {
      return nil
    }
    self.init(freeBytes: free, totalBytes: total)
  }

  /// The file system of a local directory; nil if there is no such directory.
  public init?(directory: String) {
    guard let space = FileSystemSpace.of(directory) else { return nil }
    self.init(freeBytes: space.freeBytes, totalBytes: space.totalBytes)
  }
}
