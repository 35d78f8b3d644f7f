import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// `local delay|drop|slow-disk|clock|expire`: faults that last until they are ended, and the expiry of a session.
extension ShellSession {
  /// Injects a fault into links, disks or clocks.
  func injectFault(
    _ sandbox: LocalEnsemble, _ action: LocalAction, _ invocation: Invocation, _ settings: ShellSettings
  ) async throws {
    let words = [Word](invocation.arguments.dropFirst())
    guard let value = words.first else {
      throw ShellError.usage("missing argument: \(Self.valueName(of: action))", hint: "0 ends the fault")
    }
    let servers = try await Self.servers([Word](words.dropFirst()), sandbox)
    let seed = try invocation.value(.seed).map { word throws(ShellError) in
      UInt64(try ValueParser.integer(word, of: "--seed", in: 0...Int64.max))
    }
    switch action {
    case .delay:
      let delay = try Self.span(value, of: "delay")
      let jitter = try invocation.value(.jitter).map { word throws(ShellError) in
        try Self.span(word, of: "--jitter")
      }
      let used = try await explaining {
        () throws(SandboxError) in
        try await sandbox.delay(delay, jitter: jitter ?? .zero, among: servers, seed: seed)
      }
      if let jitter, jitter > .zero { try tell(seed: used, settings) }
    case .drop:
      let probability = try Self.probability(value)
      let used = try await explaining { () throws(SandboxError) in
        try await sandbox.breakConnections(probability: probability, among: servers, seed: seed)
      }
      if probability > 0 { try tell(seed: used, settings) }
    case .slowDisk:
      let delay = try Self.span(value, of: "slow-disk")
      try await explaining { () throws(SandboxError) in try await sandbox.slowDisk(delay, of: servers) }
    default:
      let offset = try Self.offset(value)
      try await explaining { () throws(SandboxError) in try await sandbox.setClock(ahead: offset, of: servers) }
    }
  }

  /// Ends a session as the leader does if its client is silent. For the shell's own session, waits until the shell has
  /// been told.
  func expire(_ sandbox: LocalEnsemble, _ words: [Word]) async throws {
    guard let word = words.first, words.count == 1 else {
      if words.count > 1 { throw ShellError.usage("unexpected argument: \(Tokenizer.quote(words[1]))") }
      throw ShellError.usage(
        "missing argument: session", hint: "give its number, such as 0x1000123abc0000, or me for the shell's own")
    }
    let isOwn = word.text.lowercased() == "me"
    let session = isOwn ? try await connectedClient().snapshot().sessionID.rawValue : try Self.session(word)
    try await explaining { () throws(SandboxError) in try await sandbox.expire(session: session) }
    guard isOwn else { return }
    let deadline = ContinuousClock.now + .seconds(10)
    while events.connection != .expired, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// Converts an error of the sandbox into an error of the shell.
  func explaining<Value>(
    _ body: () async throws(SandboxError) -> Value
  ) async throws(ShellError) -> Value {
    do throws(SandboxError) {
      return try await body()
    } catch {
      if error.isConfiguration { throw .usage(error.message, hint: error.hint) }
      throw ShellError(.conflict, "Local", error.message, hint: error.hint)
    }
  }

  private func tell(seed: UInt64, _ settings: ShellSettings) throws(ShellError) {
    try write(.record(Record("seed \(seed)", ["seed": .number(Int64(clamping: seed))])), settings)
  }

  // MARK: Arguments

  private static func valueName(of action: LocalAction) -> String { action == .drop ? "percentage" : "time" }

  /// The servers that `1 2`, `1,2`, `1-3` or `leader` name; empty for all servers.
  private static func servers(_ words: [Word], _ sandbox: LocalEnsemble) async throws(ShellError) -> Set<Int> {
    var servers: Set<Int> = []
    for part in words.flatMap({ $0.text.split(separator: ",", omittingEmptySubsequences: false) }) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      let first = try await server(String(ends[0]), sandbox)
      let last = ends.count == 1 ? first : try await server(ends.dropFirst().joined(separator: "-"), sandbox)
      guard first <= last else {
        throw .usage("\(Tokenizer.quote(Word(String(part)))) names no server", hint: "write the smaller number first")
      }
      servers.formUnion(first...last)
    }
    return servers
  }

  /// A time span; 0 needs no unit.
  private static func span(_ word: Word, of name: String) throws(ShellError) -> Duration {
    if word.text == "0" { return .zero }
    return try ValueParser.duration(word, of: name)
  }

  /// A time span with a sign, to add to a clock.
  private static func offset(_ word: Word) throws(ShellError) -> Duration {
    let text = word.text
    if text == "0" { return .zero }
    guard let sign = text.first, sign == "+" || sign == "-" else {
      throw .usage(
        "clock \(Tokenizer.quote(word)) has no sign",
        hint: "write +5s for a clock that is fast, -5s for one that is slow, 0 to end it")
    }
    let span = try ValueParser.duration(Word(String(text.dropFirst())), of: "clock")
    return sign == "-" ? .zero - span : span
  }

  /// A percentage such as `10%` or `0.5%`; 0 needs no percent sign.
  private static func probability(_ word: Word) throws(ShellError) -> Double {
    let text = word.text
    if text == "0" { return 0 }
    let digits = text.dropLast()
    guard text.last == "%", digits.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") }),
      let percentage = Double(digits), percentage == 0 || (0.001...100).contains(percentage)
    else {
      throw .usage(
        "drop \(Tokenizer.quote(word)) is not a percentage", hint: "write it as 10% or 0.5%, from 0.001% to 100%")
    }
    return percentage / 100
  }

  private static func session(_ word: Word) throws(ShellError) -> Int64 {
    let text = word.text.lowercased()
    guard text.hasPrefix("0x"), let number = UInt64(text.dropFirst(2), radix: 16) else {
      throw .usage(
        "session \(Tokenizer.quote(word)) is not a session", hint: "write it as 0x1000123abc0000; sessions lists them")
    }
    return Int64(bitPattern: number)
  }
}

extension LocalServer {
  /// Descriptions of the server's faults, for people.
  var faults: [String] {
    var faults: [String] = []
    func names(_ ids: [Int]) -> String { ids.map { "\($0)" }.joined(separator: ",") }
    func time(_ milliseconds: Int64) -> String {
      let units: [(String, Int64)] = [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
      let unit = units.first { milliseconds % $0.1 == 0 }
      return unit.map { "\(milliseconds / $0.1)\($0.0)" } ?? "\(milliseconds)ms"
    }
    if !cutOff.isEmpty { faults.append("cut off from \(names(cutOff))") }
    var delays: [String: [Int]] = [:]
    var drops: [String: [Int]] = [:]
    for link in links {
      let jitter = link.jitterMilliseconds > 0 ? "±\(time(link.jitterMilliseconds))" : ""
      if link.delayMilliseconds > 0 {
        delays["delay \(time(link.delayMilliseconds))\(jitter) to", default: []].append(link.id)
      }
      if link.dropProbability > 0 {
        drops["drop \(Record.text(of: link.dropProbability * 100))% to", default: []].append(link.id)
      }
    }
    for (what, ids) in delays.sorted(by: { $0.value[0] < $1.value[0] }) { faults.append("\(what) \(names(ids))") }
    for (what, ids) in drops.sorted(by: { $0.value[0] < $1.value[0] }) { faults.append("\(what) \(names(ids))") }
    if diskDelayMilliseconds > 0 { faults.append("slow disk \(time(diskDelayMilliseconds))") }
    if clockOffsetMilliseconds != 0 {
      faults.append("clock \(clockOffsetMilliseconds > 0 ? "+" : "-")\(time(abs(clockOffsetMilliseconds)))")
    }
    return faults
  }
}

extension Duration {
  /// The whole milliseconds.
  var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
