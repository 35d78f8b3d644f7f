import ZooKeeperProtocol

extension Completer {
  /// The position of the cursor in a command.
  struct Place {
    /// The kind of argument that can be there.
    private enum Expected {
      case command
      case value(ValueKind)
      /// An external command.
      case program
      case nothing
    }

    private var expected: Expected = .nothing
    /// The options that can be there.
    private var options: [OptionSpec] = []
    private let typed: String
    /// The label of the session that the line is for.
    private var label: String?

    /// Reads the tokens before the cursor.
    ///
    /// - Parameter isProgram: whether they are a command line of the program, with its options, instead of a line of
    ///   the interactive shell.
    init(before words: [Word], typed: String, isProgram: Bool) {
      self.typed = typed
      var rest = words[...]
      if isProgram {
        options = ProgramOptions.all
        if let kind = Self.skipOptions(&rest, options) {
          expected = .value(kind)
          return
        }
      }
      begin(rest, isProgram: isProgram)
    }

    /// Reads the command and what follows it.
    private mutating func begin(_ words: ArraySlice<Word>, isProgram: Bool) {
      var rest = words
      guard let name = rest.popFirst() else {
        expected = .command
        return
      }
      if !isProgram, label == nil, name.text.count > 1, name.text.last == ":" {
        label = String(name.text.dropLast())
        return begin(rest, isProgram: false)
      }
      guard let spec = CommandTable.find(name.text) else {
        options = []
        return
      }
      if spec.id == .shell(.time) || spec.id == .shell(.repeat) {
        options = spec.options
        if let kind = Self.skipOptions(&rest, options) {
          expected = .value(kind)
        } else {
          begin(rest, isProgram: false)
        }
        return
      }
      walk(rest, spec, globals: isProgram ? ProgramOptions.behindCommand : ProgramOptions.ofOneLine)
    }

    /// Removes options and their values from the front.
    ///
    /// - Returns: the kind of value that the last option still needs, if any.
    private static func skipOptions(_ words: inout ArraySlice<Word>, _ options: [OptionSpec]) -> ValueKind? {
      let parser = OptionParser(options: options)
      while let word = words.first {
        guard let reading = try? parser.read(word) else {
          words.removeFirst()
          continue
        }
        switch reading {
        case .argument: return nil
        case .terminator:
          words.removeFirst()
          return nil
        case .options(let list):
          words.removeFirst()
          guard let last = list.last, last.value == nil, let value = last.spec.value else { continue }
          if last.spec.isValueOptional, !last.spec.takesAsValue(words.first) { continue }
          if words.popFirst() == nil { return value.kind }
        }
      }
      return nil
    }

    private mutating func walk(_ words: ArraySlice<Word>, _ spec: CommandSpec, globals: [OptionSpec]) {
      options = spec.options + globals
      // The operations of a multi are commands themselves; the cursor is in the last one.
      if spec.id == .client(.multi), spec.name == "multi" {
        var rest = words
        if let kind = Self.skipOptions(&rest, spec.options) {
          expected = .value(kind)
          options = []
          return
        }
        let operation = rest.lastIndex(of: ",").map { rest[($0 + 1)...] } ?? rest
        return walkOperation(operation, isFirst: words.isEmpty)
      }
      let parser = OptionParser(options: options)
      var rest = words
      var argumentCount = 0
      while let word = rest.popFirst() {
        guard let reading = try? parser.read(word) else { continue }
        switch reading {
        case .terminator:
          options = []
          if spec.takesCommand {
            expected = rest.isEmpty ? .program : .value(.file)
            return
          }
          argumentCount += rest.count
          rest = []
        case .argument: argumentCount += 1
        case .options(let list):
          guard let last = list.last, last.value == nil, let value = last.spec.value else { continue }
          if last.spec.isValueOptional, !last.spec.takesAsValue(rest.first) { continue }
          if rest.popFirst() == nil {
            expected = .value(value.kind)
            options = []
            return
          }
        }
      }
      guard spec.arguments.indices.contains(argumentCount) else { return }
      expected = .value(spec.arguments[argumentCount].kind)
    }

    private mutating func walkOperation(_ words: ArraySlice<Word>, isFirst: Bool) {
      if !isFirst { options = [] }
      guard let name = words.first?.text.lowercased() else {
        expected = .value(.choice(MultiParser.operations.map(\.name)))
        return
      }
      let spec = MultiParser.operations.first { $0.name == name || $0.aliases.contains(name) }
      if let spec { walk(words.dropFirst(), spec, globals: []) }
    }

    /// The possible completions of the token at the cursor.
    func plan(cwd: String, quoting: Tokenizer.Quoting?) -> Plan {
      var plan = Plan(parent: nil, startOffset: 0)
      plan.quoting = quoting
      if typed.hasPrefix("-"), !options.isEmpty {
        guard let equals = typed.firstIndex(of: "=") else {
          plan.fixed = optionCandidates(plan)
          return plan
        }
        return planValue(ofOption: typed[..<equals], cwd, plan)
      }
      switch expected {
      case .nothing: return plan
      case .command:
        plan.fixed = commandCandidates(plan)
        return plan
      case .value(let kind): return planValue(kind, typed[...], cwd, plan)
      case .program:
        if typed.contains("/") {
          planFile(typed[...], &plan)
        } else {
          plan.wantsPrograms = true
          plan.namePrefix = typed
        }
        return plan
      }
    }

    private func planValue(ofOption option: Substring, _ cwd: String, _ plan: Plan) -> Plan {
      guard let spec = options.first(where: { $0.spelling == String(option) }), let value = spec.value else {
        return plan
      }
      var plan = plan
      plan.wordPrefix = option + "="
      return planValue(value.kind, typed.dropFirst(plan.wordPrefix.count), cwd, plan)
    }

    private func planValue(_ kind: ValueKind, _ typed: Substring, _ cwd: String, _ plan: Plan) -> Plan {
      var plan = plan
      switch kind {
      case .path: planPath(typed, cwd, &plan)
      case .place: planPlace(typed, cwd, &plan)
      case .choice(let choices): plan.fixed = matches(choices, typed, plan)
      case .condition: plan.fixed = matches(CommandContext.conditionForms, typed, plan)
      case .command:
        let topics = HelpTopic.allCases.map(\.rawValue)
        plan.fixed = matches(CommandTable.all.map(\.name) + topics, typed, plan)
      case .acl: plan.fixed = aclCandidates(typed, plan)
      case .cluster:
        plan.wantsClusters = true
        plan.namePrefix = String(typed)
      case .file: planFile(typed, &plan)
      case .data where typed.hasPrefix("@") && !typed.hasPrefix("@@"):
        plan.wordPrefix += "@"
        planFile(typed.dropFirst(), &plan)
      case .data, .version, .number, .duration, .server, .word: break
      }
      return plan
    }

    private func planPath(_ typed: Substring, _ cwd: String, _ plan: inout Plan) {
      let slash = typed.lastIndex(of: "/")
      plan.typedDirectory = slash.map { String(typed[...$0]) } ?? ""
      plan.namePrefix = slash.map { String(typed[typed.index(after: $0)...]) } ?? String(typed)
      let directory = plan.typedDirectory.isEmpty ? "." : plan.typedDirectory
      if let label {
        // Only the session itself knows its working directory.
        plan.elsewhere = .label(label)
        plan.parent = directory
      } else {
        plan.parent = ZnodePath.resolve(directory, in: cwd)
      }
    }

    private func planPlace(_ typed: Substring, _ cwd: String, _ plan: inout Plan) {
      if typed.hasPrefix("file:") {
        plan.wordPrefix += "file:"
        planFile(typed.dropFirst(5), &plan)
      } else if let (name, path) = CommandContext.clusterPlace(String(typed)) {
        guard !["zk", "zks"].contains(name) else { return }
        plan.wordPrefix += "\(name):"
        planPath(path[...], "/", &plan)
        plan.elsewhere = .cluster(name)
      } else {
        planPath(typed, cwd, &plan)
      }
    }

    private func planFile(_ typed: Substring, _ plan: inout Plan) {
      let slash = typed.lastIndex(of: "/")
      plan.typedDirectory = slash.map { String(typed[...$0]) } ?? ""
      plan.namePrefix = slash.map { String(typed[typed.index(after: $0)...]) } ?? String(typed)
      plan.directory = plan.typedDirectory.isEmpty ? "." : plan.typedDirectory
    }

    private func matches(_ words: [String], _ typed: Substring, _ plan: Plan) -> [Candidate] {
      let wanted = typed.lowercased()
      return words.filter { $0.lowercased().hasPrefix(wanted) }.map { word in
        Candidate(text: plan.quoted(word), display: word)
      }
    }

    /// The last entry of the list is the one being typed.
    private func aclCandidates(_ typed: Substring, _ plan: Plan) -> [Candidate] {
      let comma = typed.lastIndex(of: ",").map { typed.index(after: $0) } ?? typed.startIndex
      return [("world:anyone:cdrwa", "anyone"), ("world:anyone:r", "anyone, to read"), ("auth::cdrwa", "this session")]
        .filter { $0.0.hasPrefix(typed[comma...]) }
        .map { entry, note in
          let text = String(typed[..<comma]) + entry
          return Candidate(text: plan.quoted(text), display: entry, note: note)
        }
    }

    /// Names match in either case, and are completed to their own spelling.
    private func commandCandidates(_ plan: Plan) -> [Candidate] {
      let wanted = typed.lowercased()
      let names = CommandTable.all.flatMap { spec in ([spec.name] + spec.aliases).map { ($0, spec.summary) } }
      return names.filter { $0.0.lowercased().hasPrefix(wanted) }.sorted { $0.0.lowercased() < $1.0.lowercased() }
        .map { Candidate(text: plan.quoted($0), display: $0, note: $1) }
    }

    private func optionCandidates(_ plan: Plan) -> [Candidate] {
      var seen: Set<String> = []
      var candidates: [Candidate] = []
      for spec in options {
        let forms = [spec.short.map { "-\($0)" }, spec.oldWord.map { "-\($0)" }, spec.name.long.map { "--\($0)" }]
        for form in forms.compactMap(\.self) where form.hasPrefix(typed) && seen.insert(form).inserted {
          candidates.append(Candidate(text: plan.quoted(form), display: form, note: spec.summary))
        }
      }
      return candidates
    }
  }
}
