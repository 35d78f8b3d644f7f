/// A cluster of the configuration file, as far as it decides what commands may do.
struct NamedCluster: Hashable, Sendable {
  var name: String
  /// Whether commands that delete or overwrite many znodes need the cluster's name as a confirmation.
  var isProtected = false
  /// Whether the shell refuses commands that write.
  var isReadOnly = false

  /// Refuses a command that writes, if the cluster is read-only.
  ///
  /// - Throws: exit code 5.
  func requireReading(by invocation: Invocation) throws(ShellError) {
    // A vote in a commit waits for a proposal, but then it is written.
    let onlyLooks = invocation.onlyLooks && invocation.spec.id != .recipe(.commit)
    guard isReadOnly, invocation.spec.writes, !onlyLooks, !invocation.flag(.dryRun) else { return }
    throw ShellError(
      .notAllowed, "ReadOnly", "\(invocation.spec.name) writes, and the cluster \(name) is read-only here",
      hint: "the configuration file has read-only = true for it")
  }
}
