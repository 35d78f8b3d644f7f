import LineEditor
import ZnodeFormats
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The command local trace, which shows the messages between the servers of a sandbox.
extension ShellSession {
  /// The interval at which new events are printed.
  private static let traceInterval = Duration.milliseconds(20)

  /// Begins or ends a trace, prints what it has recorded, or prints events for some time as they happen.
  func trace(_ sandbox: LocalEnsemble, _ invocation: Invocation, _ settings: ShellSettings) async throws {
    guard sandbox.size > 1 else {
      throw ShellError.usage(
        "a single server sends no messages to other servers", hint: "start an ensemble, such as zkcli --local 3")
    }
    let words = [Word](invocation.arguments.dropFirst())
    if words.count > 1 { throw ShellError.usage("unexpected argument: \(Tokenizer.quote(words[1]))") }
    if invocation.flag(.follow) {
      if let word = words.first { throw ShellError.usage("-f cannot be combined with \(Tokenizer.quote(word))") }
      return try await follow(sandbox, for: nil, settings)
    }
    switch words.first?.text.lowercased() {
    case "on":
      if let trace { await sandbox.end(trace) }
      trace = await sandbox.startTrace()
    case "off":
      guard let trace else { throw ShellError.usage("there is no trace to end", hint: "local trace on begins one") }
      await sandbox.end(trace)
      self.trace = nil
    case nil:
      guard let trace else {
        throw ShellError.usage(
          "there is no trace", hint: "local trace on begins one; local trace 5s and local trace -f print what happens")
      }
      let answer = AnswerWriter(Renderer(renderContext(settings)), output, isListing: true)
      try show(trace, answer, settings)
      try answer.finish()
    default:
      let time = try ValueParser.duration(words[0], of: "trace")
      guard time <= .seconds(24 * 3600) else {
        throw ShellError.usage("trace \(words[0].text) is too long", hint: "-f goes on until interrupted")
      }
      try await follow(sandbox, for: time, settings)
    }
  }

  /// Prints events from now on.
  private func follow(_ sandbox: LocalEnsemble, for time: Duration?, _ settings: ShellSettings) async throws {
    let trace = await sandbox.startTrace()
    let deadline = time.map { ContinuousClock.now + $0 }
    let answer = AnswerWriter(Renderer(renderContext(settings)), output, isListing: true)
    do {
      while true {
        let left = deadline.map { ContinuousClock.now.duration(to: $0) } ?? Self.traceInterval
        guard left > .zero else { break }
        try await Task.sleep(for: min(left, Self.traceInterval))
        try show(trace, answer, settings)
      }
    } catch {
      await sandbox.end(trace)
      try answer.abandon()
      throw error
    }
    await sandbox.end(trace)
    try show(trace, answer, settings)
    try answer.finish()
  }

  private func show(
    _ trace: ConsensusTrace, _ answer: AnswerWriter, _ settings: ShellSettings
  ) throws(ShellError) {
    let (events, lostCount) = trace.take()
    for event in events { try answer.emit(.record(Record(event))) }
    if lostCount > 0 {
      try write(.warning("\(lostCount) events were lost, because \(trace.limit) had not been printed yet"), settings)
    }
    try output.flush()
  }
}

extension Record {
  /// An event in readable form: `+0.1234s 2 -> 1 PROPOSAL zxid=0x200000003 setData /a`.
  init(_ event: ConsensusEvent) {
    let hundredMicroseconds = event.time.microseconds / 100
    let fraction = "\(10_000 + hundredMicroseconds % 10_000)".dropFirst()
    let peer = event.peer.map { "\($0)" } ?? "?"
    let place =
      switch event.direction {
      case .sent: "\(event.server) -> \(peer)"
      case .received: "\(event.server) <- \(peer)"
      case .local: "\(event.server)     "
      }
    var text = "+\(hundredMicroseconds / 10_000).\(fraction)s \(place)  \(event.kind.rawValue)"
    if let leader = event.leader { text += " for=\(leader)" }
    if let zxid = event.zxid {
      text += " zxid=\(hexadecimal(zxid))"
    } else if let epoch = event.epoch {
      text += " epoch=\(epoch)"
    }
    if let round = event.round { text += " round=\(round)" }
    // A path can contain any characters.
    if let detail = event.detail { text += " \(TerminalText([UInt8](detail.utf8)).text)" }
    self.init(
      text,
      [
        "microseconds": .number(event.time.microseconds), "server": .number(Int64(event.server)),
        "peer": event.peer.map { .number(Int64($0)) } ?? .missing, "direction": .text(event.direction.rawValue),
        "kind": .text(event.kind.rawValue), "zxid": event.zxid.map { .text(hexadecimal($0)) } ?? .missing,
        "epoch": event.epoch.map { .number(Int64($0)) } ?? .missing,
        "leader": event.leader.map { .number(Int64($0)) } ?? .missing,
        "round": event.round.map { .number($0) } ?? .missing, "detail": event.detail.map { .text($0) } ?? .missing,
      ])
  }
}
