import Synchronization
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Runs `body` with a client that is connected, and closes it whatever happens.
func withClient<Result>(
  _ connectString: String, _ change: (inout ZooKeeperClient.Configuration) -> Void = { _ in },
  _ body: (ZooKeeperClient) async throws -> Result
) async throws -> Result {
  let client = try makeClient(connectString, change)
  do {
    try await client.withTimeLimit(.seconds(120)).connected(failsFast: false)
    let result = try await body(client)
    await client.close()
    return result
  } catch {
    await client.close()
    throw error
  }
}

/// A client that begins to connect; the caller closes it.
func makeClient(
  _ connectString: String, _ change: (inout ZooKeeperClient.Configuration) -> Void = { _ in }
) throws -> ZooKeeperClient {
  var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: connectString))
  // Generous, for a machine that is doing something else; and short enough to try again soon, because Apache's server
  // sometimes forgets a connection whose handshake came while it was starting.
  configuration.connectTimeout = .seconds(10)
  configuration.requestTimeLimit = .seconds(120)
  change(&configuration)
  return ZooKeeperClient(configuration)
}

/// As `withClient`, on the server that tests share.
func withSharedServer<Result>(
  chroot: String = "", _ change: (inout ZooKeeperClient.Configuration) -> Void = { _ in },
  _ body: (ZooKeeperClient) async throws -> Result
) async throws -> Result {
  try await withClient(try await ApacheServer.shared().connectString + chroot, change, body)
}

/// Expects `body` to fail with `code`, and gives the error.
@discardableResult
func expectFailure<Value>(
  _ code: ZooKeeperError.Code, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () async throws -> Value
) async -> ZooKeeperError? {
  do {
    _ = try await body()
    Issue.record("no failure where \(code) was expected", sourceLocation: sourceLocation)
  } catch let error as ZooKeeperError {
    #expect(error.code == code, sourceLocation: sourceLocation)
    return error
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
  return nil
}

/// Expects a server to answer with `error`.
@discardableResult
func expectRefusal<Value>(
  _ error: KeeperError, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Value
) async -> ZooKeeperError? {
  await expectFailure(.server(error), sourceLocation: sourceLocation, body)
}

/// What the default watcher was told, in order.
final class EventLog: Sendable {
  private let list = Mutex<[WatchEvent]>([])

  /// The handler to be given to a client.
  var handler: @Sendable (WatchEvent) -> Void {
    { [self] event in list.withLock { $0.append(event) } }
  }

  /// Changes of the session's state.
  var states: [KeeperState] { list.withLock { $0 }.filter { $0.type == .none }.map(\.state) }

  /// Events of znodes, as `type path`.
  var events: [String] {
    list.withLock { $0 }.filter { $0.type != .none }.map { "\($0.type.name) \($0.path ?? "-")" }
  }
}

extension WatchEvents {
  /// The next event of a znode, as `type path`; nil when the watch is over.
  func nextChange(_ iterator: inout AsyncIterator) async throws -> String? {
    while let event = try await iterator.next() {
      if event.type != .none { return "\(event.type.name) \(event.path ?? "-")" }
    }
    return nil
  }

  /// All events of znodes until the watch is over.
  func changes() async throws -> [String] {
    var iterator = makeAsyncIterator()
    var all: [String] = []
    while let change = try await nextChange(&iterator) { all.append(change) }
    return all
  }
}

extension ZooKeeperClient {
  /// Sends a request, returns once it is on its way, and gives what became of it later.
  func send(_ request: ClientRequest) async -> Task<Result<[UInt8], ZooKeeperError>?, Never> {
    let (results, continuation) = AsyncStream<Result<[UInt8], ZooKeeperError>>.makeStream()
    await withCheckedContinuation { submitted in
      driver.loop.execute { [driver] in
        driver.submit(request, id: driver.nextRequestID(), watch: nil, limit: nil) { result in
          continuation.yield(result)
          continuation.finish()
        }
        submitted.resume()
      }
    }
    return Task { await results.first { _ in true } }
  }
}
