import JSONFormat

/// The commands time and repeat, and lines of the history.
extension ShellSession {
  /// Runs a command and prints how long it took.
  func time(_ invocation: Invocation, _ settings: ShellSettings) async throws -> Outcome {
    let start = ContinuousClock.now
    let outcome = await run(invocation.arguments)
    try output.flush()
    let microseconds = start.duration(to: .now).microseconds
    let text = "\(microseconds / 1000).\(String(1000 + microseconds % 1000).dropFirst()) ms"
    let rendered: Rendered =
      switch settings.format {
      case .json, .jsonl:
        Rendered(
          stderr: JSON.object([("time", .string(text)), ("microseconds", .number(microseconds))]).bytes + [0x0a])
      default: .err("zkcli: \(text)\n")
      }
    try output.write(rendered)
    return outcome
  }

  /// Runs a command repeatedly, until it fails or has run the given number of times.
  func `repeat`(_ invocation: Invocation) async throws -> Outcome {
    let count = try invocation.value(.count).map { word throws(ShellError) in
      try ValueParser.integer(word, of: "--count", in: 1...Int64(Int32.max))
    }
    let interval = try invocation.value(.every).map { word throws(ShellError) in
      try ValueParser.duration(word, of: "--every")
    }
    var next = ContinuousClock.now
    var outcome = Outcome(exitCode: .success)
    var number: Int64 = 0
    while number < count ?? .max {
      outcome = await run(invocation.arguments)
      try output.flush()
      number += 1
      // A false predicate does not end the repetition: it is what users wait to change.
      guard outcome.exitCode == .success || outcome.exitCode == .no, !outcome.leaves, number != count else { break }
      next += interval ?? .seconds(1)
      if next < .now { next = .now }
      try await Task.sleep(until: next, clock: .continuous)
    }
    return outcome
  }

  /// The line of the history that `!N` or `!!` stands for; nil for anything else.
  ///
  /// - Throws: a usage error if there is no such line.
  func recalled(_ words: [Word]) throws(ShellError) -> HistoryEntry? {
    guard mode == .interactive, settings.dialect.showsRepeatedLine, words.count == 1, let text = words[0].exactText,
      text.hasPrefix("!")
    else { return nil }
    if text == "!!" {
      guard let last = history.last(where: { !$0.line.hasPrefix("!") }) else {
        throw .usage("there is no line in the history yet")
      }
      return last
    }
    guard let number = Int(text.dropFirst()) else { return nil }
    guard let entry = history.first(where: { $0.number == number }), !entry.line.hasPrefix("!") else {
      throw .usage("there is no line \(number) in the history to run again", hint: "history lists the lines")
    }
    return entry
  }
}

extension Duration {
  /// The whole microseconds.
  var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
