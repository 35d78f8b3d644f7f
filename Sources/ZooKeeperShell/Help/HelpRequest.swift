/// Handles `--help` on the program's command line. Anywhere before a lone `--`, it prints help, and nothing else is
/// done.
///
/// It is handled before files are opened, servers are started or anything is sent, so that no command can forget it. On
/// a line of a script or of the interactive shell, `ArgumentBinder` handles it.
enum HelpRequest {
  /// The help text to print.
  ///
  /// - Parameter asked: the command line without the request.
  /// - Throws: a usage error with the nearest name if there is no such command.
  static func answer(_ asked: ProgramInvocation, _ environment: ShellEnvironment) throws(ShellError) -> String {
    if environment.isServerProgram {
      let explanation = Help.command(CommandTable.spec(of: .server), width: environment.helpWidth)
      return "\(ServerScript.usage(environment.programName))\n\n\(explanation)"
    }
    return try text(for: command(of: asked, environment), environment)
  }

  /// The help of a command, or of the program.
  ///
  /// - Throws: a usage error with the nearest name if there is no such command.
  static func text(for command: Word?, _ environment: ShellEnvironment) throws(ShellError) -> String {
    guard let command else { return Help.overview(width: environment.helpWidth) }
    return Help.command(try CommandTable.lookUp(command), width: environment.helpWidth)
  }

  private static func command(of asked: ProgramInvocation, _ environment: ShellEnvironment) -> Word? {
    // After a mistake in the options, the user needs the help of the program, which explains them.
    guard asked.mistake == nil, let command = asked.command else { return nil }
    // zkCli.sh skips unknown options, but not their values.
    let isUnknownValue = environment.isZkCli && CommandTable.find(command.text) == nil
    return isUnknownValue ? asked.words.first { CommandTable.find($0.text) != nil } ?? command : command
  }
}
