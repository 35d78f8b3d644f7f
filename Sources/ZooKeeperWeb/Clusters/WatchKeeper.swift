import ZooKeeperClient
import ZooKeeperProtocol

/// The znodes that have a watch in the present session.
struct WatchKeeper {
  /// Watches to set and to remove.
  struct Work {
    var added: [String] = []
    var removed: [String] = []
  }

  /// The outcome.
  struct Outcome {
    /// Znodes whose watch could not be set.
    var failed = Work()
    /// Whether the servers do not support persistent watches.
    var areUnknown = false
  }

  private var set: Set<String> = []

  /// The number of requests in flight.
  private static let inFlight = 64

  /// The work after which exactly the wanted znodes have a watch. It is considered done from now on.
  mutating func work(for wanted: Set<String>) -> Work {
    guard wanted != set else { return Work() }
    defer { set = wanted }
    return Work(added: [String](wanted.subtracting(set)), removed: [String](set.subtracting(wanted)))
  }

  /// Removes watches that have ended with their events.
  mutating func forget(_ events: [WatchEvent]) { for event in events { if let path = event.path { set.remove(path) } } }

  /// Reverts work that was not done.
  mutating func give(back work: Work) { set.subtract(work.added) }

  /// Sets and removes watches.
  ///
  /// - Parameter isOneShot: whether the watches end with their first event.
  static func carryOut(_ work: Work, on client: ZooKeeperClient, isOneShot: Bool) async -> Outcome {
    var outcome = Outcome()
    await withTaskGroup(of: (String, ZooKeeperError?).self) { group in
      var rest = work.added[...]
      func addNext(_ group: inout TaskGroup<(String, ZooKeeperError?)>) {
        guard let path = rest.popFirst() else { return }
        group.addTask { (path, await add(path, on: client, isOneShot: isOneShot)) }
      }
      for _ in 0..<inFlight { addNext(&group) }
      while let (path, error) = await group.next() {
        if let error {
          outcome.failed.added.append(path)
          if error.code == .server(.unimplemented), !isOneShot { outcome.areUnknown = true }
        }
        if !outcome.areUnknown { addNext(&group) }
      }
      // A failure to remove a watch only causes an event that no stream gets.
      for path in isOneShot ? [] : work.removed {
        try? await client.removeWatches(path, type: .any, local: true)
      }
    }
    return outcome
  }

  private static func add(_ path: String, on client: ZooKeeperClient, isOneShot: Bool) async -> ZooKeeperError? {
    do throws(ZooKeeperError) {
      guard isOneShot else {
        try await client.addDefaultWatch(path, mode: .persistent)
        return nil
      }
      if try await client.exists(path, watch: true) != nil { _ = try await client.getChildren(path, watch: true) }
      return nil
    } catch {
      // A znode whose children cannot be listed still has the watch on its data.
      return isOneShot && [.server(.noAuth), .server(.noNode)].contains(error.code) ? nil : error
    }
  }
}
