import Synchronization
import ZooKeeperClient

/// The znodes that the events of a watch have named since the last `take`.
///
/// Only the names of changed znodes are kept, however fast events arrive. *Thread*: any.
final class ChangedPaths: Sendable {
  private struct State {
    var paths: Set<String> = []
    var hasGap = false
  }

  private let state = Mutex(State())

  /// Reads events until the sequence ends. Its end and the loss of a connection are gaps.
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
      // The buffer was full, so events were dropped.
    }
    noteGap()
  }

  /// Takes the changed znodes, and whether some may be missing.
  func take() -> (paths: Set<String>, hasGap: Bool) {
    state.withLock { state in
      defer { state.paths = [] }
      return (state.paths, state.hasGap)
    }
  }

  private func noteGap() { state.withLock { $0.hasGap = true } }
}
