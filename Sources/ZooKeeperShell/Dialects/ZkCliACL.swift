import ZooKeeperProtocol

/// Parses ACLs as zkCli.sh does: entries that it cannot parse are reported and left out.
///
/// *Source*: `org.apache.zookeeper.cli.AclParser` and `ZKUtil.getPermFromString`.
enum ZkCliACL {
  /// The entries that can be parsed, and warnings about the others for stderr.
  static func parse(_ text: String) -> (entries: [ACL], complaints: [String]) {
    var entries: [ACL] = []
    var complaints: [String] = []
    var parts = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(Substring.init)
    // Java's split leaves out empty parts at the end.
    while parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    for part in parts {
      let colon = UInt8(ascii: ":")
      guard let first = part.utf8.firstIndex(of: colon), let last = part.utf8.lastIndex(of: colon), first != last else {
        complaints.append("\(part) does not have the form scheme:id:perm")
        continue
      }
      var permissions = Permissions(rawValue: 0)
      for letter in part[part.utf8.index(after: last)...] {
        guard let (_, permission) = Permissions.letters.first(where: { $0.letter == letter }) else {
          complaints.append("Unknown perm type: \(letter)")
          continue
        }
        permissions = Permissions(rawValue: permissions.rawValue | permission.rawValue)
      }
      let id = String(part[part.utf8.index(after: first)..<last])
      entries.append(ACL(permissions: permissions, scheme: String(part[..<first]), id: id))
    }
    return (entries, complaints)
  }
}
