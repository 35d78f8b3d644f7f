import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// Writes results as zkCli.sh of ZooKeeper 3.9.5 does, byte for byte.
///
/// Commands that zkCli.sh does not have, such as `exists`, are written as in the format `text`.
struct ZkCliRenderer {
  let context: RenderContext

  init(_ context: RenderContext) { self.context = context }

  /// Renders one result.
  func render(_ result: CommandResult) -> Rendered {
    switch result {
    case .data(_, let data, let stat, let showsStat, let form):
      .line(Self.text(of: data, form)) + block(showsStat ? stat : nil)
    case .children(_, let names, let stat): .line(Self.list(names)) + block(stat)
    case .ephemerals(let paths): .line(Self.list(paths))
    case .stat(_, let stat): block(stat)
    case .acl(_, let entries, let stat): .lines(entries.map(Self.entry)) + block(stat)
    case .created(let path, _): .err("Created \(path)\n")
    case .changed(_, let stat): block(stat)
    case .deleted: Rendered()
    case .synced: .line("Sync is OK")
    case .identities(let identities):
      .lines(["Auth scheme: User"] + identities.map { "\($0.scheme): \($0.user)" })
    case .quota(let path, let limits, let usage): Self.quota(path, limits, usage)
    case .config(let text, let stat, let clientOnly):
      .line(clientOnly ? EnsembleText(parsing: text).compatLine : text) + block(stat)
    case .reconfigured(let text, let stat): .out("Committed new configuration:\n\(text)\n") + block(stat)
    case .event(let notice): Self.event(notice)
    case .history(let entries): .lines(entries.map { "\($0.number) - \($0.line)" })
    case .quotaExceeded(let text): .line("[Warning]: \(text)")
    case .remark(let text): context.isVerbose ? .err(text + "\n") : Rendered()
    case .warning(let text): .err(text + "\n")
    default: TextRenderer(context).render(result)
    }
  }

  /// Data as a Java string: missing data is `null`, and invalid UTF-8 is lost.
  private static func text(of data: [UInt8]?, _ form: DataForm) -> String {
    let bytes = data ?? [UInt8]("null".utf8)
    return switch form {
    case .plain: javaText(bytes)
    case .base64: Base64.encode(bytes)
    case .hexDump: HexDump.text(bytes)
    }
  }

  /// Decodes as Java's `new String(bytes, UTF_8)` does, which differs from Swift in replacing an encoded surrogate by
  /// one U+FFFD instead of three.
  private static func javaText(_ bytes: [UInt8]) -> String {
    var repaired: [UInt8] = []
    repaired.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard byte == 0xed, let second = rest.first, (0xa0...0xbf).contains(second) else {
        repaired.append(byte)
        continue
      }
      rest.removeFirst()
      if let third = rest.first, (0x80...0xbf).contains(third) { rest.removeFirst() }
      repaired += "\u{fffd}".utf8
    }
    return String(decoding: repaired, as: UTF8.self)
  }

  private static func list(_ items: [String]) -> String { "[\(items.joined(separator: ", "))]" }

  private static func entry(_ entry: ACL) -> String {
    "'\(entry.scheme),'\(entry.id)\n: \(entry.permissions.text)"
  }

  private static func quota(_ path: String, _ limits: QuotaLimits, _ usage: QuotaLimits) -> Rendered {
    .lines(["Output quota for \(path) \(limits.text)", "Output stat for \(path) \(usage.text)"])
      + .err("absolute path is \(QuotaPaths.limits(of: path))\n")
  }

  /// Zxids are decimal in this output only.
  private static func event(_ notice: WatchEvent) -> Rendered {
    let place = "path:\(notice.path ?? "null") zxid: \(notice.zxid?.rawValue ?? -1)"
    return .out("\nWATCHER::\n\nWatchedEvent state:\(notice.state.name) type:\(notice.type.name) \(place)\n")
  }

  private func block(_ stat: Stat?) -> Rendered {
    stat.map { .out(StatBlock.text($0, times: context.compatTimes)) } ?? Rendered()
  }
}
