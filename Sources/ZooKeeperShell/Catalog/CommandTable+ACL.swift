import ZnodeFormats

extension CommandTable {
  static let accessTools: [CommandSpec] = [
    CommandSpec(
      .shell(.acl), "acl", summary: "Create, change, explain and check ACLs",
      arguments: [
        ArgumentSpec("action", .choice(ACLAction.allCases.map(\.rawValue))),
        ArgumentSpec("argument", .path, isOptional: true), ArgumentSpec("path", .path, isOptional: true),
      ],
      options: [
        OptionSpec(.passwordFile, value: ("FILE", .file), "with hash, the file whose first line is the password"),
        OptionSpec(
          .label, value: ("SCHEME:ID", .word),
          "with why, an identity of the client, such as digest:bob; can be repeated (default: this session's)"),
        OptionSpec(
          .operation, value: ("OP", .choice(ACLQuestion.Operation.allCases.map(\.rawValue))),
          "with why, the operation of the client on the znode"),
        OptionSpec(.recursive, short: "R", "with add, remove and check, include all znodes under it"),
        TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "hash USER asks for a password and prints an ACL entry for the user, with all permissions; it needs no server.",
        "add ENTRY PATH adds a scheme:id:perms entry, or adds its permissions to the entry of that identity. remove"
          + " ENTRY PATH takes permissions away, or with scheme:id alone the whole entry. Both keep the other entries,"
          + " and start again if another client changes the ACL at the same time.",
        "why PATH shows which entry of which znode allows an operation, or what is missing; the exit code is 1 if it is"
          + " denied. Creating and deleting a znode need permissions on its parent. An identity digest:USER without"
          + " the hash stands for the user with any password.",
        "check PATH reports ACLs that everyone can change, that no one can change, and entries that match no one; the"
          + " exit code is 1 if there are any.",
      ],
      examples: [
        .init("acl hash bob", "digest:bob:3dJ1TgzGpVDRv3Cz5DUyjbGgpSk=:cdrwa"),
        .init("acl add ip:10.0.0.0/8:r /config -R", "allow another network to read"),
        .init("acl remove world:anyone /config", "the others are kept"),
        .init("acl why /config/app --as digest:bob --op delete", "denied: delete needs d on /config"),
        .init("acl check -R /", "such as znodes that everyone can change"),
      ], writes: true, destroys: true,
      usage: "hash USER | add|remove ENTRY PATH [-R] | why PATH --as SCHEME:ID --op OP | check PATH [-R]")
  ]
}
