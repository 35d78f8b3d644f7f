import Jute
import Testing
import ZooKeeperProtocol

@Suite struct TxnTests {
  @Test(arguments: TxnVectors.entries.indices)
  func entryOfARealServerDecodesAndEncodesToTheSameBytes(index: Int) throws {
    let vector = TxnVectors.entries[index]
    let bytes = hexBytes(vector.hex)
    let entry = try TxnEntry(decoding: bytes)
    #expect(entry.encoded == bytes, "\(vector.name)")
    #expect(entry.header.type == entry.txn.opCode.rawValue, "\(vector.name)")
    #expect((entry.digest == nil) == (entry.header.opCode == .error), "\(vector.name)")
    // Every shorter prefix is an error or an entry without digest; none traps.
    for count in 0..<bytes.count { _ = try? TxnEntry(decoding: Array(bytes[..<count])) }
  }

  @Test func fieldsOfRealEntries() throws {
    let session = try entry("PROPOSAL.createSession")
    #expect(session.txn == .createSession(timeoutMilliseconds: 10000))
    #expect(session.header.sessionID == SessionID(rawValue: 0x1_0000_16c6_360000))
    #expect(session.header.zxid == Zxid(rawValue: 0x1_0000_0001))
    #expect(session.digest?.version == TxnDigest.currentVersion)
    #expect(try entry("INFORM.error.-103").txn == .error(.badVersion))
    guard case .multi(let txns) = try entry("INFORM.multi.failed").txn else { Issue.record("no multi"); return }
    #expect(txns.suffix(2) == [.error(.noNode), .error(.runtimeInconsistency)])
    guard case .closeSession(let paths) = try entry("INFORM.closeSession.paths").txn else {
      Issue.record("no closeSession")
      return
    }
    #expect(paths?.count == 1)
    guard case .create(let null) = try entry("INFORM.create.nullData").txn else { Issue.record("no create"); return }
    #expect(null.data == nil)
    #expect(try entry("INFORM.deleteContainer").header.sessionID == .none)
  }

  @Test func createOf33LacksTheParentsVersion() throws {
    var writer = JuteWriter()
    TxnHeader(
      sessionID: SessionID(rawValue: 7), cxid: .first, zxid: Zxid(rawValue: 9), timeMilliseconds: 1, opCode: .create
    ).encode(into: &writer)
    writer.writeString("/a")
    writer.writeBuffer([1])
    writer.writeVector(ACL.openUnsafe) { $1.encode(into: &$0) }
    writer.writeBool(true)
    let entry = try TxnEntry(decoding: writer.bytes)
    let expected = CreateTxn(path: "/a", data: [1], acl: ACL.openUnsafe, isEphemeral: true, parentCVersion: -1)
    #expect(entry.txn == .create(expected))
    #expect(entry.digest == nil)
  }

  @Test func closeSessionMayLackItsList() throws {
    let header = TxnHeader(
      sessionID: SessionID(rawValue: 7), cxid: .first, zxid: Zxid(rawValue: 9), timeMilliseconds: 1,
      opCode: .closeSession)
    for digest in [nil, TxnDigest(treeDigest: 5)] {
      let entry = TxnEntry(header: header, txn: .closeSession(paths: nil), digest: digest)
      #expect(try TxnEntry(decoding: entry.encoded) == entry)
    }
    let listed = TxnEntry(header: header, txn: .closeSession(paths: ["/e"]), digest: TxnDigest(treeDigest: 1))
    #expect(try TxnEntry(decoding: listed.encoded) == listed)
  }

  @Test func multiDoesNotNest() {
    let header = TxnHeader(
      sessionID: .none, cxid: .first, zxid: Zxid(rawValue: 1), timeMilliseconds: 0, opCode: .multi)
    let entry = TxnEntry(header: header, txn: .multi([.multi([])]), digest: nil)
    #expect(throws: JuteError.self) { try TxnEntry(decoding: entry.encoded) }
  }

  /// What is seen in the bytes of a setData is what is decoded from them, whatever bytes they are, and what cannot be
  /// decoded is not seen.
  @Test(arguments: [nil, [], [1, 2, 3]] as [[UInt8]?], [nil, TxnDigest(treeDigest: 5)])
  func aSetDataIsSeenAsItIsDecoded(data: [UInt8]?, digest: TxnDigest?) throws {
    let header = TxnHeader(
      sessionID: SessionID(rawValue: 7), cxid: .first, zxid: Zxid(rawValue: 9), timeMilliseconds: 8, opCode: .setData)
    let txn = Txn.setData(SetDataTxn(path: "/a/b", data: data, version: 4))
    let bytes = TxnEntry(header: header, txn: txn, digest: digest).encoded
    #expect(try expectAgreement(on: bytes))
    #expect(try expectAgreement(on: bytes + [1, 2, 3]))
    for count in bytes.indices { _ = try expectAgreement(on: Array(bytes[..<count])) }
    for place in bytes.indices {
      for value in [0, 1, 0x7f, 0x80, 0xc3, 0xff] as [UInt8] {
        var changed = bytes
        changed[place] = value
        _ = try expectAgreement(on: changed)
      }
    }
  }

  /// - Returns: whether something is seen.
  private func expectAgreement(on bytes: [UInt8]) throws -> Bool {
    try bytes.withUnsafeBytes { raw in
      guard let view = SetDataView(raw) else { return false }
      let entry = try TxnEntry(decoding: bytes, allowingTrailingBytes: true)
      let txn = SetDataTxn(
        path: String(decoding: view.path, as: UTF8.self), data: view.data.map { [UInt8]($0) }, version: view.version)
      #expect(entry == TxnEntry(header: view.header, txn: .setData(txn), digest: view.digest), "\(bytes)")
      return true
    }
  }

  @Test func fixedSizesAreAsDocumented() {
    let header = TxnHeader(sessionID: .none, cxid: .first, zxid: .zero, timeMilliseconds: 0, opCode: .error)
    #expect(header.encoded.count == TxnHeader.encodedSizeBytes)
    #expect(TxnDigest(treeDigest: 0).encoded.count == TxnEntry.digestSizeBytes)
    let stat = StatPersisted(
      czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: 0, pzxid: .zero)
    #expect(stat.encoded.count == StatPersisted.encodedSizeBytes)
  }

  private func entry(_ name: String) throws -> TxnEntry {
    let vector = try #require(TxnVectors.entries.first { $0.name == name } ?? informed(name))
    return try TxnEntry(decoding: hexBytes(vector.hex))
  }

  /// An INFORM carries the bytes of its PROPOSAL, so only one of the two is in the table.
  private func informed(_ name: String) -> (name: String, hex: String)? {
    let proposal = name.replacing("INFORM.", with: "PROPOSAL.")
    return TxnVectors.entries.first { $0.name == proposal }
  }
}

private func hexBytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex.utf8)
  return stride(from: 0, to: digits.count, by: 2).map { offset in
    UInt8(String(decoding: digits[offset..<offset + 2], as: UTF8.self), radix: 16)!
  }
}
