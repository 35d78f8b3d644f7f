/// Hints after a line that is being typed: the arguments that its command still takes.
enum Hints {
  /// The text to show after the cursor; nil if nothing is certain.
  ///
  /// - Parameter line: the line, with the cursor at its end.
  static func text(for line: String) -> String? {
    let scanned = Tokenizer.scan([UInt8](line.utf8))
    guard !scanned.isIncomplete, !scanned.cursor.isComment, scanned.redirection == nil,
      let name = scanned.words.first?.exactText, let spec = CommandTable.find(name)
    else { return nil }
    // Hints appear only between arguments.
    guard line.last == " " else { return nil }
    let words = [Word](scanned.words.dropFirst())
    let parser = OptionParser(
      options: spec.options + ProgramOptions.ofOneLine, stopsAtArgument: spec.arguments.last?.endsOptions ?? false)
    let parsed = parser.read(words)
    if parsed.mistake != nil { return nil }
    let rest: String
    if words.isEmpty, let usage = spec.usage {
      rest = usage
    } else {
      let options = words.isEmpty ? spec.options.filter { $0.short != nil }.map { "[\($0.shortest)]" } : []
      let arguments = spec.arguments.enumerated().filter { index, argument in
        index >= parsed.arguments.count || argument.isRepeated
      }
      rest = (options + arguments.map(\.element.synopsis)).joined(separator: " ")
    }
    return rest.isEmpty ? nil : rest
  }
}
