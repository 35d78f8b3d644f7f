import Platform

/// The space of a file system.
public struct DiskSpace: Hashable, Sendable {
  public var freeBytes: Int64
  public var totalBytes: Int64

  /// What a new file of the log takes at once.
  static let logFileBytes: Int64 = 64 << 20

  public init(freeBytes: Int64, totalBytes: Int64) {
    self.freeBytes = freeBytes
    self.totalBytes = totalBytes
  }

  /// The part that is free, from 0 to 1.
  public var freeShare: Double { totalBytes > 0 ? Double(freeBytes) / Double(totalBytes) : 0 }

  /// What a server reports of its disk; nil if it does not. Apache's servers do not.
  init?(_ metrics: ServerMetrics?) {
    guard let free = metrics?.count("log_dir_free_bytes"), let total = metrics?.count("log_dir_total_bytes") else {
      return nil
    }
    self.init(freeBytes: free, totalBytes: total)
  }

  /// The file system of a directory on this machine; nil if there is no such directory here.
  public init?(directory: String) {
    guard let space = FileSystemSpace.of(directory) else { return nil }
    self.init(freeBytes: space.freeBytes, totalBytes: space.totalBytes)
  }
}
