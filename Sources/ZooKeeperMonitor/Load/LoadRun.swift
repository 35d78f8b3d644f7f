import Synchronization
public import ZooKeeperClient
import ZooKeeperProtocol

/// Puts a load on an ensemble and measures it.
///
/// All znodes are below one that the load creates. This is a container, and those under it are ephemeral, so that the
/// servers remove all of them if the program is killed.
public struct LoadRun: Sendable {
  public let plan: LoadPlan
  /// The parent of all znodes; it must not exist.
  public let root: String
  private let clients: [ZooKeeperClient]
  private let stop = StopFlag()

  /// - Parameter clients: the sessions, each with a time limit for single requests.
  public init(_ plan: LoadPlan, root: String, clients: [ZooKeeperClient]) {
    self.plan = plan
    self.root = root
    self.clients = clients
  }

  /// Ends the load: waits for requests in flight, and sends no others.
  public func end() { stop.set() }

  // MARK: Before and after

  /// Creates the znodes that the load needs.
  ///
  /// - Throws: what `create` throws, such as NodeExists.
  public func prepare() async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await clients[0].create(root, mode: .container)
    } catch  where error.keeperError == .unimplemented {
      // Servers before 3.5 have no containers.
      try await clients[0].create(root)
    }
    guard plan.work != .create else { return }
    let value = value
    let batches = stride(from: 0, to: plan.keyCount, by: 100).map { first in
      (first..<min(first + 100, plan.keyCount)).map { number in
        MultiOperation.create(
          CreateRequest(path: path(number), data: value, acl: ACL.openUnsafe, flags: CreateMode.ephemeral.flags))
      }
    }
    for result in await clients[0].multi(all: batches, inFlight: 16) { _ = try result.get() }
  }

  /// Removes all znodes of the load.
  ///
  /// - Throws: the error if something could not be removed.
  public func cleanUp() async throws(ZooKeeperError) {
    let client = clients[0].withTimeLimit(.seconds(10))
    do throws(ZooKeeperError) {
      let names = try await client.getChildren(root)
      let batches = stride(from: 0, to: names.count, by: 100).map { first in
        names[first..<min(first + 100, names.count)].map { name in
          MultiOperation.delete(PathVersionRequest(path: "\(root)/\(name)", version: -1))
        }
      }
      for result in await client.multi(all: batches, inFlight: 16) { _ = try result.get() }
      try await client.delete(root)
    } catch  where error.keeperError == .noNode {
      return
    }
  }

  // MARK: The load

  /// Runs until the plan's end or a call of `end`.
  public func run() async -> LoadResult {
    let start = ContinuousClock.now
    let timer = plan.duration.map { duration in
      Task {
        try await Task.sleep(for: duration)
        stop.set()
      }
    }
    defer { timer?.cancel() }
    var result = await withTaskGroup(of: LoadResult.self) { group in
      for (index, client) in clients.enumerated() {
        // The first clients send the remainder of the division.
        let share = plan.requestCount.map { count in count / clients.count + (index < count % clients.count ? 1 : 0) }
        let load = SessionLoad(plan, root: client.absolutePath(root), session: index, share: share, stop: stop)
        group.addTask { await load.run(client) }
      }
      var sum = LoadResult()
      for await part in group { sum.add(part) }
      return sum
    }
    result.seconds = (ContinuousClock.now - start) / .seconds(1)
    return result
  }

  private var value: [UInt8] { [UInt8](repeating: UInt8(ascii: "x"), count: plan.sizeBytes) }

  private func path(_ number: Int) -> String { "\(root)/\(number)" }
}

/// Whether a load is to end.
private final class StopFlag: Sendable {
  private let flag = Atomic(false)

  func set() { flag.store(true, ordering: .relaxed) }

  var isSet: Bool { flag.load(ordering: .relaxed) }
}

/// The requests of one session.
///
/// *Thread*: `next` and `take` run on the client's event loop, one after the other; `run` reads the results after their
/// end.
private final class SessionLoad: @unchecked Sendable {
  // @unchecked: the note above explains which thread accesses the mutable state at which time.

  private let plan: LoadPlan
  private let stop: StopFlag
  private let share: Int?
  private let own: String
  private let paths: [String]
  private let value: [UInt8]
  /// The requests for each path, encoded in advance unless they need too much memory.
  private let reads: [EncodedRequest]
  private let writes: [EncodedRequest]
  @exclusivity(unchecked) private var random: SplitMix64
  @exclusivity(unchecked) private var result = LoadResult()

  init(_ plan: LoadPlan, root: String, session: Int, share: Int?, stop: StopFlag) {
    self.plan = plan
    self.share = share
    self.stop = stop
    own = "\(root)/s\(session)-"
    paths = plan.work == .create ? [] : (0..<plan.keyCount).map { "\(root)/\($0)" }
    value = [UInt8](repeating: UInt8(ascii: "x"), count: plan.sizeBytes)
    let (paths, value) = (paths, value)
    let readsFit = plan.work != .write && paths.count <= Self.preparedBytes / Self.pathBytes
    reads = readsFit ? paths.map { Self.read($0) } : []
    let writesFit = plan.work != .read && paths.count <= Self.preparedBytes / (Self.pathBytes + value.count)
    writes = writesFit ? paths.map { Self.write($0, value) } : []
    random = SplitMix64(seed: UInt64(session) &+ .random(in: .min ... .max))
  }

  func run(_ client: ZooKeeperClient) async -> LoadResult {
    await client.keepInFlight(plan.inFlight, next: next, onReply: take)
    return result
  }

  /// The approximate memory for reads that are encoded in advance, and again for writes.
  private static let preparedBytes = 16 << 20
  /// The approximate size of a request without its data.
  private static let pathBytes = 128

  private static func read(_ path: String) -> EncodedRequest { EncodedRequest(.getData(PathWatchRequest(path: path))) }

  private static func write(_ path: String, _ value: [UInt8]) -> EncodedRequest {
    EncodedRequest(.setData(SetDataRequest(path: path, data: value, version: -1)))
  }

  private func next(_ number: Int) -> EncodedRequest? {
    guard !stop.isSet, share.map({ number < $0 }) ?? true else { return nil }
    guard plan.work != .create else { return createOrDelete(number) }
    let key = Int(random.next() % UInt64(paths.count))
    if isRead(number) { return reads.isEmpty ? Self.read(paths[key]) : reads[key] }
    return writes.isEmpty ? Self.write(paths[key], value) : writes[key]
  }

  private func createOrDelete(_ number: Int) -> EncodedRequest {
    // The next request deletes it, because requests of a session are carried out in order.
    let path = "\(own)\(number / 2)"
    return EncodedRequest(
      number.isMultiple(of: 2)
        ? .create(CreateRequest(path: path, data: value, acl: ACL.openUnsafe, flags: CreateMode.ephemeral.flags))
        : .delete(PathVersionRequest(path: path, version: -1)))
  }

  /// Whether a request reads. This depends only on its number, so that the code for the reply knows it as well.
  private func isRead(_ number: Int) -> Bool {
    switch plan.work {
    case .read: return true
    case .write, .create: return false
    case .mixed:
      // Multiplication by a number coprime to 100 distributes the writes among the reads.
      return number % 100 * 37 % 100 < plan.readPercent
    }
  }

  private func take(_ number: Int, _ nanoseconds: Int64, _ failure: ZooKeeperError?) {
    if let failure {
      result.failures[failure.keeperError?.name ?? "\(failure.code)", default: 0] += 1
    } else if isRead(number) {
      result.reads.add(nanoseconds: nanoseconds)
    } else {
      result.writes.add(nanoseconds: nanoseconds)
    }
  }
}
