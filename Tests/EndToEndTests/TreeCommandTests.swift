import Foundation
import TestKit
import Testing

/// Commands that find, count, copy and compare whole subtrees, on both servers.
@Suite(.timeLimit(.minutes(10)))
struct TreeCommandTests {
  /// A subtree with data, null, ACLs, names with blanks, bytes that are no text.
  private func makeTree(_ path: String, _ zkcli: Zkcli) async throws {
    let run = try await zkcli.script(
      """
      create \(path) "first\\nsecond secret=1\\n"
      create \(path)/a ''
      create \(path)/b
      create '\(path)/b/with blank' x
      create \(path)/bin "\\x00\\xffsecret"
      create \(path)/acl v world:anyone:cr,ip:127.0.0.1:cdrwa
      create -s \(path)/number- n
      """)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
  }

  @Test(arguments: ServerKind.allCases) func findsAndSearches(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("find")
    try await makeTree(path, zkcli)
    let number = try await zkcli("find", path, "--type", "s").output
    #expect(number.hasPrefix("\(path)/number-00000"))
    expect(try await zkcli("find", path, "--name", "b*"), output: "\(path)/b\n\(path)/bin\n")
    expect(try await zkcli("find", path, "--size", "+7"), output: "\(path)\n\(path)/bin\n")
    expect(try await zkcli("find", path, "--value", "secret=[0-9]"), output: "\(path)\n")
    expect(try await zkcli("find", path, "--empty", "--print0"), output: "\(path)/a\0")
    expect(try await zkcli("find", path, "--older", "1h", "--count"), output: "0\n")
    expect(try await zkcli("find", path, "--name", "a*", "--", "echo", "[{}]"), output: "[\(path)/a]\n[\(path)/acl]\n")
    expect(
      try await zkcli("find", path, "--name", "a", "--", "false"), status: 11, error: "the command failed for 1 of 1")
    expect(
      try await zkcli("grep", "-r", "secret", path),
      output: "\(path):second secret=1\nBinary value \(path)/bin matches\n")
    expect(try await zkcli("grep", "-rl", "secret", path), output: "\(path)\n\(path)/bin\n")
    expect(
      try await zkcli("grep", "-riE", "SECOND|^n$", path, "-c").self,
      output: try await zkcli("grep", "-rciE", "second|^n$", path).output)
    expect(try await zkcli("grep", "(", path, "-E"), status: 2, error: "is not valid")
    expect(try await zkcli("grep", "-r", "nothing", path), status: 1)
    let sums = try jsonArray(try await zkcli("-o", "json", "du", "-d", "0", path).output)
    #expect(sums.first?["count"] as? Int == 7)
    #expect(sums.first?["dataBytes"] as? Int == 33)
    let tree = try await zkcli("tree", path).output
    #expect(tree.hasPrefix("\(path)\n├── a\n├── acl\n├── b\n│   └── with blank\n├── bin\n└── number-"))
    expect(try await zkcli("ls", "\(path)/b*"), output: "\(path)/b:\nwith blank\n\n\(path)/bin:\n")
    expect(try await zkcli("ls", "\(path)/z*"), status: 3, error: "no znode matches the pattern")
    expect(try await zkcli("ls", "--sort", "size", path).self, output: try await sortedBySize(path, zkcli))
    expect(try await zkcli("rm", "\(path)/a", "\(path)/b/*"))
    expect(try await zkcli("rm", "\(path)/b", "7"), status: 2, error: "could be a version or a znode")
    expect(try await zkcli("exists", "\(path)/a"), status: 1)
    expect(try await zkcli("exists", "\(path)/b"))
  }

  private func sortedBySize(_ path: String, _ zkcli: Zkcli) async throws -> String {
    let number = try await zkcli("find", path, "--type", "s").output.split(separator: "/").last ?? ""
    return "bin\nacl\n\(number)a\nb\n"
  }

  private func jsonArray(_ text: String) throws -> [[String: Any]] { try #require(try json(text) as? [[String: Any]]) }

  @Test(arguments: ServerKind.allCases) func copiesComparesAndApplies(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("copy")
    let copy = path + "-copy"
    try await makeTree(path, zkcli)
    let holder = try zkcli.start("lock", "\(path)/lock", "--", "sleep", "600")
    defer { holder.killAll() }
    _ = try await eventually("a lock", within: .seconds(30)) {
      try await zkcli("ls", "\(path)/lock").output.isEmpty ? nil : true
    }
    expect(try await zkcli("cp", "-R", path, copy), error: "1 ephemeral znode is left out")
    expect(try await zkcli("cp", "-R", path, copy), error: "1 ephemeral znode is left out")
    holder.send(signal: SIGTERM)
    _ = try await holder.waitForEnd(within: .seconds(30))
    expect(try await zkcli("diff", "-q", path, copy))
    _ = try await zkcli.script(
      """
      set \(copy) "first\\nsecond secret=2\\n"
      delete \(copy)/a
      create \(copy)/new n
      setAcl \(copy)/acl world:anyone:cdrwa
      deleteall --yes \(path)/lock
      deleteall --yes \(copy)/lock
      """)
    expect(
      try await zkcli("diff", path, copy), status: 1,
      output: """
        ~ /
          @@ -1,2 +1,2 @@
           first
          -second secret=1
          +second secret=2
        - /a
        ~ /acl
          - acl world:anyone:cr
          - acl ip:127.0.0.1:cdrwa
          + acl world:anyone:cdrwa
        + /new

        """)
    expect(try await zkcli("cp", "-R", path, copy), status: 11, error: "2 left undone")
    let directory = try Scratch.directory("export")
    for file in ["tree.jsonl", "tree.tar", "tree/"].map({ "\(directory)/\($0)" }) {
      let imported = "\(path)-\(file.split(separator: ".").last ?? "")".replacingOccurrences(of: "/", with: "_")
      expect(try await zkcli("export", path, file))
      expect(try await zkcli("diff", "file:\(file)", path))
      expect(try await zkcli("import", file, "/" + imported))
      expect(try await zkcli("diff", path, "/" + imported))
      expect(try await zkcli("import", file, "/" + imported))
      expect(try await zkcli("import", file, "\(path)/missing/parent"), status: 3, error: "does not exist")
      expect(try await zkcli("deleteall", "--yes", "/" + imported))
    }
    let planned = try await zkcli("apply", "--dry-run", "--prune", "\(directory)/tree.tar", copy)
    #expect(planned.output.hasSuffix("- \(copy)/new\n"))
    expect(try await zkcli("diff", "-q", path, copy), status: 1, output: "~ /\n~ /acl\n+ /new\n")
    #expect(try await zkcli("apply", "--prune", "\(directory)/tree.tar", copy).exitStatus == 0)
    expect(try await zkcli("diff", path, copy))
    expect(try await zkcli("mv", copy, "\(path)/to/moved"), status: 3, error: "does not exist")
    expect(try await zkcli("mv", "-p", copy, "\(path)/to/moved"))
    expect(try await zkcli("exists", copy), status: 1)
    expect(try await zkcli("cp", "-R", path, "\(path)/in"), status: 2, error: "overlap")
    expect(try await zkcli("export", path, "\(directory)/tree.tar"), status: 4, error: "exists already")
    expect(
      try await zkcli("export", "--resume", path, "\(directory)/tree.tar"), status: 2, error: "an archive cannot be")
    expect(try await zkcli("export", "--resume", path), status: 2, error: "stdout cannot be resumed")
    expect(try await zkcli("export", "--resume", path, "\(directory)/tree/"))
    expect(try await zkcli("cp", "/missing", copy), status: 3, error: "NoNode /missing")
  }

  /// From our server to Apache's and back, with a writer on the source all the time.
  @Test func mirrorsAnotherEnsembleUnderWrites() async throws {
    let source = Zkcli(server: try await ServerKind.zkcli.connectString)
    let target = Zkcli(server: try await ServerKind.apache.connectString)
    let path = uniquePath("mirror")
    try await makeTree(path, source)
    expect(try await target("create", path), output: "\(path)\n")
    expect(try await target("create", "\(path)/foreign", "f"), output: "\(path)/foreign\n")
    let from = "zk://\(try await ServerKind.zkcli.connectString)\(path)"
    expect(try await target("mirror", from, path), status: 4, error: "--prune deletes them")
    let mirror = try target.start("mirror", "--prune", "--follow", "--every", "2s", from, path)
    defer { mirror.killAll() }
    var script = ""
    for index in 0..<2000 {
      script += "create \(path)/b/n\(index) v\n"
      if index % 3 == 0 { script += "set \(path)/b/n\(index) w\(index)\n" }
      if index % 5 == 0 { script += "delete \(path)/b/n\(index)\n" }
    }
    script += "setAcl \(path)/a world:anyone:r\ndeleteall \(path)/bin\n"
    #expect(try await source.script(script).exitStatus == 0)
    _ = try await eventually("equal trees", within: .seconds(60)) {
      try await target("diff", from, path).exitStatus == 0 ? true : nil
    }
    expect(try await target("exists", "\(path)/foreign"), status: 1)
    expect(try await target("getAcl", "\(path)/a"), output: "world:anyone:r\n")
  }
}
