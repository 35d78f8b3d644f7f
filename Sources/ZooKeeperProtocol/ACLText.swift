/// Why a text is not a list of ACL entries.
public struct ACLTextError: Error, Hashable, Sendable {
  /// What is wrong with the entry.
  public enum Reason: Hashable, Sendable {
    /// The text holds no entry.
    case empty
    /// The entry has not the form `scheme:id:perms`.
    case form
    /// `letter` is none of c, d, r, w, a.
    case unknownPermission(letter: Character)
  }

  public let reason: Reason
  /// The entry as it was written.
  public let entry: String
}

extension ACL {
  /// Reads a comma-separated list of `scheme:id:perms` entries, such as `world:anyone:r,auth::cdrwa`.
  ///
  /// The scheme ends at the first colon and the permissions begin behind the last one, so ids may
  /// hold colons, as `digest:user:hash:cdrwa` does. Unlike zkCli.sh, which drops an unknown letter
  /// with a warning and so grants something else than was asked, this refuses it.
  ///
  /// *Source*: `org.apache.zookeeper.cli.AclParser`.
  ///
  /// - Throws: `ACLTextError` naming the first entry that is malformed.
  public static func parse(_ text: String) throws(ACLTextError) -> [ACL] {
    guard !text.isEmpty else { throw ACLTextError(reason: .empty, entry: text) }
    var entries: [ACL] = []
    // By bytes: a combining mark behind a colon or comma would hide it.
    for entry in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(Substring.init) {
      let colon = UInt8(ascii: ":")
      guard let first = entry.utf8.firstIndex(of: colon), let last = entry.utf8.lastIndex(of: colon), first != last,
        first != entry.startIndex
      else { throw ACLTextError(reason: .form, entry: String(entry)) }
      let permissions = try Permissions(letters: entry[entry.utf8.index(after: last)...], of: String(entry))
      entries.append(
        ACL(
          permissions: permissions, scheme: String(entry[..<first]),
          id: String(entry[entry.utf8.index(after: first)..<last])))
    }
    return entries
  }

  /// The entry in the form that `parse` reads, which zkCli.sh's `setAcl` reads too.
  public var text: String { "\(scheme):\(id):\(permissions.text)" }
}

extension Permissions {
  fileprivate init(letters: Substring, of entry: String) throws(ACLTextError) {
    self = []
    guard !letters.isEmpty else { throw ACLTextError(reason: .form, entry: entry) }
    for letter in letters {
      guard let known = Self.letters.first(where: { $0.letter == letter }) else {
        throw ACLTextError(reason: .unknownPermission(letter: letter), entry: entry)
      }
      insert(known.permission)
    }
  }
}
