import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// grep.
extension CommandContext {
  /// Prints the lines of values that match a pattern.
  ///
  /// The exit code is 0 if something matches, and 1 if nothing does.
  func grep(_ source: ZnodeSource) async throws -> ExitCode {
    let search = try ValueSearch(invocation)
    var failures: [String: ZooKeeperError] = [:]
    var hasMatch = false
    progress.begin("searched")
    for root in try await rootPaths(from: 1, source) {
      var reader = try source.reader(
        of: root, reading: .data, inFlight: try inFlight(),
        maximumDepth: invocation.flag(.recursive) ? nil : 0)
      while let item = try await reader.next() {
        progress.advance()
        switch item {
        case .failed(let path, let error): failures[path] = error
        case .node(let node):
          let match = search.match(node.data ?? [])
          if match.count > 0 { hasMatch = true }
          for result in match.results(for: node.path, search) { try emit(.tree(result)) }
        }
      }
      try warnOfVanished(reader)
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: try path(at: 1)) }
    return hasMatch ? .success : .no
  }
}

/// How values are searched and what is printed.
struct ValueSearch {
  /// What to print for a value with a match.
  enum Style { case lines, paths, counts }

  let style: Style
  private let pattern: RegularExpression

  init(pattern: RegularExpression, style: Style) {
    self.pattern = pattern
    self.style = style
  }

  init(_ invocation: Invocation) throws(ShellError) {
    var options: RegularExpression.Options = []
    if invocation.flag(.ignoreCase) { options.insert(.ignoresCase) }
    if invocation.flag(.extended) { options.insert(.isExtended) }
    if invocation.flag(.fixed) { options.insert(.isFixed) }
    guard let word = invocation.argument(0) else { throw .missing("argument", "pattern", of: invocation.spec) }
    pattern = try RegularExpression(try ValueParser.text(word, of: "pattern"), options)
    style = invocation.flag(.list) ? .paths : invocation.flag(.count) ? .counts : .lines
  }

  /// The matches in a value.
  struct Match {
    /// The matching lines, counted from 1, if the style prints them.
    var lines: [(number: Int, text: [UInt8])] = []
    var count = 0
    var isBinary = false

    /// The results to print.
    func results(for path: String, _ search: ValueSearch) -> [TreeResult] {
      switch search.style {
      case .paths: count > 0 ? [.matchedZnode(path: path)] : []
      case .counts: [.matchCount(path: path, count: count)]
      case .lines where count > 0 && isBinary: [.matchedBinary(path: path)]
      case .lines: lines.map { .matchedLine(path: path, number: $0.number, text: $0.text) }
      }
    }
  }

  /// Searches a value line by line, or as a whole if it is not text.
  func match(_ value: [UInt8]) -> Match {
    var match = Match()
    // Most values have no match. For a literal pattern, one search of the whole value shows that.
    if value.isEmpty || (pattern.isLiteral && !pattern.matches(value)) { return match }
    match.isBinary = value.contains(0) || String(validating: value, as: UTF8.self) == nil
    value.withUnsafeBytes { bytes in
      var start = 0
      var number = 0
      while start < bytes.count {
        let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
        number += 1
        if pattern.matches(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
          match.count += 1
          if style == .lines, !match.isBinary { match.lines.append((number, Array(bytes[start..<end]))) }
          // One match is enough.
          if style == .paths || style == .lines && match.isBinary { return }
        }
        start = end + 1
      }
    }
    return match
  }
}
