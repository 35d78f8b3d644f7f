import ZooKeeperClient
import ZooKeeperProtocol

/// A write of a script that can be sent together with its neighbours.
struct PipelinedWrite: Sendable {
  /// Its line, to run it by itself.
  let line: [UInt8]
  let place: SourceLine
  let invocation: Invocation
  let settings: ShellSettings
  let operation: MultiOperation

  /// Its approximate size in a request.
  var sizeBytes: Int { line.count + operation.path.utf8.count + operation.dataBytes + 64 }
}

/// Implements `--pipeline N`: up to N consecutive writes are sent as one transaction.
///
/// A transaction is atomic, so the outcome is the same as if each write had waited for the previous one: if a write
/// fails, those before it are carried out, those after it are not tried, and its error is the same. Pipelined single
/// requests would differ, because requests after a failed write would still be carried out.
extension ShellSession {
  /// The maximum number of writes and bytes in one transaction. The bytes are a fraction of the limit of a request,
  /// because servers add to it.
  var pipelineLimits: (count: Int, bytes: Int) { (settings.pipelineCount, settings.maximumFrameBytes / 4) }

  /// Parses a line as a write that can be pipelined.
  ///
  /// - Returns: nil for any other line, valid or not, which is run by itself.
  func pipelinedWrite(_ line: [UInt8], at place: SourceLine) async -> PipelinedWrite? {
    // A recording needs the time of each command.
    if recording != nil { return nil }
    // On a read-only cluster, each write is refused separately.
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
      // Data from a file is not pipelined, because an earlier command or another program may still write the file.
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

  /// Runs writes, and prints their answers in order.
  ///
  /// - Returns: the exit code of each that failed; at most one if a failure ends the script.
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
        // Run the writes before it again without it, then the failing write alone for its error.
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

  /// The outcome of a transaction.
  private enum Together {
    case done
    /// The write at this index failed, so that nothing was changed.
    case failed(Int)
    /// The writes cannot be sent together; nothing was changed.
    case unfit
    /// The outcome is unknown, which has been reported.
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
      // Refused as a whole because it is too large, or the server does not support it. The end of the session ends a
      // script anyway.
      case .server, .requestTooLarge: return .unfit
      default:
        var failure = ShellError(error)
        let lines = "lines \(first.place.line) to \(last.place.line) were sent together"
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

  /// Prints the answer that the command has when it runs by itself.
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
  /// The number of bytes of its data.
  fileprivate var dataBytes: Int {
    switch self {
    case .create(let body), .createContainer(let body): body.data?.count ?? 0
    case .createTTL(let body): body.create.data?.count ?? 0
    case .setData(let body): body.data?.count ?? 0
    default: 0
    }
  }
}
