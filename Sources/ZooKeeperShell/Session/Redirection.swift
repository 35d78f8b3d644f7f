import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The target of a line's answer instead of stdout.
enum Redirection: Hashable, Sendable {
  /// `| COMMAND`: a command line of `/bin/sh`.
  case pipe(String)
  /// `> FILE`, or `>> FILE`, which appends.
  case file(Word, appends: Bool)
}

extension Tokenizer.Line {
  /// The arguments of a line without its redirection, and the redirection.
  ///
  /// - Throws: a usage error for an operator without a command or file, and for one with several files.
  func redirected(_ line: [UInt8]) throws(ShellError) -> (words: [Word], redirection: Redirection)? {
    guard let found = redirection, found.index > 0 else { return nil }
    let before = [Word](words[..<found.index])
    // The groups of `local partition` can be separated by bars.
    if before[0] == "local", before.count > 1, before[1] == "partition" { return nil }
    let rest = words[(found.index + 1)...]
    if found.sign == "|" {
      let command = String(decoding: line[found.endOffset...], as: UTF8.self)
      guard command.contains(where: { !$0.isWhitespace }) else {
        throw .usage("| needs a command after it", hint: "for example: ls | head; quote a | that is data")
      }
      return (before, .pipe(command))
    }
    guard let file = rest.first, rest.count == 1 else {
      let reason = rest.isEmpty ? "needs a file after it" : "takes one file, at the end of the line"
      throw .usage("\(found.sign) \(reason)", hint: "quote a \(found.sign) that is data")
    }
    return (before, .file(file, appends: found.sign == ">>"))
  }
}

/// A file that an answer is written to.
private struct OutputFile {
  let descriptor: Int32

  /// Opens or creates it, and empties it unless the answer is appended.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  init(_ name: String, appends: Bool) throws(ShellError) {
    descriptor = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | (appends ? O_APPEND : O_TRUNC), 0o666)
    guard descriptor >= 0 else { throw FileIO.failure("cannot open \(name)", errno) }
  }

  func close() {
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
  }
}

/// A command line of `/bin/sh` that reads what the answer writes.
struct OutputReader: Sendable {
  /// The descriptor to write to.
  let descriptor: Int32
  private let process: ChildProcess
  private let forwarder: SignalForwarder

  /// Starts a command line.
  ///
  /// - Parameter forwarder: ends it with this process, also while a write is blocked.
  /// - Throws: exit code 12 if it cannot be started.
  init(_ command: String, endedBy forwarder: SignalForwarder) throws(ShellError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw FileIO.failure("cannot make a pipe", errno) }
    var spawn = Spawn(.onPath("/bin/sh"), ["sh", "-c", Self.isProgram(command) ? "exec \(command)" : command])
    spawn.resetsSignals = true
    spawn.fileActions = [.copy(ends[0], to: 0)]
    defer { close(ends[0]) }
    do throws(SystemError) {
      process = ChildProcess(processID: try spawn.start(), ownsGroup: false)
    } catch {
      close(ends[1])
      throw ShellError(.localInputOutput, "Pipe", "cannot run /bin/sh: \(error.text)")
    }
    descriptor = ends[1]
    self.forwarder = forwarder
    forwarder.setReader(process)
  }

  /// Whether a command line is only a program with arguments, so that the shell can `exec` it, and signals to the shell
  /// reach the program.
  static func isProgram(_ command: String) -> Bool {
    let isPlain = command.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: " ./_+,:%^@-".utf8.contains(byte)
      }
    }
    guard isPlain, let name = command.split(separator: " ").first else { return false }
    if name.contains("/") { return access(String(name), X_OK) == 0 }
    let directories = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return directories.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
  }

  /// Ends its input, and waits for its end.
  ///
  /// - Returns: its exit code, or 128 plus the number of the signal that ended it.
  func finish() async -> ExitCode {
    close(descriptor)
    let process = process
    // Cancelling the command does not end the wait, because a pager uses the terminal until the user leaves it.
    let code = await withCheckedContinuation { continuation in
      BlockingThread.start { continuation.resume(returning: process.wait()) }
    }
    forwarder.setReader(nil)
    return code
  }
}

extension ShellSession {
  /// Runs a command with its answer redirected to a file or another command.
  func run(_ words: [Word], into redirection: Redirection, at place: SourceLine?) async -> Outcome {
    do throws(ShellError) {
      switch redirection {
      case .file(let word, let appends):
        let name = try ValueParser.text(word, of: "file")
        let file = try OutputFile(name, appends: appends)
        defer { file.close() }
        try output.redirect(to: file.descriptor)
        let outcome = await run(words, at: place)
        // The command itself may have reported the failure.
        if let failure = output.endRedirection(), outcome.exitCode != failure.exitCode { throw failure }
        return outcome
      case .pipe(let command):
        let reader = try OutputReader(command, endedBy: forwarder)
        do throws(ShellError) {
          try output.redirect(to: reader.descriptor)
        } catch {
          _ = await reader.finish()
          throw error
        }
        let outcome = await run(words, at: place)
        let failure = output.endRedirection()
        let code = await reader.finish()
        // It is not a failure if the reader has closed its input.
        if let failure, failure.exitCode != .signal(SIGPIPE) { throw failure }
        let hasStopped = outcome.exitCode == .signal(SIGPIPE)
        return Outcome(
          exitCode: hasStopped || outcome.exitCode == .success ? code : outcome.exitCode, leaves: outcome.leaves,
          isCodeChosen: outcome.isCodeChosen)
      }
    } catch {
      lastExitCode = report(error, at: place)
      return Outcome(exitCode: lastExitCode)
    }
  }
}
