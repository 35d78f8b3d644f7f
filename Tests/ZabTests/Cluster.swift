import Zab
import ZooKeeperProtocol

/// A few peers whose messages, disks and clocks move only when a script says so; see `Scenarios`.
struct Cluster {
  private enum Message {
    case notification(ElectionNotification, from: ServerID, to: ServerID)
    case packet(QuorumPacket, link: Int, toLeader: Bool)
    /// A tree in flight, for SNAP.
    case tree(Zxid, link: Int)
    case call(leader: ServerID, by: ServerID)
    case callToMaster(ServerID, by: ServerID)
    case end(link: Int, toLeader: Bool)

    /// Whether it goes over a link in that direction.
    func isOn(_ link: Int, toLeader: Bool) -> Bool {
      switch self {
      case .packet(_, link, toLeader), .end(link, toLeader): true
      case .tree(_, link): !toLeader
      default: false
      }
    }
  }

  private struct Link {
    let learner: ServerID
    let leader: ServerID
    var isOpen = true
  }

  /// What a server has on its disk.
  private struct Disk {
    var accepted = Epoch.zero
    var current = Epoch.zero
    var base = Zxid.zero
    var log: [TxnHistory.Entry] = []
    /// Entries that a held disk has not synced.
    var unsynced: [TxnHistory.Entry] = []
    var isHeld = false
    /// Whether it was replaced by an empty one, which is not trusted.
    var isLost = false
  }

  /// An id that belongs to none of the servers.
  private static let stranger = ServerID(rawValue: 99)

  private var configuration = QuorumConfiguration(members: [])
  var settings = ZabSettings()
  private var peers: [ServerID: ZabPeer] = [:]
  private var disks: [ServerID: Disk] = [:]
  private var links: [Link] = []
  private var messages: [Message] = []
  private var isolated: Set<ServerID> = []
  /// Servers whose messages reach no other server, although their connections stay open.
  private var muted: Set<ServerID> = []
  /// Servers that do nothing, although their connections stay open; what they are sent is lost.
  private var paused: Set<ServerID> = []
  /// Whether learners acknowledge their last transaction before NEWLEADER, as Apache's may.
  private var acknowledgesEarly = false
  /// Whether servers that serve are given acknowledgements, and proposals and commits, several at a time.
  private var deliversTogether = false
  /// Whether logs are damaged after the first transaction that a learner is sent from them.
  private var isLogUnreadable = false
  private var now: Int64 = 0
  private(set) var delivered: [ServerID: [Zxid]] = [:]
  /// What servers have applied while they were brought up to date. It counts as delivered once they serve with it.
  private var caughtUp: [ServerID: [Zxid]] = [:]
  /// The events to which the properties of the paper apply, in order.
  private(set) var events: [Event] = []

  /// An event to which the properties of the paper apply.
  enum Event: Equatable {
    /// A primary broadcasts.
    case broadcast(ServerID, Zxid)
    case deliver(ServerID, Zxid)
    /// A server becomes the primary of an epoch.
    case lead(ServerID, Epoch)
    /// A server's tree now ends with this transaction, because it was recovered or installed from a leader.
    case restart(ServerID, [Zxid])
  }

  /// The server that leads and serves, with the highest epoch; nil when there is none.
  var leader: ServerID? {
    peers.filter { $0.value.role == .leading && $0.value.isServing }.max {
      $0.value.currentEpoch < $1.value.currentEpoch
    }?
    .key
  }

  /// Whether a server runs.
  func isUp(_ server: ServerID) -> Bool { peers[server] != nil }
  private var output: [String] = []
  private var counter: [ServerID: UInt32] = [:]
  private var showsMessages = true

  /// Runs one command, and returns its results as text.
  mutating func execute(_ line: String) -> String {
    output = []
    let words = line.split(separator: " ").map(String.init)
    switch words[0] {
    case "servers": setUp(voters: Int(words[1]) ?? 0, observers: words.count > 3 ? Int(words[3]) ?? 0 : 0)
    case "log": setLog(id(words[1]), words.dropFirst(2).map(Self.zxid))
    case "epoch":
      disks[id(words[1])]?.accepted = Epoch(rawValue: Int64(words[2]) ?? 0)
      disks[id(words[1])]?.current = Epoch(rawValue: Int64(words[3]) ?? 0)
    case "quiet": showsMessages = false
    case "loud": showsMessages = true
    case "start": for word in words.dropFirst() { start(id(word)) }
    case "lose": disks[id(words[1])] = Disk(isLost: true)
    case "run": run()
    case "pass":
      now += Int64(words[1]) ?? 0
      for server in peers.keys.sorted() where (peers[server]?.nextDeadline ?? .max) <= now { step(server, .tick) }
      run()
    case "propose": propose(id(words[1]), words.count > 2 ? Int(words[2]) ?? 1 : 1)
    case "reconfig": reconfigure(id(words[1]), words.dropFirst(2).map(id))
    case "hold": disks[id(words[1])]?.isHeld = true
    case "sync": sync(id(words[1]))
    case "crash": crash(id(words[1]))
    case "isolate": isolate(id(words[1]))
    case "rejoin": isolated.remove(id(words[1]))
    case "status": status()
    case "mute": muted.insert(id(words[1]))
    case "pause": paused.insert(id(words[1]))
    case "ask": ask(id(words[1]))
    case "claim": claim(of: id(words[1]), to: id(words[2]), epoch: Int64(words[3]) ?? 0)
    case "tell": tell(id(words[2]), from: id(words[1]), version: Int64(words[3]) ?? 0, words.dropFirst(4).map(id))
    case "options": for word in words.dropFirst() { setOption(word) }
    default: output.append("unknown command \(words[0])")
    }
    return output.joined(separator: "\n")
  }

  private mutating func setOption(_ word: String) {
    switch word {
    case "reconfig": settings.isReconfigEnabled = true
    case "log": settings.readsLogForLearners = true
    case "tree": settings.alwaysSendsTree = true
    case "unreadable": isLogUnreadable = true
    case "early": acknowledgesEarly = true
    case "together": deliversTogether = true
    case "masters": settings.hasObserverMasters = true
    default:
      if word.hasPrefix("history=") { settings.historyCount = Int(word.dropFirst(8)) ?? 0 }
      if word.hasPrefix("election-delay=") { settings.observerElectionMilliseconds = Int64(word.dropFirst(15)) ?? 0 }
      if word.hasPrefix("reconnect-delay=") { settings.observerReconnectMilliseconds = Int64(word.dropFirst(16)) ?? 0 }
    }
  }

  private func id(_ word: String) -> ServerID { ServerID(rawValue: Int64(word) ?? 0) }

  /// `e:c`.
  static func zxid(_ word: String) -> Zxid {
    let parts = word.split(separator: ":").map { Int64($0) ?? 0 }
    return Zxid(rawValue: parts[0] << 32 | parts[1])
  }

  private func text(_ zxid: Zxid) -> String { zxid.rawValue == -1 ? "-" : "\(zxid.epoch):\(zxid.counter)" }

  // MARK: Setting up

  private mutating func setUp(voters: Int, observers: Int) {
    configuration = QuorumConfiguration(
      members: (1...(voters + observers)).map { number in
        .init(
          id: ServerID(rawValue: Int64(number)), addresses: [.init(host: "s\(number)", quorumPort: 1, electionPort: 2)],
          isObserver: number > voters)
      })
    for member in configuration.members { disks[member.id] = Disk() }
  }

  private mutating func setLog(_ server: ServerID, _ zxids: [Zxid]) {
    disks[server]?.log = zxids.map { TxnHistory.Entry(zxid: $0, bytes: [1]) }
    let epoch = Epoch(rawValue: Int64(zxids.last?.epoch ?? 0))
    disks[server]?.accepted = epoch
    disks[server]?.current = epoch
  }

  private mutating func start(_ server: ServerID) {
    guard let disk = disks[server] else { return }
    var history = TxnHistory(base: disk.base)
    for entry in disk.log { history.append(entry) }
    delivered[server] = disk.log.map(\.zxid)
    caughtUp[server] = nil
    // A snapshot stands for what it contains.
    events.append(.restart(server, (disk.base == .zero ? [] : [disk.base]) + disk.log.map(\.zxid)))
    peers[server] = ZabPeer(
      id: server, configuration: configuration, settings: settings, acceptedEpoch: disk.accepted,
      currentEpoch: disk.current, history: history, lacksData: disk.isLost && disk.log.isEmpty)
    step(server, .started)
  }

  // MARK: Events

  private mutating func step(_ server: ServerID, _ event: ZabEvent) {
    guard !paused.contains(server) else { return }
    var actions: [ZabAction] = []
    peers[server]?.step(event, now: now, into: &actions)
    for action in actions { perform(action, server) }
  }

  /// Delivers all messages in flight, and those that result from them, until there are none.
  private mutating func run() {
    while !messages.isEmpty { deliver(messages.removeFirst()) }
  }

  private mutating func deliver(_ message: Message) {
    switch message {
    case .notification(let notification, let sender, let receiver):
      if peers[receiver] == nil { return step(sender, .notificationRefused(by: receiver)) }
      guard !isCut(sender, receiver) else { return }
      show("\(sender)>\(receiver) \(notification.state) vote=\(voteText(notification)) round=\(notification.round)")
      step(receiver, .notification(notification, from: sender))
    case .packet(let packet, let link, let toLeader):
      guard links[link].isOpen else { return }
      let receiver = toLeader ? links[link].leader : links[link].learner
      if muted.contains(toLeader ? links[link].learner : links[link].leader) { return }
      show("\(toLeader ? links[link].learner : links[link].leader)>\(receiver) \(packetText(packet))")
      let connection = ConnectionID(rawValue: UInt64(link))
      var packets = [packet]
      if deliversTogether, peers[receiver]?.isServing == true { takeMore(&packets, link, toLeader: toLeader) }
      step(receiver, packets.count == 1 ? .received(packet, connection) : .receivedTogether(packets, connection))
    case .tree(let zxid, let link):
      let receiver = links[link].learner
      disks[receiver]?.log = []
      disks[receiver]?.unsynced = []
      disks[receiver]?.base = zxid
      delivered[receiver] = []
      caughtUp[receiver] = nil
      events.append(.restart(receiver, [zxid]))
      step(receiver, .snapshotInstalled(zxid, nil))
    case .call(let leader, let caller):
      guard peers[leader]?.role == .leading, !isCut(leader, caller) else { return step(caller, .leaderUnreachable) }
      links.append(Link(learner: caller, leader: leader))
      let connection = ConnectionID(rawValue: UInt64(links.count - 1))
      step(leader, .learnerConnected(connection))
      step(caller, .leaderConnected(connection))
    case .callToMaster(let master, let caller):
      guard case .following = peers[master]?.role, !isCut(master, caller) else {
        return step(caller, .leaderUnreachable)
      }
      show("\(caller) connects to \(master)")
      links.append(Link(learner: caller, leader: master))
      let connection = ConnectionID(rawValue: UInt64(links.count - 1))
      step(master, .observerConnected(connection))
      step(caller, .leaderConnected(connection))
    case .end(let link, let toLeader):
      guard links[link].isOpen else { return }
      links[link].isOpen = false
      step(toLeader ? links[link].leader : links[link].learner, .disconnected(ConnectionID(rawValue: UInt64(link))))
    }
  }

  /// Takes the next packets of a link out of the messages in flight, as long as a server may be given them together.
  private mutating func takeMore(_ packets: inout [QuorumPacket], _ link: Int, toLeader: Bool) {
    let kinds: [QuorumPacket.Kind?] = toLeader ? [.ack] : [.proposal, .commit]
    guard kinds.contains(packets[0].kind) else { return }
    while let index = messages.firstIndex(where: { $0.isOn(link, toLeader: toLeader) }),
      case .packet(let packet, _, _) = messages[index], kinds.contains(packet.kind)
    {
      packets.append(packet)
      messages.remove(at: index)
    }
  }

  private mutating func perform(_ action: TransportAction, _ server: ServerID) {
    switch action {
    case .sendNotification(let notification, let receiver):
      messages.append(.notification(notification, from: server, to: receiver))
    case .connectToLeader(let leader): messages.append(.call(leader: leader, by: server))
    case .connectToObserverMaster(let master): messages.append(.callToMaster(master, by: server))
    case .send(let packet, let connection): send(packet, connection, server)
    case .close(let connection):
      let link = Int(connection.rawValue)
      messages.append(.end(link: link, toLeader: links[link].learner == server))
    }
  }

  private mutating func perform(_ action: StorageAction, _ server: ServerID) {
    switch action {
    case .append(let entry):
      disks[server]?.unsynced.append(entry)
      if disks[server]?.isHeld == false { sync(server) }
    case .truncate(let zxid, let rebuilds):
      show("\(server) cuts its log to \(text(zxid))\(rebuilds ? " and builds its tree anew" : "")")
      disks[server]?.log.removeAll { $0.zxid > zxid }
      disks[server]?.unsynced.removeAll { $0.zxid > zxid }
      delivered[server, default: []] += caughtUp.removeValue(forKey: server) ?? []
      delivered[server]?.removeAll { $0 > zxid }
      events.append(.restart(server, delivered[server] ?? []))
      step(server, .truncated(zxid))
    case .saveAcceptedEpoch(let epoch):
      disks[server]?.accepted = epoch
      step(server, .acceptedEpochSaved(epoch))
    case .prepareCurrentEpoch: break
    case .saveCurrentEpoch(let epoch):
      disks[server]?.current = epoch
      step(server, .currentEpochSaved(epoch))
    }
  }

  private mutating func deliver(_ zxid: Zxid, _ server: ServerID) {
    delivered[server, default: []].append(zxid)
    events.append(.deliver(server, zxid))
  }

  private mutating func deliverCaughtUp(_ server: ServerID) {
    for zxid in caughtUp.removeValue(forKey: server) ?? [] { deliver(zxid, server) }
  }

  private mutating func perform(_ action: ZabAction, _ server: ServerID) {
    switch action {
    case .transport(let action): perform(action, server)
    case .storage(let action): perform(action, server)
    case .examineLog(let connection, let start, let end):
      let isComplete = disks[server]?.log.contains { $0.zxid == start } == true
      show("\(server) looks for \(text(start)) in its log, up to \(text(end)): \(isComplete)")
      step(server, .logExamined(connection, isComplete: isComplete))
    case .sendLog(let connection, let packet, let start, let end):
      send(packet, connection, server)
      for entry in disks[server]?.log ?? [] where entry.zxid > start && entry.zxid <= end {
        send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), connection, server)
        send(QuorumPacket(.commit, zxid: entry.zxid), connection, server)
        guard isLogUnreadable else { continue }
        show("\(server) cannot read its log up to \(text(end))")
        step(server, .logUnreadable(through: end))
        step(server, .disconnected(connection))
        return perform(TransportAction.close(connection), server)
      }
    case .sendSnapshot(let connection, let zxid): send(QuorumPacket(.snap, zxid: zxid), connection, server)
    case .receiveSnapshot(let connection, let zxid):
      messages.insert(.tree(zxid, link: Int(connection.rawValue)), at: 0)
    case .deliver(let entries):
      deliverCaughtUp(server)
      for entry in entries {
        deliver(entry.zxid, server)
        show("\(server) delivers \(text(entry.zxid))")
      }
    case .catchUp(let entries):
      for entry in entries {
        caughtUp[server, default: []].append(entry.zxid)
        show("\(server) applies \(text(entry.zxid))")
      }
    case .roleChanged(let role): show("\(server) is \(roleText(role))")
    case .startServing(let epoch):
      deliverCaughtUp(server)
      counter[server] = 0
      if peers[server]?.role == .leading { events.append(.lead(server, epoch)) }
      show("\(server) serves in epoch \(epoch)")
    case .stopServing: show("\(server) serves no more")
    case .pinged(let connection, let zxid): send(QuorumPacket(.ping, zxid: zxid, data: []), connection, server)
    case .note(let note): show("\(server): \(note)")
    case .failed(let reason): fatalError("server \(server) failed: \(reason)")
    case .activate(let next):
      let voters = next.voters.map { "\($0)" }.joined(separator: ",")
      let observers = next.members.filter(\.isObserver).map { "\($0.id)" }.joined(separator: ",")
      show("\(server) takes up voters \(voters)\(observers.isEmpty ? "" : " observers \(observers)")")
    case .learnerRequest, .leaderReply, .synced: break
    }
  }

  private mutating func send(_ packet: QuorumPacket, _ connection: ConnectionID, _ server: ServerID) {
    let link = Int(connection.rawValue)
    let isToLeader = links[link].learner == server
    let isForNewLeader = isToLeader && packet.kind == .ack && packet.zxid.counter == 0
    if acknowledgesEarly, isForNewLeader, let last = disks[server]?.log.last {
      messages.append(.packet(QuorumPacket(.ack, zxid: last.zxid), link: link, toLeader: true))
    }
    messages.append(.packet(packet, link: link, toLeader: isToLeader))
  }

  // MARK: Commands

  private mutating func propose(_ server: ServerID, _ count: Int) {
    for _ in 0..<count {
      guard let epoch = peers[server]?.servingEpoch else { return output.append("\(server) does not lead") }
      counter[server, default: 0] += 1
      let zxid = Zxid(rawValue: epoch.newLeaderZxid.rawValue + Int64(counter[server] ?? 0))
      events.append(.broadcast(server, zxid))
      step(server, .proposed(TxnHistory.Entry(zxid: zxid, bytes: [1])))
    }
  }

  /// Proposes a configuration with these voters; the other members of the first configuration are observers.
  private mutating func reconfigure(_ server: ServerID, _ voters: [ServerID]) {
    guard let epoch = peers[server]?.servingEpoch else { return output.append("\(server) does not lead") }
    counter[server, default: 0] += 1
    let zxid = Zxid(rawValue: epoch.newLeaderZxid.rawValue + Int64(counter[server] ?? 0))
    let members = voters.map { id in
      QuorumConfiguration.Member(id: id, addresses: [.init(host: "s\(id)", quorumPort: 1, electionPort: 2)])
    }
    let next = QuorumConfiguration(members: members, version: zxid.rawValue)
    let entry = TxnEntry(
      header: TxnHeader(
        sessionID: .none, cxid: Xid(rawValue: 1), zxid: zxid, timeMilliseconds: 0, opCode: .reconfig),
      txn: .reconfig(SetDataTxn(path: "/zookeeper/config", data: Array(next.text.utf8), version: -1)), digest: nil)
    step(server, .proposed(TxnHistory.Entry(zxid: zxid, bytes: entry.encoded)))
  }

  /// Asks a leader whether it still leads, as a sync does.
  private mutating func ask(_ server: ServerID) {
    step(server, .leadershipQuestioned)
    run()
    let peer = peers[server]
    output.append("\(server): \(peer?.confirmedQuestions ?? 0) of \(peer?.leadershipQuestions ?? 0) confirmed")
  }

  /// Opens a connection to a leader that claims to be one of the servers and to have accepted an epoch.
  private mutating func claim(of server: ServerID, to leader: ServerID, epoch: Int64) {
    links.append(Link(learner: Self.stranger, leader: leader))
    let connection = ConnectionID(rawValue: UInt64(links.count - 1))
    step(leader, .learnerConnected(connection))
    let info = LearnerInfo(serverID: server, configurationVersion: 0)
    let zxid = Zxid(rawValue: epoch << 32)
    step(leader, .received(QuorumPacket(.followerInfo, zxid: zxid, data: info.encoded), connection))
    run()
  }

  /// Sends a notification in the name of a server that is looking for a leader, with another configuration.
  private mutating func tell(
    _ receiver: ServerID, from sender: ServerID, version: Int64, _ voters: [ServerID]
  ) {
    let members = voters.map { id in
      QuorumConfiguration.Member(id: id, addresses: [.init(host: "x\(id)", quorumPort: 1, electionPort: 2)])
    }
    let notification = ElectionNotification(
      state: .looking, leader: sender, zxid: .zero, round: 1, peerEpoch: .zero,
      configuration: QuorumConfiguration(members: members, version: version).text)
    step(receiver, .notification(notification, from: sender))
    run()
  }

  private mutating func sync(_ server: ServerID) {
    guard let unsynced = disks[server]?.unsynced, let last = unsynced.last else { return }
    disks[server]?.log += unsynced
    disks[server]?.unsynced = []
    step(server, .persisted(through: last.zxid))
  }

  private mutating func crash(_ server: ServerID) {
    peers[server] = nil
    disks[server]?.unsynced = []
    disks[server]?.isHeld = false
    breakLinks(of: server)
  }

  private mutating func isolate(_ server: ServerID) {
    isolated.insert(server)
    breakLinks(of: server)
  }

  private mutating func breakLinks(of server: ServerID) {
    for link in links.indices where links[link].isOpen {
      guard links[link].learner == server || links[link].leader == server else { continue }
      links[link].isOpen = false
      let connection = ConnectionID(rawValue: UInt64(link))
      for end in [links[link].learner, links[link].leader] { step(end, .disconnected(connection)) }
    }
  }

  private func isCut(_ one: ServerID, _ other: ServerID) -> Bool {
    isolated.contains(one) || isolated.contains(other) || peers[one] == nil || peers[other] == nil
  }

  // MARK: Texts

  private mutating func show(_ line: String) { if showsMessages { output.append(line) } }

  private func voteText(_ notification: ElectionNotification) -> String {
    guard notification.leader != .none else { return "none" }
    return "\(notification.leader)(\(notification.peerEpoch),\(text(notification.zxid)))"
  }

  private func packetText(_ packet: QuorumPacket) -> String {
    let name = packet.kind.map { "\($0)" } ?? "\(packet.type)"
    if packet.kind == .ackEpoch, let data = packet.data {
      let current = Int32(bitPattern: data.reduce(0) { $0 << 8 | UInt32($1) })
      return "\(name) \(text(packet.zxid)) current=\(current)"
    }
    return "\(name) \(text(packet.zxid))"
  }

  private func roleText(_ role: ZabRole) -> String {
    switch role {
    case .looking: "looking"
    case .leading: "leading"
    case .following(let leader): "following \(leader)"
    case .observing(let leader): "observing \(leader)"
    }
  }

  private mutating func status() {
    for member in configuration.members {
      guard let peer = peers[member.id], let disk = disks[member.id] else {
        output.append("\(member.id) is down")
        continue
      }
      let log = disk.log.map { text($0.zxid) }.joined(separator: " ")
      output.append(
        "\(member.id) \(roleText(peer.role)) accepted=\(disk.accepted) current=\(disk.current)"
          + " log=[\(disk.base == .zero ? "" : "snapshot \(text(disk.base)); ")\(log)]"
          + " committed=\(text(peer.committed)) delivered=\(text(peer.delivered))")
    }
  }
}
