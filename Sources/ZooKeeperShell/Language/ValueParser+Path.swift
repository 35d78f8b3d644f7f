import JSONFormat
package import ZooKeeperProtocol

extension ValueParser {
  /// The path of a znode, resolved against a working directory and checked against the rules of servers.
  ///
  /// The path of a sequential create can end with a slash: the name is then only the number.
  ///
  /// - Throws: a usage error that names the violated rule.
  package static func path(
    _ word: Word, in directory: String, isSequential: Bool = false
  ) throws(ShellError) -> String {
    let typed = try text(word, of: "path")
    guard !typed.isEmpty else {
      throw .usage("the path is empty", hint: "the root is /, and the working directory is .")
    }
    let path = ZnodePath.resolve(typed, in: directory, keepingTrailingSlash: isSequential)
    do throws(ZnodePathError) {
      try ZnodePath.validate(path, isSequential: isSequential)
    } catch {
      throw badPath(error)
    }
    return path
  }

  /// The entries of an ACL: `scheme:id:perms` separated by commas or line ends, or JSON: every form that `getAcl`
  /// prints.
  package static func acl(_ word: Word) throws(ShellError) -> [ACL] {
    let typed = try text(word, of: "ACL")
    if let first = typed.utf8.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      guard let document = JSONReader.read(word.bytes) else {
        throw .usage("the ACL is not valid JSON", hint: jsonACLForm)
      }
      return try acl(document)
    }
    do throws(ACLTextError) {
      return try ACL.parse(typed)
    } catch {
      let entry = Tokenizer.quote(error.entry)
      let form =
        "write it as scheme:id:perms with perms from cdrwa, e.g. world:anyone:r,auth::cdrwa, a comma in an id as \\,"
      switch error.reason {
      case .empty: throw .usage("the ACL is empty", hint: form)
      case .form: throw .usage("ACL entry \(entry) is malformed", hint: form)
      case .unknownPermission(let letter):
        throw .usage("ACL entry \(entry) has an unknown permission \(letter)", hint: form)
      }
    }
  }

  private static let jsonACLForm =
    #"write it as getAcl -o json prints it: [{"scheme":"world","id":"anyone","permissions":"r"}]"#

  /// The entries of `{"acl":[{"scheme":...,"id":...,"permissions":...}]}`, or of the array alone.
  ///
  /// - Throws: `ShellError` with exit code 2 for any other document.
  static func acl(_ document: JSON) throws(ShellError) -> [ACL] {
    let form = jsonACLForm
    guard case .array(let items) = document["acl"] ?? document else {
      throw .usage("the JSON contains no ACL", hint: form)
    }
    guard !items.isEmpty else { throw .usage("the ACL is empty", hint: form) }
    var entries: [ACL] = []
    for item in items {
      guard let scheme = item["scheme"]?.text, !scheme.isEmpty, let id = item["id"]?.text,
        let letters = item["permissions"]?.text
      else {
        throw .usage("an ACL entry has no scheme, id or permissions", hint: form)
      }
      var permissions: Permissions = []
      for letter in letters {
        guard let known = Permissions.letters.first(where: { $0.letter == letter }) else {
          throw .usage("ACL entry \(scheme):\(id) has an unknown permission \(letter)", hint: form)
        }
        permissions.insert(known.permission)
      }
      entries.append(ACL(permissions: permissions, scheme: scheme, id: id))
    }
    return entries
  }

  private static func badPath(_ error: ZnodePathError) -> ShellError {
    let path = Tokenizer.quote(error.path)
    switch error.reason {
    case .empty, .notAbsolute: return .usage("path \(path) does not begin with /")
    case .trailingSlash: return .usage("path \(path) ends with /")
    case .emptyComponent(let offset): return .usage("path \(path) has an empty name at character \(offset)")
    case .relativeComponent(let offset): return .usage("path \(path) has a relative name at character \(offset)")
    case .forbiddenCharacter(let scalar, let offset):
      let code = String(scalar.value, radix: 16, uppercase: true)
      return .usage(
        "path \(path) has the character U+\(String(repeating: "0", count: max(0, 4 - code.count)) + code)"
          + " at \(offset), which ZooKeeper does not allow")
    }
  }
}
