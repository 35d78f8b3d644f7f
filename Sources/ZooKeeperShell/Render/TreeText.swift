import JSONFormat
import ZnodeFormats
import ZooKeeperProtocol
import ZooKeeperTrees

/// Renders results of commands about whole subtrees as text.
extension TextRenderer {
  /// Renders one result.
  func render(_ result: TreeResult) -> Rendered {
    switch result {
    case .bytes(let bytes): Rendered(stdout: bytes)
    case .found(let node, true): Rendered(stdout: [UInt8](node.path.utf8) + [0])
    case .found(let node, false): .line(node.path)
    case .matchedLine(let path, _, let text): Rendered(stdout: [UInt8]("\(path):".utf8) + text + [0x0a])
    case .matchedBinary(let path): .line("Binary value \(path) matches")
    case .matchedZnode(let path): .line(path)
    case .matchCount(let path, let count): .line("\(path):\(count)")
    case .usage(let sum, let isHuman):
      .line(
        [Self.size(sum.dataBytes, isHuman), Self.size(sum.pathBytes, isHuman), "\(sum.count)"]
          .map { column($0, 10) }.joined(separator: " ") + " " + sum.path)
    case .largest(let sum, let isWidest, let isHuman):
      .line(
        column(isWidest ? "\(sum.children) children" : Self.size(sum.dataBytes, isHuman) + " data", 16) + " "
          + sum.path)
    case .branch(let branch, let node, let isRoot, let isLong):
      .line(branch + (isRoot ? node.path : ZnodePath.name(of: node.path)) + (isLong ? Self.details(node) : ""))
    case .copied(let from, let to, let tally): remark("\(from) to \(to): \(Self.text(tally))")
    case .exported(let from, let to, let count, _): remark("\(count) znodes of \(from) written to \(to)")
    case .difference(let difference, let isBrief): .lines(Self.lines(difference, isBrief: isBrief))
    case .step(let step): .lines(Self.lines(step))
    case .applied(let path, let doneCount): remark("\(doneCount) changes of \(path) made")
    case .mirrored(let comparison, let milliseconds):
      .line("\(TimeStyle.shortText(milliseconds: milliseconds)) \(Self.text(comparison))")
    case .followed(let count, let milliseconds):
      .line("\(TimeStyle.shortText(milliseconds: milliseconds)) copied \(count) \(count == 1 ? "znode" : "znodes")")
    }
  }

  private static func details(_ node: TreeNode) -> String {
    let kind = node.isEphemeral ? "ephemeral, " : ""
    return "  (\(kind)\(node.stat.dataLength) bytes, version \(node.stat.version),"
      + " \(TimeStyle.shortText(milliseconds: node.stat.mtimeMilliseconds)))"
  }

  /// A number of bytes, or with `isHuman` in a larger unit with one decimal place: `1.5M`.
  static func size(_ bytes: Int, _ isHuman: Bool) -> String {
    guard isHuman, bytes >= 1024 else { return "\(bytes)" }
    var tenths = bytes * 10
    var units = ["", "K", "M", "G", "T"][...]
    while tenths >= 10_240, units.count > 1 {
      tenths = (tenths + 512) / 1024
      units.removeFirst()
    }
    return "\(tenths / 10)" + (tenths < 1000 ? ".\(tenths % 10)" : "") + (units.first ?? "")
  }

  private static func text(_ tally: TreeTally) -> String {
    let parts = [
      (tally.created, "created"), (tally.changed, "changed"), (tally.unchanged, "unchanged"),
      (tally.skipped, "skipped"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return parts.isEmpty ? "nothing to do" : parts.joined(separator: ", ")
  }

  private static func text(_ comparison: TreeMirror.Comparison) -> String {
    if comparison.isInStep {
      return "in step: \(comparison.source.count) znodes, digest \(comparison.source.text)"
    }
    let parts = [
      (comparison.createdCount, "created"), (comparison.changedCount, "changed"), (comparison.deletedCount, "deleted"),
      (comparison.failures.count, "failed"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return "of \(comparison.source.count) znodes " + parts.joined(separator: ", ")
  }

  /// `- /a` for a znode that only the first side has, `+ /a` for one that only the second has, `~ /a` for one that
  /// differs.
  private static func lines(_ difference: TreeDifference, isBrief: Bool) -> [String] {
    switch difference {
    case .same: []
    case .onlyLeft(let entry): ["- /\(entry.path)"]
    case .onlyRight(let entry): ["+ /\(entry.path)"]
    case .changed(let left, let right):
      ["~ /\(left.path)"] + (isBrief ? [] : changes(left.data, right.data, left.acl, right.acl))
    }
  }

  private static func lines(_ step: TreePlan.Step) -> [String] {
    switch step {
    case .create(let path, let data, _): ["+ \(path) (\(size(data)))"]
    case .delete(let path, _): ["- \(path)"]
    case .setData(let path, let data, let old, _): ["~ \(path)"] + changes(old, data, nil, nil)
    case .setACL(let path, let acl, let old, _): ["~ \(path)"] + changes(nil, nil, old, acl)
    }
  }

  /// The differences, indented: texts in the format of `diff -u`, other data by its size.
  private static func changes(_ old: [UInt8]?, _ new: [UInt8]?, _ oldACL: [ACL]?, _ newACL: [ACL]?) -> [String] {
    var lines: [String] = []
    if old != new {
      if let oldText = text(old), let newText = text(new) {
        lines += TextDiff.unified(oldText, newText).map { "  \($0)" }
      } else {
        lines.append("  data: \(size(old)), then \(size(new))")
      }
    }
    if let oldACL, let newACL, Set(oldACL) != Set(newACL) {
      lines += oldACL.filter { !newACL.contains($0) }.map { "  - acl \($0.text)" }
      lines += newACL.filter { !oldACL.contains($0) }.map { "  + acl \($0.text)" }
    }
    return lines
  }

  /// Data as text; nil for null and for bytes that are not text.
  private static func text(_ data: [UInt8]?) -> String? {
    guard let data, !data.contains(0) else { return nil }
    return String(validating: data, as: UTF8.self)
  }

  private static func size(_ data: [UInt8]?) -> String { data.map { "\($0.count) bytes" } ?? "null" }
}

extension JSON {
  /// The document of a result of a command about whole subtrees.
  static func of(_ result: TreeResult) -> JSON {
    switch result {
    case .bytes: .null
    case .found(let node, _): .object([("path", .string(node.path)), ("stat", of(node.stat))])
    case .matchedLine(let path, let number, let text):
      .object([
        ("path", .string(path)), ("line", .number(number)), ("text", .string(String(decoding: text, as: UTF8.self))),
      ])
    case .matchedBinary(let path): .object([("path", .string(path)), ("binary", .bool(true))])
    case .matchedZnode(let path): .object([("path", .string(path))])
    case .matchCount(let path, let count): .object([("path", .string(path)), ("count", .number(count))])
    case .usage(let sum, _):
      .object([
        ("path", .string(sum.path)), ("dataBytes", .number(sum.dataBytes)), ("pathBytes", .number(sum.pathBytes)),
        ("count", .number(sum.count)),
      ])
    case .largest(let sum, let isWidest, _):
      .object([
        ("path", .string(sum.path)), ("list", .string(isWidest ? "widest" : "largest")),
        ("dataBytes", .number(sum.dataBytes)), ("children", .number(sum.children)),
      ])
    case .branch(_, let node, _, _): .object([("path", .string(node.path)), ("stat", of(node.stat))])
    case .copied(let from, let to, let tally):
      .object([
        ("from", .string(from)), ("to", .string(to)), ("created", .number(tally.created)),
        ("changed", .number(tally.changed)), ("unchanged", .number(tally.unchanged)),
        ("skipped", .number(tally.skipped)), ("ephemeral", .number(tally.ephemeral)),
      ])
    case .exported(let from, let to, let count, let ephemeralCount):
      .object([
        ("from", .string(from)), ("to", .string(to)), ("count", .number(count)),
        ("ephemeral", .number(ephemeralCount)),
      ])
    case .difference(let difference, _): of(difference)
    case .step(let step): of(step)
    case .applied(let path, let doneCount): .object([("applied", .string(path)), ("count", .number(doneCount))])
    case .mirrored(let comparison, let milliseconds):
      .object([
        ("time", .string(TimeStyle.iso.text(milliseconds: milliseconds))), ("inStep", .bool(comparison.isInStep)),
        ("created", .number(comparison.createdCount)), ("changed", .number(comparison.changedCount)),
        ("deleted", .number(comparison.deletedCount)), ("failed", .number(comparison.failures.count)),
        ("sourceCount", .number(comparison.source.count)), ("sourceDigest", .string(comparison.source.text)),
        ("targetCount", .number(comparison.target.count)), ("targetDigest", .string(comparison.target.text)),
        ("ephemeral", .number(comparison.omissions.ephemeralCount)),
      ])
    case .followed(let count, let milliseconds):
      .object([("time", .string(TimeStyle.iso.text(milliseconds: milliseconds))), ("copied", .number(count))])
    }
  }

  private static func of(_ difference: TreeDifference) -> JSON {
    func side(_ entry: TreeEntry) -> JSON {
      .object(encoded(entry.data, .plain) + [("acl", entry.acl.map { .array($0.map { of($0) }) } ?? .null)])
    }
    switch difference {
    case .same(let entry): return .object([("path", .string("/" + entry.path)), ("difference", .null)])
    case .onlyLeft(let entry):
      return .object([
        ("path", .string("/" + entry.path)), ("difference", .string("onlyLeft")), ("left", side(entry)),
        ("right", .null),
      ])
    case .onlyRight(let entry):
      return .object([
        ("path", .string("/" + entry.path)), ("difference", .string("onlyRight")), ("left", .null),
        ("right", side(entry)),
      ])
    case .changed(let left, let right):
      return .object([
        ("path", .string("/" + left.path)), ("difference", .string("changed")), ("left", side(left)),
        ("right", side(right)),
      ])
    }
  }

  private static func of(_ step: TreePlan.Step) -> JSON {
    switch step {
    case .create(let path, let data, let acl):
      .object(
        [("step", .string("create")), ("path", .string(path))] + encoded(data, .plain)
          + [("acl", .array(acl.map { of($0) }))])
    case .setData(let path, let data, _, let version):
      .object(
        [("step", .string("set")), ("path", .string(path))] + encoded(data, .plain)
          + [("version", .number(version))])
    case .setACL(let path, let acl, _, let version):
      .object([
        ("step", .string("setAcl")), ("path", .string(path)), ("acl", .array(acl.map { of($0) })),
        ("version", .number(version)),
      ])
    case .delete(let path, let version):
      .object([("step", .string("delete")), ("path", .string(path)), ("version", .number(version))])
    }
  }
}
