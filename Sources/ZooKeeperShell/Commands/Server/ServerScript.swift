/// The program under the name zkServer.sh, with that script's actions, messages and exit codes.
///
/// *Source*: `bin/zkServer.sh`; `condrestart` comes from the init scripts of distributions.
enum ServerScript {
  private static let actions = [
    "start", "start-foreground", "stop", "version", "restart", "condrestart", "status", "print-cmd",
  ]

  /// The usage message for unknown arguments.
  static func usage(_ programName: String) -> String {
    "Usage: \(programName) [--config <conf-dir>] {\(actions.joined(separator: "|"))}"
  }

  /// Runs an action.
  static func run(
    _ words: [Word], _ environment: ShellEnvironment, _ output: Output
  ) throws(ShellError) -> ExitCode {
    var words = words[...]
    var directory = environment.value("ZOOCFGDIR")
    if words.first == "--config" {
      directory = words.dropFirst().first?.text ?? directory
      words = words.dropFirst(2)
    }
    guard let action = words.first?.text, actions.contains(action) else {
      try output.write(.err("\(usage(environment.programName))\n"))
      return .success
    }
    var file = directory.map { "\($0)/zoo.cfg" } ?? ServerCommand.defaultFile(environment)
    // A name without a slash is in the directory of configurations.
    if let named = words.dropFirst().first?.text {
      file = named.contains("/") || directory == nil ? named : "\(directory!)/\(named)"
    }
    try output.write(.err("Using config: \(file)\n"))
    let voice = ServerVoice(output: output, context: RenderContext())
    let code = try ServerCommand.perform(
      action == "start-foreground" ? "run" : action, file, environment, voice, log: ServerLogOptions())
    return code == .success ? .success : .no
  }
}
