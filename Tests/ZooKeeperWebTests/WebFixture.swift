import Foundation
import JSONFormat
import Synchronization
import TestKit
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

@testable import ZooKeeperWeb

/// A web server in this process, on a server of a sandbox.
final class WebFixture: Sendable {
  let sandbox: LocalEnsemble
  let server: WebServer
  let port: UInt16
  let log: LogLines

  /// The lines of the access log.
  final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
  }

  /// An answer.
  struct Reply {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var json: JSON? { JSONReader.read(body) }
    var text: String { String(decoding: body, as: UTF8.self) }
    var word: String? { json?["error"]?.text }
  }

  private init(_ sandbox: LocalEnsemble, _ server: WebServer, _ log: LogLines) {
    self.sandbox = sandbox
    self.server = server
    self.log = log
    port = UInt16(server.url.split(separator: ":").last!.dropLast())!
  }

  /// Runs `body` on a server that is started for it.
  static func run(
    _ change: (inout WebSettings) -> Void = { _ in }, _ body: (WebFixture) async throws -> Void
  ) async throws {
    let sandbox = try await LocalEnsemble.start(.init())
    let servers = try ConnectString(parsing: sandbox.connectString)
    let open: @Sendable (@escaping @Sendable (WatchEvent) -> Void) async throws -> ZooKeeperClient = { watcher in
      var configuration = ZooKeeperClient.Configuration(servers)
      configuration.defaultWatcher = watcher
      configuration.requestTimeLimit = .seconds(10)
      let client = ZooKeeperClient(configuration)
      try await client.connected()
      return client
    }
    let cluster = WebCluster(
      name: "test", connectString: servers, tls: { nil }, open: open, openMember: { _, _ in try await open { _ in } })
    var settings = WebSettings(clusters: [cluster], current: "test", version: "1", shell: .plain)
    settings.port = 0
    settings.sandbox = sandbox
    let log = LogLines()
    settings.log = { log.add($0) }
    change(&settings)
    let server = try await WebServer.start(settings)
    let fixture = WebFixture(sandbox, server, log)
    let result: Result<Void, any Error>
    do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
    await server.stop()
    await sandbox.stop()
    try result.get()
  }

  /// Sends a request on a connection of its own and reads the answer to its end.
  func ask(
    _ method: String, _ target: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> Reply {
    var all = ["Host": "127.0.0.1:\(port)", "Connection": "close"]
    if let body { all["Content-Length"] = "\(body.utf8.count)" }
    for (name, value) in headers { all[name] = value }
    let head = "\(method) \(target) HTTP/1.1\r\n" + all.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    let port = port
    let text = head + (body ?? "")
    return try await onThread {
      let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(120))
      try socket.write([UInt8](text.utf8))
      return try Reply(reading: socket)
    }
  }

  /// The token of the session.
  func token(_ headers: [String: String] = [:]) async throws -> String {
    try await ask("GET", "/api/v1/session", headers: headers).json?["token"]?.text ?? ""
  }

  /// Sends a change, with the token.
  func change(
    _ method: String, _ endpoint: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async throws -> Reply {
    var headers = headers
    headers["X-Zkcli-Token"] = try await token(headers)
    return try await ask(method, "/api/v1" + endpoint, body, headers: headers)
  }

  /// Waits until a job has ended.
  func end(of reply: Reply) async throws -> JSON {
    let id = reply.json?["job"]?["id"]?.text ?? "?"
    return try await eventually("the job has ended") {
      let job = try await ask("GET", "/api/v1/jobs/\(id)").json
      return job?["state"]?.text == "running" ? nil : job
    }
  }
}

/// Runs what blocks on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}

extension WebFixture.Reply: Sendable {
  /// Reads an answer: its head, and as much of a body as the head says.
  init(reading socket: LoopbackSocket) throws {
    var bytes: [UInt8] = []
    var end: Range<Int>?
    while end == nil {
      let more = try socket.read()
      guard !more.isEmpty else {
        throw TestKitError(.ended, "the server closed the connection after \(bytes.count) bytes")
      }
      bytes += more
      end = bytes.firstRange(of: [13, 10, 13, 10])
    }
    let lines = String(decoding: bytes[..<end!.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count == 2 ? String(parts[1].dropFirst()) : ""
    }
    var body = [UInt8](bytes[end!.upperBound...])
    if let length = headers["content-length"].flatMap({ Int($0) }) {
      while body.count < length {
        let more = try socket.read()
        guard !more.isEmpty else { break }
        body += more
      }
    } else if headers["transfer-encoding"] == "chunked" {
      while !body.suffix(5).elementsEqual("0\r\n\r\n".utf8) {
        let more = try socket.read()
        guard !more.isEmpty else { break }
        body += more
      }
    }
    self.init(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: body)
  }
}

extension WebShell {
  /// What the server needs of a shell, without one.
  static let plain = WebShell(
    explain: { error in
      let keeper = (error as? ZooKeeperError)?.keeperError?.name
      return Explanation(word: keeper ?? "Other", message: "\(error)", hint: nil, path: nil, code: 1)
    }, health: { _ in .null },
    export: { _, _, next, write in while try await next() != nil { try await write([0x2e]) } },
    entries: { _, _ in ([], []) }, search: { _, _, _ in { _ in nil } },
    acl: { _ in ACL.readUnsafe })
}

/// A stream of events.
final class EventReader: Sendable {
  private let socket: LoopbackSocket
  private let text = Mutex("")

  init(_ fixture: WebFixture, _ query: String = "") throws {
    socket = try LoopbackSocket.connect(to: fixture.port)
    let head = "GET /api/v1/events\(query) HTTP/1.1\r\nHost: 127.0.0.1:\(fixture.port)\r\n\r\n"
    try socket.write([UInt8](head.utf8))
  }

  /// Begins to read.
  func start() {
    Thread.detachNewThread { [self] in
      while let bytes = try? socket.read(), !bytes.isEmpty {
        text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
      }
    }
  }

  /// Everything that has come.
  var all: String { text.withLock { $0 } }

  /// Waits until something has come so often.
  func wait(for part: String, count: Int = 1) async throws {
    try await eventually("\(part) comes", within: .seconds(60)) { all.components(separatedBy: part).count > count }
  }

  /// The number of the stream.
  func id() async throws -> String {
    try await wait(for: "hello")
    return all.components(separatedBy: "{\"stream\":\"")[1].components(separatedBy: "\"")[0]
  }

  func close() { socket.shutdown() }
}
