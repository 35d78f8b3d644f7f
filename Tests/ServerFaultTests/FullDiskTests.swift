import Foundation
import TestKit
import Testing
import ZooKeeperClient

/// A full disk: the server reports that and stops, and has everything that it acknowledged.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct FullDiskTests {
  @Test func serverStopsRatherThanLie() async throws {
    // No file beyond 256 blocks of 512 bytes: write(2) fails with EFBIG, whatever the file system.
    let wrapper = ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 256; exec \"$@\"", "limited"]
    let server = try ServerUnderTest(["snapCount=1000000"], wrapper: wrapper)
    try await server.start(isLimited: true)
    var acknowledged: [String] = []
    let client = try server.client()
    try await client.connected(failsFast: false)
    // Enough to be over the limit many times.
    for number in 0..<2_000 {
      do {
        acknowledged.append(try await client.create("/n\(number)", data: [UInt8](repeating: 7, count: 1_000)))
      } catch { break }
    }
    await client.close(limit: .zero)
    #expect(!acknowledged.isEmpty && acknowledged.count < 2_000)
    let ending = try await server.command?.waitForEnd(within: .seconds(90))
    guard case .exited(let status)? = ending else {
      Issue.record("ended by \(String(describing: ending)): \(server.errorOutput)")
      return
    }
    #expect(status != 0)
    #expect(server.errorOutput.contains("the log cannot be written"), "\(server.errorOutput)")
    try await server.start()
    let expected = Set(acknowledged)
    try await server.withClient { client in
      let names = Set(try await client.getChildren("/").map { "/" + $0 })
      #expect(expected.subtracting(names).isEmpty)
      try await client.create("/goes-on")
    }
  }
}
