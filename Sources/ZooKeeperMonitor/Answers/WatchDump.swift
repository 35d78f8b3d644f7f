import JSONFormat
public import ZooKeeperProtocol

/// The watches on a server, which are those of the sessions that are connected to it.
///
/// *Source*: `WatchCommand`, `WatchManager.dumpWatches`.
public struct WatchDump: Hashable, Sendable {
  public var pathsBySession: [SessionID: [String]] = [:]

  /// No watches.
  public init() {}

  /// Parses an answer to `wchc`: a line with a session, then a line `TAB PATH` for each path.
  public init(wchc answer: [UInt8]) {
    var session: SessionID?
    for line in String(decoding: answer, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("\t"), let session {
        pathsBySession[session, default: []].append(String(line.dropFirst()))
      } else {
        session = SessionID(hexadecimal: line)
      }
    }
  }

  /// Parses an answer to `wchp`: a line with a path, then a line `TAB SESSION` for each session.
  public init(wchp answer: [UInt8]) {
    var path: String?
    for line in String(decoding: answer, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("\t"), let path, let session = SessionID(hexadecimal: line.dropFirst()) {
        pathsBySession[session, default: []].append(path)
      } else {
        path = String(line)
      }
    }
  }

  /// Parses an answer of the AdminServer's `watches`; nil if it is not one.
  init?(watches document: JSON) {
    guard let sessions = document["session_id_to_watched_paths"]?.members else { return nil }
    for (session, paths) in sessions {
      guard let number = Int64(session) else { continue }
      pathsBySession[SessionID(rawValue: number)] = (paths.items ?? []).compactMap(\.text)
    }
  }

  /// The sessions that watch a path.
  public func watchers(of path: String) -> [SessionID] {
    pathsBySession.filter { $0.value.contains(path) }.keys.sorted { $0.rawValue < $1.rawValue }
  }
}
