import JSONFormat
import ZnodeFormats
import ZooKeeperProtocol
import ZooKeeperRecipes

extension JSON {
  /// The document of a recipe's result.
  static func of(_ result: RecipeResult) -> JSON {
    switch result {
    case .held(let path, let zxid, let name):
      .object([("held", .string(path)), ("zxid", .string("\(zxid)")), ("name", .optional(name))])
    case .participant(let participant, let address): of(participant, address)
    case .released(let path, let count): .object([("path", .string(path)), ("count", .number(count))])
    case .leader(let leader):
      .object(
        [("leader", .optional(leader.map { String(decoding: $0.name ?? [], as: UTF8.self) }))]
          + [("path", .optional(leader?.path)), ("zxid", .optional(leader.map { "\($0.zxid)" }))])
    case .conditionMet(let path, let stat): .object([("path", .string(path)), ("stat", stat.map(of) ?? .null)])
    case .change(let record, let milliseconds, let showsData):
      .object([("time", .string(TimeStyle.iso.text(milliseconds: milliseconds)))] + members(of: record, showsData))
    default: ofCollection(result)
    }
  }

  private static func ofCollection(_ result: RecipeResult) -> JSON {
    switch result {
    case .item(let item):
      .object(
        [("path", .string(item.path)), ("priority", .number(item.priority)), ("claimed", .bool(item.isClaimed))]
          + encoded(item.data, .plain) + [("stat", of(item.stat))])
    case .member(let member):
      .object([("name", .string(member.name))] + encoded(member.data, .plain) + [("stat", of(member.stat))])
    case .members(let all, let joined, let left, let milliseconds):
      .object([
        ("time", .string(TimeStyle.iso.text(milliseconds: milliseconds))), ("members", .array(all.map(JSON.string))),
        ("joined", .array(joined.map(JSON.string))), ("left", .array(left.map(JSON.string))),
      ])
    case .number(let path, let number): .object([("path", .string(path)), ("value", .number(number))])
    case .transaction(let path, let status):
      .object(
        [("path", .string(path)), ("decision", .optional(status.decision?.rawValue))]
          + encoded(status.proposal, .plain)
          + [
            (
              "votes",
              .array(
                status.votes.map { vote in
                  .object([
                    ("participant", .string(vote.participant)), ("vote", .optional(vote.verdict?.rawValue)),
                  ])
                })
            )
          ])
    case .decision(let path, let verdict):
      .object([("path", .string(path)), ("decision", .string(verdict.rawValue))])
    default: .null
    }
  }

  private static func of(_ participant: Participant, _ address: String?) -> JSON {
    .object(
      [
        ("path", .string(participant.path)), ("holder", .bool(participant.isHolder)),
        ("shared", .bool(participant.isShared)), ("session", .string("\(participant.session)")),
        ("address", .optional(address)),
        ("since", .string(TimeStyle.iso.text(milliseconds: participant.sinceMilliseconds))),
        ("zxid", .string("\(participant.zxid)")),
      ] + encoded(participant.data, .plain))
  }

  /// Data that was not read is omitted: null would mean that the znode has none.
  private static func members(
    of record: ChangeStream.Record, _ showsData: Bool
  ) -> [(key: String, value: JSON)] {
    switch record {
    case .present(let path, let data, let stat):
      [("event", .string("present")), ("path", .string(path)), ("zxid", .string("\(stat.mzxid)"))]
        + (showsData ? encoded(data, .plain) : []) + [("stat", of(stat))]
    case .change(let event, let data, let stat):
      [
        ("event", .string(event.type.name)), ("path", .optional(event.path)),
        ("zxid", .optional(event.zxid.map { "\($0)" })),
      ] + (showsData ? encoded(data, .plain) + [("stat", stat.map(of) ?? .null)] : [])
    case .gap(let reason): [("gap", .bool(true)), ("reason", .string(reason.rawValue))]
    }
  }
}
