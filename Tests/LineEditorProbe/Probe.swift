import LineEditor

#if canImport(Glibc)
  import Glibc
#endif

/// A small shell that shows each ability of the line editor, for tests that drive it in a terminal.
///
/// Usage: `line-editor-probe [history-file [limit]]`. It echoes each line as `line: <...>`, and knows these commands:
/// - `ticks N`: another thread prints `tick 1` ... `tick N` while the next line is being edited
/// - `prompt TEXT`: another thread changes the prompt while the next line is being edited
/// - `wait`: waits until ^C or, given a number of milliseconds, until another thread ends it
/// - `pause N`: does nothing for that many milliseconds
/// - `history`: lists the lines so far
/// - `exit N`: leaves with that status
enum Probe {
  private static let names = [
    "app", "apple", "apricot", "banana", "two words", "two wolves", "日本語", "日本酒", "größe", "cafe\u{301}", "cafes",
  ]

  static func run(_ arguments: [String]) -> Never {
    LineEditor.blockSignals()
    var configuration = LineEditor.Configuration(programName: "line-editor-probe")
    if arguments.count > 1 { configuration.historyFile = arguments[1] }
    if arguments.count > 2, let limit = Int(arguments[2]) { configuration.historyLimit = limit }
    do {
      exit(loop(try LineEditor(configuration)))
    } catch {
      print("no line editor: \(error)")
      exit(70)
    }
  }

  /// Reads and does lines until the input ends; returns the exit status.
  private static func loop(_ editor: LineEditor) -> Int32 {
    editor.completer = complete
    if let warning = editor.historyWarning { show("warning: \(warning)") }
    show("ready, process \(getpid())")
    while true {
      switch editor.readLine(prompt: Prompt([.init("probe", style: .green), .init("> ")])) {
      case .line(let line):
        editor.remember(line)
        show("line: <\(line)>")
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        if words.first == "exit" { return words.count > 1 ? Int32(words[1]) ?? 0 : 0 }
        perform(words, editor)
        if let warning = editor.historyWarning { show("warning: \(warning)") }
      case .interrupted:
        show("interrupted")
      case .endOfInput:
        show("end of input")
        return 0
      case .terminated(let signal):
        show("terminated \(signal)")
        return 128 + signal
      case .failed(let errno):
        show("failed \(errno)")
        return 74
      }
    }
  }

  private static func perform(_ words: [String], _ editor: LineEditor) {
    let argument = words.count > 1 ? words[1] : ""
    let printer = editor.printer
    switch words.first {
    case "ticks":
      startThread {
        for number in 1...max(1, Int(argument) ?? 1) {
          usleep(200_000)
          printer.print("tick \(number)")
        }
      }
    case "prompt":
      startThread {
        usleep(200_000)
        printer.setPrompt(Prompt([.init(argument, style: .red), .init("> ")]))
      }
    case "wait":
      let done = WakeUp()
      startThread {
        printer.print("printed while waiting")
        guard let milliseconds = UInt32(argument) else { return }
        usleep(milliseconds * 1_000)
        done.signal()
      }
      show("waiting")
      show("wait: \(editor.wait(for: done))")
    case "pause": usleep((UInt32(argument) ?? 0) * 1_000)
    case "history":
      for (index, line) in editor.history.enumerated() { show("\(index + 1): \(line)") }
    default:
      break
    }
  }

  /// Completes the last word, which may be in double quotes, from ``names``.
  private static func complete(_ line: String, _ cursor: Int) -> Completion {
    let before = Array(line.unicodeScalars.prefix(cursor))
    var start = before.lastIndex(of: " ").map { $0 + 1 } ?? 0
    if let quote = before.firstIndex(of: "\"") { start = quote }
    let word = before[start...].filter { scalar in scalar != "\"" }
    let candidates = names.filter { name in name.unicodeScalars.starts(with: word) }.map { name in
      name.contains(" ")
        ? Completion.Candidate(text: "\"" + name, display: name, suffix: "\" ")
        : Completion.Candidate(text: name, suffix: " ")
    }
    return Completion(replacing: before.count - start, candidates: candidates)
  }

  private static func show(_ text: String) {
    print(text)
    fflush(nil)
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func startThread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { work in
        work.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body() }
        return nil
      }, work)
    precondition(status == 0, "pthread_create: \(status)")
    pthread_detach(thread)
  }
}
