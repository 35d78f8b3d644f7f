import ZooKeeperSandbox

/// `--replay`: runs the commands of a file at their times.
///
/// The whole file is read and checked before the first command runs. If the time of a command has passed because
/// earlier commands took long, it runs at once. It stops at the first failure as a script does.
struct ReplayRunner {
  let session: ShellSession
  /// The file.
  let name: String
  let keepsGoing: Bool

  /// Runs the commands.
  func run() async -> ExitCode {
    let file: ReplayFile
    do throws(ReplayFile.Mistake) {
      file = try await load()
    } catch {
      return await session.report(error.error, at: error.line > 0 ? SourceLine(file: name, line: error.line) : nil)
    }
    let start = ContinuousClock.now
    var firstFailure: ExitCode?
    for entry in file.entries {
      do {
        try await session.flushOutput()
        try await Task.sleep(until: start + entry.time, clock: .continuous)
      } catch {
        return await session.report(ShellError(error))
      }
      let place = SourceLine(file: name, line: entry.number)
      let outcome = await session.run(line: entry.line, at: place) ?? Outcome(exitCode: .usage)
      if outcome.leaves { return outcome.isCodeChosen ? outcome.exitCode : firstFailure ?? outcome.exitCode }
      guard outcome.exitCode != .success else { continue }
      guard keepsGoing, !Task.isCancelled else { return outcome.exitCode }
      firstFailure = firstFailure ?? outcome.exitCode
    }
    return firstFailure ?? .success
  }

  private func load() async throws(ReplayFile.Mistake) -> ReplayFile {
    let dialect = await session.settings.dialect
    let bytes: [UInt8]
    do throws(ShellError) { bytes = try FileIO.read(name) } catch { throw ReplayFile.Mistake(error: error, line: 0) }
    let file = try ReplayFile(bytes, name: name) { line throws(ShellError) in try dialect.split(line) }
    for entry in file.entries {
      do throws(ShellError) {
        try Self.check(entry.arguments, dialect)
      } catch {
        throw ReplayFile.Mistake(error: error, line: entry.number)
      }
    }
    return file
  }

  /// Checks that a command exists and has the arguments that it needs.
  private static func check(_ words: [Word], _ dialect: any Dialect) throws(ShellError) {
    var words = words[...]
    // Skip the label of another session, which an earlier command opens.
    if words.count > 1, words.first?.text.last == ":" { words = words.dropFirst() }
    guard let command = words.first else { return }
    let invocation = try dialect.bind(command, [Word](words.dropFirst()), globals: ProgramOptions.ofOneLine).get()
    guard invocation.spec.id == .shell(.local), !invocation.flag(.help), let action = invocation.argument(0) else {
      return
    }
    _ = try ValueParser.choice(action, of: "action", among: LocalAction.allCases.map(\.rawValue))
  }
}
