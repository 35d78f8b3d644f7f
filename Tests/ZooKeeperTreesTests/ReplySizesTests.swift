import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperTrees

/// What is learned from replies, so that a reader does not ask for more than it can keep.
@Suite struct ReplySizesTests {
  private static func names(_ count: Int) -> Result<ZnodeReading, ZooKeeperError> {
    .success(.children((0..<count).map { "n\($0)" }, .zero))
  }

  private static func data(_ count: Int) -> Result<ZnodeReading, ZooKeeperError> {
    .success(.data(.init(repeating: 0, count: count), .zero))
  }

  @Test func depthsAreKeptApart() {
    var sizes = ReplySizes()
    #expect(sizes.bytes(about: "/a") == nil)
    sizes.add([Self.names(100)], about: "/a")
    sizes.add([Self.names(300)], about: "/b")
    sizes.add([Self.names(0)], about: "/a/x")
    sizes.finish()
    #expect(sizes.bytes(about: "/c") == 200 * ReplySizes.bytesOfName)
    #expect(sizes.bytes(aboutChildrenOf: "/") == 200 * ReplySizes.bytesOfName)
    #expect(sizes.bytes(about: "/c/y") == 0)
    #expect(sizes.bytes(aboutChildrenOf: "/c") == 0)
    #expect(sizes.bytes(about: "/") == nil)
    #expect(sizes.bytes(about: "/c/y/z") == nil)
  }

  @Test func smallRepliesAreBelievedSlowly() {
    var sizes = ReplySizes()
    sizes.add([Self.data(1000)], about: "/a")
    sizes.finish()
    sizes.add([Self.data(0)], about: "/b")
    sizes.finish()
    #expect(sizes.bytes(about: "/c") == 500)
    sizes.add([Self.data(4000)], about: "/d")
    sizes.finish()
    #expect(sizes.bytes(about: "/e") == 4000)
    sizes.finish()
    #expect(sizes.bytes(about: "/e") == 4000)
  }

  @Test func failuresAndDeepPathsCountToo() {
    var sizes = ReplySizes()
    let deep = String(repeating: "/a", count: 100_000)
    sizes.add([.failure(ZooKeeperError(.server(.noNode), path: "/a")), Self.data(10)], about: "/a")
    sizes.add([Self.data(20)], about: deep)
    sizes.finish()
    #expect(sizes.bytes(about: "/b") == 10)
    #expect(sizes.bytes(about: deep + "/b") == 20)
    #expect(sizes.bytes(aboutChildrenOf: deep) == 20)
  }
}
