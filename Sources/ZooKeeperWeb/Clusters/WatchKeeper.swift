import ZooKeeperClient
import ZooKeeperProtocol

/// Which znodes have a watch in the present session.
struct WatchKeeper {
  /// What is to be done.
  struct Work {
    var added: [String] = []
    var removed: [String] = []
  }

  /// What has come of it.
  struct Outcome {
    /// Znodes whose watch could not be set.
    var failed = Work()
    /// Whether the servers do not know watches that stay.
    var areUnknown = false
  }

  private var set: Set<String> = []

  /// So many requests wait for their answers.
  private static let inFlight = 64

  /// What must be done so that exactly the wanted ones have a watch. It counts as done from now on.
  mutating func work(for wanted: Set<String>) -> Work {
    guard wanted != set else { return Work() }
    defer { set = wanted }
    return Work(added: [String](wanted.subtracting(set)), removed: [String](set.subtracting(wanted)))
  }

  /// Takes note that watches are gone after their events.
  mutating func forget(_ events: [WatchEvent]) { for event in events { if let path = event.path { set.remove(path) } } }

  /// Takes note that work was not done.
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
      // A watch that is not removed costs an event that nobody is sent.
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
      // One that cannot be listed has the watch of its data.
      return isOneShot && [.server(.noAuth), .server(.noNode)].contains(error.code) ? nil : error
    }
  }
}
