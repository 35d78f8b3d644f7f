import ZooKeeperSandbox

/// What a command line asks the program to do.
///
/// It holds the whole command line, bound and checked; the code that carries it out does not look at the arguments
/// again.
enum Plan: Sendable {
  /// Print a text that needs neither settings nor servers, such as help.
  case text(String)
  /// Answer another shell that completes this command line.
  case completion([Word])
  /// Run as the watchdog process, which ends a command if the process that started it cannot.
  case watchdogProcess
  /// Act as zkServer.sh with these arguments.
  case serverScript([Word])
  /// Run the command `server`.
  case server(Invocation, ShellSettings)
  /// Run the command `web`.
  case web(Invocation, ShellSettings)
  /// Run one command.
  case oneShot(Invocation, ShellSettings)
  /// Run the commands of a file; `-` is stdin.
  case script(String, ShellSettings)
  /// Run the commands of a file at their times, on servers started for it.
  case replay(String, ShellSettings)
  /// Run the interactive shell.
  case interactive(ShellSettings)
  /// Run an external command beside servers started for it.
  case child([Word], on: SandboxSettings, ShellSettings)
  /// Carry out another plan on servers started for it.
  indirect case sandbox(SandboxSettings, around: Plan)

  /// The settings; nil for a plan that needs none.
  var settings: ShellSettings? {
    switch self {
    case .text, .completion, .watchdogProcess, .serverScript: nil
    case .server(_, let settings), .web(_, let settings), .oneShot(_, let settings), .script(_, let settings),
      .replay(_, let settings), .interactive(let settings), .child(_, _, let settings):
      settings
    case .sandbox(_, let plan): plan.settings
    }
  }

  /// The same plan on the servers of a sandbox.
  func adapted(to sandbox: LocalEnsemble) throws(ShellError) -> Plan {
    switch self {
    case .web(let invocation, let settings): .web(invocation, try settings.adapted(to: sandbox))
    case .oneShot(let invocation, let settings): .oneShot(invocation, try settings.adapted(to: sandbox))
    case .script(let path, let settings): .script(path, try settings.adapted(to: sandbox))
    case .replay(let path, let settings): .replay(path, try settings.adapted(to: sandbox))
    case .interactive(let settings): .interactive(try settings.adapted(to: sandbox))
    case .text, .completion, .watchdogProcess, .serverScript, .server, .child, .sandbox: self
    }
  }
}
