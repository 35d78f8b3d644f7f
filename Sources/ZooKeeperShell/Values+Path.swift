public import ZooKeeperProtocol

extension Values {
  /// The path of a znode, resolved against a working directory and checked against the rules of servers.
  ///
  /// A sequential create may end in a slash: the name is then the number alone.
  ///
  /// - Throws: a usage error that names the rule that is broken.
  public static func path(
    _ word: Word, in directory: String, isSequential: Bool = false
  ) throws(ShellError) -> String {
    let typed = try text(word, of: "path")
    guard !typed.isEmpty else { throw .usage("the path is empty", hint: "the root is /, the working directory is .") }
    let path = ZnodePath.resolve(typed, in: directory, keepingTrailingSlash: isSequential)
    do throws(ZnodePathError) {
      try ZnodePath.validate(path, isSequential: isSequential)
    } catch {
      throw badPath(error)
    }
    return path
  }

  /// The entries of an ACL: `scheme:id:perms` with commas between.
  public static func acl(_ word: Word) throws(ShellError) -> [ACL] {
    let typed = try text(word, of: "ACL")
    do throws(ACLTextError) {
      return try ACL.parse(typed)
    } catch {
      let entry = Tokenizer.quote(error.entry)
      let form = "write it as scheme:id:perms with perms from cdrwa, e.g. world:anyone:r,auth::cdrwa"
      switch error.reason {
      case .empty: throw .usage("the ACL is empty", hint: form)
      case .form: throw .usage("ACL entry \(entry) is malformed", hint: form)
      case .unknownPermission(let letter):
        throw .usage("ACL entry \(entry) has an unknown permission \(letter)", hint: form)
      }
    }
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
