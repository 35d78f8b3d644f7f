package import ZooKeeperClient
package import ZooKeeperProtocol

/// Counts the repetitions of an operation's requests after lost connections.
///
/// Before each repetition the client waits for a new connection. The count is limited, because a server that drops the
/// connection without an answer will probably do so again, and one that answers a few requests on each connection would
/// never let the operation end.
package struct Repetitions: Sendable {
  private var count = 0
  private static let limit = 10

  package init() {}

  /// Merges the count of another part of the same operation.
  mutating func merge(_ other: Repetitions) { count = max(count, other.count) }

  /// Whether to continue after an attempt that has left `lost` requests without an answer.
  ///
  /// - Parameter before: the number that the previous attempt had left; nil after the first.
  mutating func allowAnother(lost: Int, before: Int?) -> Bool {
    guard lost > 0, before.map({ lost < $0 }) ?? true, count < Self.limit else { return false }
    count += 1
    return true
  }
}

/// Requests of longer operations, which are repeated after lost connections.
extension ZooKeeperClient {
  /// Carries out many reads, as `readAll` does, and repeats those whose connection was lost.
  ///
  /// - Parameters:
  ///   - window: the limit of requests in flight.
  ///   - repetitions: the repetitions of the operation so far.
  /// - Throws: `ZooKeeperError` with `connectionLoss` if connections are lost again and again.
  package func readAllDespiteLoss(
    _ reads: [ZnodeRead], in window: RequestWindow, _ repetitions: inout Repetitions
  ) async throws(ZooKeeperError) -> [Result<ZnodeReading, ZooKeeperError>] {
    var results = await readAll(reads, in: window)
    var before: Int?
    var lost = results.indices.filter { results[$0].isConnectionLoss }
    while repetitions.allowAnother(lost: lost.count, before: before) {
      before = lost.count
      let again = await readAll(lost.map { reads[$0] }, in: window)
      for (index, result) in zip(lost, again) { results[index] = result }
      lost = lost.filter { results[$0].isConnectionLoss }
    }
    if let index = lost.first, case .failure(let error) = results[index] { throw error }
    return results
  }

  /// Carries out many reads, as `readAll` does, and repeats those whose connection was lost.
  ///
  /// - Throws: `ZooKeeperError` with `connectionLoss` if connections are lost again and again.
  package func readAllDespiteLoss(
    _ reads: [ZnodeRead], inFlight: Int = 64
  ) async throws(ZooKeeperError) -> [Result<ZnodeReading, ZooKeeperError>] {
    var repetitions = Repetitions()
    return try await readAllDespiteLoss(reads, in: RequestWindow(inFlight), &repetitions)
  }

  /// The stat of a znode, read again if the connection is lost; nil if it does not exist.
  ///
  /// - Throws: `ZooKeeperError` if it cannot be read.
  package func statDespiteLoss(_ path: String) async throws(ZooKeeperError) -> Stat? {
    do throws(ZooKeeperError) {
      return try await readAllDespiteLoss([.stat(path: path)])[0].get().stat
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return nil
    }
  }

  /// Sets many ACLs, as `setACL(all:)` does, and repeats those whose connection was lost.
  ///
  /// An ACL that was set, but whose reply was lost, counts as set.
  ///
  /// - Throws: `ZooKeeperError` with `connectionLoss` if connections are lost again and again.
  package func setACLsDespiteLoss(
    _ requests: [SetACLRequest], inFlight: Int = 64
  ) async throws(ZooKeeperError) -> [Result<Stat, ZooKeeperError>] {
    var repetitions = Repetitions()
    var results = await setACL(all: requests, inFlight: inFlight)
    var before: Int?
    var lost = results.indices.filter { results[$0].isConnectionLoss }
    let repeated = lost
    while repetitions.allowAnother(lost: lost.count, before: before) {
      before = lost.count
      let again = await setACL(all: lost.map { requests[$0] }, inFlight: inFlight)
      for (index, result) in zip(lost, again) { results[index] = result }
      lost = lost.filter { results[$0].isConnectionLoss }
    }
    if let index = lost.first, case .failure(let error) = results[index] { throw error }
    let doubtful = repeated.filter { index in
      guard case .failure(let error) = results[index] else { return false }
      return error.code == .server(.badVersion)
    }
    let present = try await readAllDespiteLoss(doubtful.map { .acl(path: requests[$0].path) }, inFlight: inFlight)
    for (index, reading) in zip(doubtful, present) {
      guard case .success(.acl(let acl, let stat)) = reading, stat.aversion == requests[index].version &+ 1,
        TreeEntry.areEqual(acl, requests[index].acl)
      else { continue }
      results[index] = .success(stat)
    }
    return results
  }
}

extension Result where Failure == ZooKeeperError {
  fileprivate var isConnectionLoss: Bool {
    guard case .failure(let error) = self, case .connectionLoss = error.code else { return false }
    return true
  }
}
