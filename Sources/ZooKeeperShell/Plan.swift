import ZooKeeperSandbox

/// What a command line asks the program to do.
///
/// It holds everything that the command line says, bound and checked: nothing that carries it out looks at the
/// arguments again.
enum Plan: Sendable {
  /// To print a text that needs neither settings nor servers, such as help.
  case text(String)
  /// To answer another shell, which completes this command line.
  case completion([Word])
  /// To be the process that ends a command when the one that started it cannot.
  case watchdogProcess
  /// To act as zkServer.sh, on these arguments.
  case serverScript([Word])
  /// To run the command `server`.
  case server(Invocation, ShellSettings)
  /// To run the command `web`.
  case web(Invocation, ShellSettings)
  /// To run one command.
  case oneShot(Invocation, ShellSettings)
  /// To run the commands of a file; `-` is stdin.
  case script(String, ShellSettings)
  /// To run the commands of a file at their times, on servers started for it.
  case replay(String, ShellSettings)
  /// To run the interactive shell.
  case interactive(ShellSettings)
  /// To run an external command beside servers started for it.
  case child([Word], on: SandboxSettings, ShellSettings)
  /// To carry out another plan on servers started for it.
  indirect case sandbox(SandboxSettings, around: Plan)

  /// The settings; nil for what needs none.
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
