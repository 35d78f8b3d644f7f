import EnsembleCore
import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// A connection between a learner and a leader: packets arrive in order in each direction, until the connection breaks.
struct SimulatedLink {
  /// The direction of packets.
  enum Direction: Int {
    case toLeader = 0
    case toLearner = 1

    var opposite: Direction { self == .toLeader ? .toLearner : .toLeader }
  }

  let id: ConnectionID
  let learner: ServerID
  let leader: ServerID
  /// The generations of the two servers: how often each had been started when the connection was opened.
  let generations: (learner: Int, leader: Int)
  /// When the last packet that was sent arrives, by direction.
  var lastArrival: [Int64] = [0, 0]
  /// The packets that a partition delays, by direction.
  var stalled: [[SimulatedPacket]] = [[], []]
  /// Which ends have not closed it, by direction.
  var isOpen = [true, true]
  /// Whether the leader's end waits for its server to lead.
  var isHeld = false
  var heldPackets: [SimulatedPacket] = []
  /// A tree that the leader is sending; packets that follow it wait until it is sent.
  var tree: TreeStream?
  var packetsAfterTree: [SimulatedPacket] = []
  /// A part of the log that the leader is sending; packets that follow it wait too.
  var log: LogStream<MemoryFileSystem>?
  /// Where the transaction that the learner has was found in the leader's log.
  var examinedPlace: LogPlace?
  /// Reads the tree that the learner expects.
  var treeReader: TreeStreamReader?
  /// The last COMMIT or INFORM, to check their order.
  var lastCommit: Zxid?

  /// The server at the end of a direction.
  func receiver(_ direction: Direction) -> ServerID { direction == .toLeader ? leader : learner }

  /// The direction in which a server sends; nil if it is at neither end.
  func direction(from server: ServerID) -> Direction? {
    if server == learner { return .toLeader }
    return server == leader ? .toLearner : nil
  }
}

/// Something that is sent on a link.
enum SimulatedPacket: Sendable {
  case packet(QuorumPacket)
  /// Packets of kinds that are gathered, which arrive at the same time.
  case together([QuorumPacket])
  /// A piece of a tree.
  case piece([UInt8])
  /// The other end has closed.
  case end

  var isPiece: Bool { if case .piece = self { true } else { false } }

  /// The packets, if a server gathers them when they arrive together: PROPOSALs and COMMITs at a learner, ACKs at a
  /// leader, as in `QuorumConnection`.
  func gathered(_ direction: SimulatedLink.Direction) -> [QuorumPacket]? {
    switch self {
    case .packet(let packet):
      let isGathered =
        direction == .toLearner ? packet.kind == .proposal || packet.kind == .commit : packet.kind == .ack
      return isGathered ? [packet] : nil
    case .together(let packets): return packets
    case .piece, .end: return nil
    }
  }
}

/// An event of the simulation.
enum SimulationEvent {
  case tick(ServerID, generation: Int)
  case written(ServerID, generation: Int, log: Int, through: Zxid)
  case snapshotStep(ServerID, generation: Int, snapshot: Int)
  case sendPiece(ConnectionID, leader: ServerID)
  case logExamined(ConnectionID, isComplete: Bool, leader: ServerID, generation: Int)
  case notification(ElectionNotification, from: ServerID, to: ServerID)
  case notificationRefused(by: ServerID, to: ServerID, generation: Int)
  case called(leader: ServerID, isObserverMaster: Bool, by: ServerID, generation: Int)
  case callFailed(ServerID, generation: Int)
  case packet(ConnectionID, SimulatedLink.Direction, SimulatedPacket)
  case clientBytes(client: Int, connection: Int, [UInt8])
  case serverBytes(ServerID, generation: Int, client: Int, connection: Int, [UInt8]?)
  case clientStep(Int)
  case fault
  case restart(ServerID)
  case resume(ServerID)
  case heal
  case serveReaders(ServerID, generation: Int)
  case endFaults

  var isTick: Bool {
    if case .tick = self { return true }
    return false
  }

  /// The event in which the packets of this event and of another one arrive together; nil if they are not of one
  /// connection, or are handled one by one.
  func joined(with next: SimulationEvent) -> SimulationEvent? {
    guard case .packet(let id, let direction, let packet) = self, case .packet(id, direction, let other) = next,
      let packets = packet.gathered(direction), let others = other.gathered(direction)
    else { return nil }
    return .packet(id, direction, .together(packets + others))
  }

  /// The server that handles the event; nil if the event also happens while servers are paused.
  var server: ServerID? {
    switch self {
    case .tick(let id, _), .written(let id, _, _, _), .snapshotStep(let id, _, _): id
    case .called(let id, _, _, _), .callFailed(let id, _): id
    case .notification(_, _, let id), .notificationRefused(_, let id, _): id
    case .serverBytes(let id, _, _, _, _), .sendPiece(_, let id): id
    case .logExamined(_, _, let id, _), .serveReaders(let id, _): id
    case .packet, .clientBytes, .clientStep, .fault, .restart, .resume, .heal, .endFaults: nil
    }
  }
}
