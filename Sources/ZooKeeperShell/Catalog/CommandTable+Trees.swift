extension CommandTable {
  private static let paths = ArgumentSpec("path", .path, isOptional: true, isRepeated: true, endsOptions: false)

  static let trees: [CommandSpec] = [
    CommandSpec(
      .client(.tree), "tree", summary: "Print a subtree as an indented tree", arguments: [paths],
      options: [
        OptionSpec(.level, short: "L", value: ("DEPTH", .number), "the number of levels to print"),
        OptionSpec(.long, short: "l", "with versions, sizes and times"), TreeOptions.inFlight,
      ],
      examples: [
        .init("tree /app", "all of it"),
        .init("tree -L 2 /", "the two upper levels"),
      ]),
    CommandSpec(
      .client(.find), "find", summary: "Find znodes by name, kind, size, age, owner or value",
      arguments: [paths],
      options: [
        OptionSpec(.name, value: ("GLOB", .word), "the name matches: * any characters, ? one, [a-z] one of several"),
        OptionSpec(.path, value: ("GLOB", .word), "the whole path matches; here * matches slashes too"),
        OptionSpec(
          .type, value: ("KIND", .choice(["p", "e", "s"])),
          "p persistent, e ephemeral, s with a sequence number at the end of its name"),
        OptionSpec(.size, value: ("SIZE", .number), "the number of bytes of data: 100, +1M for more, -10 for less"),
        OptionSpec(.children, value: ("COUNT", .number), "the number of children: 3, +1000 for more, -1 for less"),
        OptionSpec(.older, value: ("TIME", .word), "last written before: 10m ago, or 2026-11-28T12:00:00Z"),
        OptionSpec(.newer, value: ("TIME", .word), "last written since"),
        OptionSpec(.owner, value: ("SESSION", .word), "the ephemeral znodes of a session"),
        OptionSpec(.value, value: ("REGEX", .word), "the data matches an extended regular expression"),
        OptionSpec(.empty, "neither data nor children"),
        OptionSpec(.print0, short: "0", "end each path with a zero byte, for xargs -0"),
        OptionSpec(.count, short: "c", "print only the number of matches"),
        OptionSpec(.delete, "delete them, children before parents"),
        TreeOptions.inFlight, TreeOptions.dryRun, TreeOptions.yes, TreeOptions.max,
      ],
      details: [
        "All conditions must be true. Without a path, searches the working directory. After --, an external command"
          + " is run for each znode, with {} replaced by its path.",
        "Values are only read for --value.",
      ],
      examples: [
        .init("find /app --name '*.lock' --older 10m", "locks whose last write is ten minutes old"),
        .init("find / --owner 0x100000a5b8d0001", "what a session owns"),
        .init("find /tmp --empty --delete --dry-run", "what could be cleaned up"),
        .init("find / --size +500K", "large znodes"),
      ], writes: true, destroys: true, takesCommand: true),
    CommandSpec(
      .client(.grep), "grep", summary: "Search in the values of znodes",
      arguments: [
        ArgumentSpec("pattern", .word),
        ArgumentSpec("path", .path, isRepeated: true, endsOptions: false),
      ],
      options: [
        OptionSpec(.recursive, short: "r", "search all znodes under the paths too"),
        OptionSpec(.ignoreCase, short: "i", "ignore case"),
        OptionSpec(.extended, short: "E", "the pattern is an extended regular expression"),
        OptionSpec(.fixed, short: "F", "the pattern is plain text"),
        OptionSpec(.list, short: "l", "print only the paths of znodes with a match"),
        OptionSpec(.count, short: "c", "print the number of matching lines of each znode"), TreeOptions.inFlight,
      ],
      details: [
        "Prints path:line for each line that matches. If a value is not text, it prints only that it matches.",
        "Patterns are those of grep, without back-references, and with \\d, \\w and \\s. The exit code is 1 if nothing"
          + " matches.",
      ],
      examples: [
        .init("grep -r 10.0.0.17 /", "where an address is configured"),
        .init("grep -rliE 'passw(or)?d' /app", "values that may contain passwords"),
      ]),
    CommandSpec(
      .client(.du), "du", summary: "Print the sizes of subtrees", arguments: [paths],
      options: [
        OptionSpec(.human, short: "h", "sizes in KiB and MiB"),
        OptionSpec(.depth, short: "d", value: ("DEPTH", .number), "print totals down to this level (default 1)"),
        OptionSpec(.top, value: ("COUNT", .number), "print the largest znodes and those with the most children"),
        TreeOptions.inFlight,
      ],
      details: [
        "For each subtree: bytes of data, bytes of paths, number of znodes, path. Warns of values, and of lists of"
          + " children, that are near the limit of a packet (jute.maxbuffer)."
      ],
      examples: [
        .init("du -h /", "the size of each subtree under the root"),
        .init("du --top 10 /", "the largest znodes, and those with the most children"),
      ]),
  ]
}
