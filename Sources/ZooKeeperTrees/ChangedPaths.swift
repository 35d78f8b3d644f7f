import Synchronization
import ZooKeeperClient

/// The znodes that the events of a watch have named since they were last asked for.
///
/// However fast events come, only the names of changed znodes are kept. *Thread*: any.
final class ChangedPaths: Sendable {
  private struct State {
    var paths: Set<String> = []
    var hasGap = false
  }

  private let state = Mutex(State())

  /// Takes events until the sequence ends. Its end, and a connection that was lost, are gaps.
  func fill(from events: WatchEvents) async {
    do {
      for try await event in events {
        if event.type == .none {
          if event.state == .disconnected { noteGap() }
        } else if let path = event.path {
          state.withLock { _ = $0.paths.insert(path) }
        }
      }
    } catch {
      // More events than can wait: some were dropped.
    }
    noteGap()
  }

  /// The changed znodes, which are then forgotten, and whether some may be missing.
  func take() -> (paths: Set<String>, hasGap: Bool) {
    state.withLock { state in
      defer { state.paths = [] }
      return (state.paths, state.hasGap)
    }
  }

  private func noteGap() { state.withLock { $0.hasGap = true } }
}
