import LineEditor

/// A cluster of the configuration file, as far as it decides what commands may do.
struct NamedCluster: Hashable, Sendable {
  var name: String
  /// Whether commands that delete or overwrite many znodes need the cluster's name as a confirmation.
  var isProtected = false
  /// Whether the shell refuses commands that write.
  var isReadOnly = false
  /// The colour of its name in the prompt; nil for that of its kind.
  var color: Prompt.Style?

  /// Refuses a command that writes, if the cluster is read-only.
  ///
  /// - Parameter writes: whether the command writes on this cluster; by default what it does on that of the session.
  /// - Throws: exit code 5.
  func requireReading(by invocation: Invocation, writes: Bool? = nil) throws(ShellError) {
    guard isReadOnly, writes ?? invocation.writes, !invocation.flag(.dryRun) else { return }
    throw ShellError(
      .notAllowed, "ReadOnly", "\(invocation.spec.name) writes, and the cluster \(name) is read-only here",
      hint: "the configuration file has read-only = true for it")
  }
}

extension Invocation {
  /// Whether it changes the ensemble that the session is with.
  var writes: Bool {
    switch spec.id {
    case .client(.find): flag(.delete)
    case .client(.cp), .client(.mirror): argument(1).map { !$0.isElsewhere } ?? true
    case .shell(.acl): ["add", "remove"].contains(argument(0)?.text)
    // A vote waits for a proposal, but then it is written.
    case .recipe(.commit): true
    default: spec.writes && !onlyLooks
    }
  }
}

extension Word {
  /// Whether, as the place of a subtree, it is outside of the present ensemble; see `TreePlace`.
  fileprivate var isElsewhere: Bool {
    text == "-" || ["zk://", "zks://", "file:", "snap:"].contains(where: text.hasPrefix)
      || CommandContext.clusterPlace(text) != nil
  }
}
