import EnsembleCore
import ServerCore

/// The core that clients talk to: each time another one, over the tree as it is then, as a server's role in its
/// ensemble changes.
///
/// A server without a role keeps a core too, over the last tree that was served: four-letter words, and clients that
/// must look for another server, get an answer from it.
///
/// *Thread*: the event loop.
final class ServedCore: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// Whom the core serves.
  enum Audience {
    /// Nobody: the member has no leader.
    case nobody
    /// Clients that asked for no more than to read, without a quorum.
    case readers
    case everybody
  }

  private(set) var core: ServerCore
  private(set) var audience: Audience
  private let settings: ServerSettings

  /// A core over what was recovered.
  init(_ settings: ServerSettings, _ state: RecoveredState, servesEverybody: Bool) {
    self.settings = settings
    audience = servesEverybody ? .everybody : .nobody
    core = ServerCore(settings: settings, tree: state.tree, sessions: state.sessions, time: .now)
  }

  /// Whether clients are served, if only readers.
  var isServing: Bool { audience != .nobody }

  /// Whether sessions are created, expired and counted here, and not by a leader.
  var ownsSessions: Bool { audience == .everybody && core.role != .learner }

  /// Serves a leader's or learner's core.
  func serve(_ core: ServerCore) { replace(with: core, for: .everybody) }

  /// Serves readers alone.
  func serveReaders(_ state: RecoveredState) {
    let core = ServerCore(
      settings: settings, tree: state.tree, sessions: state.sessions, time: .now, role: .readOnly)
    replace(with: core, for: .readers)
  }

  /// Serves nobody, and keeps the tree.
  func serveNobody() {
    let idle = ServerCore(settings: settings, tree: core.tree, sessions: core.committedSessions, time: .now)
    replace(with: idle, for: .nobody)
  }

  private func replace(with next: ServerCore, for audience: Audience) {
    // Connections keep their numbers when the core changes, so none is given twice.
    next.nextConnectionNumber = core.nextConnectionNumber
    core = next
    self.audience = audience
  }
}
