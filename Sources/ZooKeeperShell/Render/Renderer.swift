import JSONFormat
package import ZnodeFormats
package import ZooKeeperClient
import ZooKeeperProtocol

/// Output for stdout and stderr.
package struct Rendered: Hashable, Sendable {
  package var stdout: [UInt8] = []
  package var stderr: [UInt8] = []

  package init(stdout: [UInt8] = [], stderr: [UInt8] = []) {
    self.stdout = stdout
    self.stderr = stderr
  }

  /// Text for stdout.
  static func out(_ text: String) -> Rendered { Rendered(stdout: [UInt8](text.utf8)) }

  /// Text for stderr.
  static func err(_ text: String) -> Rendered { Rendered(stderr: [UInt8](text.utf8)) }

  /// One line for stdout.
  static func line(_ text: String) -> Rendered { out(text + "\n") }

  /// A line for each text, on stdout.
  static func lines(_ texts: [String]) -> Rendered {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(texts.reduce(0) { $0 + $1.utf8.count + 1 })
    for text in texts {
      bytes += text.utf8
      bytes.append(0x0a)
    }
    return Rendered(stdout: bytes)
  }

  /// The concatenation of both.
  static func + (left: Rendered, right: Rendered) -> Rendered {
    Rendered(stdout: left.stdout + right.stdout, stderr: left.stderr + right.stderr)
  }
}

/// The settings for rendering results.
package struct RenderContext: Sendable {
  package var format: OutputFormat
  /// The dialect for text; JSON is the same in all dialects.
  var dialect: any Dialect
  package var stdoutIsTerminal: Bool
  /// Whether a line end is added to data, as in scripts and in the interactive shell.
  package var endsDataWithNewline: Bool
  package var isVerbose: Bool
  package var isQuiet: Bool
  /// Whether colours are used on stderr.
  package var usesColor: Bool
  /// The style of times in zkCli.sh's stat.
  package var compatTimes: TimeStyle

  /// The defaults are those of a single command in a pipe.
  init(
    format: OutputFormat = .text, dialect: any Dialect = NativeDialect(), stdoutIsTerminal: Bool = false,
    endsDataWithNewline: Bool = false, isVerbose: Bool = false, isQuiet: Bool = false, usesColor: Bool = false,
    compatTimes: TimeStyle = .javaLocal
  ) {
    self.format = format
    self.dialect = dialect
    self.stdoutIsTerminal = stdoutIsTerminal
    self.endsDataWithNewline = endsDataWithNewline
    self.isVerbose = isVerbose
    self.isQuiet = isQuiet
    self.usesColor = usesColor
    self.compatTimes = compatTimes
  }
}

/// The place of an error in a script.
package struct SourceLine: Hashable, Sendable {
  package var file: String
  /// From 1.
  package var line: Int

  package init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}

/// Converts results and errors into bytes.
///
/// A command's answer is `begin`, any number of `emit`, and `finish`; the caller writes what each returns.
package struct Renderer: Sendable {
  package let context: RenderContext
  private var isListing = false
  private var emittedCount = 0
  /// Whether the answer includes an event. In JSON its document then stays open until the event.
  private var awaitsEvent = false
  /// The rows of a tabular format.
  private var rows: TabularWriter?

  /// Creates a renderer for one command or several consecutive ones.
  package init(_ context: RenderContext) { self.context = context }

  /// Starts the answer of a command.
  ///
  /// - Parameters:
  ///   - isListing: whether a list follows row by row, which is one array in JSON even if it is empty.
  ///   - awaitsEvent: whether the answer ends with an event, which is passed to `emitAwaited`.
  package mutating func begin(isListing: Bool = false, awaitsEvent: Bool = false) {
    self.isListing = isListing && (context.format == .json || context.format.isTabular)
    rows = context.format.isTabular ? TabularWriter(context.format) : nil
    self.awaitsEvent = awaitsEvent && context.format == .json
    emittedCount = 0
  }

  /// Renders one result.
  package mutating func emit(_ result: CommandResult) -> Rendered {
    // In JSON, each row or document includes its path.
    if case .heading = result, context.format == .json || context.format == .jsonl { return Rendered() }
    // Remarks and events are not rows of the list.
    guard result.isAnswer else { return single(result) }
    if let document = tabular(result) { return addRows(of: document, mayWait: isListing) }
    if isListing, case .past(.transactions(let batch)) = result { return rows(JSON.documents(of: batch)) }
    if isListing, case .past(.paths(let paths)) = result { return rows(JSON.rows(of: paths)) }
    defer { emittedCount += 1 }
    guard isListing else {
      var rendered = single(result, isFirst: emittedCount == 0)
      // The document of one object is closed after the event; see `finish`.
      if awaitsEvent, rendered.stdout.suffix(2) == [UInt8]("}\n".utf8)[...] {
        rendered.stdout.removeLast(2)
      }
      return rendered
    }
    let row = JSON.of(result).bytes
    return Rendered(stdout: [UInt8]((emittedCount == 0 ? "[" : ",\n").utf8) + row)
  }

  /// Several rows of a list in JSON.
  private mutating func rows(_ documents: [JSON]) -> Rendered {
    var rendered = Rendered()
    for document in documents {
      rendered.stdout += (emittedCount == 0 ? "[" : ",\n").utf8
      rendered.stdout += document.bytes
      emittedCount += 1
    }
    return rendered
  }

  /// Renders the event at the end of the answer: in JSON the member `event` of its object or the last item of its list,
  /// in any other format a separate line.
  package mutating func emitAwaited(_ notice: WatchEvent) -> Rendered {
    if context.format.isTabular { return addRows(of: JSON.of(.event(notice)), mayWait: false) }
    guard awaitsEvent else {
      let rendered = single(.event(notice))
      return Rendered(stdout: rendered.stdout + rendered.stderr)
    }
    let event = JSON.of(CommandResult.event(notice)).bytes
    if isListing {
      defer { emittedCount += 1 }
      return Rendered(stdout: [UInt8]((emittedCount == 0 ? "[" : ",\n").utf8) + event)
    }
    awaitsEvent = false
    return Rendered(stdout: [UInt8](",\"event\":".utf8) + event + [UInt8]("}\n".utf8))
  }

  /// Ends the answer of a command, also of one that has failed.
  package mutating func finish() -> Rendered {
    defer { begin() }
    if context.format.isTabular { return rows?.flush() ?? Rendered() }
    if isListing { return .out(emittedCount == 0 ? "[]\n" : "]\n") }
    return awaitsEvent && emittedCount > 0 ? .out(",\"event\":null}\n") : Rendered()
  }

  /// Renders an error for stderr.
  package func error(_ error: ShellError, at place: SourceLine? = nil) -> Rendered {
    switch context.format {
    case .json, .jsonl: Rendered(stderr: JSON.of(error, exitCode: exitCode(of: error), at: place).bytes + [0x0a])
    default: context.dialect.render(error, context, at: place)
    }
  }

  /// The exit code for an error.
  func exitCode(of error: ShellError) -> ExitCode { context.dialect.exitCode(of: error) }

  /// The document whose rows a tabular format shows; nil for what is text in every such format.
  private func tabular(_ result: CommandResult) -> JSON? {
    guard context.format.isTabular else { return nil }
    switch result {
    case .text, .heading, .tree(.bytes): return nil
    default: return JSON.of(result)
    }
  }

  private mutating func addRows(of document: JSON, mayWait: Bool) -> Rendered {
    if rows == nil { rows = TabularWriter(context.format) }
    return rows?.add(document, mayWait: mayWait) ?? Rendered()
  }

  private func single(_ result: CommandResult, isFirst: Bool = false) -> Rendered {
    switch context.format {
    case .json, .jsonl: JSONRenderer(context).render(result)
    default: context.dialect.render(result, context, isFirst: isFirst)
    }
  }
}

extension CommandResult {
  /// Whether it belongs to the answer on stdout, rather than being said beside it.
  var isAnswer: Bool {
    switch self {
    case .remark, .warning, .quotaExceeded, .event, .past(.advice): false
    default: true
    }
  }
}

extension [ClientInfo] {
  /// The identities in order: servers keep them in a set, and list them in any.
  var inOrder: [ClientInfo] { sorted { ($0.scheme, $0.user) < ($1.scheme, $1.user) } }
}
