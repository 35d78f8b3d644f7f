import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// setquota, listquota, delquota.
///
/// Quotas are znodes under `/zookeeper/quota` that clients write. The rules about which znodes can have a quota are
/// enforced by clients, too.
///
/// *Source*: `org.apache.zookeeper.cli.SetQuotaCommand`, `DelQuotaCommand`, `ListQuotaCommand`.
extension CommandContext {
  /// Sets limits on a subtree.
  func setQuota(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try quotaPath()
    guard !path.hasPrefix(QuotaPaths.root) else {
      throw ShellError.usage("the znodes under \(QuotaPaths.root) are the servers' own and cannot have a quota")
        .because(.quotaOfServers)
    }
    let change = try quotaChange()
    guard try await client.exists(path) != nil else {
      throw ShellError(.noNode, path: path).because(.quotaOfNothing)
    }
    try await refuseNestedQuota(path, client)
    for ancestor in ancestors(of: QuotaPaths.directory(of: path)) {
      try await createIfMissing(ancestor, data: nil, client)
    }
    var limits = QuotaLimits(countHardLimit: -1, bytesHardLimit: -1)
    let present = try await data(at: QuotaPaths.limits(of: path), client)
    if let present { limits = try parseQuota(present, at: QuotaPaths.limits(of: path)) }
    limits.apply(change)
    if present == nil {
      try await createIfMissing(QuotaPaths.limits(of: path), data: [UInt8](limits.text.utf8), client)
      // The server computes the actual usage when this znode is created.
      try await createIfMissing(
        QuotaPaths.stats(of: path), data: [UInt8](QuotaLimits(count: 0, bytes: 0).text.utf8), client)
    } else {
      try await client.setData(QuotaPaths.limits(of: path), data: [UInt8](limits.text.utf8))
    }
    try await warnIfExceeded(path, limits, client)
    try emit(.changed(path: path, stat: nil))
    return .success
  }

  /// Prints the limits of a subtree and its usage.
  func listQuota(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try quotaPath()
    let limitsPath = QuotaPaths.limits(of: path)
    let statsPath = QuotaPaths.stats(of: path)
    guard let limits = try await data(at: limitsPath, client), let usage = try await data(at: statsPath, client) else {
      throw ShellError.noQuota(path, isForDeletion: false)
    }
    try emit(
      .quota(path: path, limits: try parseQuota(limits, at: limitsPath), usage: try parseQuota(usage, at: statsPath)))
    return .success
  }

  /// Removes the limits of a subtree, or some of them.
  func deleteQuota(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try quotaPath()
    let limitsPath = QuotaPaths.limits(of: path)
    guard let present = try await data(at: limitsPath, client) else {
      throw ShellError.noQuota(path, isForDeletion: true)
    }
    let options: [OptionName] = [.count, .bytes, .countHard, .bytesHard]
    if options.contains(where: invocation.flag) {
      var limits = try parseQuota(present, at: limitsPath)
      if invocation.flag(.count) { limits.count = -1 }
      if invocation.flag(.bytes) { limits.bytes = -1 }
      if invocation.flag(.countHard) { limits.countHardLimit = -1 }
      if invocation.flag(.bytesHard) { limits.bytesHardLimit = -1 }
      try await client.setData(limitsPath, data: [UInt8](limits.text.utf8))
    } else {
      try await client.multi(
        [limitsPath, QuotaPaths.stats(of: path)].map { .delete(PathVersionRequest(path: $0, version: -1)) })
      try await trimQuotaTree(from: QuotaPaths.directory(of: path), client)
    }
    try emit(.changed(path: path, stat: nil))
    return .success
  }

  /// The subtree that the command names.
  ///
  /// Servers look for quotas only under their own root, which a chroot hides. What a client wrote through the chroot
  /// would limit nothing, and what it read would not be a quota; zkCli.sh does both.
  ///
  /// - Throws: a usage error if there is a chroot.
  private func quotaPath() throws(ShellError) -> String {
    let path = try path()
    guard let chroot, dialect.mindsChroot else { return path }
    let list = servers.map(\.description).joined(separator: ",")
    let whole = path == "/" ? chroot : chroot + path
    throw .usage(
      "quotas are kept under the root of the tree, which the chroot \(chroot) of the connect string hides",
      hint: "connect without the chroot: zkcli -s \(list) \(invocation.spec.name) ... \(Tokenizer.quote(whole))")
  }

  /// The limits that the options give.
  private func quotaChange() throws(ShellError) -> QuotaLimits {
    func limit(_ option: OptionName, _ name: String, atLeast least: Int64) throws(ShellError) -> Int64? {
      guard let word = invocation.value(option) else { return nil }
      do throws(ShellError) {
        return try ValueParser.integer(word, of: name, in: least...Int64.max)
      } catch {
        let isNumber = Int64(word.text) != nil
        throw error.because(.badLimit(isNumber ? least == 1 ? .countBelowOne : .bytesBelowZero : .notANumber))
      }
    }
    let change = QuotaLimits(
      count: try limit(.count, "-n", atLeast: 1) ?? -1, bytes: try limit(.bytes, "-b", atLeast: 0) ?? -1,
      countHardLimit: try limit(.countHard, "-N", atLeast: 1),
      bytesHardLimit: try limit(.bytesHard, "-B", atLeast: 0))
    guard change != QuotaLimits() else {
      throw .missing("option", "-n, -b, -N or -B", of: invocation.spec)
    }
    return change
  }

  /// A subtree is charged to one quota only, so quotas cannot be nested.
  private func refuseNestedQuota(_ path: String, _ client: ZooKeeperClient) async throws {
    for ancestor in ancestors(of: path).dropLast() {
      if try await client.exists(QuotaPaths.limits(of: ancestor)) != nil {
        throw ShellError.nestedQuota(path, other: ancestor, isAbove: true)
      }
    }
    let directory = QuotaPaths.directory(of: path)
    do {
      var inner: String?
      var reader = TreeReader(client: client, root: directory)
      while let item = try await reader.next() {
        if case .failed(_, let error) = item { throw error }
        let holder = ZnodePath.parent(of: item.path) ?? "/"
        if ZnodePath.name(of: item.path) == QuotaPaths.limitsName, holder != directory { inner = inner ?? holder }
      }
      if let inner {
        let child = String(inner.dropFirst(QuotaPaths.root.count))
        throw ShellError.nestedQuota(path, other: child, isAbove: false)
      }
    } catch let error as ZooKeeperError where error.code == .server(.noNode) {
      // No znode under it has ever had a quota.
    }
  }

  private func warnIfExceeded(_ path: String, _ limits: QuotaLimits, _ client: ZooKeeperClient) async throws {
    guard let data = try await data(at: QuotaPaths.stats(of: path), client) else { return }
    let usage = try parseQuota(data, at: QuotaPaths.stats(of: path))
    func exceeds(_ limit: Int64?, _ used: Int64) -> Bool { limit.map { $0 > -1 && $0 < used } ?? false }
    if exceeds(limits.count, usage.count) || exceeds(limits.countHardLimit, usage.count) {
      try emit(.quotaExceeded("the count quota you create is less than the existing count:\(usage.count)"))
    }
    if exceeds(limits.bytes, usage.bytes) || exceeds(limits.bytesHardLimit, usage.bytes) {
      try emit(.quotaExceeded("the bytes quota you create is less than the existing bytes:\(usage.bytes)"))
    }
  }

  /// Deletes the remains of a removed quota: every znode above it that has no other children.
  private func trimQuotaTree(from path: String, _ client: ZooKeeperClient) async throws {
    var next: String? = path
    while let current = next, current != QuotaPaths.root {
      do {
        try await client.delete(current)
      } catch {
        guard error.code == .server(.notEmpty) || error.code == .server(.noNode) else { throw error }
        return
      }
      next = ZnodePath.parent(of: current)
    }
  }

  private func createIfMissing(_ path: String, data: [UInt8]?, _ client: ZooKeeperClient) async throws {
    do {
      try await client.create(path, data: data)
    } catch {
      guard error.code == .server(.nodeExists) else { throw error }
      return
    }
  }

  /// The data of a znode, or nil when it does not exist.
  private func data(at path: String, _ client: ZooKeeperClient) async throws -> [UInt8]? {
    do {
      let (data, _) = try await client.getData(path)
      return data ?? []
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return nil
    }
  }

  private func parseQuota(_ data: [UInt8], at path: String) throws(ShellError) -> QuotaLimits {
    let text = String(decoding: data, as: UTF8.self)
    guard let limits = QuotaLimits(parsing: text) else {
      throw ShellError(.ensembleCannot, "BadQuota", path: path, "its data is not a quota: \(text)")
    }
    return limits
  }

  /// The path and its ancestors except the root, from the top.
  private func ancestors(of path: String) -> [String] {
    var ancestors: [String] = []
    var next: String? = path
    while let current = next, current != "/" {
      ancestors.append(current)
      next = ZnodePath.parent(of: current)
    }
    return ancestors.reversed()
  }
}

extension QuotaLimits {
  /// Applies the limits that `change` sets.
  fileprivate mutating func apply(_ change: QuotaLimits) {
    if change.count > -1 { count = change.count }
    if change.bytes > -1 { bytes = change.bytes }
    countHardLimit = change.countHardLimit ?? countHardLimit
    bytesHardLimit = change.bytesHardLimit ?? bytesHardLimit
  }
}
