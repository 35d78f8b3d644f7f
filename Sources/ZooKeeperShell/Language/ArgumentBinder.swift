/// Binds the arguments of a command to what the command takes.
package enum ArgumentBinder {
  /// Separates the tokens of a command line into arguments and options, and checks their number against the spec.
  ///
  /// If an option is given twice, its last value counts. `--help` before a lone `--` takes precedence over everything
  /// else, including mistakes.
  ///
  /// - Parameter globals: options of the program that are allowed here; options of the command with the same name take
  ///   precedence.
  /// - Throws: a usage error whose hint is the command's synopsis or the most similar valid name.
  package static func bind(
    _ words: [Word], to spec: CommandSpec, globals: [OptionSpec] = ProgramOptions.behindCommand
  ) throws(ShellError) -> Invocation {
    let (invocation, mistake) = read(words, to: spec, globals: globals)
    if let mistake { throw mistake }
    return invocation
  }

  /// Separates tokens into arguments and options as far as they are valid, and records the first mistake.
  static func read(
    _ words: [Word], to spec: CommandSpec, globals: [OptionSpec] = ProgramOptions.behindCommand
  ) -> (invocation: Invocation, mistake: ShellError?) {
    if globals.contains(where: { $0.name == .help }), ReadingMode.asksForHelp(words) {
      return (Invocation(spec: spec, arguments: [], options: [.help: [Word(bytes: [])]]), nil)
    }
    // What follows -- is an external command with its own options.
    let own = spec.takesCommand ? words.prefix { $0 != "--" } : words[...]
    let child = own.count < words.count ? [Word](words[(own.endIndex + 1)...]) : nil
    // A command that takes a list of arguments, such as multi, has its own options before the list. Options after the
    // first argument belong to the list.
    let parser = OptionParser(
      options: spec.options + globals, stopsAtArgument: spec.arguments.last?.endsOptions ?? false)
    let parsed = parser.read([Word](own))
    let invocation = Invocation(spec: spec, arguments: parsed.arguments, options: parsed.options, child: child)
    return (invocation, parsed.mistake ?? (invocation.flag(.help) ? nil : miscount(parsed.arguments, of: spec)))
  }

  /// What is wrong with the number of arguments.
  private static func miscount(_ arguments: [Word], of spec: CommandSpec) -> ShellError? {
    let required = spec.arguments.filter { !$0.isOptional }
    if arguments.count < required.count {
      let missing = required[arguments.count].name
      return .missing("argument", missing, of: spec)
    }
    let takesAll = spec.arguments.last?.isRepeated ?? false
    guard !takesAll, arguments.count > spec.arguments.count else { return nil }
    return surplus(arguments[spec.arguments.count], of: spec)
  }

  private static func surplus(_ word: Word, of spec: CommandSpec) -> ShellError {
    let hint =
      switch spec.arguments.last?.kind {
      case nil: "\(spec.name) takes no arguments"
      case .data, .acl: "quote a value that contains blanks"
      default: "usage: \(spec.synopsis)"
      }
    return .usage("unexpected argument: \(Tokenizer.quote(word))", hint: hint)
  }
}

extension ShellError {
  /// The error for a missing argument or option: `missing argument: path; usage: get [-s] path`.
  static func missing(_ kind: String, _ name: String, of spec: CommandSpec) -> ShellError {
    .usage("missing \(kind): \(name)", hint: "usage: \(spec.synopsis)")
  }
}

extension CommandSpec {
  /// `get [-s] [-w] path`: the name and everything that can follow it.
  package var synopsis: String {
    if let usage { return usage.isEmpty ? name : "\(name) \(usage)" }
    let child = takesCommand ? ["[-- command...]"] : []
    return ([name] + options.map { "[\($0.shortest)]" } + arguments.map(\.synopsis) + child).joined(separator: " ")
  }
}

extension ArgumentSpec {
  /// `path`, `[data]`, `[operation...]`.
  package var synopsis: String {
    let text = isRepeated ? name + "..." : name
    return isOptional ? "[\(text)]" : text
  }
}

extension OptionSpec {
  /// The form with the fewest letters, and the name of its value: `-v VERSION`.
  var shortest: String {
    let form = short.map { "-\($0)" } ?? spelling
    // A value that can only be given after = belongs to the long form.
    return valueForm.hasPrefix("[") && short != nil ? form : form + valueForm
  }

  /// The name of its value as it follows the option, in brackets if the value is optional.
  private var valueForm: String {
    guard let value else { return "" }
    guard isValueOptional else { return " \(value.name)" }
    // Only a number is taken from the next argument; see `takesAsValue`.
    return value.kind == .number ? " [\(value.name)]" : "[=\(value.name)]"
  }

  /// All forms as help lists them: `-v, --version VERSION`.
  package var allForms: String {
    var forms: [String] = []
    if let short { forms.append("-\(short)") }
    if name.long != nil { forms.append(longSpelling) }
    if let oldWord { forms.append("-\(oldWord)") }
    return forms.joined(separator: ", ") + valueForm
  }
}
