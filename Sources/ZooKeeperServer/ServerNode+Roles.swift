import EnsembleCore
import ServerCore

/// Whom a server serves as its place in the ensemble changes: each time with another core, over the tree as it is then.
extension ServerNode {
  /// The member of an ensemble has found its place: clients may come.
  func startServing() {
    guard let core = ensemble?.member.core, !isStopping else { return }
    isReadOnly = false
    serve(core)
  }

  /// The member of an ensemble has no quorum: clients that asked for no more may read what it has.
  func startReadOnly() {
    guard let member = ensemble?.member, !isServing, !isStopping else { return }
    let state = member.state
    isReadOnly = true
    serve(
      ServerCore(
        settings: configuration.coreSettings, tree: state.tree, sessions: state.sessions, time: time, role: .readOnly))
  }

  private func serve(_ core: ServerCore) {
    let silent = handlers.values.filter { !$0.hasSpoken }.sorted { $0.connection.number < $1.connection.number }
    core.nextConnectionNumber = self.core.nextConnectionNumber
    self.core = core
    isServing = true
    handlers = [:]
    for handler in silent {
      handler.rebind(core.accept(address: handler.connection.address))
      handlers[handler.connection.number] = handler
    }
  }

  /// The member of an ensemble has lost its place: clients are to look for another server.
  func stopServingClients() {
    guard isServing else { return }
    isServing = false
    isReadOnly = false
    // What was answered before is true.
    for connection in core.takeTouched() { handlers[connection.number]?.flush() }
    for handler in handlers.values { handler.close() }
    // Four-letter words and newcomers still get an answer.
    let idle = ServerCore(
      settings: configuration.coreSettings, tree: core.tree, sessions: core.committedSessions, time: time)
    idle.nextConnectionNumber = core.nextConnectionNumber
    core = idle
  }
}
