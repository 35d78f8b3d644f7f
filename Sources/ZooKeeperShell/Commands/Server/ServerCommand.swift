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
  /// The actions, in the order in which help lists them.
  static let actions = [
    "run", "start", "stop", "restart", "condrestart", "status", "check", "upgrade-check", "repair", "unit", "print-cmd",
    "version",
  ]

  /// Runs an action of `zkcli server`.
  ///
  /// - Parameter context: how to render its answer.
  static func run(
    _ invocation: Invocation, _ environment: ShellEnvironment, _ output: Output, _ context: RenderContext
  ) throws(ShellError) -> ExitCode {
    guard let word = invocation.argument(0) else {
      throw .missing("argument", "action", of: invocation.spec)
    }
    let action = try ValueParser.choice(word, of: "action", among: actions)
    let log = try ServerLogOptions(invocation, isVerbose: context.isVerbose)
    let file = try invocation.argument(1).map { word throws(ShellError) in try ValueParser.text(word, of: "file") }
    let voice = ServerVoice(output: output, context: context)
    let path = file ?? defaultFile(environment)
    if action == "upgrade-check" { return try UpgradeCheck.run(path, environment, voice) }
    if action == "unit" { return try ServerUnit.run(invocation, path, voice) }
    return try perform(action, path, environment, voice, log: log)
  }

  /// Performs an action on the server of a configuration.
  static func perform(
    _ action: String, _ file: String, _ environment: ShellEnvironment, _ voice: ServerVoice, log: ServerLogOptions
  ) throws(ShellError) -> ExitCode {
    if action == "version" {
      try voice.say(Version.text + "\n")
      var answer = ServerAnswer(action: action, file: file)
      answer.message = Version.text
      try voice.finish(answer)
      return .success
    }
    let flags = ServerFlags(environment, configurationFile: file, readFile: { try? FileIO.read($0) })
    if action == "check", voice.isJSON { return try check(file, flags, voice) }
    let daemon = try load(file, flags)
    if voice.context.isVerbose { for remark in flags.remarks { try voice.mention(remark) } }
    let exposures = action == "run" || action == "check" ? daemon.secretFiles.compactMap(FileIO.exposure(of:)) : []
    let warnings = flags.warnings + daemon.warnings + exposures + daemon.unknownKeys
    if action == "check" { for warning in warnings { try voice.warn(warning) } }
    let process = ServerProcess(daemon: daemon, file: file, environment: environment, log: log)
    switch action {
    case "check":
      let remarks: [String]
      do throws(SandboxError) {
        try daemon.checkServerID()
        remarks = try daemon.remarks()
      } catch {
        throw ShellError(error)
      }
      try ServerPage.check(of: daemon)
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
    case "run": return try process.runInForeground(warnings: warnings)
    case "start": return try process.start(voice)
    case "stop": return try process.stop(voice).code
    case "restart": return try process.restart(voice)
    case "condrestart": return try process.restartIfRunning(voice)
    case "print-cmd": return try process.printCommand(voice)
    default: return try process.status(voice)
    }
  }

  /// Looks for faults and answers with a document. Faults are the answer here, and not a failure to give one.
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
      try ServerPage.check(of: daemon)
    } catch {
      guard error.exitCode == .usage else { throw error }
      answer.faults = ServerAnswer.faults(in: error.message, of: file)
    }
    try voice.finish(answer)
    guard answer.faults == [] else { return .usage }
    return knowsAllKeys ? .success : .no
  }

  /// Reads a configuration.
  static func load(_ file: String, _ flags: ServerFlags) throws(ShellError) -> ServerDaemon {
    let bytes = try FileIO.read(file)
    do throws(SandboxError) {
      return try ServerDaemon(
        configurationFile: file, bytes: bytes, readFile: { try? FileIO.read($0) }, properties: flags.properties)
    } catch {
      throw ShellError(error)
    }
  }

  /// The default configuration file of an action.
  static func defaultFile(_ environment: ShellEnvironment) -> String {
    environment.value("ZOOCFG") ?? "\(environment.value("ZOOCFGDIR") ?? "/etc/zookeeper/conf")/zoo.cfg"
  }
}
