import Sandbox
import ZooKeeperClient
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `zkcli server ACTION [FILE]`, and the same under the name `zookeeper-server`.
///
/// *Source*: `bin/zkServer.sh`; `storage-format` E.3.
enum ServerCommand {
  /// Runs an action of `zkcli server`.
  ///
  /// - Parameter isVerbose: whether what was taken from the environment is said.
  static func run(
    _ invocation: Invocation, _ environment: ShellEnvironment, _ output: Output, isVerbose: Bool
  ) throws(ShellError) -> ExitCode {
    let actions = ["run", "start", "stop", "restart", "status", "check", "repair"]
    let action = try Values.choice(invocation.arguments[0], of: "action", among: actions)
    let file = try invocation.argument(1).map { word throws(ShellError) in try Values.text(word, of: "file") }
    return try perform(action, file ?? defaultFile(environment), environment, output, isVerbose: isVerbose)
  }

  /// Runs an action of `zookeeper-server`, in the words of zkServer.sh and with its exit codes.
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
      try output.write(
        .err("Usage: \(environment.programName) [--config <conf-dir>] {start|start-foreground|stop|restart|status}\n"))
      return .success
    }
    var file = directory.map { "\($0)/zoo.cfg" } ?? defaultFile(environment)
    // A bare name lies in the directory of configurations; a path is a path.
    if let named = words.dropFirst().first?.text {
      file = named.contains("/") || directory == nil ? named : "\(directory!)/\(named)"
    }
    try output.write(.err("Using config: \(file)\n"))
    let code = try perform(action == "start-foreground" ? "run" : action, file, environment, output)
    return code == .success ? .success : .no
  }

  private static func perform(
    _ action: String, _ file: String, _ environment: ShellEnvironment, _ output: Output, isVerbose: Bool = false
  ) throws(ShellError) -> ExitCode {
    let flags = ServerFlags(environment, configurationFile: file, readFile: { try? Files.read($0) })
    let daemon = try load(file, flags)
    if isVerbose { for remark in flags.remarks { try output.write(.err("zkcli: \(remark)\n")) } }
    if action == "run" || action == "check" {
      for warning in flags.warnings + daemon.warnings + daemon.unknownKeys {
        try output.write(.err("zkcli: warning: \(warning)\n"))
      }
    }
    let process = ServerProcess(daemon: daemon, file: file, environment: environment)
    switch action {
    case "check":
      do throws(SandboxError) { try daemon.checkServerID() } catch { throw ShellError(error) }
      guard daemon.unknownKeys.isEmpty else {
        let count = daemon.unknownKeys.count
        try output.write(.out("\(file): \(count) \(count == 1 ? "key" : "keys") that no server knows\n"))
        return .no
      }
      try output.write(.out("\(file): no faults\n"))
      return .success
    case "repair": return try process.repair(output)
    case "run": return try process.runInForeground(output)
    case "start": return try process.start(output)
    case "stop": return try process.stop(output)
    case "restart":
      _ = try process.stop(output)
      return try process.start(output)
    default: return try process.status(output)
    }
  }

  private static func load(_ file: String, _ flags: ServerFlags) throws(ShellError) -> ServerDaemon {
    let bytes = try Files.read(file)
    do throws(SandboxError) {
      return try ServerDaemon(
        configurationFile: file, bytes: bytes, readFile: { try? Files.read($0) }, properties: flags.properties)
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
    let interruption = Interruption.start()
    let gate = BlockingGate<Result<Void, SandboxError>>()
    let processFile = processFile
    Task { [daemon] in
      do throws(SandboxError) {
        try await daemon.run { line in
          try? output.write(.err(line + "\n"))
        } started: { port in
          try? output.write(.err("zkcli: serving on \(daemon.clientAddress):\(port)\n"))
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
    // Asked to stop, it stopped: that is success for whoever supervises it.
    if case .failure(let error) = result { throw ShellError(error) }
    return .success
  }

  /// Gives up what follows the first damaged place of the data directory.
  func repair(_ output: Output) throws(ShellError) -> ExitCode {
    let lines: [String]
    do throws(SandboxError) { lines = try daemon.repair() } catch { throw ShellError(error) }
    let text = lines.isEmpty ? "\(daemon.dataDirectory): nothing to repair\n" : lines.map { $0 + "\n" }.joined()
    try output.write(.out(text))
    return .success
  }

  /// Starts a server in the background and waits until it serves.
  func start(_ output: Output) throws(ShellError) -> ExitCode {
    try output.write(.out("Starting zookeeper ... "))
    if let running {
      try output.write(.out("already running as process \(running).\n"))
      return .no
    }
    mkdir(daemon.dataDirectory, 0o755)
    let child = try spawn()
    for _ in 0..<(Self.startLimitSeconds * 20) {
      if running == child {
        try output.write(.out("STARTED\n"))
        return .success
      }
      var status: Int32 = 0
      if waitpid(child, &status, WNOHANG) == child { break }
      usleep(50_000)
    }
    try output.write(.out("FAILED TO START\n"))
    try output.write(.err("zkcli: \(logFile) tells why\n"))
    return .no
  }

  /// Stops the server in the background.
  func stop(_ output: Output) throws(ShellError) -> ExitCode {
    try output.write(.out("Stopping zookeeper ... "))
    guard let running else {
      try output.write(.out("no zookeeper to stop (could not find file \(processFile))\n"))
      return .success
    }
    kill(running, SIGTERM)
    for _ in 0..<(Self.stopLimitSeconds * 20) where kill(running, 0) == 0 { usleep(50_000) }
    if kill(running, 0) == 0 { kill(running, SIGKILL) }
    unlink(processFile)
    try output.write(.out("STOPPED\n"))
    return .success
  }

  /// Asks the server for its mode.
  func status(_ output: Output) throws(ShellError) -> ExitCode {
    let address = ServerAddress(host: daemon.clientAddress, port: daemon.clientPort)
    try output.write(
      .out("Client port found: \(address.port). Client address: \(address.host). Client SSL: false.\n"))
    let gate = BlockingGate<String?>()
    Task { gate.open(await FourLetterWord.ask("srvr", of: address, limit: .seconds(5))) }
    let mode = gate.wait()?.split(separator: "\n").first { $0.hasPrefix("Mode: ") }
    guard let mode else {
      try output.write(.out("Error contacting service. It is probably not running.\n"))
      return .no
    }
    try output.write(.out("\(mode)\n"))
    return .success
  }

  /// The process that runs it, if one does.
  private var running: pid_t? {
    guard let bytes = try? Files.read(processFile) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).filter { $0.isNumber }
    guard let process = pid_t(text), kill(process, 0) == 0 || errno == EPERM else { return nil }
    return process
  }

  /// Starts this very program in a session of its own, away from the terminal.
  private func spawn() throws(ShellError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // POSIX_SPAWN_SETSID of glibc, which its headers hide from Swift.
    posix_spawnattr_setflags(&attributes, 0x80)
    let words = ["zkcli", "server", "run", file]
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let errorNumber = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, arguments, environ)
    guard errorNumber == 0 else { throw Files.failure("cannot start a process", errorNumber) }
    return process
  }

  private static func write(_ text: String, to path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    _ = text.withCString { systemWrite(descriptor, $0, strlen($0)) }
    close(descriptor)
  }
}

/// `write(2)`, under a name that does not clash with `ServerProcess.write`.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
