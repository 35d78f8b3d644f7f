import ServerCore
import ZnodeTree
import ZooKeeperProtocol

/// The lists of a report that grow with the number of clients, and are collected in pieces: in one piece, 100,000
/// ephemeral znodes would hold up all clients for more than a tenth of a second.
///
/// What changes between two pieces may be in the report or not. Such lists of Apache's server are not exact either.
///
/// *Thread*: the event loop.
final class ReportGathering: @unchecked Sendable {
  // @unchecked: touched on the event loop only. It is a class so that the lists grow in place.

  /// The number of entries in a piece.
  private static let pieceCount = 1000

  private var connections: ArraySlice<ClientConnection> = []
  private var watches: WatchWalk?
  private var ephemerals: EphemeralWalk?
  private let wallOffset: Int64
  /// The report with the pieces that were added so far.
  private(set) var report: ServerReport

  /// Prepares to add to `report` the lists that `parts` asks for.
  ///
  /// - Parameter time: the current time of the server's clocks.
  init(_ report: ServerReport, _ parts: ReportParts, _ core: ServerCore, _ time: ServerTime) {
    self.report = report
    wallOffset = time.wallMilliseconds - time.monotonicMilliseconds
    if parts.contains(.connections) { connections = core.allConnections[...] }
    if parts.contains(.watches) { watches = WatchWalk(core) }
    if parts.contains(.sessions) { ephemerals = EphemeralWalk(core.tree) }
  }

  /// Adds the next piece.
  ///
  /// - Parameter describe: makes the entry of a connection, nil when it has ended; it is given what to add to the
  ///   monotonic clock for wall-clock time.
  /// - Returns: whether there may be more.
  func addPiece(describe: (ClientConnection, _ wallOffset: Int64) -> ConnectionReport?) -> Bool {
    if !connections.isEmpty {
      for connection in connections.prefix(Self.pieceCount) {
        if let entry = describe(connection, wallOffset) { report.connections.append(entry) }
      }
      connections = connections.dropFirst(Self.pieceCount)
      if !connections.isEmpty { return true }
    }
    if watches?.next(limit: Self.pieceCount, into: &report.watches.dataWatches) == true { return true }
    return ephemerals?.next(limit: Self.pieceCount, into: &report.sessions.ephemerals) == true
  }
}
