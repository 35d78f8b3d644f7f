import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct LookAheadTests {
  /// The paths of a few requests, in one block of memory.
  private final class Requests {
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var paths: [UnsafeRawBufferPointer] = []

    init(_ paths: [String]) {
      bytes = .allocate(byteCount: paths.reduce(1) { $0 + $1.utf8.count }, alignment: 8)
      var offset = 0
      for path in paths {
        let length = path.utf8.count
        bytes[offset..<offset + length].copyBytes(from: path.utf8)
        self.paths.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
        offset += length
      }
    }

    deinit { bytes.deallocate() }

    func announce(to tree: DataTree) {
      var next = 0
      tree.lookAhead {
        next += 1
        return next <= paths.count ? paths[next - 1] : nil
      }
    }
  }

  private func draw(from paths: [String], _ random: inout SplitMix64) -> String {
    let known = [
      "", "/", "//", "a", "/a//b", "/zookeeper", "/zookeeper/", "/none", "/none/at/all",
      "/" + String(repeating: "deep/", count: 120) + "x",
    ]
    guard Int.random(in: 0..<3, using: &random) > 0 else { return known.randomElement(using: &random) ?? "" }
    return paths.randomElement(using: &random) ?? "/"
  }

  private func paths(_ tree: DataTree) -> [String] {
    let walk = tree.startSnapshot()
    return paths(of: walk)
  }

  private func paths(of walk: consuming SnapshotWalk) -> [String] {
    var paths: [String] = []
    walk.visit(limit: .max) { paths.append(String(decoding: $0.path, as: UTF8.self)) }
    return paths
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func whatIsFoundInAdvanceIsWhatIsThere(seed: UInt64) {
    let driver = TreeDriver()
    var random = SplitMix64(seed: seed)
    var workload = Workload()
    for _ in 0..<1500 { workload.step(driver, &random) }
    var found = 0
    var all: [String] = []
    for round in 0..<600 {
      if round % 50 == 0 { all = self.paths(driver.tree) }
      let paths = (0..<Int.random(in: 0...20, using: &random)).map { _ in draw(from: all, &random) }
      let expected = paths.map { driver.tree.find($0) }
      let requests = Requests(paths)
      requests.announce(to: driver.tree)
      let changesAt = round % 3 == 0 ? Int.random(in: 0...20, using: &random) : -1
      for (place, path) in requests.paths.enumerated() {
        if let base = path.baseAddress { driver.tree.advanceLookAhead(to: base) }
        if place == changesAt { for _ in 0..<3 { workload.step(driver, &random) } }
        // A request may be skipped, or its path be asked for more than once, from the request and from a copy.
        guard Int.random(in: 0..<5, using: &random) > 0 else { continue }
        let inPlace = driver.tree.find(path)
        let copied = driver.tree.find(paths[place])
        #expect(inPlace == copied)
        if changesAt < 0 || place < changesAt { #expect(inPlace == expected[place], "seed \(seed) \(paths[place])") }
        if inPlace != nil { found += 1 }
      }
      driver.tree.endLookAhead()
      for (place, path) in paths.enumerated() where changesAt < 0 { #expect(driver.tree.find(path) == expected[place]) }
    }
    #expect(found > 500)
  }

  @Test func createsAndDeletesEndIt() {
    let driver = TreeDriver()
    driver.create("/a")
    let requests = Requests(["/a", "/b"])
    requests.announce(to: driver.tree)
    #expect(driver.tree.find(requests.paths[0]) != nil)
    driver.apply(.delete(path: "/a"))
    #expect(driver.tree.find(requests.paths[0]) == nil)
    requests.announce(to: driver.tree)
    driver.create("/b")
    driver.create("/a")
    #expect(driver.tree.find(requests.paths[0]).map { driver.tree.path(of: $0) } == "/a")
    #expect(driver.tree.find(requests.paths[1]).map { driver.tree.path(of: $0) } == "/b")
  }
}
