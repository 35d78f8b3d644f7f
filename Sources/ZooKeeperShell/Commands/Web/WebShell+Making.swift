import JSONFormat
import Synchronization
import ZooKeeperMonitor
import ZooKeeperSandbox
import ZooKeeperTrees
import ZooKeeperWeb

extension WebShell {
  /// What this shell does for the web server.
  static let shell = WebShell(
    explain: { explanation(of: $0) },
    health: { report in
      let rules = HealthRules(report)
      return .of(HealthText(report, rules.findings, rules.verdict(isStrict: false)).record)
    },
    export: { format, root, next, write in try await export(format, root, next, write) },
    entries: { format, bytes in try entries(format, bytes) },
    search: { text, isExpression, ignoresCase in
      var options: RegularExpression.Options = isExpression ? [.isExtended] : [.isFixed]
      if ignoresCase { options.insert(.ignoresCase) }
      let search = LineFinder(try RegularExpression(text, options))
      return { search.first(in: $0) }
    },
    acl: { try ValueParser.acl($0) })

  private static func explanation(of error: any Error) -> Explanation {
    let described = (error as? SandboxError).map { ShellError($0) } ?? ShellError(error)
    return Explanation(
      word: described.word, message: described.message, hint: described.hint, path: described.path,
      code: Int(described.exitCode.rawValue))
  }

  // MARK: Files

  /// Bytes that were written and not passed on yet.
  private final class Pending {
    var bytes: [UInt8] = []
  }

  private static func export(
    _ format: FileFormat, _ root: String, _ next: () async throws -> TreeEntry?, _ write: ([UInt8]) async throws -> Void
  ) async throws {
    let pending = Pending()
    let sink = ByteSink { bytes throws(ShellError) in pending.bytes += bytes }
    var writer: any TreeFileWriter =
      switch format {
      case .jsonl: try TreeLinesWriter(sink, root: root)
      case .tar: try TarWriter(sink)
      }
    while let entry = try await next() {
      try writer.add(entry)
      guard !pending.bytes.isEmpty else { continue }
      try await write(pending.bytes)
      pending.bytes = []
    }
    try writer.finish()
    try await write(pending.bytes)
  }

  private static func entries(
    _ format: FileFormat, _ bytes: [UInt8]
  ) throws(ShellError) -> (entries: [TreeEntry], refusals: [(String, String)]) {
    let name = "the file"
    let descriptor = try FileIO.unnamed(bytes)
    defer { FileIO.end(descriptor) }
    var reader: any TreeFileReader
    switch format {
    case .jsonl: reader = TreeLinesReader(ByteSource(descriptor, name: name))
    case .tar:
      // The data of a directory may be anywhere in the archive, which is read twice for it.
      let first = try FileIO.unnamed(bytes)
      defer { FileIO.end(first) }
      reader = try TarReader(ByteSource(descriptor, name: name), after: ByteSource(first, name: name))
    }
    let entries = try reader.rest()
    return (entries, reader.refusals.map { ($0.path, $0.reason) })
  }
}

/// Finds the first line of a value that has a pattern.
private final class LineFinder: Sendable {
  /// A pattern learns while it is used, by one at a time.
  private let search: Mutex<SendableSearch>

  private struct SendableSearch: @unchecked Sendable {
    // @unchecked: it is used under the lock only.
    let search: ValueSearch
  }

  init(_ expression: RegularExpression) {
    search = Mutex(SendableSearch(search: ValueSearch(pattern: expression, style: .lines)))
  }

  /// The line; nil if there is none.
  func first(in value: [UInt8]) -> (number: Int, text: String)? {
    search.withLock { holder in
      let match = holder.search.match(value)
      guard match.count > 0 else { return nil }
      guard let line = match.lines.first else { return (0, "binary data") }
      return (line.number, String(decoding: line.text, as: UTF8.self))
    }
  }
}
