import Foundation
import TestKit
import Testing

/// Commands on several znodes, named one by one or by patterns, and trees that change meanwhile.
@Suite(.timeLimit(.minutes(10)))
struct SeveralZnodesTests {
  @Test(arguments: ServerKind.allCases) func readsHaveHeadings(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("several")
    let run = try await zkcli.script(
      """
      create \(path)
      create \(path)/a 1
      create \(path)/b '{"n": 2}'
      create '\(path)/c d' 3
      create \(path)/b/x
      create \(path)/a/deep
      create \(path)/a/deep/x 7
      create '\(path)/[a]' literal
      """)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    expect(
      try await zkcli("get", "\(path)/a", "\(path)/c d"), output: "\(path)/a:\n1\n\(path)/c d:\n3")
    expect(
      try await zkcli("get", "\(path)/a", "\(path)/missing", "\(path)/c d"), status: 11,
      output: "\(path)/a:\n1\n\(path)/c d:\n3", error: "1 left undone: \(path)/missing (NoNode)")
    // The znode with this name has precedence over the pattern; in JSON there is a list all the same.
    expect(try await zkcli("get", "\(path)/[a]"), output: "\(path)/[a]:\nliteral")
    expect(try await zkcli("get", "--json-path", "$.n", "\(path)/[b]"), output: "\(path)/b:\n2\n")
    let documents = try #require(
      try json(try await zkcli("-o", "json", "get", "\(path)/?", "\(path)/c d").output) as? [[String: Any]])
    #expect(documents.map { $0["path"] as? String } == ["a", "b", "c d"].map { "\(path)/\($0)" })
    let stats = try await zkcli("stat", "\(path)/a", "\(path)/b").output.split(separator: "\n")
    #expect(stats.filter { $0.hasPrefix("/") } == ["\(path)/a:", "\(path)/b:"])
    #expect(stats.count == 24)
    expect(
      try await zkcli("ls", "\(path)/b", "\(path)/missing"), status: 11, output: "\(path)/b:\nx\n", error: "NoNode")
    expect(try await zkcli("ls", "\(path)/missing"), status: 3, error: "NoNode")
    expect(
      try await zkcli("get", "\(path)/**/x"),
      output: "\(path)/a/deep/x:\n7\n\(path)/b/x:\n")
    expect(try await zkcli("deleteall", "--dry-run", "\(path)/**/deep"), output: "\(path)/a/deep/x\n\(path)/a/deep\n")
    expect(try await zkcli("get", "-w", "\(path)/a", "\(path)/b"), status: 2, error: "--watch takes a single znode")
  }

  @Test func findDeletesOnlyWhatItHasSeen() async throws {
    let zkcli = Zkcli(server: try await ServerKind.zkcli.connectString)
    let path = uniquePath("seen")
    #expect(try await zkcli.script("create \(path)\ncreate \(path)/a old\ncreate \(path)/b old\n").exitStatus == 0)
    // The question comes after the search: what is written until it is answered is not deleted.
    let terminal = try await Terminal.start(
      try Products.executable("zkcli"), ["find", path, "--value", "old", "--delete"], environment: zkcli.variables)
    try await terminal.waitFor("Delete 2 znodes?")
    expect(try await zkcli("set", "\(path)/a", "new"))
    try await terminal.type("y")
    try await terminal.send("Enter")
    try await terminal.waitFor("\(path)/a (BadVersion)")
    expect(try await zkcli("ls", path), output: "a\n")
  }

  @Test func signalEndsTheCommandsOfFind() async throws {
    let zkcli = Zkcli(server: try await ServerKind.zkcli.connectString)
    let path = uniquePath("signal")
    #expect(try await zkcli.script("create \(path)\ncreate \(path)/a\ncreate \(path)/b\n").exitStatus == 0)
    let run = try await zkcli("find", path, "--", "sh", "-c", "echo {}; kill -INT $$")
    expect(run, status: 130, output: "\(path)\n", error: "a signal has ended the command")
  }

  /// A pattern on which engines that try all ways would take hours, on a value of nearly a megabyte.
  @Test(.timeLimit(.minutes(2))) func hostilePatternEndsInTime() async throws {
    let zkcli = Zkcli(server: try await ServerKind.zkcli.connectString)
    let path = uniquePath("hostile")
    #expect(
      try await zkcli("create", path, "-", input: [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)).exitStatus
        == 0)
    for pattern in ["(a|aa)*c", "(a+)+$x", "(a*)*b"] {
      expect(try await zkcli("grep", "-E", pattern, path, timeLimit: .seconds(20)), status: 1)
    }
    expect(try await zkcli("grep", "-E", #"(a)\1"#, path), status: 2, error: "unsupported")
    expect(try await zkcli("grep", "-c", #"\(aa\)*$"#, path), output: "\(path):1\n")
  }
}
