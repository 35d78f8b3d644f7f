import JSONFormat
public import ZooKeeperProtocol

/// The sessions of an ensemble and their ephemeral znodes, as a server knows them; the leader knows all.
///
/// *Source*: `DumpCommand`, `SessionTrackerImpl.dumpSessions`, `DataTree.dumpEphemerals`.
public struct SessionDump: Hashable, Sendable {
  /// The sessions that have not ended.
  public var sessions: Set<SessionID> = []
  /// The timeouts in milliseconds, which are in a follower's answer and not in a leader's.
  public var timeoutMilliseconds: [SessionID: Int64] = [:]
  /// The paths of the ephemeral znodes.
  public var ephemerals: [SessionID: [String]] = [:]

  /// Parses an answer to `dump`; nil if it is not one.
  ///
  /// *Shape*: after `SessionTracker dump:` lines that begin with a session's number, after `Sessions with Ephemerals` a
  /// line `0x…:` for each session with a line `TAB PATH` for each znode.
  public init?(dump answer: [UInt8]) {
    enum Section { case none, sessions, ephemerals, connections }
    var section = Section.none
    var owner: SessionID?
    for line in String(decoding: answer, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("SessionTracker dump") {
        section = .sessions
      } else if line.hasPrefix("ephemeral nodes dump") || line.hasPrefix("Sessions with Ephemerals") {
        section = .ephemerals
      } else if line.hasPrefix("Connections dump") {
        section = .connections
      } else if section == .sessions {
        let words = line.split(separator: "\t")
        guard let session = words.first.flatMap({ SessionID(hexadecimal: $0) }) else { continue }
        sessions.insert(session)
        if words.count > 1 { timeoutMilliseconds[session] = Int64(words[1].prefix { $0.isNumber }) }
      } else if section == .ephemerals {
        if line.hasPrefix("\t"), let owner {
          ephemerals[owner, default: []].append(String(line.dropFirst()))
        } else {
          owner = line.hasSuffix(":") ? SessionID(hexadecimal: line.dropLast()) : nil
        }
      }
    }
    if section == .none { return nil }
  }

  /// Reads an answer of AdminServer's `dump`; nil if it is none.
  init?(dump document: JSON) {
    guard let owners = document["session_id_to_ephemeral_paths"]?.members else { return nil }
    for (_, group) in document["expiry_time_to_session_ids"]?.members ?? [] {
      sessions.formUnion((group.items ?? []).compactMap { $0.number.map { SessionID(rawValue: $0) } })
    }
    for (owner, paths) in owners {
      guard let number = Int64(owner) else { continue }
      ephemerals[SessionID(rawValue: number)] = (paths.items ?? []).compactMap(\.text)
    }
  }

  /// Reads an answer of AdminServer's `dump`; nil if it is none.
  public init?(adminDump answer: [UInt8]) {
    guard let document = JSONReader.read(answer) else { return nil }
    self.init(dump: document)
  }
}
