import JSONFormat
import LineEditor
import ZnodeFormats
import ZooKeeperProtocol

/// Writes results for people and for line-oriented tools: values as they are, and lists with one item on each line.
struct TextRenderer {
  let context: RenderContext

  init(_ context: RenderContext) { self.context = context }

  /// Renders one result; `isFirst` marks the first row of a listing.
  func render(_ result: CommandResult, isFirst: Bool = false) -> Rendered {
    switch result {
    case .data(let path, let data, let stat, let showsStat, let form):
      dataAndStat(path, data, form, showsStat ? stat : nil)
    case .children(_, let names, let stat): .lines(names) + block(stat)
    case .entry(let entry): listing(entry, isFirst: isFirst)
    case .name(let name, let endsWithNull): Rendered(stdout: [UInt8](name.utf8) + [endsWithNull ? 0 : 0x0a])
    case .heading(let path, let isFirst): .out((isFirst ? "" : "\n") + "\(path):\n")
    case .path(let path), .wouldDelete(let path): .line(path)
    case .stat(_, let stat): block(stat)
    case .existence(let path, let stat):
      remark(stat.map { "\(path) exists, version \($0.version)" } ?? "\(path) does not exist")
    case .acl(_, let entries, let stat): .lines(entries.map(\.text)) + block(stat)
    case .created(let path, let stat): .line(path) + block(stat)
    case .changed(let path, let stat): remark("changed \(path)") + block(stat)
    case .deleted(let path, let count):
      remark(count == 1 ? "deleted \(path)" : "deleted \(count) znodes: \(path) and everything under it")
    case .synced: remark("the server has caught up")
    case .identities(let identities): .lines(identities.inOrder.map { "\($0.scheme): \($0.user)" })
    case .ephemerals(let paths): .lines(paths)
    case .count(_, let count): .line("\(count)")
    case .quota(_, let limits, let usage): .lines(quota(limits, usage))
    case .config(let text, let stat, let clientOnly):
      withLineEnd(clientOnly ? EnsembleText(parsing: text).connectString : text) + block(stat)
    case .reconfigured(let text, let stat): withLineEnd(text) + block(stat)
    case .multi(let steps): multi(steps)
    case .event(let event): event.text.map { .err($0 + "\n") } ?? Rendered()
    case .history(let entries): .lines(entries.map { "\(column("\($0.number)", 5))  \($0.line)" })
    case .setting(let name, let value): .line("\(name) is \(value)")
    case .record(let record): .line(record.text)
    case .recipe(let result): render(result)
    case .tree(let result): render(result)
    case .value(let result): render(result)
    case .table(let table): .lines(table.lines(withHead: context.stdoutIsTerminal))
    case .past(.transactions(let batch)): Rendered(stdout: TransactionText.lines(of: batch))
    case .past(.paths(let paths)): .lines(paths)
    case .past(.advice(let text)): note(text)
    case .members(let members): self.members(members)
    case .text(let text): withLineEnd(text)
    case .remark(let text): remark(text)
    case .warning(let text), .quotaExceeded(let text): context.isQuiet ? Rendered() : .err("zkcli: warning: \(text)\n")
    }
  }

  /// Renders an error: `zkcli: NoNode /x: ...`, or with the line of the script instead of the program's name.
  func error(_ error: ShellError, at place: SourceLine?) -> Rendered {
    let source = place.map { "\($0.file):\($0.line):" } ?? "zkcli:"
    let text = " \(error.text)\n"
    guard context.usesColor else { return .err(source + text) }
    return Rendered(stderr: TerminalText.emphasisOn + source.utf8 + TerminalText.emphasisOff + text.utf8)
  }

  // MARK: Data

  private func dataAndStat(_ path: String, _ data: [UInt8]?, _ form: DataForm, _ stat: Stat?) -> Rendered {
    var rendered = bytes(of: path, data, form)
    guard let stat else { return rendered }
    // The stat starts on a new line, whatever the data ends with.
    if let last = rendered.stdout.last, last != UInt8(ascii: "\n") { rendered.stdout.append(UInt8(ascii: "\n")) }
    return rendered + block(stat)
  }

  private func bytes(of path: String, _ data: [UInt8]?, _ form: DataForm) -> Rendered {
    guard let data else {
      return context.stdoutIsTerminal ? note("\(path) has no data (null)") : Rendered()
    }
    switch (form, context.format) {
    case (.hexDump, _): return .line(HexDump.text(data))
    case (.base64, _), (_, .base64): return .line(Base64.encode(data))
    case (_, .hex): return .line(Hex.text(data))
    case (_, .raw): return Rendered(stdout: data)
    default: return context.stdoutIsTerminal ? shown(data) : plain(data)
    }
  }

  private func plain(_ data: [UInt8]) -> Rendered {
    Rendered(stdout: context.endsDataWithNewline ? data + [UInt8(ascii: "\n")] : data)
  }

  private func shown(_ data: [UInt8]) -> Rendered {
    let shown = TerminalText(data)
    let text = withLineEnd(shown.text)
    guard shown.escapedCount > 0 else {
      return shown.doublesBackslashes
        ? text + note("backslashes are shown doubled; -o raw prints the data itself") : text
    }
    let subject = shown.escapedCount == 1 ? "1 unprintable byte" : "\(shown.escapedCount) unprintable bytes"
    return text + note("\(subject) shown as \\xHH; -o raw, hex or base64 prints the bytes themselves")
  }

  // MARK: Rows

  private func listing(_ entry: ListingEntry, isFirst: Bool) -> Rendered {
    let stat = entry.stat
    let kind = stat.ephemeralOwner == .none ? "p" : "e"
    let columns = [
      "\(stat.numChildren)", "\(stat.version)", Self.size(Int(stat.dataLength), entry.isHuman),
    ]
    let row = ([kind] + zip(columns, Self.widths).map(column)).joined(separator: " ")
    let line =
      "\(row) \(TimeStyle.shortText(milliseconds: stat.mtimeMilliseconds))"
      + (entry.showsOwner ? " " + column("\(stat.ephemeralOwner)", 18) : "") + " \(entry.name)\n"
    // Heads are for people: a pipe gets only the rows.
    return .out((isFirst && context.stdoutIsTerminal ? Self.head : "") + line)
  }

  /// Children, version, size. The widths are fixed, because rows are written as they arrive.
  private static let widths = [8, 8, 9]
  private static let head = "  children  version      size modified             name\n"

  /// Here, too, heads are written to terminals only.
  private func members(_ members: [LocalServer]) -> Rendered {
    let head = ["id", "state", "role", "zxid", "sessions", "clients", "address"]
    let rows = members.map { member in
      [
        "\(member.id)", member.state, member.role ?? "-", member.zxid ?? "-", member.sessions.map { "\($0)" } ?? "-",
        member.connections.map { "\($0)" } ?? "-", member.address,
      ]
    }
    let widths = head.indices.map { index in ([head] + rows).map { $0[index].utf8.count }.max()! }
    func line(_ cells: [String], _ member: LocalServer?) -> String {
      var parts = zip(cells, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.utf8.count)
      }
      if let faults = member?.faults, !faults.isEmpty {
        parts.append(faults.joined(separator: "; "))
      } else {
        parts[parts.count - 1] = cells[cells.count - 1]
      }
      return parts.joined(separator: "  ")
    }
    let heads = context.stdoutIsTerminal ? [line(head, nil)] : []
    return .lines(heads + zip(rows, members).map { line($0, $1) })
  }

  private func quota(_ limits: QuotaLimits, _ usage: QuotaLimits) -> [String] {
    func limit(_ value: Int64?) -> String { value.flatMap { $0 < 0 ? nil : "\($0)" } ?? "none" }
    return [
      "count = \(usage.count)", "countLimit = \(limit(limits.count))",
      "countHardLimit = \(limit(limits.countHardLimit))",
      "bytes = \(usage.bytes)", "bytesLimit = \(limit(limits.bytes))",
      "bytesHardLimit = \(limit(limits.bytesHardLimit))",
    ]
  }

  /// A failed transaction has no answer; its explanation is written to stderr.
  private func multi(_ steps: [MultiStep]) -> Rendered {
    let text = steps.map { "\(step($0))\n" }.joined()
    return steps.contains { $0.hasFailed } ? .err(text) : .out(text)
  }

  private func step(_ step: MultiStep) -> String {
    switch step.result {
    case .create(let path), .create2(let path, _): "\(step.operation) \(path)"
    case .setData(let stat): "\(step.operation) \(step.path) version \(stat.version)"
    case .error(.ok): "\(step.operation) \(step.path): undone"
    case .error(.runtimeInconsistency): "\(step.operation) \(step.path): not tried"
    case .error(let code): "\(step.operation) \(step.path): \(code.name)"
    default: "\(step.operation) \(step.path)"
    }
  }

  // MARK: Parts

  private func block(_ stat: Stat?) -> Rendered { stat.map { .out(StatBlock.text($0, times: .iso)) } ?? Rendered() }

  /// A message in addition to the answer, which is printed with `--verbose`.
  func remark(_ text: String) -> Rendered { context.isVerbose ? note(text) : Rendered() }

  private func note(_ text: String) -> Rendered { context.isQuiet ? Rendered() : .err("zkcli: \(text)\n") }

  private func withLineEnd(_ text: String) -> Rendered {
    text.isEmpty || text.utf8.last == UInt8(ascii: "\n") ? .out(text) : .line(text)
  }

  /// The text, padded with blanks on the left to a width.
  func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }
}

extension MultiStep {
  /// Whether the operation failed or was rolled back.
  var hasFailed: Bool { if case .error = result { true } else { false } }
}
