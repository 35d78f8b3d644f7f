/// Binds the arguments of a command as zkCli.sh does.
enum ZkCliBinder {
  /// Binds a command line as zkCli.sh does: exact names, its own options only, surplus arguments ignored.
  ///
  /// *Source*: `ZooKeeperMain.processZKCmd` and, for the options, `DefaultParser` of commons-cli.
  ///
  /// - Throws: a usage error with the reason that zkCli.sh gives.
  static func bind(_ words: [Word], command: Word) throws(ShellError) -> Invocation {
    guard let syntax = ZkCliSyntax.find(command.text) else {
      throw ShellError(.usage, "UnknownCommand", "unknown command \(Tokenizer.quote(command))")
        .because(.unknownCommand(command.text))
    }
    let spec = CommandTable.spec(of: syntax.id)
    // zkCli.sh refuses --help, or for some commands ignores it; neither helps a user who asks for help.
    if ReadingMode.asksForHelp(words) {
      return Invocation(spec: spec, arguments: [], options: [.help: [Word(bytes: [])]])
    }
    guard syntax.parsesOptions else {
      return Invocation(spec: spec, arguments: [Word](words.prefix(syntax.used)), options: [:])
    }
    var parsed = try ZkCliOptionParser(syntax: syntax).parse(words)
    if parsed.arguments.count < syntax.required { throw wrongCount(syntax) }
    var warnings: [String] = []
    if let (old, new) = syntax.formerly, parsed.arguments.count > 1 {
      warnings.append("'\(old)' has been deprecated. Please use '\(new)' instead.")
      if syntax.id != .client(.delete) {
        // As zkCli.sh does: the second argument becomes the option, whatever it is.
        var words = words
        words[1] = "-w"
        parsed = try ZkCliOptionParser(syntax: syntax).parse(words)
        if parsed.arguments.isEmpty { throw wrongCount(syntax) }
      }
    }
    // Unlike the others, these two refuse surplus arguments.
    let isStrict = syntax.id == .client(.addWatch) || syntax.id == .shell(.version)
    if isStrict, parsed.arguments.count > syntax.used { throw wrongCount(syntax) }
    return Invocation(
      spec: spec, arguments: [Word](parsed.arguments.prefix(syntax.used)),
      options: named(parsed.options, of: spec), warnings: warnings)
  }

  private static func named(_ options: [(option: String, value: Word)], of spec: CommandSpec) -> [OptionName: [Word]] {
    var result: [OptionName: [Word]] = [:]
    for (option, value) in options {
      let match = spec.options.first { spec in
        spec.short.map { String($0) == option } ?? false || spec.oldWord == option
      }
      if let name = match?.name { result[name, default: []].append(value) }
    }
    return result
  }

  private static func wrongCount(_ syntax: ZkCliSyntax) -> ShellError {
    ShellError.usage("\(syntax.name) lacks an argument", hint: "usage: \(syntax.name) \(syntax.usage)")
      .because(.argumentCount(syntax.id))
  }
}

/// Parses options as commons-cli does.
private struct ZkCliOptionParser {
  let syntax: ZkCliSyntax

  struct Result {
    var options: [(option: String, value: Word)] = []
    var arguments: [Word] = []
  }

  func parse(_ words: [Word]) throws(ShellError) -> Result {
    var result = Result()
    var rest = words[...]
    while let word = rest.popFirst() {
      let text = word.text
      if text == "--" {
        result.arguments += rest
        break
      }
      guard text.utf8.count > 1, text.utf8.first == UInt8(ascii: "-") else {
        result.arguments.append(word)
        continue
      }
      for (option, attached) in try read(word) {
        var value = attached
        if value == nil, syntax.valued.contains(option) {
          guard let next = rest.first, isValue(next) else {
            throw mistake(.lacksValue, "Missing argument for option: \(option)")
          }
          value = rest.removeFirst()
        }
        try add(option, value ?? Word(bytes: []), to: &result)
      }
    }
    if syntax.needsChoice, result.options.isEmpty {
      let list = syntax.choices.map { "-\($0.option) \($0.meaning)" }.joined(separator: ", ")
      throw mistake(.isMissing, "Missing required option: [\(list)]")
    }
    return result
  }

  /// Reads one token: an option, one with `=value`, or a bundle of letters of which the last can have its value
  /// attached.
  private func read(_ word: Word) throws(ShellError) -> [(option: String, value: Word?)] {
    let body = word.bytes.dropFirst()
    let whole = String(decoding: body, as: UTF8.self)
    if isKnown(whole) { return [(whole, nil)] }
    if let equals = body.firstIndex(of: UInt8(ascii: "=")) {
      let option = String(decoding: body[..<equals], as: UTF8.self)
      guard syntax.valued.contains(option) else { throw unrecognized(word) }
      return [(option, Word(bytes: [UInt8](body[(equals + 1)...])))]
    }
    var readings: [(option: String, value: Word?)] = []
    for index in body.indices {
      let letter = String(decoding: CollectionOfOne(body[index]), as: UTF8.self)
      guard isKnown(letter) else { throw unrecognized(word) }
      let rest = [UInt8](body[(index + 1)...])
      guard syntax.valued.contains(letter), !rest.isEmpty else {
        readings.append((letter, nil))
        continue
      }
      return readings + [(letter, Word(bytes: rest))]
    }
    return readings
  }

  /// Whether a token after an option can be its value: anything except an option, and any negative number.
  private func isValue(_ word: Word) -> Bool {
    let text = word.text
    guard text.hasPrefix("-"), text.utf8.count > 1, Double(text) == nil else { return true }
    let name = String(text.dropFirst().prefix { $0 != "=" })
    return !isKnown(name) && !isKnown(String(name.prefix(1)))
  }

  private func isKnown(_ option: String) -> Bool {
    syntax.valued.contains(option) || (option.count == 1 && syntax.flags.contains(option))
  }

  private func add(_ option: String, _ value: Word, to result: inout Result) throws(ShellError) {
    let isChoice = syntax.choices.contains { $0.option == option }
    if isChoice, let first = result.options.first, first.option != option {
      throw mistake(
        .excludesAnother,
        "The option '\(option)' was specified but an option from this group has already been selected: "
          + "'\(first.option)'")
    }
    result.options.append((option, value))
  }

  private func unrecognized(_ word: Word) -> ShellError {
    mistake(.unknown, "Unrecognized option: \(word.text)")
  }

  private func mistake(_ mistake: ShellError.OptionMistake, _ message: String) -> ShellError {
    ShellError.usage(message).because(.option(mistake))
  }
}
