import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// The commands `word`, `admin` and `metrics`, which print servers' answers unchanged.
extension CommandContext {
  /// Sends a four-letter word to each server.
  func word() async throws -> ExitCode {
    guard let argument = invocation.argument(0) else {
      throw ShellError.missing("argument", "word", of: invocation.spec)
    }
    let word = try ValueParser.text(argument, of: "word")
    guard word.utf8.count == 4, word.utf8.allSatisfy({ (0x61...0x7a).contains($0) }) else {
      throw ShellError.usage(
        "\(Tokenizer.quote(word)) is not a four-letter word", hint: "servers know srvr, mntr, cons...")
    }
    let limit = try answerLimit()
    return try await askAll { server in
      switch await WordAnswer.ask(word, of: server, tls: tls, limit: limit) {
      case .text(let bytes): .answer(bytes)
      case .notServing: .answer([UInt8]("This ZooKeeper instance is not currently serving requests\n".utf8))
      case .failed(let reason): .failed(.cannotConnect([ConnectFailure(address: server, reason: reason)]))
      case .notAllowed:
        .failed(
          ShellError(
            .notAllowed, "NotAllowed", "\(server) does not allow \(word)",
            hint: "add it to 4lw.commands.whitelist in its zoo.cfg: 4lw.commands.whitelist=srvr, \(word)"))
      }
    }
  }

  /// Runs a command of the AdminServers.
  func admin() async throws -> ExitCode {
    let command = try invocation.argument(0).map { word throws(ShellError) in
      try ValueParser.text(word, of: "command")
    }
    let path = command ?? ""
    let isName = path.utf8.allSatisfy { byte in
      (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || [UInt8]("_?=&".utf8).contains(byte)
    }
    guard isName else {
      throw ShellError.usage("\(Tokenizer.quote(path)) is not a command of an AdminServer", hint: "admin lists them")
    }
    let limit = try answerLimit()
    let secure = try adminTLS()
    return try await askAll(try adminServers()) { server in
      do throws(ConnectFailure) {
        let answer = try await AdminClient.get(path, of: server, tls: secure, limit: limit)
        guard answer.status == 200 else {
          let word = answer.status == 404 ? "NoCommand" : "Refused"
          return .failed(
            ShellError(
              .ensembleCannot, word, "\(server) answers with the status \(answer.status)",
              hint: "admin lists the commands that it has"))
        }
        if let error = answer.error {
          return .failed(
            ShellError(.ensembleCannot, "Refused", "\(server): \(error)", hint: "admin lists the commands that it has"))
        }
        return .answer(answer.body)
      } catch {
        return .failed(.cannotConnect([error]))
      }
    }
  }

  private enum RawAnswer: Sendable {
    case answer([UInt8])
    case failed(ShellError)
  }

  /// Asks servers concurrently, and prints their answers in order, under their names if there are several.
  private func askAll(
    _ servers: [ServerAddress]? = nil, _ ask: @escaping @Sendable (ServerAddress) async -> RawAnswer
  ) async throws -> ExitCode {
    let servers = servers ?? self.servers
    let answers = await withTaskGroup(of: (Int, RawAnswer).self) { group in
      for (index, server) in servers.enumerated() { group.addTask { (index, await ask(server)) } }
      return await group.reduce(into: [Int: RawAnswer]()) { $0[$1.0] = $1.1 }
    }
    try Task.checkCancellation()
    var failures: [ShellError] = []
    var isFirst = true
    for (index, server) in servers.enumerated() {
      switch answers[index] {
      case .answer(let bytes):
        if servers.count > 1 { try emit(.heading(path: server.description, isFirst: isFirst)) }
        isFirst = false
        let text = String(decoding: bytes, as: UTF8.self)
        let shown = text.hasSuffix("\n") ? String(text.dropLast()) : text
        try emit(.record(Record(shown, ["server": .text(server.description), "answer": .text(text)])))
      case .failed(let error): failures.append(error)
      case nil: continue
      }
    }
    guard let failure = failures.first else { return .success }
    if failures.count == servers.count { throw failure }
    for failure in failures { try emit(.warning(failure.text)) }
    return .partial
  }

  /// Prints the metrics of all servers in Prometheus's text format.
  func metrics() async throws -> ExitCode {
    let probe = try probe()
    let admins = await probe.adminServers(of: servers)
    let answers = await withTaskGroup(of: (Int, ServerMetrics?, WordAnswer).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          let answer = await WordAnswer.ask("mntr", of: server, tls: tls, limit: probe.limit)
          if let metrics = answer.bytes.flatMap({ ServerMetrics(mntr: $0) }) { return (index, metrics, answer) }
          return (index, await probe.metrics(of: admins[server]), answer)
        }
      }
      return await group.reduce(into: [(Int, ServerMetrics?, WordAnswer)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }
    }
    try Task.checkCancellation()
    var known: [(label: String?, metrics: ServerMetrics)] = []
    var failures: [ConnectFailure] = []
    var isPartial = false
    for (index, metrics, answer) in answers {
      let server = servers[index]
      if let metrics {
        known.append((servers.count > 1 ? server.description : nil, metrics))
      } else if case .failed(let reason) = answer {
        failures.append(ConnectFailure(address: server, reason: reason))
      } else {
        isPartial = true
        try emit(
          .warning(
            answer == .notServing
              ? "\(server) serves no clients and has no metrics"
              : "\(server) does not allow mntr; add it to 4lw.commands.whitelist in its zoo.cfg, or name its"
                + " AdminServer with --admin"))
      }
    }
    guard !known.isEmpty else {
      if !isPartial { throw unreachable(failures) }
      return .notAllowed
    }
    for failure in failures { try emit(.warning("\(failure.address): \(failure.reason.message)")) }
    try emit(.text(PrometheusText.write(known)))
    return isPartial || !failures.isEmpty ? .partial : .success
  }
}
