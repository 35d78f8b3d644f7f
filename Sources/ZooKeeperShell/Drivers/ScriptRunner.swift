/// Runs the commands of a file or a pipe, line by line.
///
/// It stops at the first failure and exits with its code. With `--keep-going` it continues, and exits with the code of
/// the first failure. A line with an open quote continues on the next. With `--pipeline`, consecutive writes are sent
/// together.
struct ScriptRunner {
  let session: ShellSession
  /// The name in messages: the file, or `stdin`.
  let name: String
  let keepsGoing: Bool
  let dialect: any Dialect
  /// Whether consecutive writes are sent together.
  var isPipelined = false

  /// The progress of a run.
  private struct Progress {
    var firstFailure: ExitCode?
    /// Writes that have been read and not run yet.
    var writes: [PipelinedWrite] = []
    var writesBytes = 0

    /// Whether another write fits into the batch.
    func hasRoom(for write: PipelinedWrite, _ limits: (count: Int, bytes: Int)) -> Bool {
      writes.count < limits.count && writesBytes + write.sizeBytes <= limits.bytes
    }
  }

  /// Runs lines until their end or a failure.
  func run(_ reader: inout LineReader) async throws(ShellError) -> ExitCode {
    var progress = Progress()
    var pending: [UInt8] = []
    var pendingStart = 1
    var number = 0
    let limits = await session.pipelineLimits
    while true {
      // The writer of the lines may wait for an answer before it writes the next line.
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
      let error = ShellError.usage("the quote that is opened here is not closed")
      return await session.report(error, at: SourceLine(file: name, line: pendingStart))
    }
    if !dialect.stopsAtFailure { return await session.lastExitCode }
    return progress.firstFailure ?? .success
  }

  /// Runs the pending writes.
  ///
  /// - Returns: the exit code of the script, if a failure ends it.
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
  /// - Returns: the exit code of the script, if this outcome ends it.
  private func note(_ code: ExitCode, _ progress: inout Progress) -> ExitCode? {
    // A false predicate also stops a script, because it is the condition for the commands after it.
    guard code != .success else { return nil }
    // In a dialect that does not stop at failures, a script exits with the code of its last command.
    guard dialect.stopsAtFailure else { return nil }
    guard keepsGoing, !Task.isCancelled else { return code }
    progress.firstFailure = progress.firstFailure ?? code
    return nil
  }
}
