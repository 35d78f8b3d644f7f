/// Options and explanations that commands about whole subtrees share.
enum TreeOptions {
  static let dryRun = OptionSpec(.dryRun, "print what would be done, and change nothing")
  static let yes = OptionSpec(
    .yes, short: "y", value: ("CLUSTER", .cluster), isValueOptional: true,
    "do not ask, and lift the limit for scripts; a protected cluster needs --yes=CLUSTER")
  static let max = OptionSpec(
    .max, value: ("COUNT", .number), "how many existing znodes a script may change without --yes (default 1000)")
  static let overwrite = OptionSpec(.overwrite, "replace differing data and ACLs of existing znodes")
  static let skipExisting = OptionSpec(.skipExisting, "leave existing znodes unchanged")
  static let parents = OptionSpec(.parents, short: "p", "create missing parents of the target")
  static let inFlight = OptionSpec(
    .inFlight, value: ("COUNT", .number), "how many requests are in flight at a time (default 64)")
  static let format = OptionSpec(
    .format, value: ("FORMAT", .choice(["jsonl", "tar", "dir"])),
    "the format of the file, if its name does not show it: lines of JSON, a tar archive, a directory")
  static let prune = OptionSpec(.prune, "delete znodes that only the target has")

  static let places =
    "A place is a path on this ensemble; zk://HOST:PORT/PATH or zks://HOST:PORT/PATH on another one; CLUSTER:/PATH on"
    + " one that the configuration file names; file:NAME, a file that export has written; or - for stdin and stdout."
  static let pastPlace =
    "snap:DIR:/PATH is read from the files of a server, as it was at the moment of --at or --before; see snap."
  static let omissions =
    "Ephemeral znodes belong to their sessions and are left out. Servers do not report which znodes are containers or"
    + " have a time to live; copies of these are persistent."
}

extension CommandTable {
  static let moves: [CommandSpec] = [
    CommandSpec(
      .client(.cp), "cp", summary: "Copy a znode or a subtree, also to another ensemble or a file",
      arguments: [ArgumentSpec("source", .place), ArgumentSpec("target", .place)],
      options: [
        OptionSpec(.recursive, short: "R", "with all znodes under it"), TreeOptions.overwrite,
        TreeOptions.skipExisting, TreeOptions.parents, TreeOptions.format, TreeOptions.inFlight, TreeOptions.dryRun,
        TreeOptions.yes, TreeOptions.max, HistoryOptions.at, HistoryOptions.before, HistoryOptions.logDir,
      ],
      details: [
        TreeOptions.places + " " + TreeOptions.pastPlace
          + " The target is the path of the copy or, with a slash at the end, that of the parent.",
        "Data and ACLs are copied. Znodes that exist with the same data and ACL are left alone, so that a copy that was"
          + " interrupted can be repeated; others are errors without --overwrite or --skip-existing.",
        TreeOptions.omissions,
      ],
      examples: [
        .init("cp /config /config.bak", "one znode"),
        .init("cp -R /app /archive/", "a subtree, as /archive/app"),
        .init("cp -R /app zk://zk2:2181/app", "to another ensemble"),
      ], writes: true, destroys: true),
    CommandSpec(
      .client(.mv), "mv", summary: "Move a znode with all znodes under it",
      arguments: [ArgumentSpec("source", .place), ArgumentSpec("target", .place)],
      options: [
        OptionSpec(
          .recursive, short: "R",
          "accepted, but without effect: znodes always move with all znodes under them"),
        TreeOptions.parents, TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "Within one ensemble a small subtree is moved in one transaction. A larger one, or one that goes to another"
          + " ensemble, is copied first. Then the original is deleted, except for znodes that have changed meanwhile,"
          + " which"
          + " are listed, with exit code 11.",
        "An existing target is an error, and so is an ephemeral znode in the subtree.",
      ],
      examples: [.init("mv /app/old /app/new", "another name for a subtree")], writes: true, destroys: true),
    CommandSpec(
      .client(.export), "export", summary: "Write a subtree to a file",
      arguments: [SharedOptions.path, ArgumentSpec("file", .file, isOptional: true)],
      options: [
        TreeOptions.format, OptionSpec(.overwrite, "replace the file if it exists"),
        OptionSpec(.resume, "update a directory that an earlier export has written"), TreeOptions.inFlight,
      ],
      details: [
        "Without a file, or with -, writes lines of JSON to stdout. The name determines the format: .jsonl for lines of"
          + " JSON, .tar for a tar archive, a directory or a name with a slash at the end for a directory with a"
          + " file for"
          + " each znode; --format overrides it.",
        "A file or an archive gets its name when it is complete, so that an interrupted export leaves none. A"
          + " directory is updated with --resume: all znodes are read, and those that have changed are"
          + " written.",
        "In archives and directories a znode without children is a file; one with children is a directory, with its"
          + " data"
          + " in the file .data. ACLs and null data are stored separately.",
        TreeOptions.omissions,
      ],
      examples: [
        .init("export /app app.jsonl", "one line of JSON for each znode"),
        .init("export /app app.tar", "an archive"),
        .init("export / -", "lines of JSON on stdout"),
      ]),
    CommandSpec(
      .client(.importTree), "import", summary: "Create the znodes of a file",
      arguments: [ArgumentSpec("file", .file), SharedOptions.path],
      options: [
        TreeOptions.format, TreeOptions.overwrite, TreeOptions.skipExisting, TreeOptions.parents, TreeOptions.dryRun,
        TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "Reads what export writes, any tar archive, and any directory; - is stdin. The root of the file becomes path.",
        "Znodes that exist with the same data and ACL are left alone, so that an import that was interrupted can be"
          + " repeated; others are errors without --overwrite or --skip-existing. Symbolic links are not followed.",
      ],
      examples: [
        .init("import app.jsonl /app", "what export has written"),
        .init("import --dry-run conf/ /app/conf", "what a directory of files would create"),
      ], writes: true, destroys: true),
    CommandSpec(
      .client(.diff), "diff", summary: "Compare two subtrees",
      arguments: [ArgumentSpec("left", .place), ArgumentSpec("right", .place)],
      options: [
        OptionSpec(.brief, short: "q", "print only the paths of znodes that differ"),
        OptionSpec(.ignoreACL, "compare data only"), TreeOptions.format, TreeOptions.inFlight, HistoryOptions.at,
        HistoryOptions.before, HistoryOptions.logDir,
      ],
      details: [
        TreeOptions.places + " " + TreeOptions.pastPlace,
        "Paths are printed from the roots of the two: with - in front where only the left has the znode, with + where"
          + " only the right has it, with ~ where data or ACL differ. Texts are compared line by line, as diff -u"
          + " does.",
        "The exit code is 0 if there is no difference and 1 if there is one.",
      ],
      examples: [
        .init("diff /app zk://zk2:2181/app", "two ensembles"),
        .init("diff -q file:app.jsonl /app", "what has changed since an export"),
      ]),
    CommandSpec(
      .client(.apply), "apply", summary: "Change a subtree to the state that a file describes",
      arguments: [ArgumentSpec("file", .file), SharedOptions.path],
      options: [
        TreeOptions.dryRun, TreeOptions.prune, TreeOptions.format, TreeOptions.inFlight, TreeOptions.yes,
        TreeOptions.max,
      ],
      details: [
        "Compares first, prints what will be done (+ create, ~ change, - delete), and asks on a terminal. Every"
          + " write is"
          + " checked against the version that the comparison has seen; a znode that has changed since is left"
          + " alone and"
          + " listed, with exit code 11.",
        "If all writes fit into one transaction, all are done or none. ACLs cannot be changed in a transaction.",
      ],
      examples: [
        .init("apply --dry-run app.jsonl /app", "the plan"),
        .init("apply --prune --yes conf/ /app/conf", "exactly the files of a directory, from a script"),
      ], writes: true, destroys: true),
    CommandSpec(
      .client(.mirror), "mirror", summary: "Make a subtree equal to another one, and keep it so",
      arguments: [ArgumentSpec("source", .place), ArgumentSpec("target", .place)],
      options: [
        OptionSpec(.follow, short: "f", "continue to copy changes until interrupted"),
        OptionSpec(
          .every, value: ("TIME", .duration), "with --follow, compare both sides this often (default 60s)"),
        TreeOptions.prune, TreeOptions.parents, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        TreeOptions.places + " Both must be znodes.",
        "Copies in one direction and deletes what the source has deleted. Znodes that the target has beforehand and the"
          + " source does not are an error without --prune.",
        "Each line is the result of a comparison. Both sides are equal when it is in step, with the number of"
          + " znodes and a digest of their paths, data and ACLs. Changes of ACLs are only seen by comparisons. Lost"
          + " connections and expired sessions of either side are waited for; --follow needs servers from 3.6 on"
          + " for the"
          + " source.",
        TreeOptions.omissions,
      ],
      examples: [
        .init("mirror zk://old:2181/ / --follow", "move to another cluster while clients use the old one"),
        .init("mirror --prune /app zk://standby:2181/app", "once, and delete surplus znodes"),
      ], writes: true, destroys: true),
  ]
}
