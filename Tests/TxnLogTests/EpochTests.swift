import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// The epoch files, `myid`, `initialize` and the lock.
@Suite(.timeLimit(.minutes(10))) struct EpochTests {
  private let disk = MemoryFileSystem()
  private var directory: Directory { TxnLogTests.directory(disk) }

  private func load(_ lastZxid: Int64) throws -> EpochFiles<MemoryFileSystem>.Epochs {
    try EpochFiles(directory).load(lastZxid: Zxid(rawValue: lastZxid))
  }

  private func put(_ name: String, _ text: String) { disk.install("/data/version-2/\(name)", Array(text.utf8)) }

  @Test func missingFilesComeFromTheHistory() throws {
    try directory.create()
    #expect(try load(0x3_0000_0004) == .init(accepted: 3, current: 3))
    #expect(disk.visibleFiles["/data/version-2/currentEpoch"] == Array("3".utf8))
    disk.crash(.none)
    #expect(disk.visibleFiles["/data/version-2/acceptedEpoch"] == Array("3".utf8))
  }

  @Test(arguments: ["5", "5\n", "5\r\n", "5\nmore", "5\rmore", "\u{feff}5\r\n"])
  func lineEndsAreAccepted(_ text: String) throws {
    put("acceptedEpoch", text)
    put("currentEpoch", text)
    #expect(try load(0x5_0000_0000) == .init(accepted: 5, current: 5))
  }

  @Test(arguments: ["", "5 ", " 5", "five", "+5", "99999999999999999999"]) func anythingElseIsNot(_ text: String) throws
  {
    put("acceptedEpoch", "5")
    put("currentEpoch", text)
    let error = #expect(throws: TxnLogError.self) { try load(0) }
    #expect(error == TxnLogError(.badNumber(text), path: "/data/version-2/currentEpoch"))
  }

  /// Numbers that are no epochs: shifted into a zxid they would be something else, or nothing at all.
  @Test(arguments: [Int64(Int32.max) + 1, -1, .max, .min]) func numbersOutOfRangeAreRefused(_ number: Int64) throws {
    for name in ["acceptedEpoch", "currentEpoch"] {
      put("acceptedEpoch", "5")
      put("currentEpoch", "5")
      put(name, "\(number)")
      let error = #expect(throws: TxnLogError.self) { try load(0x5_0000_0001) }
      #expect(error == TxnLogError(.badNumber("\(number)"), path: "/data/version-2/\(name)"))
    }
  }

  /// A snapshot or a log of a zxid after which no other is possible.
  @Test(arguments: [.max, .max - 1, 0x7fff_ffff_0000_0001] as [Int64])
  func theLastZxidsAreRefused(_ zxid: Int64) throws {
    let directory = try freshDirectory(disk)
    try writeSnapshot(directory, Zxid(rawValue: zxid))
    #expect(refusal(directory)?.code == .zxidOutOfRange(Zxid(rawValue: zxid)))
  }

  @Test func contradictionsRefuse() throws {
    put("acceptedEpoch", "2")
    put("currentEpoch", "2")
    #expect(throws: TxnLogError.self) { try load(0x3_0000_0001) }
    put("currentEpoch", "3")
    #expect(throws: TxnLogError.self) { try load(0x3_0000_0001) }
  }

  @Test func announcedEpochIsTaken() throws {
    put("acceptedEpoch", "3")
    put("currentEpoch", "2")
    try EpochFiles(directory).prepareCurrent(3)
    disk.crash(.none)
    #expect(try load(0x2_0000_0009) == .init(accepted: 3, current: 2))
    #expect(try load(0x3_0000_0001) == .init(accepted: 3, current: 3))
    #expect(disk.visibleFiles["/data/version-2/currentEpoch"] == Array("3".utf8))
  }

  /// What interrupted writes leave has no meaning once the numbers are durable, and is removed.
  @Test func remainsOfTheFilesGo() throws {
    for (announced, isKept) in [("3", false), ("7", false), ("", false), ("8", true)] {
      let directory = try freshDirectory()
      let files = EpochFiles(directory)
      try files.saveAccepted(7)
      try files.saveCurrent(7)
      for name in ["acceptedEpoch.tmp", "currentEpoch.new"] {
        directory.files.install("/data/version-2/\(name)", Array("9".utf8))
      }
      directory.files.install("/data/version-2/currentEpoch.tmp", Array(announced.utf8))
      let epochs = try files.load(lastZxid: Zxid(rawValue: 7 << 32))
      #expect(epochs == .init(accepted: 7, current: 7))
      let left = directory.files.visibleFiles.keys.filter { $0.hasSuffix(".tmp") || $0.hasSuffix(".new") }
      #expect(left == (isKept ? ["/data/version-2/currentEpoch.tmp"] : []), "\(announced)")
    }
  }

  @Test func savedEpochIsOldOrNewAfterACrash() throws {
    for crash in 1...8 {
      for seed in UInt64(0)..<8 {
        let disk = MemoryFileSystem()
        disk.install("/data/version-2/currentEpoch", Array("7".utf8))
        disk.install("/data/version-2/acceptedEpoch", Array("9".utf8))
        disk.crashAtOperation = crash
        var isSaved = true
        do { try EpochFiles(TxnLogTests.directory(disk)).saveCurrent(8) } catch { isSaved = false }
        disk.crash(.some(seed: seed))
        let epochs = try EpochFiles(TxnLogTests.directory(disk)).load(lastZxid: .zero)
        #expect(epochs.current == 8 || epochs.current == 7 && !isSaved)
      }
    }
  }

  @Test func serverIDAndInitialize() throws {
    try directory.create()
    #expect(try EpochFiles(directory).serverID() == nil)
    try EpochFiles(directory).saveServerID(3)
    #expect(try EpochFiles(directory).serverID() == 3)
    #expect(try directory.takeInitializeFile() == false)
    disk.install("/data/initialize", [])
    #expect(try directory.takeInitializeFile())
    disk.crash(.none)
    #expect(try directory.takeInitializeFile() == false)
  }

  @Test func secondServerIsKeptOut() throws {
    try directory.create()
    do {
      let first = try directory.lock()
      let error = #expect(throws: TxnLogError.self) { _ = try directory.lock() }
      #expect(error?.code == .locked)
      _ = consume first
    }
    _ = try directory.lock()
  }
}
