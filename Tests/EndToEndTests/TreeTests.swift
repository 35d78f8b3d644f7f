import Foundation
import TestKit
import Testing

/// Commands on whole subtrees, some of them large.
@Suite(.timeLimit(.minutes(10)))
struct TreeTests {
  /// Makes `count` znodes in folders of a hundred under `path`, through transactions; returns all paths in order.
  static func grow(_ path: String, _ count: Int, _ zkcli: Zkcli) async throws -> [String] {
    let folders = (0..<(count / 100)).map { "\(path)/\(String(1000 + $0).dropFirst())" }
    var all = [path]
    var script = "create \(path)\n"
    for folder in folders {
      let leaves = (0..<99).map { "\(folder)/\(String(100 + $0).dropFirst())" }
      script += "multi " + ([folder] + leaves).map { "create \($0)" }.joined(separator: " , ") + "\n"
      all += [folder] + leaves
    }
    let run = try await zkcli.script(script)
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    return all
  }

  @Test func tenThousandAreListedInOrderAndDeleted() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("ten-thousand")
    let all = try await Self.grow(path, 10_000, zkcli)
    let listed = try await zkcli("ls", "-R", path)
    #expect(listed.exitStatus == 0)
    #expect(listed.output.split(separator: "\n").map(String.init) == all)
    let document = try #require(try json(try await zkcli("ls", "-R", "-o", "json", path).output) as? [[String: String]])
    #expect(document.count == all.count)
    expect(try await zkcli("getAllChildrenNumber", path), output: "10000\n")
    let planned = try await zkcli("deleteall", "--dry-run", path)
    #expect(planned.output.split(separator: "\n").map(String.init) == all.reversed())
    expect(try await zkcli("deleteall", path), status: 2, error: "more than 1000 znodes need --yes")
    let server = try #require(zkcli.server)
    expect(try await zkcli("-v", "-s", server, "deleteall", "--yes", path), error: "deleted 10001 znodes")
    expect(try await zkcli("exists", path), status: 1)
  }

  @Test func readerThatLeavesEndsTheListingQuietly() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("left")
    _ = try await Self.grow(path, 5_000, zkcli)
    let run = try await zkcli.shell("{ zkcli ls -R \(path); echo \"status $?\" >&2; } | head -1")
    #expect(run.output == "\(path)\n")
    #expect(run.errorOutput == "status 141\n")
    expect(try await zkcli("deleteall", "--yes", "-b", "100", path))
  }

  @Test func aclsOfASubtreeAndThoseThatCannotBeChanged() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("acls")
    for child in ["a/b", "c", "locked"] { try await #expect(zkcli("create", "-p", "\(path)/\(child)").exitStatus == 0) }
    expect(try await zkcli("setAcl", "\(path)/locked", "world:anyone:r"))
    let run = try await zkcli("setAcl", "-R", path, "world:anyone:cdra")
    #expect(run.exitStatus == 11)
    #expect(run.errorOutput.contains("1 left undone: \(path)/locked (NoAuth)"))
    for child in ["", "/a", "/a/b", "/c"] {
      expect(try await zkcli("getAcl", path + child), output: "world:anyone:cdra\n")
    }
  }

  @Test func listingGoesOnBehindAZnodeThatMayNotBeRead() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("unreadable")
    for child in ["a", "b/c", "d"] { try await #expect(zkcli("create", "-p", "\(path)/\(child)").exitStatus == 0) }
    expect(try await zkcli("setAcl", "\(path)/b", "world:anyone:ca"))
    let run = try await zkcli("ls", "-R", path)
    expect(
      run, status: 11, output: "\(path)\n\(path)/a\n\(path)/b\n\(path)/d\n", error: "\(path)/b: its children cannot")
    let document = try await zkcli("ls", "-R", "-o", "json", path)
    #expect(try (json(document.output) as? [Any])?.count == 4)
  }

  @Test func longListingTellsKindsAndSizes() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("long")
    let run = try await zkcli.script(
      "create \(path)\ncreate \(path)/p value\ncreate -e \(path)/e\ncreate \(path)/p/c\nls -l \(path)\n")
    let rows = run.output.split(separator: "\n").suffix(2).map { $0.split(separator: " ").map(String.init) }
    #expect(rows.map { $0.prefix(4) } == [["e", "0", "0", "0"], ["p", "1", "0", "5"]])
    #expect(rows.map(\.last) == ["e", "p"])
  }

  @Test func protectedZnodeOpensForItsOwnerAlone() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("owned")
    let owner = zkcli.with(["ZKCLI_AUTH": "digest:bob:secret"])
    expect(try await owner("create", path, "v", "auth::cdrwa"), output: "\(path)\n")
    let acl = try await owner("getAcl", path)
    #expect(acl.output.wholeMatch(of: /digest:bob:[A-Za-z0-9+\/=]{28}:cdrwa\n/) != nil)
    expect(try await owner("get", path), output: "v")
    expect(try await zkcli("get", path), status: 5, error: "NoAuth \(path)")
    let file = try Scratch.directory("auth") + "/identities"
    try Scratch.write("# who\ndigest:bob:secret\n", to: file)
    expect(try await zkcli("get", path, "--auth-file", file), output: "v")
    expect(try await zkcli.script("addauth digest bob:secret\nget \(path)\n"), output: "v\n")
    expect(
      try await zkcli.script("addauth digest bob:wrong\nget \(path)\n"), status: 5, error: "stdin:2: NoAuth \(path)")
    // What getAcl prints is what setAcl takes.
    expect(try await owner("setAcl", path, acl.output.trimmingCharacters(in: .newlines)))
    let owners = try await zkcli.with(["ZKCLI_AUTH": "digest:super:secret"])("whoami")
    #expect(owners.output == "digest: super\nip: 127.0.0.1\nsuper: \n")
  }
}
