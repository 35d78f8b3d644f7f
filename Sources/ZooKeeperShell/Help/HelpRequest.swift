/// `--help` on the command line of the system: anywhere before a lone `--` it explains, and nothing else happens.
///
/// It is answered before files are opened, servers are started or anything is sent, so that no command can forget it.
/// The same word on one line of a script or of the shell is seen to by `ArgumentBinder`.
enum HelpRequest {
  /// What is to be printed instead of doing anything.
  ///
  /// - Parameter asked: the command line without the request.
  /// - Throws: a usage error with the nearest name, when there is no such command to explain.
  static func answer(_ asked: ProgramInvocation, _ environment: ShellEnvironment) throws(ShellError) -> String {
    if environment.isServerProgram {
      let explanation = Help.command(CommandTable.spec(of: .server), width: environment.helpWidth)
      return "\(ServerScript.usage(environment.programName))\n\n\(explanation)"
    }
    return try text(for: command(of: asked, environment), environment)
  }

  /// The explanation of a command, or of the program.
  ///
  /// - Throws: a usage error with the nearest name, when there is no such command.
  static func text(for command: Word?, _ environment: ShellEnvironment) throws(ShellError) -> String {
    guard let command else { return Help.overview(width: environment.helpWidth) }
    return Help.command(try CommandTable.lookUp(command), width: environment.helpWidth)
  }

  private static func command(of asked: ProgramInvocation, _ environment: ShellEnvironment) -> Word? {
    // A user who asks about the options may have got them wrong.
    guard asked.mistake == nil, let command = asked.command else { return nil }
    // zkCli.sh skips options that it does not know, but not their values.
    let isUnknownValue = environment.isZkCli && CommandTable.find(command.text) == nil
    return isUnknownValue ? asked.words.first { CommandTable.find($0.text) != nil } ?? command : command
  }
}
