#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The program that shows long answers screen by screen.
///
/// It is started only if an answer has more lines than the terminal.
enum Pager {
  /// The command line of the pager; nil if there is none.
  ///
  /// *Source*: as in man and git, `$PAGER` names it, and `cat` or an empty value switches it off.
  static func command(_ environment: ShellEnvironment) -> String? {
    if let chosen = environment.variables["PAGER"] {
      return chosen.isEmpty || chosen == "cat" ? nil : chosen
    }
    let directories = (environment.value("PATH") ?? "/usr/bin:/bin").split(separator: ":")
    return directories.contains { access("\($0)/less", X_OK) == 0 } ? "less -FRX" : nil
  }

  /// The rows of the terminal on stdout.
  static func rows() -> Int? {
    var size = winsize()
    return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : nil
  }
}

extension Invocation {
  /// Whether its answer can be longer than a screen and ends by itself.
  var isPaged: Bool {
    if flag(.watch) || flag(.follow) || child != nil || flag(.help) { return false }
    return switch spec.id {
    case .client(let command):
      [.ls, .get, .getAcl, .tree, .find, .grep, .du, .diff, .config, .getEphemerals].contains(command)
    case .shell(let command): [.help, .history, .clusters].contains(command)
    case .monitor(let command): [.members, .sessions, .who, .watchers, .metrics, .word, .admin].contains(command)
    case .offline: true
    case .recipe, .server, .web: false
    }
  }
}

extension ShellSession {
  /// Runs a command, with its answer in a pager if it is long.
  func paging(
    _ invocation: Invocation, _ settings: ShellSettings, _ body: () async throws -> Outcome
  ) async throws -> Outcome {
    guard settings.usesPager, mode != .script, settings.dialect.hasExtras, environment.stdoutIsTerminal,
      environment.stdinIsTerminal, invocation.isPaged, !output.isRedirected, let rows = Pager.rows(),
      let command = Pager.command(environment)
    else { return try await body() }
    try output.beginPaging(rows: rows, command: command, forwarder: forwarder)
    let result: Result<Outcome, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    let end = await output.endPaging()
    if case .success = result, let end { throw end }
    do {
      return try result.get()
    } catch let error as ShellError where error.exitCode == .signal(SIGPIPE) {
      // The user has left the pager.
      return Outcome(exitCode: .success)
    }
  }
}
