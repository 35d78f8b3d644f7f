import Platform
import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A server in the background, known by its process file.
struct ServerProcess {
  let daemon: ServerDaemon
  let file: String
  let environment: ShellEnvironment
  /// The log options for a server in the background.
  let log: ServerLogOptions

  /// How long a server may take to serve; it can need minutes to replay a large log.
  private static let startLimitSeconds = 120
  /// How long a server may take to stop before it is killed.
  private static let stopLimitSeconds = 30

  var processFile: String { environment.value("ZOOPIDFILE") ?? daemon.processFile }

  /// The file with stdout and stderr of a server in the background.
  var logFile: String { "\(environment.value("ZOO_LOG_DIR") ?? daemon.dataDirectory)/zookeeper.out" }

  /// Repairs the data directory by discarding everything after the first damage.
  func repair(_ voice: ServerVoice) throws(ShellError) -> ExitCode {
    var answer = ServerAnswer(action: "repair", file: file)
    let lines: [String]
    do throws(SandboxError) { lines = try daemon.repair() } catch { throw ShellError(error) }
    answer.repairs = lines
    let text = lines.isEmpty ? "\(daemon.dataDirectory): nothing to repair\n" : lines.map { $0 + "\n" }.joined()
    try voice.say(text)
    try voice.finish(answer)
    return .success
  }

  /// Stops the server in the background, if one runs, and starts it again.
  func restart(_ voice: ServerVoice, action: String = "restart") throws(ShellError) -> ExitCode {
    let (code, isGone) = try stop(voice, isLast: false)
    // A server that cannot be stopped still has the directory and the port.
    return isGone ? try start(voice, action: action) : code
  }

  /// Stops the server in the background and starts it again, if one runs; otherwise does nothing.
  func restartIfRunning(_ voice: ServerVoice) throws(ShellError) -> ExitCode {
    if case .server = named { return try restart(voice, action: "condrestart") }
    var answer = ServerAnswer(action: "condrestart", file: file)
    answer.state = "not running"
    try voice.say("no zookeeper to restart\n")
    try voice.finish(answer)
    return .success
  }

  /// Starts a server in the background and waits until it serves.
  func start(_ voice: ServerVoice, action: String = "start") throws(ShellError) -> ExitCode {
    var answer = ServerAnswer(action: action, file: file)
    try voice.say("Starting zookeeper ... ")
    switch named {
    case .server(let running), .unknown(let running):
      answer.state = "already running"
      answer.process = Int(running)
      try voice.say("already running as process \(running).\n")
      try voice.finish(answer)
      return .no
    case .none, .stranger: break
    }
    mkdir(daemon.dataDirectory, 0o755)
    let child = try spawn()
    for _ in 0..<(Self.startLimitSeconds * 20) {
      if named == .server(child) {
        answer.state = "started"
        answer.process = Int(child)
        try voice.say("STARTED\n")
        try voice.finish(answer)
        return .success
      }
      var status: Int32 = 0
      if waitpid(child, &status, WNOHANG) == child { break }
      usleep(50_000)
    }
    answer.state = "failed"
    answer.message = "see \(logFile) for details"
    try voice.say("FAILED TO START\n")
    try voice.mention("see \(logFile) for details")
    try voice.finish(answer)
    return .no
  }

  /// Stops the server in the background.
  ///
  /// - Parameter isLast: whether this is the whole action, so that the answer ends here.
  /// - Returns: the exit code, and whether the server has ended.
  func stop(_ voice: ServerVoice, isLast: Bool = true) throws(ShellError) -> (code: ExitCode, isGone: Bool) {
    var answer = ServerAnswer(action: "stop", file: file)
    try voice.say("Stopping zookeeper ... ")
    func end(
      _ state: String, _ words: String, process: pid_t? = nil, _ code: ExitCode, isGone: Bool = true
    ) throws(ShellError) -> (code: ExitCode, isGone: Bool) {
      answer.state = state
      answer.process = process.map(Int.init)
      answer.message = isGone && process == nil ? nil : words
      try voice.say(words + "\n")
      if isLast || !isGone { try voice.finish(answer) }
      return (code, isGone)
    }
    switch named {
    case .none:
      return try end("not running", "no zookeeper to stop (could not find file \(processFile))", .success)
    case .stranger(let process):
      unlink(processFile)
      return try end(
        "not running", "no zookeeper to stop (\(processFile) named process \(process), which is another program)",
        process: process, .success)
    case .unknown(let process):
      return try end(
        "unknown", "process \(process), which \(processFile) names, belongs to another user", process: process, .no,
        isGone: false)
    case .server(let process):
      kill(process, SIGTERM)
      for _ in 0..<(Self.stopLimitSeconds * 20) where kill(process, 0) == 0 { usleep(50_000) }
      // The number can belong to another process by now.
      if identity(of: process) == .server(process) { kill(process, SIGKILL) }
      unlink(processFile)
      return try end("stopped", "STOPPED", .success)
    }
  }

  /// Asks the server for its mode. If it does not answer, reports what else is known.
  func status(_ voice: ServerVoice) throws(ShellError) -> ExitCode {
    try Descriptors.require(Descriptors.ofClient, for: "a question to the server")
    let address = ServerAddress(host: daemon.clientAddress, port: daemon.clientPort)
    try voice.say(
      "Client port found: \(address.port). Client address: \(address.host). Client SSL: \(daemon.isSecureOnly).\n")
    let tls = try ownTLS()
    let gate = Gate<String?>()
    Task { gate.open(await FourLetterWord.ask("srvr", of: address, tls: tls, limit: .seconds(5))) }
    let reply = gate.wait()
    var answer = ServerAnswer(action: "status", file: file)
    answer.address = "\(address)"
    if case .server(let process) = named { answer.process = Int(process) }
    let known = StatusReply(reply, process: answer.process, address: answer.address ?? "")
    (answer.state, answer.mode, answer.message) = (known.state, known.mode, known.message)
    try voice.say("\(known.mode.map { "Mode: \($0)" } ?? known.message ?? known.state)\n")
    try voice.finish(answer)
    return known.isRunning ? .success : .no
  }

  /// The TLS context for a connection to the own server; nil for a connection in the clear.
  private func ownTLS() throws(ShellError) -> TLSContext? {
    guard let settings = daemon.ownTLS else { return nil }
    do throws(TLSStoreError) {
      return try TLSContext(client: settings)
    } catch {
      throw ShellError(.localInputOutput, "BadKeyStore", "\(error)", hint: error.hint)
    }
  }

  /// The identity of the process that the process file names.
  private var named: ServerIdentity {
    let bytes: [UInt8]
    // Without a readable file there is no process that could be stopped.
    do throws(ShellError) { bytes = try FileIO.read(processFile) } catch { return .none }
    let text = String(decoding: bytes, as: UTF8.self).filter { $0.isNumber }
    return pid_t(text).map(identity) ?? .none
  }

  private func identity(of process: pid_t) -> ServerIdentity {
    ServerIdentity.of(process, lockFile: "\(daemon.dataDirectory)/zkcli.lock", configurationFile: file)
  }

  /// Prints the command line that `start` runs, in the syntax of a shell.
  func printCommand(_ voice: ServerVoice) throws(ShellError) -> ExitCode {
    let program = Executable.path ?? "zkcli"
    let words = ([program, "server", "run", file] + log.words).map(Self.quoted)
    let line = "\(words.joined(separator: " ")) > \(Self.quoted(logFile)) 2>&1 < /dev/null"
    var answer = ServerAnswer(action: "print-cmd", file: file)
    answer.message = line
    try voice.say(line + "\n")
    try voice.finish(answer)
    return .success
  }

  /// An argument in a shell's double quotes, as zkServer.sh prints paths.
  private static func quoted(_ word: String) -> String {
    "\"" + word.map { "\"\\$`".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "\""
  }

  /// Starts this program again in its own session, away from the terminal.
  private func spawn() throws(ShellError) -> pid_t {
    var spawn = Spawn(.same, ["zkcli", "server", "run", file] + log.words)
    spawn.fileActions = [.read(0, path: "/dev/null"), .append(1, path: logFile), .copy(1, to: 2)]
    // The server stays: it must not hold the lock of a script, say.
    spawn.passedOn = []
    spawn.ownsSession = true
    do throws(SystemError) {
      return try spawn.start()
    } catch {
      throw FileIO.failure("cannot start a process", error.number)
    }
  }
}
