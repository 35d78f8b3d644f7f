import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// Writes results as JSON: one document for each, or one object on each line in `jsonl`.
///
/// The structure is a contract: keys can be added, but not renamed or removed. Zxids and session ids are strings in
/// hexadecimal, because they do not fit into a double; times are ISO 8601 in UTC; missing values are null.
struct JSONRenderer {
  let context: RenderContext

  init(_ context: RenderContext) { self.context = context }

  /// Renders one result.
  func render(_ result: CommandResult) -> Rendered {
    switch result {
    case .remark where !context.isVerbose, .warning where context.isQuiet, .quotaExceeded where context.isQuiet,
      .past(.advice) where context.isQuiet:
      return Rendered()
    case .event(let event) where event.text == nil: return Rendered()
    // An export is written in its own format.
    case .tree(.bytes(let bytes)): return Rendered(stdout: bytes)
    case _ where !result.isAnswer: return Rendered(stderr: JSON.of(result).bytes + [0x0a])
    default:
      let document = JSON.of(result)
      guard context.format == .jsonl, case .array(let items) = document else {
        return Rendered(stdout: document.bytes + [0x0a])
      }
      return Rendered(stdout: items.flatMap { $0.bytes + [0x0a] })
    }
  }
}

extension JSON {
  /// The document of a result.
  static func of(_ result: CommandResult) -> JSON {
    switch result {
    case .data(let path, let data, let stat, _, let form):
      object(("path", .string(path)), with: encoded(data, form) + [("stat", of(stat))])
    case .children(let path, let names, let stat):
      object(("path", .string(path)), with: [("children", .array(names.map(JSON.string)))] + optionalStat(stat))
    case .entry(let entry): .object([("name", .string(entry.name)), ("stat", of(entry.stat))])
    case .name(let name, _): .object([("name", .string(name))])
    case .path(let path), .wouldDelete(let path): .object([("path", .string(path))])
    case .stat(let path, let stat): .object([("path", .string(path)), ("stat", of(stat))])
    case .existence(let path, let stat):
      .object([("path", .string(path)), ("exists", .bool(stat != nil)), ("stat", stat.map(of) ?? .null)])
    case .acl(let path, let entries, let stat):
      object(("path", .string(path)), with: [("acl", .array(entries.map(of)))] + optionalStat(stat))
    case .created(let path, let stat): object(("created", .string(path)), with: optionalStat(stat))
    case .changed(let path, let stat): object(("changed", .string(path)), with: optionalStat(stat))
    case .deleted(let path, let count): .object([("deleted", .string(path)), ("count", .number(count))])
    case .synced(let path): .object([("synced", .string(path))])
    default: ofOther(result)
    }
  }

  /// The document of a result that does not concern a single znode.
  private static func ofOther(_ result: CommandResult) -> JSON {
    switch result {
    case .identities(let identities):
      .array(identities.inOrder.map { .object([("scheme", .string($0.scheme)), ("user", .string($0.user))]) })
    case .ephemerals(let paths): .array(rows(of: paths))
    case .count(let path, let count): .object([("path", .string(path)), ("count", .number(count))])
    case .quota(let path, let limits, let usage):
      .object([("path", .string(path)), ("limits", of(limits)), ("usage", of(usage))])
    case .config(let text, let stat, _), .reconfigured(let text, let stat): of(EnsembleText(parsing: text), stat)
    case .multi(let steps): .array(steps.map(of))
    case .event(let notice): of(notice)
    case .history(let entries):
      .array(entries.map { .object([("number", .number($0.number)), ("line", .string($0.line))]) })
    case .setting(let name, let value): .object([("setting", .string(name)), ("value", .string(value))])
    case .recipe(let result): of(result)
    case .tree(let result): of(result)
    case .value(let result): of(result)
    case .past(.transactions(let batch)): .array(documents(of: batch))
    case .past(.paths(let paths)): .array(rows(of: paths))
    case .past(.advice(let text)): .object([("advice", .string(text))])
    case .record(let record): of(record)
    case .table(let table): .array(table.records.map { of($0) })
    case .members(let members): .array(members.map(of))
    case .text(let text): .object([("text", .string(text))])
    case .remark(let text): .object([("remark", .string(text))])
    case .warning(let text), .quotaExceeded(let text): .object([("warning", .string(text))])
    default: .null
    }
  }

  /// The document of an error.
  ///
  /// - Parameter exitCode: the exit code of the process if this error ends it.
  static func of(_ error: ShellError, exitCode: ExitCode, at place: SourceLine?) -> JSON {
    var members: [(key: String, value: JSON)] = [
      ("error", .string(error.word)), ("path", .optional(error.path)), ("code", .number(exitCode.rawValue)),
      ("message", .string(error.message)), ("hint", .optional(error.hint)),
    ]
    if let place { members += [("file", .string(place.file)), ("line", .number(place.line))] }
    return .object(members)
  }

  /// A document for each path.
  static func rows(of paths: [String]) -> [JSON] { paths.map { .object([("path", .string($0))]) } }

  private static func object(
    _ first: (key: String, value: JSON), with members: [(key: String, value: JSON)]
  ) -> JSON {
    .object([first] + members)
  }

  private static func optionalStat(_ stat: Stat?) -> [(key: String, value: JSON)] {
    stat.map { [("stat", of($0))] } ?? []
  }

  /// Data as text if it is UTF-8; otherwise, or if base64 is requested, in base64.
  static func encoded(_ data: [UInt8]?, _ form: DataForm) -> [(key: String, value: JSON)] {
    encoded(data, isBase64: form == .base64)
  }

  private static func of(_ limits: QuotaLimits) -> JSON {
    func number(_ value: Int64?) -> JSON { value.flatMap { $0 < 0 ? nil : .number($0) } ?? .null }
    return .object([
      ("count", number(limits.count)), ("bytes", number(limits.bytes)),
      ("countHard", number(limits.countHardLimit)), ("bytesHard", number(limits.bytesHardLimit)),
    ])
  }

  private static func of(_ ensemble: EnsembleText, _ stat: Stat?) -> JSON {
    return .object(
      [
        ("version", ensemble.version.isEmpty ? .null : .string("0x" + ensemble.version)),
        ("servers", ensemble.document), ("connectString", .string(ensemble.connectString)),
      ] + optionalStat(stat))
  }

  private static func of(_ step: MultiStep) -> JSON {
    var members: [(key: String, value: JSON)] = [("operation", .string(step.operation)), ("path", .string(step.path))]
    switch step.result {
    case .create(let path): members.append(("created", .string(path)))
    case .create2(let path, let stat): members += [("created", .string(path)), ("stat", of(stat))]
    case .setData(let stat): members.append(("stat", of(stat)))
    // Servers report OK for an operation that was rolled back because a later one failed.
    case .error(.ok): members.append(("undone", .bool(true)))
    case .error(let code): members.append(("error", .string(code.name)))
    default: break
    }
    return .object(members)
  }

  private static func of(_ notice: WatchEvent) -> JSON {
    .object([
      ("event", .string(notice.type.name)), ("state", .string(notice.state.name)), ("path", .optional(notice.path)),
      ("zxid", .optional(notice.zxid.map { "\($0)" })),
    ])
  }
}
