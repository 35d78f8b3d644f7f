import Foundation
import Synchronization
import TestKit
import ZooKeeperClient
import ZooKeeperProtocol

/// Clients that write and read without end, and remember what they were promised.
///
/// Every client has a counter, whose data are numbers that only grow; it creates sequential znodes and pairs of znodes
/// in a multi, holds an ephemeral znode in each of its sessions, and reads the others' counters. Whatever it sees that
/// no order of all writes can explain is a violation.
final class SessionLoad: Sendable {
  /// What all clients know together.
  private struct Knowledge {
    var violations: [String] = []
    var acknowledgedCount = 0
    var sequenceNumbers: [Int: String] = [:]
    var paths: Set<String> = []
    /// The least data and version that each counter must have at the end.
    var counters: [String: (number: Int, version: Int32)] = [:]
    /// Ephemeral znodes of sessions that have expired.
    var abandoned: [String] = []
    var expiryCount = 0
    /// Successful writes of each client since the last call of `forgetSuccesses`.
    var successes: [Int: Int] = [:]
    var isStopping = false
  }

  let servers: String
  let clientCount: Int
  private let sessionTimeout: Duration
  private let knowledge = Mutex(Knowledge())

  init(_ servers: String, clientCount: Int, sessionTimeout: Duration = .milliseconds(2_500)) {
    self.sessionTimeout = sessionTimeout
    self.servers = servers
    self.clientCount = clientCount
  }

  /// What must not have happened.
  var violations: [String] { knowledge.withLock { $0.violations } }
  var acknowledgedCount: Int { knowledge.withLock { $0.acknowledgedCount } }
  var expiryCount: Int { knowledge.withLock { $0.expiryCount } }

  /// Whether every client has written since `forgetSuccesses`.
  var allHaveWritten: Bool { knowledge.withLock { $0.successes.count == clientCount } }

  func forgetSuccesses() { knowledge.withLock { $0.successes = [:] } }
  func stop() { knowledge.withLock { $0.isStopping = true } }
  private var isStopping: Bool { knowledge.withLock { $0.isStopping } }

  /// Makes the znodes that the clients need.
  func prepare() async throws {
    try await withSession(servers) { client in
      for path in ["/counter", "/queue", "/pair", "/alive"] { try await client.create(path) }
      for number in 0..<clientCount { try await client.create("/counter/\(number)", data: Array("0".utf8)) }
    }
  }

  /// Runs one client until `stop`, with a new session for each one that expires.
  func run(client number: Int, _ generator: SeededGenerator) async throws {
    var random = generator
    var worker = Worker(number: number)
    while !isStopping {
      let client = try session(servers, timeout: sessionTimeout)
      worker.begin()
      do {
        while !isStopping { try await step(&worker, client, &random) }
        await client.close()
      } catch let error as ZooKeeperError {
        guard case .sessionExpired = error.code else { throw error }
        await client.close(limit: .zero)
        noteExpiry(of: worker)
      }
    }
  }

  /// One client's memory.
  private struct Worker {
    let number: Int
    /// The number of the last set that was sent, and of the last that was acknowledged.
    var sent = 0
    var acknowledged = 0
    var version: Int32 = 0
    /// Sets since the last acknowledged one of which nobody knows what became.
    var unknownSets: Int32 = 0
    var lastSequence = -1
    var pairs = 0
    var sessionNumber = 0
    // Of the present session:
    var ephemeral: String?
    var seen: [String: Stat] = [:]
    var lastZxid = Zxid.zero
    var lastAnswer = ContinuousClock.now

    init(number: Int) { self.number = number }

    mutating func begin() {
      sessionNumber += 1
      ephemeral = nil
      seen = [:]
      lastAnswer = .now
    }
  }

  private func step(
    _ worker: inout Worker, _ client: ZooKeeperClient, _ random: inout SeededGenerator
  ) async throws {
    do {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3: try await set(&worker, client)
      case 3..<5: try await enqueue(&worker, client)
      case 5: try await createPair(&worker, client)
      case 6: try await checkAlive(&worker, client)
      default:
        let other = Int.random(in: 0..<clientCount, using: &random)
        try await read(&worker, client, "/counter/\(other)")
      }
      worker.lastAnswer = .now
    } catch let error as ZooKeeperError {
      switch error.code {
      case .connectionLoss, .timedOut, .cannotConnect: break
      case .server(.connectionLoss), .server(.operationTimeout), .server(.sessionMoved): break
      case .server(.sessionExpired): throw ZooKeeperError(.sessionExpired)
      case .sessionExpired: throw error
      default: violate("client \(worker.number): \(error)")
      }
    }
  }

  // MARK: Writes

  private func set(_ worker: inout Worker, _ client: ZooKeeperClient) async throws {
    worker.sent += 1
    worker.unknownSets += 1
    let path = "/counter/\(worker.number)"
    let stat = try await client.setData(path, data: Array("\(worker.sent)".utf8))
    if stat.version <= worker.version || stat.version > worker.version + worker.unknownSets {
      violate(
        "\(path) went from version \(worker.version) to \(stat.version) with \(worker.unknownSets) sets under way")
    }
    worker.acknowledged = worker.sent
    worker.version = stat.version
    worker.unknownSets = 0
    note(path, stat, in: &worker)
    acknowledge(worker.number) { [sent = worker.sent] in $0.counters[path] = (sent, stat.version) }
  }

  private func enqueue(_ worker: inout Worker, _ client: ZooKeeperClient) async throws {
    let path = try await client.create("/queue/\(worker.number)-", mode: .persistentSequential)
    guard let sequence = Int(path.suffix(10)) else { return violate("\(path) has no number") }
    if sequence <= worker.lastSequence { violate("\(path) after number \(worker.lastSequence)") }
    worker.lastSequence = sequence
    acknowledge(worker.number) { knowledge in
      if let other = knowledge.sequenceNumbers.updateValue(path, forKey: sequence) {
        knowledge.violations.append("\(path) and \(other)")
      }
      knowledge.paths.insert(path)
    }
  }

  private func createPair(_ worker: inout Worker, _ client: ZooKeeperClient) async throws {
    worker.pairs += 1
    let name = "/pair/\(worker.number)-\(worker.pairs)"
    _ = try await client.multi([
      .create(CreateRequest(path: name + "a", data: [], acl: ACL.openUnsafe, flags: 0)),
      .create(CreateRequest(path: name + "b", data: [], acl: ACL.openUnsafe, flags: 0)),
    ])
    acknowledge(worker.number) { $0.paths.formUnion([name + "a", name + "b"]) }
  }

  private func acknowledge(_ client: Int, _ change: (inout Knowledge) -> Void) {
    knowledge.withLock { knowledge in
      knowledge.acknowledgedCount += 1
      knowledge.successes[client, default: 0] += 1
      change(&knowledge)
    }
  }

  // MARK: Reads

  private func read(_ worker: inout Worker, _ client: ZooKeeperClient, _ path: String) async throws {
    let (data, stat) = try await client.getData(path)
    note(path, stat, in: &worker)
    guard path == "/counter/\(worker.number)" else { return }
    let number = Int(String(decoding: data ?? [], as: UTF8.self)) ?? -1
    if number < worker.acknowledged { violate("\(path) is \(number) after \(worker.acknowledged) was acknowledged") }
  }

  /// No session sees time go back.
  private func note(_ path: String, _ stat: Stat, in worker: inout Worker) {
    if let before = worker.seen[path], stat.version < before.version || stat.mzxid < before.mzxid {
      violate("session \(worker.sessionNumber) of client \(worker.number) saw \(path) go from \(before) to \(stat)")
    }
    worker.seen[path] = stat
  }

  /// A session that has not expired has its ephemeral znode.
  private func checkAlive(_ worker: inout Worker, _ client: ZooKeeperClient) async throws {
    if let path = worker.ephemeral {
      if try await client.exists(path) == nil { violate("\(path) vanished while its session lived") }
      return
    }
    let path = "/alive/\(worker.number)-\(worker.sessionNumber)"
    do throws(ZooKeeperError) {
      try await client.create(path, mode: .ephemeral)
    } catch {
      // An earlier attempt of this session may have succeeded unheard.
      guard case .server(.nodeExists) = error.code else { throw error }
    }
    worker.ephemeral = path
  }

  // MARK: The end of sessions

  private func noteExpiry(of worker: Worker) {
    let silence = ContinuousClock.now - worker.lastAnswer
    knowledge.withLock { knowledge in
      knowledge.expiryCount += 1
      knowledge.abandoned.append("/alive/\(worker.number)-\(worker.sessionNumber)")
      if silence < sessionTimeout * 0.6 {
        knowledge.violations.append("a session of client \(worker.number) expired after \(silence) of silence")
      }
    }
  }

  private func violate(_ text: String) { knowledge.withLock { $0.violations.append(text) } }

  /// Looks on one server for everything that was promised.
  func check(_ client: ZooKeeperClient) async throws -> [String] {
    let known = knowledge.withLock { $0 }
    try await client.sync("/")
    var missing: [String] = []
    for parent in ["/queue", "/pair"] {
      let found = Set(try await client.getChildren(parent).map { "\(parent)/\($0)" })
      missing += known.paths.filter { $0.hasPrefix(parent) }.subtracting(found).map { "\($0) is lost" }
      if parent == "/pair" { missing += found.filter { !found.contains(Self.partner(of: $0)) }.map { "half: \($0)" } }
      if parent == "/queue", Set(found.map { $0.suffix(10) }).count != found.count {
        missing.append("sequence numbers came twice")
      }
    }
    for (path, least) in known.counters {
      let (data, stat) = try await client.getData(path)
      let number = Int(String(decoding: data ?? [], as: UTF8.self)) ?? -1
      if number < least.number || stat.version < least.version {
        missing.append("\(path) is \(number), version \(stat.version), after \(least)")
      }
    }
    for path in known.abandoned where try await client.exists(path) != nil {
      missing.append("\(path) outlives its session")
    }
    return missing
  }

  private static func partner(of path: String) -> String { String(path.dropLast()) + (path.last == "a" ? "b" : "a") }
}
