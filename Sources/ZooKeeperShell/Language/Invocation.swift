/// A command with its arguments, checked against its spec but not yet read as numbers or paths.
package struct Invocation: Sendable {
  package let spec: CommandSpec
  package var arguments: [Word]
  /// The values of every option given, in order; a flag has an empty value for each occurrence. Includes options of the
  /// program that follow the command.
  package var options: [OptionName: [Word]]
  /// The arguments after `--`, of a command that runs an external one; nil without `--`.
  package var child: [Word]?
  /// Warnings to print on stderr before the command runs; only compatibility mode has any.
  package var warnings: [String] = []

  /// Makes an invocation of parts that fit each other.
  package init(
    spec: CommandSpec, arguments: [Word], options: [OptionName: [Word]], child: [Word]? = nil, warnings: [String] = []
  ) {
    self.spec = spec
    self.child = child
    self.arguments = arguments
    self.options = options
    self.warnings = warnings
  }

  /// The options of the program among `options`, without those that the command defines itself.
  package var globals: [OptionName: [Word]] {
    options.filter { option in
      ProgramOptions.all.contains { $0.name == option.key } && !spec.options.contains { $0.name == option.key }
    }
  }

  /// Whether the option was given.
  package func flag(_ name: OptionName) -> Bool { options[name] != nil }

  /// The value of the option; the last one if it was given more than once.
  package func value(_ name: OptionName) -> Word? { options[name]?.last }

  /// The argument at an index, or nil if it was left out.
  package func argument(_ index: Int) -> Word? { arguments.indices.contains(index) ? arguments[index] : nil }

  /// The znode path at an index, resolved against a working directory and validated.
  ///
  /// - Parameter isNew: whether a sequential create is to name it, which allows an empty last name.
  /// - Returns: nil if the argument was left out.
  /// - Throws: a usage error for a path that servers refuse.
  package func path(
    at index: Int, in directory: String, isNew: Bool = false
  ) throws(ShellError) -> String? {
    guard let word = argument(index) else { return nil }
    return try ValueParser.path(word, in: directory, isSequential: isNew)
  }

  /// The value of `--version`, or -1 for any.
  package func version() throws(ShellError) -> Int32 {
    guard let word = value(.version) else { return -1 }
    return try ValueParser.version(word, of: "--version")
  }

  /// Whether the arguments can name more than one znode.
  var namesSeveral: Bool { arguments.count > 1 || arguments.contains(where: \.isPattern) }

  /// Whether the command's answer is a list that can be long and is written row by row.
  package var streamsList: Bool {
    switch spec.id {
    case .client(.ls): flag(.long) || flag(.recursive) || namesSeveral
    case .client(.get), .client(.stat): namesSeveral
    case .client(.delete), .client(.deleteall), .client(.cp), .client(.mv), .client(.importTree), .client(.setAcl):
      flag(.dryRun)
    case .client(.tree), .client(.find), .client(.grep), .client(.du): true
    case .client(.diff), .client(.apply), .client(.mirror): true
    case .client(.undelete): flag(.dryRun)
    case .offline(.snap):
      !["cat", "stat", "export"].contains(argument(0)?.text) || arguments.count > 3
        || arguments.dropFirst(2).contains(where: \.isPattern)
    case .offline(.log): argument(0)?.text != "stat"
    case .shell(.local): argument(0)?.text.lowercased() == "trace"
    case .shell(.acl): argument(0)?.text == "check" || flag(.dryRun)
    case .recipe(.lock), .recipe(.elect): flag(.list)
    case .monitor(let command): [.who, .top, .word, .admin].contains(command)
    case .recipe(.queue), .recipe(.group): argument(0)?.text == "list"
    default: false
    }
  }
}
