import Foundation
import TestKit
import Testing

/// The command `acl`, against Apache's server.
@Suite(.timeLimit(.minutes(10)))
struct ACLTests {
  @Test func aHashLetsTheUserIn() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("hash")
    let file = try Scratch.directory("secret") + "/password"
    try Scratch.write("secret\n", to: file)
    chmod(file, 0o600)
    let hashed = try await zkcli("acl", "hash", "bob", "--password-file", file)
    #expect(hashed.output == "digest:bob:fyVmFCwVbTJYrznoSu1koqYEYF0=:cdrwa\n")
    let entry = String(hashed.output.dropLast())
    try await #expect(zkcli("create", path, "v", entry).exitStatus == 0)
    expect(try await zkcli("get", path), status: 5, error: "NoAuth")
    let bob = zkcli.with(["ZKCLI_AUTH": "digest:bob:secret"])
    expect(try await bob("get", path), output: "v")
    // Without an answer there is no hash.
    expect(try await zkcli("acl", "hash", "bob"), status: 2, error: "no terminal; give the secret with --password-file")
    expect(try await zkcli("acl", "hash", "bob:x", "--password-file", file), status: 2, error: "contain a colon")
    expect(try await bob("deleteall", path))
  }

  @Test func entriesAreAddedAndRemoved() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("entries")
    try await #expect(zkcli("create", "-p", "\(path)/a/b").exitStatus == 0)
    expect(try await zkcli("acl", "add", "ip:127.0.0.1:r", path, "-R"))
    for child in ["", "/a", "/a/b"] {
      expect(try await zkcli("getAcl", path + child), output: "world:anyone:cdrwa\nip:127.0.0.1:r\n")
    }
    expect(
      try await zkcli("acl", "remove", "ip:127.0.0.1", path, "-R", "--dry-run"),
      output: "\(path)\n\(path)/a\n\(path)/a/b\n")
    expect(try await zkcli("acl", "remove", "ip:127.0.0.1", "\(path)/a"))
    expect(try await zkcli("acl", "remove", "world:anyone:w", "\(path)/a"))
    expect(try await zkcli("getAcl", "\(path)/a"), output: "world:anyone:cdra\n")
    expect(
      try await zkcli("acl", "remove", "world:anyone", "\(path)/a"), status: 4, error: "would have no entry left")
  }

  @Test func aSubtreeIsChangedManyZnodesAtATime() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("acl-tree")
    _ = try await TreeTests.grow(path, 2000, zkcli)
    expect(try await zkcli("setAcl", "\(path)/003/50", "world:anyone:r"))
    expect(try await zkcli("setAcl", "\(path)/004/50", "ip:127.0.0.1:cdrwa"))
    let run = try await zkcli("acl", "add", "ip:127.0.0.1:cdrwa", path, "-R", "--yes")
    expect(run, status: 11, error: "1 left undone: \(path)/003/50 (NoAuth)")
    expect(try await zkcli("getAcl", "\(path)/019/98"), output: "world:anyone:cdrwa\nip:127.0.0.1:cdrwa\n")
    let removed = try await zkcli("acl", "remove", "ip:127.0.0.1", path, "-R", "--yes")
    expect(removed, status: 11, error: "1 left undone: \(path)/004/50 (InvalidACL)")
    expect(try await zkcli("getAcl", path), output: "world:anyone:cdrwa\n")
  }

  @Test func denialsAreExplained() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("why")
    try await #expect(zkcli("create", "-p", "\(path)/app").exitStatus == 0)
    expect(try await zkcli("setAcl", path, "world:anyone:ra,digest:bob:xQ=:d"))
    let denied = try await zkcli("acl", "why", "\(path)/app", "--as", "digest:eve", "--op", "delete")
    expect(denied, status: 1, output: "denied: delete needs d on \(path), which has world:anyone:ra,digest:bob:xQ=:d\n")
    let allowed = try await zkcli("acl", "why", "\(path)/app", "--as", "digest:bob", "--op", "delete")
    expect(allowed, output: "allowed: digest:bob:xQ=:d on \(path) gives d\n")
    // The server is of the same opinion.
    expect(try await zkcli("delete", "\(path)/app"), status: 5, error: "NoAuth")
    let document = try jsonObject(
      try await zkcli("-o", "json", "acl", "why", "\(path)/app", "--as", "digest:eve", "--op", "delete").output)
    #expect(document["allowed"] as? Bool == false && document["znode"] as? String == path)
    expect(
      try await zkcli("acl", "why", "\(path)/app", "--op", "get"),
      output: "allowed: world:anyone:cdrwa on \(path)/app gives r\n")
    expect(try await zkcli("acl", "why", "\(path)/no", "--as", "a:b", "--op", "delete"), status: 3, error: "NoNode")
    expect(try await zkcli("setAcl", path, "world:anyone:cdrwa"))
  }

  @Test func mistakesOfASubtreeAreListed() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("check")
    for child in ["a", "b", "c"] { try await #expect(zkcli("create", "-p", "\(path)/\(child)").exitStatus == 0) }
    for child in ["", "/b"] { expect(try await zkcli("setAcl", path + child, "world:anyone:r,ip:127.0.0.1:cdrwa")) }
    expect(try await zkcli("setAcl", "\(path)/c", "world:anyone:r"))
    let run = try await zkcli("acl", "check", "-R", path)
    expect(
      run, status: 1,
      output: """
        \(path)/a  world-writable  world:anyone:cdrwa: everyone can change it
        \(path)/c  no-admin  no one can change its ACL

        """)
    expect(try await zkcli("acl", "check", path))
    let rows = try json(try await zkcli("-o", "json", "acl", "check", "-R", path).output) as? [[String: Any]]
    #expect(rows?.map { $0["finding"] as? String } == ["world-writable", "no-admin"])
  }
}
