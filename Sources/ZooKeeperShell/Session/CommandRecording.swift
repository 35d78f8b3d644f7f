import ZooKeeperSandbox

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file in which commands are recorded with their times; see `ReplayFile` for its format.
final class CommandRecording {
  let path: String
  private let descriptor: Int32
  private let start = ContinuousClock.now

  /// Creates the file, readable only for its owner, because commands can contain confidential data.
  ///
  /// - Throws: exit code 12 with the operating system's reason, for example if the file exists.
  init(_ path: String, servers: Int) throws(ShellError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      var failure = FileIO.failure("cannot create \(path)", errno)
      if errno == EEXIST { failure.hint = "remove it, or give another name" }
      throw failure
    }
    try add("# zkcli --local \(servers) --replay FILE runs these commands again at the same times.\n")
  }

  deinit { close(descriptor) }

  /// Writes a command that is about to run.
  func note(_ line: [UInt8]) throws(ShellError) { try add("\(time) ", line) }

  /// Writes a comment in place of a command that is left out.
  func noteOmission(_ reason: String) throws(ShellError) { try add("# \(time) \(reason)\n") }

  /// Writes a comment about the failure of the last command.
  func noteFailure(_ code: ExitCode) throws(ShellError) { try add("# it ended with exit code \(code.rawValue)\n") }

  private var time: String {
    let milliseconds = start.duration(to: .now).wholeMilliseconds
    return "+\(milliseconds / 1000).\("\(1000 + milliseconds % 1000)".dropFirst())s"
  }

  private func add(_ text: String, _ line: [UInt8]? = nil) throws(ShellError) {
    let bytes = [UInt8](text.utf8) + (line.map { $0 + [0x0a] } ?? [])
    if let errorNumber = FileIO.writeAll(bytes, to: descriptor) {
      throw FileIO.failure("cannot write \(path)", errorNumber)
    }
  }
}

extension ShellSession {
  /// `local record`: begins or ends a recording.
  func record(_ sandbox: LocalEnsemble, _ words: [Word]) throws(ShellError) {
    guard let word = words.first else { throw .usage("missing argument: file", hint: "or off, which ends a recording") }
    if words.count > 1 { throw .usage("unexpected argument: \(Tokenizer.quote(words[1]))") }
    if word.text.lowercased() == "off" {
      guard recording != nil else { throw .usage("nothing is being recorded") }
      recording = nil
      return
    }
    if let recording {
      throw ShellError(
        .conflict, "Local", "commands are being recorded in \(recording.path)", hint: "local record off ends that")
    }
    recording = try CommandRecording(try ValueParser.text(word, of: "file"), servers: sandbox.size)
  }

  /// Runs a line, and records it if a recording is active.
  func recording(_ line: [UInt8], _ words: [Word], _ run: () async -> Outcome) async -> Outcome {
    let isRecorded = note(line, words)
    let outcome = await run()
    if isRecorded, outcome.exitCode != .success {
      keepRecording { recording throws(ShellError) in try recording.noteFailure(outcome.exitCode) }
    }
    return outcome
  }

  /// - Returns: whether the line was written.
  private func note(_ line: [UInt8], _ words: [Word]) -> Bool {
    guard recording != nil, let command = words.first?.text.lowercased() else { return false }
    if command == "local", words.count > 1, words[1].text.lowercased() == "record" { return false }
    // The line that they stand for is recorded when it runs.
    if command == "redo" || command.hasPrefix("!") { return false }
    if HistoryRules.isSecret(String(decoding: line, as: UTF8.self)) {
      keepRecording { recording throws(ShellError) in
        try recording.noteOmission("a command is left out: it contains a secret or begins with a blank")
      }
      return false
    }
    keepRecording { recording throws(ShellError) in try recording.note(line) }
    return recording != nil
  }

  /// Writes to the file, and ends the recording with a warning if that fails.
  private func keepRecording(_ body: (CommandRecording) throws(ShellError) -> Void) {
    guard let current = recording else { return }
    do throws(ShellError) {
      try body(current)
    } catch {
      recording = nil
      try? write(.warning("\(error.message); the recording has ended"))
    }
  }
}
