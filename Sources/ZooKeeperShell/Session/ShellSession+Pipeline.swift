import ZooKeeperClient
import ZooKeeperProtocol

/// A write of a script that may go to the servers together with its neighbours.
struct PipelinedWrite: Sendable {
  /// Its line, to run it alone.
  let line: [UInt8]
  let place: SourceLine
  let invocation: Invocation
  let settings: ShellSettings
  let operation: MultiOperation

  /// About how much of a request it takes.
  var sizeBytes: Int { line.count + operation.path.utf8.count + operation.dataBytes + 64 }
}

/// `--pipeline N`: up to N writes that follow each other travel as one transaction.
///
/// A transaction happens whole or not at all, so that everything is as if each write had waited for the one before:
/// when one fails, those before it are done, those after it are not tried, and its error is the one that it has alone.
/// Requests that merely follow each other on the wire would not do: what is sent after a write that fails is carried
/// out.
extension ShellSession {
  /// The most that one transaction takes: writes, and bytes, as a part of what a request may have, for servers add to
  /// it.
  var pipelineLimits: (count: Int, bytes: Int) { (settings.pipelineCount, settings.maximumFrameBytes / 4) }

  /// Reads a line as a write that may be pipelined.
  ///
  /// - Returns: nil for anything else, right or wrong: that is to be run by itself.
  func pipelinedWrite(_ line: [UInt8], at place: SourceLine) async -> PipelinedWrite? {
    // A recording has a time for each.
    if recording != nil { return nil }
    // What is refused is refused one by one.
    if settings.cluster?.isReadOnly == true { return nil }
    let scanned = Tokenizer.scan(line)
    guard !scanned.isIncomplete, scanned.hereDocument == nil, scanned.redirection == nil,
      let command = scanned.words.first,
      let spec = command.exactText.flatMap(CommandTable.find),
      [.client(.create), .client(.set), .client(.delete)].contains(spec.id)
    else { return nil }
    do {
      let words = [Word](scanned.words.dropFirst())
      let invocation = try ArgumentBinder.bind(words, to: spec, globals: ProgramOptions.ofOneLine)
      let excluded: [OptionName] = [.help, .timeout, .parents, .create, .recursive, .base64, .dryRun, .jsonPath]
      let isDelete = spec.id == .client(.delete)
      guard !isDelete || invocation.arguments.count == 1 && !invocation.arguments.contains(where: \.isPattern) else {
        return nil
      }
      guard !excluded.contains(where: invocation.flag) else { return nil }
      // A file may be one that another program is still to write.
      let data = invocation.argument(1)?.bytes ?? []
      guard data.first != UInt8(ascii: "@"), data != [UInt8(ascii: "-")] else { return nil }
      let settings = try settings.applying(invocation)
      return PipelinedWrite(
        line: line, place: place, invocation: invocation, settings: settings,
        operation: try await context(invocation, settings) { _ in }.writeOperation())
    } catch {
      return nil
    }
  }

  /// Runs writes, and writes their answers in their order.
  ///
  /// - Returns: the code of each that failed; when nothing is to follow a failure, at most one.
  func run(_ writes: [PipelinedWrite], keepsGoing: Bool) async -> [ExitCode] {
    var failures: [ExitCode] = []
    var rest = writes[...]
    func mayGoOn() -> Bool { (failures.isEmpty || keepsGoing) && !Task.isCancelled }
    while rest.count > 1, mayGoOn() {
      switch await runTogether(rest) {
      case .done: return failures
      case .lost(let code): return failures + [code]
      case .unfit: return failures + (await runAlone(rest, keepsGoing))
      case .failed(let index):
        // Those in front of it once more, without it; then it alone, for its error.
        let before = rest[..<index]
        switch await runTogether(before) {
        case .done: break
        case .lost(let code): return failures + [code]
        case .unfit, .failed: failures += await runAlone(before, keepsGoing)
        }
        if mayGoOn() { failures += await runAlone(rest[index...index], keepsGoing) }
        rest = rest[(index + 1)...]
      }
    }
    return mayGoOn() ? failures + (await runAlone(rest, keepsGoing)) : failures
  }

  /// What a transaction came to.
  private enum Together {
    case done
    /// The write at this index failed, and so nothing was done.
    case failed(Int)
    /// These cannot go together, and nothing was done.
    case unfit
    /// The outcome is unknown; that has been reported.
    case lost(ExitCode)
  }

  private func runTogether(_ writes: ArraySlice<PipelinedWrite>) async -> Together {
    guard let first = writes.first, let last = writes.last else { return .done }
    do {
      let client = try await connectedClient().withTimeLimit(settings.timeLimit)
      let results = try await client.multi(writes.map(\.operation))
      for (write, result) in zip(writes, results) { try answer(write, result) }
      lastExitCode = .success
      return .done
    } catch let error as ZooKeeperError {
      switch error.code {
      case .rolledBack(let results):
        let index = results.firstIndex { result in
          if case .error(let code) = result { code != .ok && code != .runtimeInconsistency } else { false }
        }
        return index.map { .failed(writes.startIndex + $0) } ?? .unfit
      // Refused as a whole: too large, or unknown to the server. A session that is over ends a script by itself.
      case .server, .requestTooLarge: return .unfit
      default:
        var failure = ShellError(error)
        let lines = "lines \(first.place.line) to \(last.place.line) went together"
        failure.message += failure.message.isEmpty ? lines : "; \(lines)"
        lastExitCode = report(failure, at: first.place)
        return .lost(lastExitCode)
      }
    } catch {
      lastExitCode = report(ShellError(error), at: first.place)
      return .lost(lastExitCode)
    }
  }

  private func runAlone(_ writes: ArraySlice<PipelinedWrite>, _ keepsGoing: Bool) async -> [ExitCode] {
    var failures: [ExitCode] = []
    for write in writes {
      guard let outcome = await run(line: write.line, at: write.place), outcome.exitCode != .success else { continue }
      failures.append(outcome.exitCode)
      if !keepsGoing || Task.isCancelled { break }
    }
    return failures
  }

  /// Writes what the command says when it runs alone.
  private func answer(_ write: PipelinedWrite, _ result: MultiResult) throws(ShellError) {
    let path = write.operation.path
    switch result {
    case .create(let created), .create2(let created, _):
      try self.write(.created(path: created, stat: nil), write.settings)
    case .setData(let stat):
      try self.write(.changed(path: path, stat: write.invocation.flag(.stat) ? stat : nil), write.settings)
    default: try self.write(.deleted(path: path, count: 1), write.settings)
    }
  }
}

extension MultiOperation {
  /// How many bytes of data it carries.
  fileprivate var dataBytes: Int {
    switch self {
    case .create(let body), .createContainer(let body): body.data?.count ?? 0
    case .createTTL(let body): body.create.data?.count ?? 0
    case .setData(let body): body.data?.count ?? 0
    default: 0
    }
  }
}
