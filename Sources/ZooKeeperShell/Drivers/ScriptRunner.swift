/// Runs the commands of a file or a pipe, line by line.
///
/// It stops at the first failure, with the code of that command; with `--keep-going` it runs on and ends with the
/// code of the first failure. A line with an open quote goes on in the next.
struct ScriptRunner {
  let session: ShellSession
  /// The name in messages: the file, or `stdin`.
  let name: String
  let keepsGoing: Bool
  let isCompatible: Bool

  /// Runs lines until they end or a failure stops it.
  func run(_ reader: inout LineReader) async throws(ShellError) -> ExitCode {
    var firstFailure: ExitCode?
    var pending: [UInt8] = []
    var pendingStart = 1
    var number = 0
    while true {
      // Whoever writes the lines may wait for the answer to one before writing the next.
      if !reader.hasLine { try await session.flushOutput() }
      guard let line = try reader.next() else { break }
      number += 1
      if pending.isEmpty { pendingStart = number }
      pending += line
      let place = SourceLine(file: name, line: pendingStart)
      guard let outcome = await session.run(line: pending, at: place) else {
        pending.append(UInt8(ascii: "\n"))
        continue
      }
      pending = []
      if outcome.leaves { return firstFailure ?? outcome.exitCode }
      // A predicate that is false stops a script as well: it is the condition for what follows.
      guard outcome.exitCode == .success else {
        // zkCli.sh runs on whatever happens, and ends with the code of the last command.
        if isCompatible {
          firstFailure = nil
          continue
        }
        guard keepsGoing, !Task.isCancelled else { return outcome.exitCode }
        firstFailure = firstFailure ?? outcome.exitCode
        continue
      }
    }
    guard pending.isEmpty else {
      let error = ShellError.usage("the quote that begins here is never closed")
      return await session.report(error, at: SourceLine(file: name, line: pendingStart))
    }
    if isCompatible { return await session.lastExitCode }
    return firstFailure ?? .success
  }
}

/// Reads the lines of a descriptor as they come, so that commands from a slow pipe run at once.
struct LineReader {
  private let descriptor: Int32
  private let name: String
  private var buffer: [UInt8] = []
  private var hasEnded = false

  init(_ descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Whether the next line is there without waiting.
  var hasLine: Bool { hasEnded || buffer.contains(UInt8(ascii: "\n")) }

  /// The next line without its end, or nil at the end of the file.
  ///
  /// - Throws: exit code 12 when the descriptor cannot be read, or a line is over `Files.limitBytes`.
  mutating func next() throws(ShellError) -> [UInt8]? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeFirst(end + 1) }
        return [UInt8](buffer[..<end])
      }
      if hasEnded {
        guard !buffer.isEmpty else { return nil }
        defer { buffer = [] }
        return buffer
      }
      let chunk = try Files.readSome(descriptor, name: name)
      hasEnded = chunk.isEmpty
      buffer += chunk
      if buffer.count > Files.limitBytes {
        throw ShellError(.overLimit, "TooLarge", "\(name) has a line of more than \(Files.limitBytes >> 20) MiB")
      }
    }
  }
}
