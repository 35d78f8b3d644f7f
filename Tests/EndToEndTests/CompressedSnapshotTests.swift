import Foundation
import TestKit
import Testing

/// `snapshot.compression.method`, between this server and Apache's.
@Suite(.timeLimit(.minutes(5)))
struct CompressedSnapshotTests {
  @Test(arguments: ["gz", "snappy", "GZ"]) func apachesServerStartsFromIt(method: String) async throws {
    let port = try LoopbackPorts.reserve()
    let ours = try ServerUnderTest(
      [
        "admin.enableServer=true", "admin.serverPort=\(port)", "admin.rateLimiterIntervalInMS=0",
        "snapshot.compression.method=\(method)",
      ])
    try await ours.start()
    let zkcli = Zkcli(server: ours.connectString)
    let value = String(repeating: "some value ", count: 9000)
    for index in 0..<5 { #expect(try await zkcli("create", "/n\(index)", value).exitStatus == 0) }
    let suffix = method.lowercased()
    let file = "\(ours.directory)/saved"
    let saved = try await zkcli("snapshot", "save", file, "--admin", "127.0.0.1:\(port)", "-o", "json")
    #expect(saved.exitStatus == 0, "\(saved.errorOutput)")
    let document = try #require(try json(saved.output) as? [String: Any])
    #expect(try #require(document["bytes"] as? Int) < 100_000, "five values of 99,000 bytes")
    // It comes back through the AdminServer, and through the files.
    #expect(try await zkcli("delete", "/n3").exitStatus == 0)
    let restored = try await zkcli("snapshot", "restore", file, "--admin", "127.0.0.1:\(port)", "--yes")
    #expect(restored.exitStatus == 0, "\(restored.errorOutput)")
    #expect(try await zkcli("get", "/n3").output == value)
    #expect(try await zkcli("snapshot", "save", file, "--overwrite", "--admin", "127.0.0.1:\(port)").exitStatus == 0)

    try await ours.end(by: SIGTERM)
    let directory = "\(ours.dataDirectory)/version-2"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    let compressed = try #require(names.first { $0.hasPrefix("snapshot.") && $0.hasSuffix(".\(suffix)") })
    try await ours.start()
    #expect(try await zkcli("get", "/n3").output == value)
    try await ours.end(by: SIGTERM)

    // Debian's package leaves out the library that Apache's server reads snappy with.
    guard suffix == "gz" else { return }
    let apache = try await ApacheServer.start { target in
      try FileManager.default.createDirectory(atPath: "\(target)/version-2", withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: "\(directory)/\(compressed)", toPath: "\(target)/version-2/\(compressed)")
    }
    #expect(try await Zkcli(server: apache.connectString)("get", "/n3").output == value)
  }

  @Test func anUnknownMethodIsSaid() async throws {
    let server = try ServerUnderTest(["snapshot.compression.method=zip"])
    try await server.start()
    try await eventually("the log tells it") { server.errorOutput.contains("must be gz or snappy") }
  }
}
