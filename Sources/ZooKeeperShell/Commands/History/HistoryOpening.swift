import Platform
import TxnLog
import ZnodeFormats
import ZooKeeperHistory
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The history in a local data directory.
typealias LocalHistory = HistoryDirectory<PosixFileSystem>

/// Data directories and moments, as arguments of the commands about the past.
extension CommandContext {
  /// The history in the directory that an argument names.
  func history(_ word: Word) throws(ShellError) -> LocalHistory {
    let path = try ValueParser.text(word, of: "directory")
    let logPath = try invocation.value(.logDir).map { word throws(ShellError) in
      try ValueParser.text(word, of: "--log-dir")
    }
    do throws(HistoryError) {
      return try HistoryDirectory(PosixFileSystem(), path: path, logPath: logPath)
    } catch {
      throw ShellError(error)
    }
  }

  /// The moment that `--at` or `--before` gives; without them, the newest.
  func moment() throws(ShellError) -> Moment {
    guard let before = invocation.value(.before) else { return try moment(.at) ?? .newest }
    guard !invocation.flag(.at) else { throw .usage("--at and --before cannot be combined") }
    return Self.before(try ValueParser.moment(before, of: "--before", now: WallClock.nowMilliseconds()))
  }

  /// The moment that an option gives; nil without it.
  func moment(_ option: OptionName) throws(ShellError) -> Moment? {
    guard let word = invocation.value(option) else { return nil }
    return try ValueParser.moment(word, of: "--\(option.rawValue)", now: WallClock.nowMilliseconds())
  }

  /// The moment immediately before another.
  static func before(_ moment: Moment) -> Moment {
    switch moment {
    case .at(let zxid): .before(zxid)
    case .atTime(let time): .beforeTime(time)
    case .newest, .before, .beforeTime: moment
    }
  }

  /// The state at a moment. Findings are emitted as warnings.
  func state(of history: inout LocalHistory, at moment: Moment) throws(ShellError) -> PastState {
    progress.begin("read")
    let state: PastState
    do throws(HistoryError) {
      state = try history.state(at: moment, hooks)
    } catch {
      throw ShellError(error)
    }
    progress.end()
    for finding in state.findings { try emit(.warning(finding.sentence)) }
    return state
  }

  /// Hooks that show the progress of a long read, and end it if the command is cancelled.
  var hooks: HistoryHooks {
    HistoryHooks(
      goesOn: { [progress] count in
        progress.advance(to: count)
        return !Task.isCancelled
      },
      // Long enough for a server to complete a write that it has begun.
      pause: { usleep(20_000) })
  }
}

extension PastState {
  /// The exit code of a command that has shown the whole state.
  var exitCode: ExitCode { findings.contains(where: \.isLoss) ? .partial : .success }
}

extension ValueParser {
  /// A moment: a zxid in hexadecimal with 0x or in decimal, a time span before now, or a date and time of ISO 8601.
  ///
  /// - Parameter now: milliseconds since 1970.
  static func moment(_ word: Word, of name: String, now: Int64) throws(ShellError) -> Moment {
    let text = word.text
    let lowercase = text.lowercased()
    if lowercase.hasPrefix("0x"), let zxid = UInt64(lowercase.dropFirst(2), radix: 16) {
      return .at(Zxid(rawValue: Int64(bitPattern: zxid)))
    }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let zxid = Int64(text) {
      return .at(Zxid(rawValue: zxid))
    }
    if let time = TimeStyle.milliseconds(iso: text) { return .atTime(time) }
    do throws(ShellError) {
      let duration = try duration(word, of: name)
      let (seconds, _) = duration.components
      return .atTime(now - seconds * 1000 - duration.components.attoseconds / 1_000_000_000_000_000)
    } catch {
      throw .usage(
        "\(name) \(Tokenizer.quote(word)) is neither a transaction nor a time",
        hint: "write a zxid as 0x1a or 26, a time as 2026-11-28T12:00:00Z or 10m for ten minutes ago")
    }
  }
}
