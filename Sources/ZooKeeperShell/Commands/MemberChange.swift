import ZnodeFormats

/// A change of an ensemble's members, as the options of `reconfig` describe it.
struct MemberChange: Sendable {
  /// `server.ID=ADDRESS` entries to add, or to replace the member with the same id by.
  private let joining: [(id: String, address: String)]
  private let leaving: [String]
  /// The complete new list of members; nil if the others stay.
  private let members: [(id: String, address: String)]?

  /// Parses lists of entries separated by commas.
  init(joining: String?, leaving: String?, members: String?) {
    self.joining = Self.entries(joining ?? "")
    self.leaving = (leaving ?? "").split(separator: ",").map { Self.trimmed($0) }
    self.members = members.map(Self.entries)
  }

  /// The number of members that it names.
  var count: Int { members?.count ?? joining.count + leaving.count }

  /// A description in the imperative, with the number of members.
  var description: String {
    func list(_ ids: [String]) -> String {
      (ids.count == 1 ? "the member " : "the members ") + ids.joined(separator: ",")
    }
    if let members { return "Replace all members of the ensemble by \(list(members.map(\.id)))" }
    let parts =
      (joining.isEmpty ? [] : ["Add or change \(list(joining.map(\.id)))"])
      + (leaving.isEmpty ? [] : ["\(joining.isEmpty ? "Remove" : "remove") \(list(leaving))"])
    return parts.joined(separator: " and ")
  }

  /// The lines of the configuration after the change, without the version, which the ensemble assigns.
  func applied(to ensemble: EnsembleText) -> String {
    var servers = members ?? ensemble.servers
    for (id, address) in joining {
      if let index = servers.firstIndex(where: { $0.id == id }) {
        servers[index].address = address
      } else {
        servers.append((id, address))
      }
    }
    servers.removeAll { leaving.contains($0.id) }
    return servers.map { "server.\($0.id)=\($0.address)\n" }.joined()
  }

  private static func entries(_ text: String) -> [(id: String, address: String)] {
    text.split(separator: ",").map { entry in
      let trimmed = trimmed(entry)
      let equals = trimmed.firstIndex(of: "=") ?? trimmed.endIndex
      let name = trimmed[..<equals]
      return (
        String(name.hasPrefix("server.") ? name.dropFirst("server.".count) : name),
        String(trimmed[equals...].dropFirst())
      )
    }
  }

  private static func trimmed(_ text: Substring) -> String { text.filter { $0 != " " } }
}
