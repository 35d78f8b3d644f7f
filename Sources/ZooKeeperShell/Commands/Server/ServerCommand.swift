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

/// `zkcli server ACTION [FILE]`, and the same under the name `zookeeper-server`.
///
/// *Source*: `bin/zkServer.sh`; `StorageFormat` E.3.
enum ServerCommand {
  /// Runs an action of `zkcli server`.
  ///
  /// - Parameter context: how its answer looks.
  static func run(
    _ invocation: Invocation, _ environment: ShellEnvironment, _ output: Output, _ context: RenderContext
  ) throws(ShellError) -> ExitCode {
    let actions = ["run", "start", "stop", "restart", "status", "check", "repair"]
    guard let word = invocation.argument(0) else {
      throw .missing("argument", "action", of: invocation.spec)
    }
    let action = try ValueParser.choice(word, of: "action", among: actions)
    let file = try invocation.argument(1).map { word throws(ShellError) in try ValueParser.text(word, of: "file") }
    let voice = ServerVoice(output: output, context: context)
    return try perform(action, file ?? defaultFile(environment), environment, voice)
  }

  /// What zkServer.sh prints for arguments that it does not know.
  static func scriptUsage(_ programName: String) -> String {
    "Usage: \(programName) [--config <conf-dir>] {start|start-foreground|stop|restart|status}"
  }

  /// Runs an action of `zookeeper-server`, with the messages and exit codes of zkServer.sh.
  static func runAsScript(
    _ words: [Word], _ environment: ShellEnvironment, _ output: Output
  ) throws(ShellError) -> ExitCode {
    var words = words[...]
    var directory = environment.value("ZOOCFGDIR")
    if words.first == "--config" {
      directory = words.dropFirst().first?.text ?? directory
      words = words.dropFirst(2)
    }
    guard let action = words.first?.text, ["start", "start-foreground", "stop", "restart", "status"].contains(action)
    else {
      try output.write(.err("\(scriptUsage(environment.programName))\n"))
      return .success
    }
    var file = directory.map { "\($0)/zoo.cfg" } ?? defaultFile(environment)
    // A bare name lies in the directory of configurations; a path is a path.
    if let named = words.dropFirst().first?.text {
      file = named.contains("/") || directory == nil ? named : "\(directory!)/\(named)"
    }
    try output.write(.err("Using config: \(file)\n"))
    let voice = ServerVoice(output: output, context: RenderContext())
    let code = try perform(action == "start-foreground" ? "run" : action, file, environment, voice)
    return code == .success ? .success : .no
  }

  private static func perform(
    _ action: String, _ file: String, _ environment: ShellEnvironment, _ voice: ServerVoice
  ) throws(ShellError) -> ExitCode {
    let flags = ServerFlags(environment, configurationFile: file, readFile: { try? FileIO.read($0) })
    if action == "check", voice.isJSON { return try check(file, flags, voice) }
    let daemon = try load(file, flags)
    if voice.context.isVerbose { for remark in flags.remarks { try voice.mention(remark) } }
    if action == "run" || action == "check" {
      let exposures = daemon.secretFiles.compactMap(FileIO.exposure(of:))
      for warning in flags.warnings + daemon.warnings + exposures + daemon.unknownKeys { try voice.warn(warning) }
    }
    let process = ServerProcess(daemon: daemon, file: file, environment: environment)
    switch action {
    case "check":
      let remarks: [String]
      do throws(SandboxError) {
        try daemon.checkServerID()
        remarks = try daemon.remarks()
      } catch {
        throw ShellError(error)
      }
      for remark in remarks { try voice.warn("\(file): \(remark)") }
      for note in daemon.advice { try voice.mention("\(file): note: \(note)") }
      guard daemon.unknownKeys.isEmpty else {
        let count = daemon.unknownKeys.count
        try voice.say("\(file): \(count) \(count == 1 ? "key" : "keys") that no server knows\n")
        return .no
      }
      try voice.say("\(file): no faults\n")
      return .success
    case "repair": return try process.repair(voice)
    case "run": return try process.runInForeground(voice.output)
    case "start": return try process.start(voice)
    case "stop": return try process.stop(voice).code
    case "restart": return try process.restart(voice)
    default: return try process.status(voice)
    }
  }

  /// Looks for faults and answers with a document: here faults are the answer, and no failure to give one.
  private static func check(
    _ file: String, _ flags: ServerFlags, _ voice: ServerVoice
  ) throws(ShellError) -> ExitCode {
    var answer = ServerAnswer(action: "check", file: file)
    answer.faults = []
    answer.warnings = []
    var knowsAllKeys = true
    do throws(ShellError) {
      let daemon = try load(file, flags)
      let exposures = daemon.secretFiles.compactMap(FileIO.exposure(of:))
      answer.warnings = flags.warnings + daemon.warnings + exposures + daemon.unknownKeys
      knowsAllKeys = daemon.unknownKeys.isEmpty
      do throws(SandboxError) {
        try daemon.checkServerID()
        let remarks = try daemon.remarks()
        answer.warnings? += remarks.map { "\(file): \($0)" }
        answer.notes = daemon.advice
      } catch {
        throw ShellError(error)
      }
    } catch {
      guard error.exitCode == .usage else { throw error }
      answer.faults = ServerAnswer.faults(in: error.message, of: file)
    }
    try voice.finish(answer)
    guard answer.faults == [] else { return .usage }
    return knowsAllKeys ? .success : .no
  }

  private static func load(_ file: String, _ flags: ServerFlags) throws(ShellError) -> ServerDaemon {
    let bytes = try FileIO.read(file)
    do throws(SandboxError) {
      return try ServerDaemon(
        configurationFile: file, bytes: bytes, readFile: { try? FileIO.read($0) }, properties: flags.properties)
    } catch {
      throw ShellError(error)
    }
  }

  private static func defaultFile(_ environment: ShellEnvironment) -> String {
    environment.value("ZOOCFG") ?? "\(environment.value("ZOOCFGDIR") ?? "/etc/zookeeper/conf")/zoo.cfg"
  }
}

/// A server in the background, known by the file with its process's number.
struct ServerProcess {
  let daemon: ServerDaemon
  let file: String
  let environment: ShellEnvironment

  /// How long a server may take to serve: a large log takes its time to replay.
  private static let startLimitSeconds = 120
  /// How long a server may take to stop before it is killed.
  private static let stopLimitSeconds = 30

  private var processFile: String { environment.value("ZOOPIDFILE") ?? daemon.processFile }

  private var logFile: String { "\(environment.value("ZOO_LOG_DIR") ?? daemon.dataDirectory)/zookeeper.out" }

  /// Runs the server in this process until SIGTERM or SIGINT.
  func runInForeground(_ output: Output) throws(ShellError) -> ExitCode {
    try Descriptors.require(Descriptors.ofServer, for: "a server")
    let interruption = SignalCancellation.start()
    let gate = Gate<Result<Void, SandboxError>>()
    let processFile = processFile
    Task { [daemon] in
      do throws(SandboxError) {
        try await daemon.run { line in
          try? output.write(.err(line + "\n"))
        } started: { addresses in
          try? output.write(.err("zkcli: serving on \(addresses)\n"))
          Self.write("\(getpid())", to: processFile)
        } waitForEnd: {
          await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            interruption.whenSignalled { continuation.resume() }
          }
        }
        gate.open(.success(()))
      } catch {
        gate.open(.failure(error))
      }
    }
    let result = gate.wait()
    unlink(processFile)
    // It was asked to stop and did: that is success for a supervisor.
    if case .failure(let error) = result { throw ShellError(error) }
    return .success
  }

  /// Gives up what follows the first damaged place of the data directory.
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
  func restart(_ voice: ServerVoice) throws(ShellError) -> ExitCode {
    let (code, isGone) = try stop(voice, isLast: false)
    // A server that cannot be stopped has the directory, and its port.
    return isGone ? try start(voice, action: "restart") : code
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
  /// - Parameter isLast: whether nothing follows, so that the answer ends here.
  /// - Returns: the exit code, and whether no server runs any more.
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
      // The number may belong to another process by now.
      if identity(of: process) == .server(process) { kill(process, SIGKILL) }
      unlink(processFile)
      return try end("stopped", "STOPPED", .success)
    }
  }

  /// Asks the server for its mode, and reports what else is known if it does not say.
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

  /// The keys to ask the own server with; nil for a connection in the clear.
  private func ownTLS() throws(ShellError) -> TLSContext? {
    guard let settings = daemon.ownTLS else { return nil }
    do throws(TLSStoreError) {
      return try TLSContext(client: settings)
    } catch {
      throw ShellError(.localInputOutput, "BadKeyStore", "\(error)", hint: error.hint)
    }
  }

  /// The process that the file names, if it is one.
  private var named: ServerIdentity {
    let bytes: [UInt8]
    // Without a file there is no process; one that cannot be read names none that could be stopped.
    do throws(ShellError) { bytes = try FileIO.read(processFile) } catch { return .none }
    let text = String(decoding: bytes, as: UTF8.self).filter { $0.isNumber }
    return pid_t(text).map(identity) ?? .none
  }

  private func identity(of process: pid_t) -> ServerIdentity {
    ServerIdentity.of(process, lockFile: "\(daemon.dataDirectory)/zkcli.lock")
  }

  /// Starts this program again in its own session, away from the terminal.
  private func spawn() throws(ShellError) -> pid_t {
    var spawn = Spawn(.same, ["zkcli", "server", "run", file])
    spawn.fileActions = [.read(0, path: "/dev/null"), .append(1, path: logFile), .copy(1, to: 2)]
    spawn.ownsSession = true
    do throws(SystemError) {
      return try spawn.start()
    } catch {
      throw FileIO.failure("cannot start a process", error.number)
    }
  }

  private static func write(_ text: String, to path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    _ = FileIO.writeAll([UInt8](text.utf8), to: descriptor)
    close(descriptor)
  }
}
