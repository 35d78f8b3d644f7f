import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// What interrupted writes and later damage leave, and that the two are distinguished.
@Suite(.timeLimit(.minutes(10))) struct TornTailTests {
  private static let path = "/data/version-2/log.1"

  /// A log of six entries, the last two of them in one batch, with or without marks; and where its records end.
  private func sample(marks: Bool) throws -> (bytes: [UInt8], ends: [Int]) {
    let disk = MemoryFileSystem()
    try writeLog(freshDirectory(disk), batches: [[1], [2, 3], [4], [5, 6]], settings(2048, marksBatches: marks))
    let dump = try LogDump(disk, path: Self.path, segment: Zxid(rawValue: 1))
    let bytes = try #require(disk.visibleFiles[Self.path])
    return (bytes, dump.records.map { $0.offset + $0.lengthBytes + LogFormat.recordOverheadBytes })
  }

  /// The same, of a server that was stopped: nothing is left of the room for more records.
  private func endedSample(marks: Bool) throws -> (bytes: [UInt8], ends: [Int]) {
    let (bytes, ends) = try sample(marks: marks)
    return (Array(bytes[..<(ends[5] + (marks ? BatchMark.encodedSizeBytes : 0))]), ends)
  }

  private func disk(_ log: [UInt8]) throws -> Directory {
    let directory = try freshDirectory()
    directory.files.install(Self.path, log)
    return directory
  }

  @Test(arguments: [true, false]) func cutAnywhereKeepsTheWholeRecords(marks: Bool) throws {
    let (bytes, ends) = try sample(marks: marks)
    for count in 0...(ends[5] + 20) {
      let directory = try disk(Array(bytes[..<count]))
      let (recorder, report) = try recover(directory)
      let whole = ends.prefix { $0 <= count }.count
      #expect(recorder.zxids.map(\.rawValue) == (0..<whole).map { Int64($0 + 1) }, "cut at \(count)")
      // A second start finds nothing to do.
      let (again, second) = try recover(directory)
      #expect(again.entries == recorder.entries && second.cut.isEmpty, "cut at \(count)")
      #expect(report.lastZxid == second.lastZxid)
    }
  }

  /// What a power cut leaves keeps the whole records; where it must have left something else, zeros are damage.
  @Test(arguments: [true, false]) func zerosFromAnywhereAreTornOrRefused(marks: Bool) throws {
    let (bytes, ends) = try endedSample(marks: marks)
    for start in 0...ends[5] {
      let zeroed = bytes[..<start] + [UInt8](repeating: 0, count: bytes.count - start)
      let directory = try disk(Array(zeroed))
      let whole = ends.prefix { $0 <= start }.count
      let contentEnd = (zeroed.lastIndex { $0 != 0 } ?? -1) + 1
      let lastEnd = whole > 0 ? ends[whole - 1] : LogFormat.headerBytes
      // A segment that was ended had records, and one with marks has a mark after the last of them.
      if contentEnd <= lastEnd, marks || whole == 0 {
        let error = try #require(refusal(directory), "zeros from \(start)")
        #expect(error.path == Self.path && (error.offset == lastEnd || whole == 0 && error.offset == 0))
        #expect(directory.files.visibleFiles[Self.path] == Array(zeroed))
        continue
      }
      let (recorder, report) = try recover(directory)
      #expect(recorder.zxids.map(\.rawValue) == (0..<whole).map { Int64($0 + 1) }, "zeros from \(start)")
      for (tail, kept) in zip(report.cut, report.kept) {
        #expect(tail.path == Self.path && tail.offset <= start)
        let copy = try #require(kept.copyPath.flatMap { directory.files.visibleFiles[$0] })
        // Nothing is left of a segment without a record.
        #expect(copy == Array(whole == 0 ? zeroed : zeroed[tail.offset..<tail.offset + tail.bytes]))
      }
    }
  }

  /// Where damage lies decides: before the last batch it refuses, in it the batch counts as torn.
  @Test(arguments: [true, false]) func everyChangedByteIsFoundOrHarmless(marks: Bool) throws {
    let (bytes, ends) = try sample(marks: marks)
    let whole = (1...6).map { entry(Int64($0)) }
    for offset in bytes.indices.prefix(ends[5] + 100) {
      for change: UInt8 in [0x01, 0x80, 0xff] {
        var damaged = bytes
        damaged[offset] ^= change
        var recorder = Recorder()
        let directory = try disk(damaged)
        do throws(TxnLogError) {
          let report = try directory.recover(into: &recorder)
          let isReported = !report.cut.isEmpty && offset >= ends[3]
          #expect(recorder.entries == whole || isReported, "byte \(offset) ^ \(change)")
          #expect(recorder.entries == Array(whole.prefix(recorder.entries.count)), "byte \(offset) ^ \(change)")
        } catch {
          #expect(error.path == Self.path && error.offset != nil)
          #expect(offset < ends[5] + BatchMark.encodedSizeBytes, "byte \(offset) ^ \(change): \(error)")
        }
      }
    }
  }

  @Test(arguments: [true, false]) func zeroedMiddleRefuses(marks: Bool) throws {
    let (bytes, ends) = try sample(marks: marks)
    for (start, end) in [(ends[0], ends[1]), (ends[1] - 1, ends[1]), (ends[0] + 8, ends[0] + 12)] {
      var damaged = bytes
      for index in start..<end { damaged[index] = 0 }
      let directory = try disk(damaged)
      let error = try #require(refusal(directory))
      #expect(error.path == Self.path && error.offset == ends[0])
      guard case .damaged = error.code else { return #expect(Bool(false), "\(error)") }
      // Refusing changes nothing.
      #expect(directory.files.visibleFiles[Self.path] == damaged)
    }
  }

  /// A power cut keeps any of a batch's sectors: with marks, a hole in the last batch is a torn tail.
  @Test func holeInTheLastBatchIsTornOnlyWithMarks() throws {
    for marks in [true, false] {
      let disk = MemoryFileSystem()
      try writeLog(
        freshDirectory(disk), batches: [[1, 2], [3, 4, 5, 6]], dataBytes: 600, settings(8192, marksBatches: marks))
      let bytes = try #require(disk.visibleFiles[Self.path])
      let dump = try LogDump(disk, path: Self.path, segment: Zxid(rawValue: 1))
      for lostBatch in [0, 1] {
        var torn = bytes
        let record = dump.records[lostBatch == 0 ? 0 : 3]
        let sector = (record.offset + 511) / 512
        for index in sector * 512..<(sector + 1) * 512 { torn[index] = 0 }
        let directory = try self.disk(torn)
        if marks, lostBatch == 1 {
          let (recorder, report) = try recover(directory)
          #expect(recorder.zxids == zxids(1...3))
          #expect(report.cut.map(\.offset) == [record.offset])
        } else {
          #expect(refusal(directory)?.offset == record.offset)
        }
      }
    }
  }

  @Test func newSegmentAfterACutTailContinues() throws {
    let (bytes, ends) = try sample(marks: true)
    let directory = try disk(Array(bytes[..<(ends[5] - 1)]))
    let (_, report) = try recover(directory)
    #expect(report.cut == [TornTail(path: Self.path, offset: ends[4], bytes: ends[5] - 1 - ends[4])])
    #expect(report.lastZxid == Zxid(rawValue: 5))
    try writeLog(directory, after: report.lastZxid, batches: [[6], [7]])
    #expect(try recover(directory).0.zxids == zxids(1...7))
    #expect(try directory.segments().map(\.zxid.rawValue) == [1, 6])
  }

  @Test func tornEndThatApacheLeftBehindIsAccepted() throws {
    let (bytes, ends) = try sample(marks: false)
    let directory = try disk(Array(bytes[..<(ends[5] - 1)]))
    try writeLog(directory, after: Zxid(rawValue: 5), batches: [[6]], settings(marksBatches: false))
    let (recorder, report) = try recover(directory)
    #expect(recorder.zxids == zxids(1...6))
    #expect(report.cut.isEmpty && report.oldTorn.map(\.offset) == [ends[4]])
    // The same, but what was lost is not there again.
    let gapped = try disk(Array(bytes[..<(ends[5] - 1)]))
    try writeLog(gapped, after: Zxid(rawValue: 6), batches: [[7]], settings(marksBatches: false))
    #expect(refusal(gapped) == TxnLogError(.damaged(.content), path: Self.path, offset: ends[4]))
  }

  @Test func emptyNewestSegmentIsRemovedOrSetAside() throws {
    let header = LogFormat.header(databaseID: LogFormat.markedDatabaseID)
    for content in [[], [0x5a, 0x4b], LogFormat.header(databaseID: 0), header, [UInt8](repeating: 0, count: 40)] {
      let (bytes, _) = try sample(marks: true)
      let directory = try disk(bytes)
      directory.files.install("/data/version-2/log.7", content)
      let (recorder, report) = try recover(directory)
      #expect(recorder.zxids == zxids(1...6))
      #expect(report.removedPaths == ["/data/version-2/log.7"])
      try writeLog(directory, after: Zxid(rawValue: 6), batches: [[7]])
    }
    // Room for records, which may have been there: it is kept.
    for content in [[UInt8](repeating: 0, count: 4096), header + [UInt8](repeating: 0, count: 4080)] {
      let directory = try disk(try sample(marks: true).bytes)
      directory.files.install("/data/version-2/log.7", content)
      let (recorder, report) = try recover(directory)
      #expect(recorder.zxids == zxids(1...6) && report.removedPaths.isEmpty)
      #expect(report.kept.map(\.copyPath) == ["/data/version-2/damaged-log.7"])
      #expect(directory.files.visibleFiles["/data/version-2/damaged-log.7"] == content)
      try writeLog(directory, after: Zxid(rawValue: 6), batches: [[7]])
    }
  }

  /// The log of a server that was stopped has become zeros: nothing is deleted, and no server starts with an empty
  /// tree.
  @Test(arguments: [true, false]) func zerosInTheOnlySegmentRefuse(marks: Bool) throws {
    let (bytes, _) = try endedSample(marks: marks)
    for kept in [0, LogFormat.headerBytes] {
      let zeroed = bytes[..<kept] + [UInt8](repeating: 0, count: bytes.count - kept)
      let directory = try disk(Array(zeroed))
      #expect(refusal(directory)?.path == Self.path)
      #expect(directory.files.visibleFiles[Self.path] == Array(zeroed))
      #expect(try directory.repair().map(\.copyPath) == ["/data/version-2/damaged-log.1"])
      #expect(try recover(directory).0.zxids == [])
    }
  }

  /// Of the last batch a power cut may have taken the sector with the mark alone: that is no damage.
  @Test func lostSectorWithTheMarkAloneIsTorn() throws {
    // The first record's length decides where the only batch ends.
    for padding in 0..<520 {
      let disk = MemoryFileSystem()
      try writeLog(freshDirectory(disk), batches: [[1]], dataBytes: padding + 1, settings(4096))
      let dump = try LogDump(disk, path: Self.path, segment: Zxid(rawValue: 1))
      let end = dump.records[0].offset + dump.records[0].lengthBytes + LogFormat.recordOverheadBytes
      var bytes = try #require(disk.visibleFiles[Self.path])
      // Everything after the sector with the record's last byte.
      let lost = ((end - 1) / 512 + 1) * 512
      for index in lost..<max(lost, end + BatchMark.encodedSizeBytes) { bytes[index] = 0 }
      #expect(try recover(self.disk(bytes)).0.zxids == zxids(1...1), "record ends at \(end)")
      // With what was written beside it, it is.
      for index in end..<max(end, lost) { bytes[index] = 0 }
      if end + BatchMark.nonzeroByte < lost { #expect(try refusal(self.disk(bytes))?.offset == end) }
    }
  }

  /// Whole records after the damage show that it is not a torn tail, even if there is no mark that shows it.
  @Test func damageWithWholeRecordsBehindItRefusesWithoutTheLastMark() throws {
    let (bytes, ends) = try sample(marks: true)
    for record in 0..<5 {
      var damaged = bytes
      for index in ends[5]..<ends[5] + BatchMark.encodedSizeBytes { damaged[index] ^= 0xff }
      let start = record == 0 ? LogFormat.headerBytes : ends[record - 1]
      damaged[start + 20] ^= 0xff
      let directory = try disk(damaged)
      let error = try #require(refusal(directory), "record \(record)")
      #expect(error.offset == start)
      #expect(directory.files.visibleFiles[Self.path] == damaged)
      let cuts = try directory.repair()
      #expect(cuts.count == 1 && cuts[0].offset == (record == 0 ? 0 : start))
      #expect(try recover(directory).0.zxids.count == record)
    }
  }

  @Test func gapsAndWrongOrderRefuse() throws {
    let directory = try freshDirectory()
    try writeLog(directory, batches: [[1], [3]])
    #expect(refusal(directory)?.code == .gap(after: Zxid(rawValue: 1), next: Zxid(rawValue: 3)))
    let first = try freshDirectory()
    try writeLog(first, after: Zxid(rawValue: 1), batches: [[2]])
    #expect(refusal(first)?.code == .gap(after: .zero, next: Zxid(rawValue: 2)))
    let epochs = try freshDirectory()
    try writeLog(epochs, batches: [[1, 0x1_0000_0001, 0x3_0000_0001]])
    #expect(try recover(epochs).1.lastZxid == Zxid(rawValue: 0x3_0000_0001))
    let skipped = try freshDirectory()
    try writeLog(skipped, batches: [[1, 0x1_0000_0002]])
    #expect(refusal(skipped) != nil)
    let doubled = try freshDirectory()
    try writeLog(doubled, batches: [[1, 2]])
    var bytes = try #require(doubled.files.visibleFiles[Self.path])
    let record = try LogDump(doubled.files, path: Self.path, segment: Zxid(rawValue: 1)).records[1]
    let end = record.offset + record.lengthBytes + LogFormat.recordOverheadBytes
    bytes.replaceSubrange(end..<end + end - record.offset, with: bytes[record.offset..<end])
    doubled.files.install(Self.path, bytes)
    #expect(refusal(doubled)?.code == .zxidOrder(previous: Zxid(rawValue: 2), found: Zxid(rawValue: 2)))
  }

  @Test func foreignFilesRefuse() throws {
    let directory = try disk(Array("This is no log, but long enough.".utf8))
    #expect(refusal(directory) == TxnLogError(.badHeader, path: Self.path, offset: 0))
  }
}
