/// Asks for confirmation before a command deletes or overwrites many znodes.
///
/// Such a command first finds out how many znodes it would change, and then calls `CommandContext.allow`. Its spec has
/// `destroys` and the options `TreeOptions.yes` and `TreeOptions.max`.
///
/// - On a terminal, more than one znode needs the answer y; on a protected cluster, any number needs the cluster's
///   name.
/// - In a script or a pipe, where the user cannot be asked, more than `--max` znodes need `--yes`; on a protected
///   cluster, any number needs `--yes=NAME`.
struct Guard: Sendable {
  /// The number of znodes that a script can change without `--yes`.
  static let defaultMaximum = 1000

  /// The decision about a command.
  enum Verdict: Hashable, Sendable {
    case allowed
    /// The user must confirm with y.
    case asks(String)
    /// The user must confirm with the name of the cluster.
    case asksForName(String)
    case refused(ShellError)
  }

  /// The cluster, if the servers were named by one.
  let cluster: NamedCluster?
  /// Whether the user can be asked.
  let isWatched: Bool
  /// The value of `--yes`, which may be empty; nil if it was not given.
  let yes: String?
  let maximum: Int

  /// Decides about a command that would change `count` znodes.
  ///
  /// - Parameter action: what it would do, as the beginning of a question: `Delete 12 znodes under /a`.
  func verdict(_ action: String, count: Int) -> Verdict {
    if let yes, !yes.isEmpty, yes != cluster?.name {
      let actual = cluster.map { "the cluster is \($0.name)" } ?? "the servers were not chosen by a cluster's name"
      return .refused(.usage("--yes=\(yes) does not match: \(actual)", hint: "nothing was changed"))
    }
    let place = cluster.map { " on \($0.name)" } ?? ""
    if let cluster, cluster.isProtected {
      if yes == cluster.name { return .allowed }
      if isWatched {
        return .asksForName("\(action)\(place)? It is protected; type its name to continue: ")
      }
      return .refused(
        ShellError(
          .usage, "Protected", "\(action): the cluster \(cluster.name) is protected",
          hint: "--yes=\(cluster.name) does it"))
    }
    if yes != nil || count <= 1 { return .allowed }
    if isWatched { return .asks("\(action)\(place)?") }
    guard count > maximum else { return .allowed }
    return .refused(
      .usage(
        "\(action): more than \(maximum) znodes need --yes in a script",
        hint: "--dry-run shows what would be done, and --max sets another limit"))
  }
}

extension CommandContext {
  /// Asks before many znodes are deleted or overwritten, as `Guard` describes it.
  ///
  /// - Parameters:
  ///   - action: what is about to be done, as the beginning of a question: `Delete 12 znodes under /a`.
  ///   - count: how many znodes are deleted or overwritten.
  ///   - target: the cluster that is changed, if it is not that of the session.
  /// - Throws: `Refused` with exit code 1 if the answer is no; a usage error in a script that lacks `--yes`.
  func allow(_ action: String, count: Int, on target: NamedCluster? = nil) async throws(ShellError) {
    let cluster = target ?? cluster
    // zkCli.sh does not ask, and has no option to confirm with; in its dialect only a protected cluster is guarded.
    guard dialect.asksBeforeDestroying || cluster?.isProtected == true else { return }
    let maximum = try invocation.value(.max).map { word throws(ShellError) in
      try Int(ValueParser.integer(word, of: "--max", in: 0...Int64(Int32.max)))
    }
    let yes = try invocation.value(.yes).map { word throws(ShellError) in try ValueParser.text(word, of: "--yes") }
    let judge = Guard(
      cluster: cluster, isWatched: values.asksBeforeDestroying, yes: yes ?? (invocation.flag(.force) ? "" : nil),
      maximum: maximum ?? Guard.defaultMaximum)
    progress.end()
    let isConfirmed =
      switch judge.verdict(action, count: count) {
      case .allowed: true
      case .asks(let question): try await values.confirms(question)
      case .asksForName(let question): try await values.answer(to: question) == cluster?.name
      case .refused(let error): throw error
      }
    guard isConfirmed else { throw ShellError(.no, "Refused", "nothing was changed") }
  }
}
