import Jute
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Sessions in which anything happens at any time: whatever it is, every call is answered exactly once.
@Suite(.timeLimit(.minutes(10)))
struct RandomSessionTests {
  @Test func everyCallIsAnsweredOnceWhateverHappens() throws {
    var random = SeededGenerator()
    for _ in 0..<300 {
      var run = RandomRun(using: &random)
      for _ in 0..<200 { run.step(using: &random) }
      run.finish()
      if !run.faults.isEmpty {
        Issue.record(
          "\(run.faults.prefix(3).joined(separator: "\n"))\nafter:\n\(run.log.suffix(40).joined(separator: "\n"))")
        return
      }
    }
  }
}

/// One session, the server it talks to, and the account of who was answered.
private struct RandomRun {
  var harness: Harness
  var log: [String] = []
  var faults: [String] = []
  private var nextID = 1
  /// Who waits, and until when.
  private var open: [Int: Int64?] = [:]
  private var closers: Set<Int> = []
  /// What the server has been asked on this connection and has not answered.
  private var asked: [Frame] = []
  private var isFirstFrame = true
  /// Whether the mechanism of SASL has a token to think about.
  private var isMechanismAsked = false

  init(using random: inout SeededGenerator) {
    let seed = UInt64.random(in: 0...UInt64.max, using: &random)
    let allowsReadOnly = Bool.random(using: &random)
    let authenticates = Bool.random(using: &random)
    harness = Harness(servers: Int.random(in: 1...3, using: &random)) {
      $0.seed = seed
      $0.allowsReadOnly = allowsReadOnly
      $0.authenticates = authenticates
    }
  }

  mutating func step(using random: inout SeededGenerator) {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<25: call(using: &random)
    case 25..<30: add("cancel") { $0.cancel(Int.random(in: 1...max(1, $1), using: &random)) }
    case 30..<40: advance(by: Int64.random(in: 0...700, using: &random))
    case 40..<50: advance(by: max(0, (harness.machine.nextDeadline ?? harness.now) - harness.now))
    case 50..<52:
      add("stale report") { harness, _ in
        harness.machine.onDisconnected(attempt: harness.machine.attempt - 1, now: harness.now, into: &harness.actions)
      }
    default: network(using: &random)
    }
    account()
  }

  /// Closes the session, and lets time pass until no call can be waiting.
  mutating func finish() {
    closers.insert(nextID)
    open[nextID] = .some(nil)
    harness.close(nextID)
    account()
    advance(by: 10_000)
    account()
    if !open.isEmpty { faults.append("never answered: \(open.keys.sorted())") }
    guard case .ended = harness.machine.phase else { return faults.append("not ended: \(harness.machine.phase)") }
    if harness.machine.nextDeadline != nil { faults.append("an ended session wants to be woken") }
  }

  private mutating func call(using random: inout SeededGenerator) {
    let id = nextID
    nextID += 1
    let limit = Bool.random(using: &random) ? Int64.random(in: 0...3_000, using: &random) : nil
    open[id] = .some(limit.map { harness.now + $0 })
    let kind = Int.random(in: 0..<100, using: &random)
    log.append("call \(id) of kind \(kind), limit \(limit ?? -1)")
    switch kind {
    case 0..<60:
      let watchKind = WatchKind.allCases.randomElement(using: &random) ?? .data
      let watcher = WatcherID(rawValue: Int.random(in: 0...5, using: &random))
      let path = ["/a", "/a/b", "/c"].randomElement(using: &random) ?? "/"
      let intent = Bool.random(using: &random) ? WatchIntent(path: path, kind: watchKind, watcher: watcher) : nil
      harness.submit(id, .getData(PathWatchRequest(path: path, watch: intent != nil)), watch: intent, limit: limit)
    case 60..<80: harness.wait(id, failsFast: Bool.random(using: &random), limit: limit)
    case 80..<98: harness.addIdentity(id, limit: limit)
    default:
      open[id] = .some(nil)
      closers.insert(id)
      harness.close(id)
    }
    if Int.random(in: 0..<10, using: &random) == 0 { harness.start() }
  }

  private mutating func add(_ what: String, _ body: (inout Harness, Int) -> Void) {
    log.append(what)
    body(&harness, nextID)
  }

  private mutating func advance(by milliseconds: Int64) {
    log.append("\(milliseconds) ms pass")
    harness.tick(after: milliseconds)
    account()
    for (id, limit) in open {
      if let limit, limit <= harness.now { faults.append("\(id) waits \(harness.now - limit) ms over its limit") }
    }
  }

  /// The network or the server does something that it can do now.
  private mutating func network(using random: inout SeededGenerator) {
    let chance = Int.random(in: 0..<100, using: &random)
    switch harness.machine.phase {
    case .idle: add("start") { harness, _ in harness.start() }
    case .connecting:
      if chance < 30 {
        add("refused") { harness, _ in harness.refuse() }
      } else {
        add("open") { harness, _ in harness.open() }
      }
    case .handshaking:
      let readOnly = harness.machine.settings.allowsReadOnly && chance % 3 == 0
      switch chance {
      case 0..<10: add("end of connection") { harness, _ in harness.disconnect() }
      case 10..<15: receive(bigEndian(0) + bigEndian(0) + bigEndian(0) + bigEndian(0), "refusal of a read-only server")
      case 15..<20: receive([1, 2, 3], "garbage")
      case 20..<23: grant(timeout: 0, readOnly: readOnly)
      // No number of a server's may stop the client.
      case 23..<26: grant(timeout: [.min, 1, .max].randomElement(using: &random) ?? 1, readOnly: readOnly)
      default: grant(timeout: 4_000, readOnly: readOnly)
      }
    case .comparing:
      let zxid = ([nil, .min, 0, 500, .max] as [Int64?]).randomElement(using: &random) ?? nil
      add("last zxid \(zxid ?? -1)") { harness, _ in harness.compare(zxid) }
    case .authenticating: authenticate(chance)
    case .connected, .closing: serve(chance, using: &random)
    case .waiting, .ended: break
    }
  }

  /// The mechanism or the server takes part in the exchange.
  private mutating func authenticate(_ chance: Int) {
    if chance < 5 { return add("end of connection") { harness, _ in harness.disconnect() } }
    guard isMechanismAsked else {
      guard !asked.isEmpty, case .request(let xid, .sasl) = asked.removeFirst() else { return }
      let error = chance < 8 ? KeeperError.authFailed : .ok
      let token = SASLToken(token: chance < 11 ? nil : [7])
      return receive(ReplyHeader(xid: xid, zxid: .zero, error: error).encoded + token.encoded, "token")
    }
    isMechanismAsked = false
    let outcome: Harness.Machine.SASLOutcome =
      chance < 8 ? .failed("wrong") : chance < 40 ? .complete(nil) : chance < 70 ? .complete([1]) : .reply([2])
    add("mechanism: \(outcome)") { harness, _ in
      harness.machine.onSASL(
        attempt: harness.machine.attempt, outcome, now: harness.now, into: &harness.actions)
    }
  }

  private mutating func grant(timeout: Int32, readOnly: Bool) {
    let response = ConnectResponse(
      timeoutMilliseconds: timeout, sessionID: Harness.session, password: Harness.password, readOnly: readOnly)
    receive(response.encoded, "session of \(timeout) ms, read-only: \(readOnly)")
  }

  private mutating func serve(_ chance: Int, using random: inout SeededGenerator) {
    let extremes = [Int64.min, -1, 0, .max]
    let zxid = Zxid(
      rawValue: chance == 99 ? extremes.randomElement(using: &random) ?? 0 : Int64.random(in: 1...1_000, using: &random)
    )
    switch chance {
    case 0..<4: add("end of connection") { harness, _ in harness.disconnect() }
    case 4..<6: receive(ReplyHeader(xid: Xid(rawValue: 0x7fff_0000), zxid: zxid).encoded, "reply to nothing")
    case 6..<8:
      add("oversized frame") { harness, _ in
        harness.disconnect(JuteError(.tooLarge(lengthBytes: 1 << 30, limitBytes: 0xfffff), offset: 0))
      }
    case 8..<20:
      let type = [EventType.nodeCreated, .nodeDeleted, .nodeDataChanged, .nodeChildrenChanged].randomElement(
        using: &random)
      let event = WatcherEvent(type: type ?? .nodeCreated, state: .syncConnected, path: "/a")
      receive(ReplyHeader(xid: .notification, zxid: zxid).encoded + event.encoded, "event")
    case 20..<24:
      let address = harness.machine.servers[Int.random(in: 0..<harness.machine.servers.count, using: &random)]
      add("probe") { harness, _ in
        harness.machine.onProbe(address, isReadWrite: chance == 20, now: harness.now, into: &harness.actions)
      }
    default:
      guard !asked.isEmpty, case .request(let xid, let request) = asked.removeFirst() else { return }
      var error = [KeeperError.ok, .noNode, .noAuth].randomElement(using: &random) ?? .ok
      if request == .closeSession { error = .ok }
      if case .auth = request { error = chance == 24 ? .authFailed : .ok }
      receive(ReplyHeader(xid: xid, zxid: zxid, error: error).encoded + [7, 7], "reply \(xid.rawValue) \(error)")
    }
  }

  /// Gives a frame to the machine, and does as the driver when it is refused.
  private mutating func receive(_ payload: [UInt8], _ what: String) {
    log.append(what)
    do throws(JuteError) { try harness.receive(payload) } catch { harness.disconnect(error) }
  }

  /// Looks at what the machine has asked for, and at what it sends.
  private mutating func account() {
    for action in harness.take() {
      switch action {
      case .complete(let id, let result):
        log.append("  answer to \(id): \(result)")
        if open.removeValue(forKey: id) == nil { faults.append("\(id) is answered twice") }
        if closers.contains(id), case .failure(let error) = result { faults.append("close failed: \(error)") }
      case .connect:
        asked = []
        isFirstFrame = true
        isMechanismAsked = false
        if !harness.machine.outbound.isEmpty { faults.append("bytes for a connection that is not there") }
      case .notify(let watchers, _): if watchers != watchers.sorted() { faults.append("watchers out of order") }
      case .authenticate: isMechanismAsked = true
      case .disconnect, .finish, .probe, .compare: break
      }
    }
    for frame in harness.frames() {
      switch frame {
      case .connect where isFirstFrame: isFirstFrame = false
      case .request where !isFirstFrame: asked.append(frame)
      default: faults.append("sent out of place: \(frame)")
      }
    }
    if case .idle = harness.machine.phase { return }
    if case .ended = harness.machine.phase { return }
    if harness.machine.nextDeadline == nil { faults.append("nothing would wake \(harness.machine.phase)") }
  }
}
