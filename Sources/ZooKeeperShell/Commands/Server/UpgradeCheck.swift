import ZooKeeperSandbox

/// The action `zkcli server upgrade-check`, which reports what would change if this server continued with the files of
/// Apache's server.
enum UpgradeCheck {
  /// Reports on a configuration, or on a data directory without one. Nothing is changed.
  static func run(
    _ path: String, _ environment: ShellEnvironment, _ voice: ServerVoice
  ) throws(ShellError) -> ExitCode {
    var answer = ServerAnswer(action: "upgrade-check", file: path)
    do throws(ShellError) {
      let daemon = FileIO.isDirectory(path) ? try daemon(of: path) : try load(path, environment)
      answer.findings = daemon.examineUpgrade().map { .init(weight: $0.weight, text: $0.text) }
      if let process = runningProcess(daemon, path) {
        answer.findings?.append(
          .init(weight: "change", text: "process \(process) uses the directory: what it still writes is not in here"))
      }
    } catch {
      // Faults of the configuration are the answer, and not a failure to give one.
      guard error.exitCode == .usage else { throw error }
      answer.findings = ServerAnswer.faults(in: error.message, of: path).map { fault in
        .init(weight: "obstacle", text: fault.line.map { "\(path):\($0): \(fault.message)" } ?? fault.message)
      }
    }
    let findings = answer.findings ?? []
    for finding in findings { try voice.say("\(finding.weight): \(finding.text)\n") }
    let canStart = !findings.contains { $0.weight == "obstacle" }
    answer.state = canStart ? "can start" : "cannot start"
    try voice.say(canStart ? "This server would start.\n" : "This server would not start.\n")
    try voice.finish(answer)
    return canStart ? .success : .no
  }

  private static func load(_ file: String, _ environment: ShellEnvironment) throws(ShellError) -> ServerDaemon {
    let flags = ServerFlags(environment, configurationFile: file, readFile: { try? FileIO.read($0) })
    return try ServerCommand.load(file, flags)
  }

  /// A server with a minimal configuration for a data directory, or for the `version-2` in it.
  private static func daemon(of directory: String) throws(ShellError) -> ServerDaemon {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    if directory.hasSuffix("/version-2") { directory.removeLast("/version-2".count) }
    // A backslash begins an escape in such a file.
    let escaped = directory.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
    guard !escaped.contains(where: \.isNewline) else {
      throw .usage("the name of the directory must not contain line ends")
    }
    do throws(SandboxError) {
      return try ServerDaemon(
        configurationFile: directory, bytes: [UInt8]("dataDir=\(escaped)\nclientPort=2181\n".utf8),
        readFile: { _ in nil })
    } catch {
      throw ShellError(error)
    }
  }

  /// The process that the process file names, if it is a server on this data directory.
  private static func runningProcess(_ daemon: ServerDaemon, _ file: String) -> Int? {
    guard let bytes = try? FileIO.read(daemon.processFile),
      let number = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    else { return nil }
    let identity = ServerIdentity.of(
      number, lockFile: "\(daemon.dataDirectory)/zkcli.lock", configurationFile: file)
    return if case .server = identity { Int(number) } else { nil }
  }
}
