import ZooKeeperClient

/// Sessions side by side: `connect --as b`, and then `b: ls /`.
extension ShellSession {
  /// Opens a session with these settings, in place of the present one, or as an additional one with a label.
  ///
  /// - Throws: a usage error for a label that is not valid; the error that prevents the session.
  func enter(_ next: ShellSettings, as label: Word?) async throws {
    guard let label else {
      try await open(next)
      directory = "/"
      previousDirectory = "/"
      return
    }
    guard !isLabelled else {
      throw ShellError.usage("a labelled session cannot open another one", hint: "leave out the label before it")
    }
    let name = try ValueParser.text(label, of: "--as")
    guard !name.isEmpty, name.utf8.allSatisfy({ $0.isOfLabel }) else {
      throw ShellError.usage("--as \(Tokenizer.quote(label)) is not a label", hint: "use letters, digits, _ and -")
    }
    let session = ShellSession(
      settings: next, mode: mode, environment: environment, output: output, values: values, forwarder: forwarder,
      isLabelled: true)
    session.events.setHandler { [events] event in
      // Changes of its connection are shown by its commands, because the prompt shows the first session.
      guard let path = event.path else { return }
      var event = event
      event.path = "\(name):\(path)"
      events.show(event)
    }
    _ = try await session.connectedClient()
    await labelled[name]?.close()
    labelled[name] = session
  }

  /// Runs a command on a labelled session.
  ///
  /// - Returns: nil if the first argument is not a label with a colon.
  func runLabelled(_ words: [Word], at place: SourceLine?) async -> Outcome? {
    guard !labelled.isEmpty, let text = words.first?.text, text.last == ":",
      let session = labelled[String(text.dropLast())]
    else { return nil }
    let rest = [Word](words.dropFirst())
    let outcome = await session.run(rest, at: place)
    let ends = rest.first.flatMap { CommandTable.find($0.text)?.id }
    if ends == .shell(.close) || ends == .shell(.quit) {
      await session.close()
      labelled[String(text.dropLast())] = nil
    }
    return Outcome(exitCode: outcome.exitCode)
  }

  /// Closes the labelled sessions.
  func closeLabelled() async {
    for session in labelled.values { await session.close() }
    labelled = [:]
  }
}

extension UInt8 {
  fileprivate var isOfLabel: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
