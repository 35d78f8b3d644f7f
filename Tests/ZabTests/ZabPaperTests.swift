import Testing
import ZooKeeperProtocol

/// A test for each property of the protocol in the paper, on runs with crashes, partitions and slow disks.
///
/// *Source*: Junqueira, Reed, Serafini, "Zab: High-performance broadcast for primary-backup systems" (DSN 2011),
/// section III (core properties) and IV (primary order properties).
struct ZabPaperTests {
  private typealias Event = Cluster.Event

  /// The events of some runs, each drawn from its seed.
  private static let runs: [[Cluster.Event]] = (1...40).map { events(seed: $0) }

  private static func events(seed: UInt64) -> [Cluster.Event] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15
    func draw(_ count: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % count
    }
    var cluster = Cluster()
    let size = seed.isMultiple(of: 3) ? 5 : 3
    if seed.isMultiple(of: 2) { _ = cluster.execute("options together") }
    for line in ["servers \(size)", "quiet", "start " + (1...size).map(String.init).joined(separator: " "), "run"] {
      _ = cluster.execute(line)
    }
    for _ in 0..<250 {
      let server = Int(draw(UInt64(size))) + 1
      let id = ServerID(rawValue: Int64(server))
      switch draw(12) {
      case 0: _ = cluster.execute(cluster.isUp(id) ? "crash \(server)" : "start \(server)")
      case 1: if !cluster.isUp(id) { _ = cluster.execute("start \(server)") }
      case 2: _ = cluster.execute("isolate \(server)")
      case 3: _ = cluster.execute("rejoin \(server)")
      case 4: _ = cluster.execute("hold \(server)")
      case 5: _ = cluster.execute("sync \(server)")
      case 6, 7: if let leader = cluster.leader { _ = cluster.execute("propose \(leader) \(draw(3) + 1)") }
      default: _ = cluster.execute("pass \(draw(400))")
      }
      if draw(3) > 0 { _ = cluster.execute("run") }
    }
    return cluster.events
  }

  @Test func runsAreNotIdle() {
    let broadcasts = Self.runs.map { run in run.count { if case .broadcast = $0 { true } else { false } } }
    let leaders = Self.runs.map { run in run.count { if case .lead = $0 { true } else { false } } }
    #expect(broadcasts.reduce(0, +) > 300 && leaders.reduce(0, +) > 80)
  }

  /// "Integrity: If some process delivers ⟨v,z⟩, then some process has broadcast ⟨v,z⟩."
  @Test func integrity() {
    for run in Self.runs {
      var broadcast: Set<Zxid> = []
      for event in run {
        switch event {
        case .broadcast(_, let zxid): broadcast.insert(zxid)
        case .deliver(let server, let zxid): #expect(broadcast.contains(zxid), "\(server) delivers \(zxid)")
        case .lead, .restart: break
        }
      }
    }
  }

  /// "Total order: If some process delivers ⟨v,z⟩ before ⟨v',z'⟩, then any process that delivers ⟨v',z'⟩ must also
  /// deliver ⟨v,z⟩ and deliver ⟨v,z⟩ before ⟨v',z'⟩." "Agreement: If some process pi delivers ⟨v,z⟩ and some process pj
  /// delivers ⟨v',z'⟩, then either pi delivers ⟨v',z'⟩ or pj delivers ⟨v,z⟩."
  ///
  /// Both say that of any two sequences of deliveries one is a prefix of the other: any server that delivers a
  /// transaction has delivered the same one before it.
  @Test func totalOrderAndAgreement() {
    for run in Self.runs {
      var previous: [Zxid: Zxid] = [:]
      var last: [ServerID: Zxid] = [:]
      for event in run {
        switch event {
        case .deliver(let server, let zxid):
          let before = last[server] ?? .zero
          #expect(previous[zxid, default: before] == before, "\(server) delivers \(zxid) after \(before)")
          previous[zxid] = before
          last[server] = zxid
        case .restart(let server, let zxids): last[server] = zxids.last ?? .zero
        case .broadcast, .lead: break
        }
      }
    }
  }

  /// "Local primary order: If a primary broadcasts ⟨v,z⟩ before it broadcasts ⟨v',z'⟩, then a process that delivers
  /// ⟨v',z'⟩ must also deliver ⟨v,z⟩ before ⟨v',z'⟩."
  @Test func localPrimaryOrder() {
    for run in Self.runs {
      var last: [ServerID: Zxid] = [:]
      for event in run {
        switch event {
        case .deliver(let server, let zxid):
          let before = last[server] ?? .zero
          if zxid.counter > 1 { #expect(before == Zxid(rawValue: zxid.rawValue - 1), "\(server) delivers \(zxid)") }
          last[server] = zxid
        case .restart(let server, let zxids): last[server] = zxids.last ?? .zero
        case .broadcast, .lead: break
        }
      }
    }
  }

  /// "Global primary order: Suppose a primary ρi broadcasts ⟨v,z⟩, and a primary ρj, ρi ≺ ρj, broadcasts ⟨v',z'⟩. If a
  /// process delivers both, it must deliver ⟨v,z⟩ before ⟨v',z'⟩."
  @Test func globalPrimaryOrder() {
    for run in Self.runs {
      var last: [ServerID: Zxid] = [:]
      for event in run {
        switch event {
        case .deliver(let server, let zxid):
          #expect(zxid > last[server] ?? .zero, "\(server) delivers \(zxid)")
          last[server] = zxid
        case .restart(let server, let zxids): last[server] = zxids.last ?? .zero
        case .broadcast, .lead: break
        }
      }
    }
  }

  /// "Primary integrity: If a primary ρe broadcasts ⟨v,z⟩ and some process delivers ⟨v',z'⟩ such that ⟨v',z'⟩ has been
  /// broadcast by ρe', e' < e, then ρe must deliver ⟨v',z'⟩ before it broadcasts ⟨v,z⟩."
  @Test func primaryIntegrity() {
    for run in Self.runs {
      var last: [ServerID: Zxid] = [:]
      var delivered: Set<Zxid> = []
      for event in run {
        switch event {
        case .deliver(let server, let zxid):
          last[server] = zxid
          delivered.insert(zxid)
        case .restart(let server, let zxids): last[server] = zxids.last ?? .zero
        case .broadcast(let server, let zxid):
          let earlier = delivered.filter { $0.epoch < zxid.epoch }.max() ?? .zero
          #expect(last[server] ?? .zero >= earlier, "\(server) broadcasts \(zxid) without \(earlier)")
        case .lead: break
        }
      }
    }
  }

  /// "There is at most one primary per epoch" (section II): the primaries' instances are numbered by their epochs.
  @Test func onePrimaryInAnEpoch() {
    for run in Self.runs {
      var primaries: [Epoch: ServerID] = [:]
      for case .lead(let server, let epoch) in run {
        #expect(primaries[epoch, default: server] == server, "\(server) leads epoch \(epoch)")
        primaries[epoch] = server
      }
    }
  }
}
