import TransportSecurity
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

extension CommandContext {
  /// Runs one of the commands that ask servers about their state.
  func run(_ command: MonitorCommand) async throws -> ExitCode {
    switch command {
    case .health: try await health()
    case .ready: try await ready()
    case .members: try await members()
    case .sessions: try await sessions()
    case .who: try await who()
    case .watchers: try await watchers()
    case .top: try await top()
    case .latency: try await latency()
    case .bench: try await bench()
    case .metrics: try await metrics()
    case .word: try await word()
    case .admin: try await admin()
    case .snapshot: try await snapshot()
    }
  }

  /// The time limit for connecting to a server, and again for its answer.
  func answerLimit() throws(ShellError) -> Duration {
    guard let word = invocation.value(.limit) else { return .seconds(1) }
    let limit = try ValueParser.duration(word, of: "--limit")
    guard limit > .zero else { throw .usage("--limit must be greater than zero") }
    return limit
  }

  /// The number that an option gives.
  func number(_ name: OptionName, default other: Int, in range: ClosedRange<Int64>) throws(ShellError) -> Int {
    guard let word = invocation.value(name) else { return other }
    return Int(try ValueParser.integer(word, of: "--\(name.rawValue)", in: range))
  }

  /// The probe that asks the servers.
  func probe() throws(ShellError) -> EnsembleProbe {
    let limit = try answerLimit()
    return EnsembleProbe(
      tls: tls, limit: limit, admin: try adminPlaces(), adminTLS: try adminTLS()
    ) { [openMember] server in try await openMember(server, limit) }
  }

  /// How connections to AdminServers are encrypted; nil unless `--admin` asks for encryption.
  func adminTLS() throws(ShellError) -> TLSContext? {
    guard let word = invocation.value(.admin) else { return nil }
    let text = try ValueParser.text(word, of: "--admin")
    let parts = text.split(separator: ",")
    guard parts.contains(where: { $0.hasPrefix("https://") }) else { return nil }
    guard !parts.contains(where: { $0.hasPrefix("http://") }) else {
      throw .usage("--admin mixes http:// and https://", hint: "use the same scheme for all AdminServers")
    }
    return try secureContext()
  }

  /// The AdminServers that `--admin` names, or those of the servers.
  func adminServers() throws(ShellError) -> [ServerAddress] {
    switch try adminPlaces() {
    case .addresses(let addresses): addresses
    case .port(let port): servers.map { ServerAddress(host: $0.host, port: port) }
    }
  }

  /// Parses `--admin`: a port, or addresses with an optional `https://` or `http://`.
  func adminPlaces() throws(ShellError) -> EnsembleProbe.AdminPlaces {
    guard let word = invocation.value(.admin) else { return .port(AdminClient.defaultPort) }
    let text = try ValueParser.text(word, of: "--admin")
    let parts = text.split(separator: ",").map { part in
      let scheme = ["https://", "http://"].first { part.hasPrefix($0) } ?? ""
      let place = part.dropFirst(scheme.count)
      return scheme.isEmpty || place.last != "/" ? place : place.dropLast()
    }
    if parts.count == 1, let port = Int(parts[0]) {
      guard (1...65535).contains(port) else {
        throw .usage("--admin \(port) is not a port", hint: "a port is 1 to 65535")
      }
      return .port(port)
    }
    let addresses = parts.compactMap { ServerAddress(parsing: String($0)) }.filter { $0.port > 0 }
    guard !parts.isEmpty, addresses.count == parts.count else {
      throw .usage(
        "--admin \(Tokenizer.quote(text)) is neither a port nor a list of addresses",
        hint: "write HOST:PORT,HOST:PORT, and https:// before each for HTTPS")
    }
    return .addresses(addresses)
  }

  /// The error if no server could be asked.
  func unreachable(_ failures: [ConnectFailure]) -> ShellError {
    failures.isEmpty
      ? ShellError(.ensembleCannot, "NotServing", "no server serves clients: the ensemble has no quorum")
      : .cannotConnect(failures)
  }
}
