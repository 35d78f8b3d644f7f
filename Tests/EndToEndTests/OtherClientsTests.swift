import Foundation
import TestKit
import Testing

/// Recipes of other clients at the same path: kazoo's locks, and queues and counters.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct OtherClientsTests {
  /// A Python with kazoo, installed once for all tests of the process.
  private static let python = Task { () async throws -> String in
    let directory = try Scratch.directory("venv")
    let environment = ProcessInfo.processInfo.environment
    for (program, arguments) in [
      ("python3", ["-m", "venv", directory]),
      ("\(directory)/bin/pip", ["install", "--quiet", "--disable-pip-version-check", "kazoo==2.10.0"]),
    ] {
      let run = try await CommandRun.run(program, arguments, environment: environment, timeLimit: .seconds(120))
      guard run.exitStatus == 0 else { throw TestKitError(.missing, "\(program): \(run.output)\(run.errorOutput)") }
    }
    return "\(directory)/bin/python"
  }

  /// The Python, or nil where it cannot be had; in CI that is a failure.
  private func python() async -> String? {
    do {
      return try await Self.python.value
    } catch {
      print("skipped, for kazoo cannot be installed: \(error)")
      if ProcessInfo.processInfo.environment["CI"] != nil { Issue.record("kazoo cannot be installed: \(error)") }
      return nil
    }
  }

  /// Takes a lock of kazoo's several times, with the check of `LockTests`.
  private static let locker = """
    import os, sys
    from kazoo.client import KazooClient
    hosts, path, directory, patterns = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    client = KazooClient(hosts=hosts, timeout=20)
    client.start(timeout=30)
    for _ in range(6):
        lock = client.Lock(path, "kazoo", extra_lock_patterns=patterns)
        with lock:
            with open(directory + "/log", "a") as log:
                try:
                    os.mkdir(directory + "/inside")
                except FileExistsError:
                    log.write("overlap\\n")
                stat = client.exists(path + "/" + lock.node)
                log.write(hex(stat.czxid) + "\\n")
            os.rmdir(directory + "/inside")
    client.stop()
    """

  static let cases = ServerKind.allCases.flatMap { server in
    [(server, "kazoo", [String]()), (server, "curator", ["-lock-"])]
  }

  @Test(arguments: cases)
  func kazooAndWeShareALock(server: ServerKind, layout: String, patterns: [String]) async throws {
    guard let python = await python() else { return }
    let address = try await server.connectString
    let zkcli = Zkcli.patient(address)
    let path = uniquePath("kazoo")
    let log = try LineLog()
    let script =
      "mkdir \(log.directory)/inside || echo overlap >>\(log.path); echo $ZKCLI_LOCK_ZXID >>\(log.path);"
      + " rmdir \(log.directory)/inside"
    var running = try (0..<3).map { _ in
      try RunningCommand(python, ["-c", Self.locker, address, path, log.directory] + patterns)
    }
    for _ in 0..<12 {
      running.append(try zkcli.start("lock", "--layout", layout, path, "--", "sh", "-c", script))
    }
    for command in running {
      #expect(try await command.waitForEnd(within: .seconds(120)) == .exited(0))
    }
    let tokens = try log.lines.map(token)
    #expect(tokens.count == 30)
    #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 }, "\(tokens)")
  }

  @Test func kazoosReadersAndWritersAreOurs() async throws {
    guard let python = await python() else { return }
    let address = try await ServerKind.zkcli.connectString
    let zkcli = Zkcli.patient(address)
    let path = uniquePath("kazoo-rw")
    let program = """
      import sys
      from kazoo.client import KazooClient
      client = KazooClient(hosts=sys.argv[1], timeout=20)
      client.start(timeout=30)
      with client.ReadLock(sys.argv[2]):
          print("reading", flush=True)
          sys.stdin.read()
      queue = client.Queue(sys.argv[2] + "-queue")
      queue.put(b"later", 200)
      queue.put(b"sooner", 10)
      counter = client.Counter(sys.argv[2] + "-counter")
      counter += 5
      print("done", flush=True)
      client.stop()
      """
    let reader = try RunningCommand(python, ["-c", program, address, path])
    #expect(try await reader.nextLine(within: .seconds(60)) == "reading")
    try await #expect(zkcli("lock", "--try", "--layout", "kazoo", path).exitStatus == 8)
    try await #expect(zkcli("lock", "--try", "--shared", "--layout", "kazoo", path, "--", "true").exitStatus == 0)
    reader.closeInput()
    #expect(try await reader.nextLine(within: .seconds(60)) == "done")
    try await #expect(zkcli("lock", "--try", "--layout", "kazoo", path, "--", "true").exitStatus == 0)
    expect(try await zkcli("queue", "take", "\(path)-queue"), output: "sooner")
    expect(try await zkcli("queue", "take", "\(path)-queue"), output: "later")
    expect(try await zkcli("counter", "add", "\(path)-counter", "2"), output: "7\n")
    expect(try await zkcli("get", "\(path)-counter"), output: "7")
  }
}
