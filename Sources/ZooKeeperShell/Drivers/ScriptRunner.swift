/// Runs the commands of a file or a pipe, line by line.
///
/// It stops at the first failure, with the code of that command; with `--keep-going` it runs on and ends with the
/// code of the first failure. A line with an open quote goes on in the next. With `--pipeline`, writes that follow each
/// other go to the servers together.
struct ScriptRunner {
  let session: ShellSession
  /// The name in messages: the file, or `stdin`.
  let name: String
  let keepsGoing: Bool
  let dialect: any Dialect
  /// Whether writes may go together.
  var isPipelined = false

  /// The progress of a run.
  private struct Progress {
    var firstFailure: ExitCode?
    /// Writes that have been read and not run yet.
    var writes: [PipelinedWrite] = []
    var writesBytes = 0

    /// Whether one more may go with them.
    func hasRoom(for write: PipelinedWrite, _ limits: (count: Int, bytes: Int)) -> Bool {
      writes.count < limits.count && writesBytes + write.sizeBytes <= limits.bytes
    }
  }

  /// Runs lines until they end or a failure stops it.
  func run(_ reader: inout LineReader) async throws(ShellError) -> ExitCode {
    var progress = Progress()
    var pending: [UInt8] = []
    var pendingStart = 1
    var number = 0
    let limits = await session.pipelineLimits
    while true {
      // The writer of the lines may wait for one answer before writing the next line.
      if !reader.hasLine {
        if let code = await runWrites(&progress) { return code }
        try await session.flushOutput()
      }
      guard let line = try reader.next() else { break }
      number += 1
      if pending.isEmpty { pendingStart = number }
      pending += line.bytes
      let place = SourceLine(file: name, line: pendingStart)
      if isPipelined, let write = await session.pipelinedWrite(pending, at: place) {
        pending = []
        if !progress.hasRoom(for: write, limits), let code = await runWrites(&progress) { return code }
        progress.writes.append(write)
        progress.writesBytes += write.sizeBytes
        continue
      }
      if let code = await runWrites(&progress) { return code }
      guard let outcome = await session.run(line: pending, at: place) else {
        pending += line.end
        continue
      }
      pending = []
      if outcome.leaves { return outcome.isCodeChosen ? outcome.exitCode : progress.firstFailure ?? outcome.exitCode }
      if let code = note(outcome.exitCode, &progress) { return code }
    }
    if let code = await runWrites(&progress) { return code }
    guard pending.isEmpty else {
      let error = ShellError.usage("the quote that is opened here is never closed")
      return await session.report(error, at: SourceLine(file: name, line: pendingStart))
    }
    if !dialect.stopsAtFailure { return await session.lastExitCode }
    return progress.firstFailure ?? .success
  }

  /// Runs the writes that have gathered.
  ///
  /// - Returns: what the script ends with, if a failure ends it.
  private func runWrites(_ progress: inout Progress) async -> ExitCode? {
    guard !progress.writes.isEmpty else { return nil }
    let writes = progress.writes
    progress.writes = []
    progress.writesBytes = 0
    for code in await session.run(writes, keepsGoing: keepsGoing) {
      if let code = note(code, &progress) { return code }
    }
    return nil
  }

  /// Records the outcome of a command.
  ///
  /// - Returns: what the script ends with, if this ends it.
  private func note(_ code: ExitCode, _ progress: inout Progress) -> ExitCode? {
    // A predicate that is false stops a script as well: it is the condition for what follows.
    guard code != .success else { return nil }
    // Without that habit a script ends with the code of its last command.
    guard dialect.stopsAtFailure else { return nil }
    guard keepsGoing, !Task.isCancelled else { return code }
    progress.firstFailure = progress.firstFailure ?? code
    return nil
  }
}
