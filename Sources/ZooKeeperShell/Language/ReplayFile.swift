/// Commands with the times at which they run.
///
/// *Shape*: a line is `+SECONDSs COMMAND`, with up to nine decimal places and times that do not decrease. A command
/// with an open quote continues on the next line. Empty lines and lines that begin with `#` are ignored.
struct ReplayFile {
  /// A command, and when it runs.
  struct Entry {
    /// When it runs, after the start of the replay.
    var time: Duration
    var line: [UInt8]
    /// The line of the file on which it begins.
    var number: Int
    /// The command, split at its blanks.
    var arguments: [Word]
  }

  private(set) var entries: [Entry] = []

  /// A line that cannot be understood.
  struct Mistake: Error {
    var error: ShellError
    /// 0 if the mistake concerns the whole file.
    var line: Int
  }

  /// The latest time of a command in seconds: about eleven days.
  private static let longestSeconds: Int64 = 1_000_000

  /// Reads the lines of a file.
  ///
  /// - Parameter split: splits a command at its blanks.
  /// - Throws: `Mistake` for the first line that is not valid.
  init(
    _ bytes: [UInt8], name: String, split: ([UInt8]) throws(ShellError) -> SplitLine
  ) throws(Mistake) {
    let lines: [[UInt8]]
    do throws(ShellError) {
      lines = try TextLines.split(bytes, name: name)
    } catch {
      throw Mistake(error: error, line: 0)
    }
    var pending: Entry?
    for (index, line) in lines.enumerated() {
      let number = index + 1
      do throws(ShellError) {
        if var entry = pending {
          entry.line += [0x0a] + line
          pending = try add(entry, split)
        } else if let entry = try Self.entry(line, number) {
          if let last = entries.last, entry.time < last.time {
            throw .usage("the time is before that of line \(last.number)", hint: "put the lines in order")
          }
          pending = try add(entry, split)
        }
      } catch {
        throw Mistake(error: error, line: pending?.number ?? number)
      }
    }
    if let pending {
      throw Mistake(error: .usage("the quote that is opened here is not closed"), line: pending.number)
    }
  }

  /// - Returns: the entry if it continues on the next line.
  private mutating func add(
    _ entry: Entry, _ split: ([UInt8]) throws(ShellError) -> SplitLine
  ) throws(ShellError) -> Entry? {
    var entry = entry
    switch try split(entry.line) {
    case .incomplete: return entry
    case .words(let words), .redirected(let words, _): entry.arguments = words
    }
    guard !entry.arguments.isEmpty else { throw .usage("there is no command after the time") }
    entries.append(entry)
    return nil
  }

  /// The time and the command of a line; nil for a line that is ignored.
  private static func entry(_ line: [UInt8], _ number: Int) throws(ShellError) -> Entry? {
    let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let rest = line.drop { blanks.contains($0) }
    guard let first = rest.first, first != UInt8(ascii: "#") else { return nil }
    let word = rest.prefix { !blanks.contains($0) }
    guard let time = time(String(decoding: word, as: UTF8.self)) else {
      throw .usage(
        "\(Tokenizer.quote(Word(bytes: [UInt8](word)))) is not a time",
        hint: "a line is a time and a command, such as +1.250s set /a b")
    }
    let command = rest.dropFirst(word.count).drop { blanks.contains($0) }
    return Entry(time: time, line: [UInt8](command), number: number, arguments: [])
  }

  private static func time(_ text: String) -> Duration? {
    guard text.first == "+", text.last == "s" else { return nil }
    let parts = text.dropFirst().dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0.isDigit } }),
      let seconds = Int64(parts[0]), seconds <= longestSeconds
    else { return nil }
    guard parts.count == 2 else { return .seconds(seconds) }
    guard parts[1].utf8.count <= 9,
      let fraction = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].utf8.count))
    else { return nil }
    return .seconds(seconds) + .nanoseconds(fraction)
  }
}
