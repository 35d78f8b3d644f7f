/// `--help` on the command line of the system: anywhere before a lone `--` it explains, and nothing else happens.
///
/// It is looked for before options are read, files are opened, servers are started or anything is sent, so that no
/// command can forget it. The same word on one line of a script or of the shell is seen to by `ArgumentBinder`.
enum HelpRequest {
  /// The word that asks.
  static let word: Word = "--help"

  /// Whether words ask for help.
  static func isMade(by words: [Word]) -> Bool { words.prefix { $0 != "--" }.contains(word) }

  /// What is to be printed instead of doing anything; nil when nobody asks.
  ///
  /// - Parameter words: those of the command line, without the program's name.
  /// - Throws: a usage error with the nearest name, when there is no such command to explain.
  static func answer(_ words: [Word], _ environment: ShellEnvironment) throws(ShellError) -> String? {
    guard isMade(by: words) else { return nil }
    if environment.isServerProgram {
      let explanation = Help.command(CommandTable.spec(of: .server), width: environment.helpWidth)
      return "\(ServerCommand.scriptUsage(environment.programName))\n\n\(explanation)"
    }
    let options = words.prefix { $0 != "--" }
    let rest = options.filter { $0 != word } + words.dropFirst(options.count)
    return try text(for: command(of: rest, environment), environment)
  }

  /// The explanation of a command, or of the program.
  ///
  /// - Throws: a usage error with the nearest name, when there is no such command.
  static func text(for command: Word?, _ environment: ShellEnvironment) throws(ShellError) -> String {
    guard let command else { return Help.overview(width: environment.helpWidth) }
    return Help.command(try CommandTable.lookUp(command), width: environment.helpWidth)
  }

  private static func command(of words: [Word], _ environment: ShellEnvironment) -> Word? {
    do throws(ShellError) {
      guard environment.asksForCompatibility else { return try ProgramOptions.parse(words).command }
      let command = try ProgramOptions.parseCompat(words).command
      // zkCli.sh skips options that it does not know, but not their values.
      let isKnown = command.map { CommandTable.find($0.text) != nil } ?? true
      return isKnown ? command : words.first { CommandTable.find($0.text) != nil } ?? command
    } catch {
      // Whoever asks what the options are need not have got them right.
      return nil
    }
  }
}
