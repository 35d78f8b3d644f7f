import LineEditor
import ZnodeFormats
import ZooKeeperProtocol
import ZooKeeperRecipes

extension TextRenderer {
  /// Renders a recipe's result.
  func render(_ result: RecipeResult) -> Rendered {
    switch result {
    case .held(let path, let zxid, let name): .line(name ?? "\(path) \(zxid)")
    case .participant(let participant, let address): .line(row(participant, address))
    case .released(let path, let count): remark("\(path): \(count) released or asked to release")
    case .leader(let leader): .line(leader.map { shownText($0.name ?? []) } ?? "")
    case .conditionMet(let path, _): remark("\(path): the condition is met")
    case .change(let record, _, _): change(record)
    case .item(let item): .line(row(item))
    case .member(let member):
      .line([member.name, shownText(member.data ?? [])].filter { !$0.isEmpty }.joined(separator: " "))
    case .members(_, let joined, let left, _):
      .lines(left.map { "left \($0)" } + joined.map { "joined \($0)" })
    case .number(_, let number): .line("\(number)")
    case .transaction(_, let status):
      .lines([status.decision?.rawValue ?? "undecided"] + status.votes.map(vote))
    case .decision(_, let verdict): .line(verdict.rawValue)
    }
  }

  private func vote(_ vote: TwoPhaseCommit.Vote) -> String {
    "\(vote.participant) \(vote.verdict?.rawValue ?? "-")"
  }

  private func row(_ item: WorkQueue.Item) -> String {
    [item.isClaimed ? "claimed" : "free", "\(item.priority)", item.path, shownText(item.data ?? [])]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Fields separated by single blanks, so that `cut` and `awk` find them; the data, which can contain blanks, comes
  /// last.
  private func row(_ participant: Participant, _ address: String?) -> String {
    [
      participant.isHolder ? "holder" : "waiting", participant.isShared ? "shared" : "exclusive",
      "\(participant.session)", address ?? "-", TimeStyle.shortText(milliseconds: participant.sinceMilliseconds),
      "\(participant.zxid)", participant.path, shownText(participant.data ?? []),
    ].filter { !$0.isEmpty }.joined(separator: " ")
  }

  private func change(_ record: ChangeStream.Record) -> Rendered {
    switch record {
    case .present(let path, let data, let stat): .line(line("present", path, data == nil ? nil : stat.mzxid, data))
    case .change(let event, let data, _): .line(line(event.type.name, event.path ?? "", event.zxid, data))
    case .gap(let reason): .line("gap \(reason.rawValue)")
    }
  }

  private func line(_ kind: String, _ path: String, _ zxid: Zxid?, _ data: [UInt8]?) -> String {
    var text = "\(kind) \(path)"
    // Servers before 3.9 do not send the zxid; a dash keeps the number of fields the same.
    if let zxid { text += " zxid \(zxid)" } else if kind != "present" { text += " zxid -" }
    if let data { text += " data \(shownText(data))" }
    return text
  }

  /// Data on one line: line ends as `\n`, other control characters as `\xHH`, backslashes doubled.
  private func shownText(_ data: [UInt8]) -> String {
    TerminalText(data, backslashes: .always).text
      .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
  }
}
