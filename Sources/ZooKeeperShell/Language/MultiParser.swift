/// One operation of a multi as it was written.
package enum MultiCommand: Hashable, Sendable {
  case create(path: Word, data: Word?, acl: Word?, kind: CreateKind)
  case set(path: Word, data: Word, version: Int32)
  case delete(path: Word, version: Int32)
  case check(path: Word, version: Int32)

  /// The options of a create.
  package struct CreateKind: Hashable, Sendable {
    package var isSequential = false
    package var isEphemeral = false
    package var isContainer = false
    package var ttlMilliseconds: Int64?

    /// The defaults are those of a create without options.
    package init(
      isSequential: Bool = false, isEphemeral: Bool = false, isContainer: Bool = false, ttlMilliseconds: Int64? = nil
    ) {
      self.isSequential = isSequential
      self.isEphemeral = isEphemeral
      self.isContainer = isContainer
      self.ttlMilliseconds = ttlMilliseconds
    }
  }
}

/// Reads the operations of a multi.
package enum MultiParser {
  /// Reads operations given as arguments, separated by lone commas.
  ///
  /// - Throws: a usage error that names the operation by its number.
  package static func parse(_ words: [Word]) throws(ShellError) -> [MultiCommand] {
    let groups = words.split(separator: ",", omittingEmptySubsequences: false)
    var commands: [MultiCommand] = []
    for (index, group) in groups.enumerated() {
      guard !group.isEmpty else {
        throw .usage(
          "operation \(index + 1) of the multi is empty",
          hint: "separate operations by a comma with blanks around it")
      }
      commands.append(try parse(operation: group, label: "operation \(index + 1)"))
    }
    return commands
  }

  /// Reads operations written one on each line; blank lines and comments do not count.
  ///
  /// A lone comma is data here. A quoted text can span lines.
  ///
  /// - Throws: a usage error that names the line.
  package static func parse(text: [UInt8]) throws(ShellError) -> [MultiCommand] {
    var commands: [MultiCommand] = []
    var pending: [UInt8] = []
    for (index, line) in try TextLines.splitKeepingEnds(text, name: "the multi").enumerated() {
      let scanned = Tokenizer.scan(pending + line.bytes)
      if scanned.isIncomplete {
        pending += line.bytes + line.end
        continue
      }
      pending = []
      if let word = scanned.hereDocument { throw .hereDocument(word) }
      guard !scanned.words.isEmpty else { continue }
      commands.append(try parse(operation: scanned.words[...], label: "line \(index + 1)"))
    }
    guard pending.isEmpty else { throw .usage("the multi ends inside an open quote") }
    guard !commands.isEmpty else { throw .usage("the multi has no operations") }
    return commands
  }

  /// A spec for each operation, which help and completion read too.
  static let operations: [CommandSpec] = [
    CommandSpec(
      .client(.multi), "create", summary: "Create a znode",
      arguments: CommandTable.spec(of: .client(.create)).arguments,
      options: CommandTable.createOptions.filter { $0.name != .parents }),
    CommandSpec(
      .client(.multi), "set", summary: "Set the data of a znode", arguments: [SharedOptions.path, SharedOptions.data],
      options: [SharedOptions.version]),
    CommandSpec(
      .client(.multi), "delete", aliases: ["rm"], summary: "Delete a znode", arguments: [SharedOptions.path],
      options: [SharedOptions.version]),
    CommandSpec(
      .client(.multi), "check", summary: "Go on only if a znode has a version",
      arguments: [SharedOptions.path, ArgumentSpec("version", .version)]),
  ]

  private static func parse(operation words: ArraySlice<Word>, label: String) throws(ShellError) -> MultiCommand {
    do throws(ShellError) {
      return try command(words)
    } catch {
      var error = error
      error.message = "\(label): \(error.message)"
      throw error
    }
  }

  private static func command(_ words: ArraySlice<Word>) throws(ShellError) -> MultiCommand {
    let name = words.first?.text ?? ""
    let wanted = name.lowercased()
    guard let spec = operations.first(where: { $0.name == wanted || $0.aliases.contains(wanted) }) else {
      throw .usage(
        "unknown operation \(Tokenizer.quote(name)) in a multi",
        hint: "the operations are create, set, delete and check")
    }
    let bound = try ArgumentBinder.bind([Word](words.dropFirst()), to: spec, globals: [])
    let path = bound.arguments[0]
    switch spec.name {
    case "create":
      return .create(
        path: path, data: bound.argument(1), acl: bound.argument(2) ?? bound.value(.acl), kind: try createKind(bound))
    case "set": return .set(path: path, data: bound.arguments[1], version: try bound.version())
    case "delete": return .delete(path: path, version: try bound.version())
    default: return .check(path: path, version: try ValueParser.version(bound.arguments[1], of: "version"))
    }
  }

  private static func createKind(_ bound: Invocation) throws(ShellError) -> MultiCommand.CreateKind {
    var kind = MultiCommand.CreateKind(
      isSequential: bound.flag(.sequential), isEphemeral: bound.flag(.ephemeral), isContainer: bound.flag(.container))
    if let ttl = bound.value(.ttl) { kind.ttlMilliseconds = try ValueParser.milliseconds(ttl, of: "--ttl") }
    return kind
  }
}
