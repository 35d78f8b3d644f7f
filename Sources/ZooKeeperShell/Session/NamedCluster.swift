import LineEditor

/// The restrictions that a cluster of the configuration file puts on commands.
struct NamedCluster: Hashable, Sendable {
  var name: String
  /// Whether commands that delete or overwrite many znodes need the cluster's name as a confirmation.
  var isProtected = false
  /// Whether the shell refuses commands that write.
  var isReadOnly = false
  /// The colour of its name in the prompt; nil for the default.
  var color: Prompt.Style?

  /// Refuses a command that writes, if the cluster is read-only.
  ///
  /// - Parameter writes: whether the command writes to this cluster; by default, whether it writes to that of the
  ///   session.
  /// - Throws: exit code 5.
  func requireReading(by invocation: Invocation, writes: Bool? = nil) throws(ShellError) {
    guard isReadOnly, writes ?? invocation.writes, !invocation.flag(.dryRun) else { return }
    throw ShellError(
      .notAllowed, "ReadOnly", "\(invocation.spec.name) writes, and the cluster \(name) is read-only here",
      hint: "the configuration file has read-only = true for it")
  }
}

extension Invocation {
  /// Whether it changes the ensemble of the session.
  var writes: Bool {
    switch spec.id {
    case .client(.find): flag(.delete)
    case .client(.cp), .client(.mirror): argument(1).map { !$0.isElsewhere } ?? true
    case .shell(.acl): ["add", "remove"].contains(argument(0)?.text)
    // A vote waits for a proposal, but is then written.
    case .recipe(.commit): true
    default: spec.writes && !onlyLooks
    }
  }
}

extension Word {
  /// Whether it names a place outside the present ensemble; see `TreePlace`.
  fileprivate var isElsewhere: Bool {
    text == "-" || ["zk://", "zks://", "file:", "snap:"].contains(where: text.hasPrefix)
      || CommandContext.clusterPlace(text) != nil
  }
}
