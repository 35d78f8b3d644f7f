import EnsembleCore
import StorageTesting
import Testing
import TxnLog
import ZnodeTree
import ZooKeeperProtocol

/// Which of the configurations on a member's disk it uses.
struct MemberConfigurationTests {
  private let disk = MemoryFileSystem()
  private var directory: DataDirectory<MemoryFileSystem> { DataDirectory(disk, dataDirectory: "/data") }

  private static func configuration(_ voters: ClosedRange<Int64>, version: Int64) -> QuorumConfiguration {
    let members = voters.map { id in
      QuorumConfiguration.Member(
        id: ServerID(rawValue: id), addresses: [.init(host: "h\(id)", quorumPort: 1, electionPort: 2)])
    }
    return QuorumConfiguration(members: members, version: version)
  }

  private func known(
    _ file: QuorumConfiguration, agreed: String?, inTree: QuorumConfiguration? = nil
  ) throws -> MemberConfiguration {
    try directory.create()
    if let agreed { try EpochFiles(directory).saveAgreedConfiguration(agreed) }
    let tree = DataTree(hashSeed: 1)
    if let inTree { tree.setConfiguration(inTree.text, version: inTree.version, wallMilliseconds: 1) }
    return try MemberConfiguration(file: file, EpochFiles(directory), tree: tree)
  }

  @Test func theNewerOneCounts() throws {
    let old = Self.configuration(1...3, version: 0x1_0000_0001)
    let new = Self.configuration(1...4, version: 0x1_0000_0005)
    #expect(try known(old, agreed: nil).committed == old)
    #expect(try known(old, agreed: new.text).committed == new)
    #expect(try known(new, agreed: old.text).committed == new)
  }

  @Test func whatTheTreeSaysBeyondThatIsProposed() throws {
    let old = Self.configuration(1...3, version: 0x1_0000_0001)
    let new = Self.configuration(1...4, version: 0x1_0000_0005)
    let found = try known(old, agreed: nil, inTree: new)
    #expect(found.committed == old && found.proposed == new)
    #expect(try known(new, agreed: nil, inTree: new).proposed == nil)
    #expect(try known(new, agreed: nil, inTree: old).proposed == nil)
  }

  /// With an older configuration instead, a server could help to elect a second leader.
  @Test(arguments: ["", "nonsense", "server.1=h:1", "server.1=h1:1:2\nversion=x"])
  func aDamagedOneIsRefused(_ text: String) throws {
    let error = #expect(throws: TxnLogError.self) {
      try known(Self.configuration(1...3, version: 0), agreed: text)
    }
    #expect(error?.path == "/data/zkcli.dynamic")
    guard case .rejected? = error?.code else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
