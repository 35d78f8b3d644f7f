import EnsembleCore
import ServerCore

/// The core that clients talk to. It is replaced, by one over the current tree, when the role of the server changes.
///
/// A server without a role has a core too, over the last tree that was served, to answer four-letter words and clients
/// that must try another server.
///
/// *Thread*: the event loop.
final class ServedCore: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// The clients that the core serves.
  enum Audience {
    /// No clients: the member has no leader.
    case nobody
    /// Read-only clients: the member has no quorum.
    case readers
    case everybody
  }

  private(set) var core: ServerCore
  private(set) var audience: Audience
  /// The clocks of the server.
  let clock: ServerClock
  /// Whether a leader serves clients too, rather than other servers only.
  private let leaderServesClients: Bool
  private let settings: ServerSettings
  private let audit: AuditLog?
  private let metrics: CoreMetrics
  /// Called when a client has failed to prove an identity of a scheme.
  var onAuthFailure: ((_ connection: ClientConnection, _ scheme: String) -> Void)? {
    didSet { core.onAuthFailure = onAuthFailure }
  }

  /// Creates a core over what was recovered.
  init(
    _ settings: ServerSettings, _ state: RecoveredState, _ clock: ServerClock, servesEverybody: Bool,
    leaderServesClients: Bool = true, audit: AuditLog?, metrics: CoreMetrics
  ) {
    self.clock = clock
    self.leaderServesClients = leaderServesClients
    self.metrics = metrics
    self.settings = settings
    self.audit = audit
    audience = servesEverybody ? .everybody : .nobody
    core = ServerCore(
      settings: settings, tree: state.tree, sessions: state.sessions, time: clock.now, metrics: metrics)
    reportToAudit()
  }

  /// Whether clients are served, all of them or read-only ones.
  var isServing: Bool { audience != .nobody }

  /// Whether clients get sessions on this server.
  var admitsClients: Bool { isServing && (leaderServesClients || !core.role.isLeader) }

  /// Whether the sessions of the whole ensemble are created and expired by this server, and not by a leader.
  var ownsSessions: Bool { audience == .everybody && core.role != .learner }

  /// Serves all clients with the core of a leader or learner.
  func serve(_ core: ServerCore) { replace(with: core, for: .everybody) }

  /// Serves all clients of a standalone server from another state.
  func serve(_ state: RecoveredState) {
    let core = ServerCore(
      settings: settings, tree: state.tree, sessions: state.sessions, time: clock.now, metrics: metrics)
    replace(with: core, for: .everybody)
  }

  /// Serves read-only clients.
  func serveReaders(_ state: RecoveredState) {
    let core = ServerCore(
      settings: settings, tree: state.tree, sessions: state.sessions, time: clock.now, role: .readOnly,
      metrics: metrics)
    replace(with: core, for: .readers)
  }

  /// Serves no clients, and keeps the tree.
  func serveNobody() {
    let idle = ServerCore(
      settings: settings, tree: core.tree, sessions: core.committedSessions, time: clock.now, metrics: metrics)
    replace(with: idle, for: .nobody)
  }

  private func replace(with next: ServerCore, for audience: Audience) {
    // Connections keep their numbers when the core changes, so the new core must not use them again.
    next.nextConnectionNumber = core.nextConnectionNumber
    core = next
    self.audience = audience
    core.onAuthFailure = onAuthFailure
    reportToAudit()
  }

  private func reportToAudit() {
    guard let audit else { return }
    core.onAudit = { audit.add($0) }
  }
}
