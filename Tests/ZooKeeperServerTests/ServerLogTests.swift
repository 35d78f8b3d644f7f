import Foundation
import Logging
import TestKit
import Testing

@testable import ZooKeeperServer

/// The log of a server: no line forges another, no stranger fills the disk, no slow reader holds up who logs.
@Suite(.timeLimit(.minutes(2))) struct ServerLogTests {
  private func line(_ message: String, _ fields: [(key: String, value: Logger.MetadataValue)] = []) -> LogLine {
    LogLine(level: .warning, message: message, fields: fields, wallMilliseconds: 1_764_327_103_007)
  }

  private func text(_ line: LogLine, _ format: LogFormat, isForJournal: Bool = false) -> String {
    String(decoding: line.bytes(format, isForJournal: isForJournal), as: UTF8.self)
  }

  @Test func linesHaveTimeLevelMessageAndFields() {
    let line = line("a sync was slow", [("duration_ms", .stringConvertible(12)), ("zxid", "0x1")])
    #expect(text(line, .text) == "2025-11-28T10:51:43.007Z WARNING a sync was slow duration_ms=12 zxid=0x1\n")
    #expect(
      text(line, .json)
        == #"{"time":"2025-11-28T10:51:43.007Z","level":"warning","message":"a sync was slow","#
        + #""duration_ms":12,"zxid":"0x1"}"# + "\n")
    #expect(text(line, .text, isForJournal: true) == "<4>WARNING a sync was slow duration_ms=12 zxid=0x1\n")
    #expect(text(line, .json, isForJournal: true).hasPrefix(#"<4>{"level":"warning","#))
  }

  @Test(arguments: LogFormat.allCases) func nothingForgesALineOrCommandsATerminal(format: LogFormat) {
    let hostile = "a\n2026 CRITICAL b\r\u{1b}[2J\u{9b}2J\u{0}\u{7f}"
    let bytes = line(hostile, [("client", "\(hostile)")]).bytes(format, isForJournal: false)
    #expect(bytes.last == 0x0a && bytes.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    #expect(!text(line(hostile), format).unicodeScalars.contains { (0x80...0x9f).contains($0.value) })
    let long = String(repeating: "x", count: 1 << 20)
    #expect(line(long, [("reason", "\(long)")]).bytes(format, isForJournal: false).count < 20_000)
  }

  @Test func placeMayLogABurstAndThenALineASecond() {
    var limiter = LogLimiter()
    let site = LogLimiter.Site(file: "a", line: 1)
    func admit(_ now: Int64) -> Int? { limiter.admit(site, now: now, message: "m", level: .warning) }
    for _ in 0..<LogLimiter.burstCount { #expect(admit(0) == 0) }
    for _ in 0..<1000 { #expect(admit(10) == nil) }
    // Another place is not affected.
    #expect(limiter.admit(.init(file: "a", line: 2), now: 10, message: "n", level: .info) == 0)
    #expect(admit(1000) == 1000 && admit(1001) == nil)
    #expect(limiter.takeOverdue(now: 5000).isEmpty && limiter.isWaiting)
    #expect(limiter.takeOverdue(now: 12_000) == [.init(count: 1, message: "m", level: .warning)])
    #expect(limiter.takeOverdue(now: 12_000).isEmpty && !limiter.isWaiting)
    // After a long silence there is one burst again, and no more.
    #expect((0..<100).count { _ in admit(10_000_000) != nil } == LogLimiter.burstCount)
  }

  private func directory() throws -> String { try Scratch.directory("server-log") }

  @Test func fileIsReplacedAtItsSizeAndFewAreKept() async throws {
    let path = "\(try directory())/log"
    var settings = ServerLog.Settings()
    settings.file = path
    settings.fileBytes = 4096
    settings.earlierFileCount = 2
    let log = try ServerLog(settings)
    for number in 0..<2000 {
      log.note(.info, "line \(number)")
      // Each piece that is written is smaller than a file: the next lines wait until these are in it.
      if number % 20 == 19 {
        try await eventually("line \(number)", within: .seconds(60), every: .milliseconds(1)) {
          (try? String(contentsOfFile: path, encoding: .utf8))?.hasSuffix("line \(number)\n") == true
        }
      }
    }
    log.stop()
    let names = try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent)
    #expect(names.sorted() == ["log", "log.1", "log.2"])
    let all = try ["\(path).2", "\(path).1", path].map { try String(contentsOfFile: $0, encoding: .utf8) }
    #expect(all.allSatisfy { $0.utf8.count <= 4096 })
    let numbers = all.joined().split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    #expect(numbers.last == 1999 && numbers == Array(numbers[0]...1999))
  }

  /// Nothing is lost if the file cannot be opened again, and the earlier files keep their numbers.
  @Test func fileThatCannotBeReplacedGoesOn() async throws {
    let directory = try directory()
    let path = "\(directory)/log"
    var settings = ServerLog.Settings()
    settings.file = path
    settings.fileBytes = 100
    let log = try ServerLog(settings)
    func write(_ text: String, to path: String) async throws {
      log.note(.info, text)
      try await eventually("the line \(text)", within: .seconds(60), every: .milliseconds(1)) {
        (try? String(contentsOfFile: path, encoding: .utf8))?.contains(" \(text)\n") == true
      }
    }
    try await write("first \(String(repeating: "x", count: 100))", to: path)
    // A directory has the name as soon as the file has given it up, so that nothing can be opened there.
    try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for number in 0..<5 { try await write("line \(number)", to: "\(path).1") }
    let text = try String(contentsOfFile: "\(path).1", encoding: .utf8)
    #expect(text.split(separator: "\n").count { $0.contains("ERROR the log could not be opened again reason=") } == 1)
    try FileManager.default.removeItem(atPath: path)
    try await write("last", to: path)
    log.stop()
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["log", "log.1"])
  }

  /// A reader that does not read costs lines, which are counted, and no time.
  @Test func slowReaderHoldsUpNobody() async throws {
    let path = "\(try directory())/pipe"
    #expect(mkfifo(path, 0o600) == 0)
    let reader = open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    var settings = ServerLog.Settings()
    settings.file = path
    let log = try ServerLog(settings)
    let logger = log.logger(label: "test")
    let filler = String(repeating: "x", count: 1000)
    let start = ContinuousClock.now
    for number in 0..<5000 { log.note(.info, "\(number) \(filler)") }
    #expect(ContinuousClock.now - start < .seconds(20))
    var text = ""
    // The log may have room for some lines, and then for none again: each gap has its own count, which comes with the
    // next line that is written.
    var lineCount = 5000
    try await eventually("all lines, or how many are missing", within: .seconds(60)) {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(reader, &buffer, buffer.count)
      if count > 0 { text += String(decoding: buffer.prefix(count), as: UTF8.self) }
      if Self.writtenCount(text) + Self.missingCount(text) == lineCount { return true }
      if count <= 0 {
        logger.info("another line")
        lineCount += 1
      }
      return false
    }
    log.stop()
    #expect(text.split(separator: "\n").count { $0.hasSuffix(filler) } > 500 && Self.missingCount(text) > 0)
  }

  private static func missingCount(_ text: String) -> Int {
    text.matches(of: /lines are missing: the log is written too slowly count=(\d+)\n/)
      .reduce(0) { $0 + (Int($1.1) ?? 0) }
  }

  private static func writtenCount(_ text: String) -> Int {
    text.utf8.count { $0 == 0x0a } - text.matches(of: /lines are missing/).count
  }

  @Test func levelAppliesToLoggersThatExist() throws {
    let path = "\(try directory())/log"
    var settings = ServerLog.Settings()
    settings.file = path
    settings.level = .warning
    let log = try ServerLog(settings)
    let logger = log.logger(label: "test")
    logger.info("before")
    #expect(logger.threshold?.lower() == .notice)
    log.threshold.set(.info)
    logger.info("after")
    log.stop()
    logger.critical("too late")
    #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: " ").last == "after\n")
    settings.file = "\(path)/none"
    #expect(throws: ServerStartError.self) { try ServerLog(settings) }
  }

  /// The watchdog is fed by the loop, so that a loop that does not run is noticed.
  @Test func pausedLoopFeedsNoWatchdog() async throws {
    var configuration = ServerConfiguration(dataDirectory: try directory())
    configuration.clientPort = 0
    configuration.admin.isEnabled = false
    let server = try await RunningServer.start(
      configuration, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let counter = Counter()
    server.every(milliseconds: 5) { counter.add() }
    try await eventually("calls", within: .seconds(60)) { counter.value > 3 }
    await server.pause()
    let before = counter.value
    // A thread of its own runs on meanwhile.
    try await Task.sleep(for: .milliseconds(100))
    #expect(counter.value == before)
    server.resume()
    try await eventually("more calls", within: .seconds(60)) { counter.value > before + 3 }
    await server.stop()
  }
}

private final class Counter: Sendable {
  private let lock = NSLock()
  nonisolated(unsafe) private var count = 0

  var value: Int { lock.withLock { count } }

  func add() { lock.withLock { count += 1 } }
}
