/// The question before a command deletes or overwrites many znodes.
///
/// A command that can do so finds out first how many znodes it would change, and then calls
/// `CommandContext.allowed(count:what:)`. Its spec has `destroys` and the options of `SharedOptions.guarding`; with
/// `--dry-run` it says what it would do, and does not ask.
///
/// - On a terminal, more than one znode needs the answer y; a protected cluster needs its name for any number.
/// - In a script or a pipe, where no one can be asked, more than `--max` znodes need `--yes`; a protected cluster needs
///   `--yes=NAME` for any number.
struct Guard: Sendable {
  /// How many znodes a script may change without `--yes`.
  static let defaultMaximum = 1000

  /// What the command is to be allowed.
  enum Verdict: Hashable, Sendable {
    case allowed
    /// A person has to confirm with y.
    case asks(String)
    /// A person has to confirm with the name of the cluster.
    case asksForName(String)
    case refused(ShellError)
  }

  /// The cluster, if the servers were named by one.
  let cluster: NamedCluster?
  /// Whether a person can be asked.
  let isWatched: Bool
  /// The value of `--yes`, which may be empty; nil if it was not given.
  let yes: String?
  let maximum: Int

  /// Decides about a command that would change `count` znodes.
  ///
  /// - Parameter what: what it would do, as an imperative with the number: "delete 12 znodes, /a and all under it".
  func verdict(count: Int, what: String) -> Verdict {
    if let yes, !yes.isEmpty, yes != cluster?.name {
      let actual = cluster.map { "the cluster is \($0.name)" } ?? "the servers were not chosen by a cluster's name"
      return .refused(.usage("--yes=\(yes) does not match: \(actual)", hint: "nothing was changed"))
    }
    let place = cluster.map { " on \($0.name)" } ?? ""
    if let cluster, cluster.isProtected {
      if yes == cluster.name { return .allowed }
      if isWatched {
        return .asksForName("\(Self.sentence(what))\(place)? It is protected; type its name to continue: ")
      }
      return .refused(
        ShellError(
          .usage, "Protected", "the cluster \(cluster.name) is protected, and this would \(what)",
          hint: "add --yes=\(cluster.name) to do it"))
    }
    if yes != nil || count <= 1 { return .allowed }
    if isWatched { return .asks("\(Self.sentence(what))\(place)?") }
    guard count > maximum else { return .allowed }
    return .refused(
      ShellError(
        .usage, "Guard", "this would \(what), which is more than \(maximum) znodes without a confirmation",
        hint: "add --yes to do it, or --max N to allow more"))
  }

  private static func sentence(_ what: String) -> String { what.prefix(1).uppercased() + what.dropFirst() }
}

extension CommandContext {
  /// Asks before many znodes are deleted or overwritten, as `Guard` describes it.
  ///
  /// - Parameters:
  ///   - count: how many znodes the command is about to delete or overwrite.
  ///   - what: what it is about to do, as an imperative with the number: "delete 12 znodes, /a and all under it".
  /// - Throws: a usage error in a script that lacks `--yes`; exit code 1 if the person says no.
  func allowed(count: Int, what: String) async throws(ShellError) {
    // zkCli.sh asks no one, and has no option to confirm with; only a protected cluster is guarded in its dialect.
    guard dialect.asksBeforeDestroying || cluster?.isProtected == true else { return }
    let maximum = try invocation.value(.max).map { word throws(ShellError) in
      try Int(ValueParser.integer(word, of: "--max", in: 0...Int64(Int32.max)))
    }
    let yes = try invocation.value(.yes).map { word throws(ShellError) in try ValueParser.text(word, of: "--yes") }
    let judge = Guard(
      cluster: cluster, isWatched: values.asksBeforeDestroying, yes: yes ?? (invocation.flag(.force) ? "" : nil),
      maximum: maximum ?? Guard.defaultMaximum)
    let isConfirmed =
      switch judge.verdict(count: count, what: what) {
      case .allowed: true
      case .asks(let question): try await values.confirms(question)
      case .asksForName(let question): try await values.answer(to: question) == cluster?.name
      case .refused(let error): throw error
      }
    guard isConfirmed else { throw ShellError(.no, "Refused", "nothing was changed") }
  }
}
