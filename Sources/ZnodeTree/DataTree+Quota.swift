package import ZooKeeperProtocol

/// Quotas: the use of a subtree is kept up to date in its `zookeeper_stats`.
///
/// The data of `zookeeper_stats` changes in place, without effect on versions, zxids, watches and digest. Only the
/// nearest quota at or above a znode is charged.
///
/// *Source*: `org.apache.zookeeper.server.DataTree#updateQuotaStat`, `PathTrie`; `ClientProtocol` 4.13.
extension DataTree {
  /// The nearest path at or above `path` that has a quota; nil if there is none.
  package func quotaPath(covering path: String) -> String? {
    guard !quotaPaths.isEmpty else { return nil }
    return withBytes(path) { quotaPath(covering: $0) }
  }

  /// The limits and the use of a quota; nil if either is missing or cannot be read.
  package func quota(of path: String) -> (limits: QuotaLimits, use: QuotaLimits)? {
    guard let limits = readQuota(QuotaPaths.limits(of: path)), let use = readQuota(QuotaPaths.stats(of: path)) else {
      return nil
    }
    return (limits, use)
  }

  /// The paths that have a quota, in order; at most `limit`.
  package func quotaPaths(limit: Int) -> [String] { quotaPaths.prefix(limit).map(\.path).sorted() }

  /// Updates the quotas after a create. A new `zookeeper_limits` enables a quota, and a new `zookeeper_stats` gets the
  /// use of its subtree; any znode is charged to the nearest quota.
  func didCreate(_ path: UnsafeRawBufferPointer, parentPath: UnsafeRawBufferPointer, dataLength: Int) {
    if let quotaPath = Self.quotaPath(ofDirectory: parentPath) {
      let name = PathBytes.suffix(path, from: parentPath.count + 1)
      if PathBytes.hasPrefix(name, "zookeeper_limits"), name.count == 16, !quotaPath.isEmpty {
        quotaPaths.insert(PathKey(quotaPath))
        longestQuotaPathBytes = max(longestQuotaPathBytes, quotaPath.utf8.count)
      } else if PathBytes.hasPrefix(name, "zookeeper_stats"), name.count == 15 {
        countUse(of: quotaPath)
      }
    }
    charge(path, bytes: dataLength, znodes: 1)
  }

  /// Updates the quotas after a delete. Without its `zookeeper_limits` a quota is disabled; any znode is credited to
  /// the nearest quota.
  func didDelete(_ path: UnsafeRawBufferPointer, parentPath: UnsafeRawBufferPointer, dataLength: Int) {
    if let quotaPath = Self.quotaPath(ofDirectory: parentPath) {
      let name = PathBytes.suffix(path, from: parentPath.count + 1)
      if PathBytes.hasPrefix(name, "zookeeper_limits"), name.count == 16 { quotaPaths.remove(PathKey(quotaPath)) }
    }
    charge(path, bytes: -dataLength, znodes: -1)
  }

  /// Charges the nearest quota after a change of data.
  func didSetData(_ path: UnsafeRawBufferPointer, difference: Int) { charge(path, bytes: difference, znodes: 0) }

  /// Finds all quotas of a tree that was loaded, and recomputes their use.
  func restoreQuotas() {
    quotaPaths = []
    guard let top = find(QuotaPaths.root) else { return }
    var directories: [String] = []
    walk(top) { id in
      let record = slab.record(id).pointee
      guard record.childCount == 0, PathBytes.hasPrefix(record.name, "zookeeper_limits"), record.nameLength == 16 else {
        return
      }
      directories.append(path(of: record.parent))
    }
    for directory in directories {
      let quotaPath = String(decoding: directory.utf8.dropFirst(QuotaPaths.root.utf8.count), as: UTF8.self)
      guard !quotaPath.isEmpty else { continue }
      quotaPaths.insert(PathKey(quotaPath))
      longestQuotaPathBytes = max(longestQuotaPathBytes, quotaPath.utf8.count)
      countUse(of: quotaPath)
    }
  }

  private func quotaPath(covering path: UnsafeRawBufferPointer) -> String? {
    guard !quotaPaths.isEmpty else { return nil }
    var length = path.count
    // No path deeper than the deepest quota can have one: such levels are skipped without a look-up.
    while length > longestQuotaPathBytes, let slash = PathBytes.lastSlash(PathBytes.prefix(path, length)) {
      length = slash
    }
    while length > 1 {
      let candidate = String(decoding: PathBytes.prefix(path, length), as: UTF8.self)
      if quotaPaths.contains(PathKey(candidate)) { return candidate }
      guard let slash = PathBytes.lastSlash(PathBytes.prefix(path, length)) else { return nil }
      length = slash
    }
    return nil
  }

  private func charge(_ path: UnsafeRawBufferPointer, bytes: Int, znodes: Int) {
    guard !quotaPaths.isEmpty, let quotaPath = quotaPath(covering: path) else { return }
    let statsPath = QuotaPaths.stats(of: quotaPath)
    guard let id = find(statsPath), var use = readQuota(statsPath) else { return }
    use.count &+= Int64(znodes)
    use.bytes &+= Int64(bytes)
    write(use, to: id)
  }

  private func countUse(of quotaPath: String) {
    guard let stats = find(QuotaPaths.stats(of: quotaPath)) else { return }
    var use = QuotaLimits(count: 0, bytes: 0)
    if let top = find(quotaPath) {
      walk(top) { id in
        use.count += 1
        use.bytes += Int64(dataLength(of: id))
      }
    }
    write(use, to: stats)
  }

  private func write(_ use: QuotaLimits, to id: ZnodeID) {
    let text = Array(use.text.utf8)
    text.withUnsafeBytes { replaceData(id, with: $0) }
  }

  private func readQuota(_ path: String) -> QuotaLimits? {
    guard let id = find(path) else { return nil }
    return withData(of: id) { data in
      QuotaLimits(parsing: String(decoding: data ?? .init(start: nil, count: 0), as: UTF8.self))
    }
  }

  /// The path whose quota is in `directory`; nil if that is not a quota's directory.
  private static func quotaPath(ofDirectory directory: UnsafeRawBufferPointer) -> String? {
    guard PathBytes.hasPrefix(directory, "/zookeeper/quota") else { return nil }
    return String(decoding: directory[QuotaPaths.root.utf8.count...], as: UTF8.self)
  }
}
