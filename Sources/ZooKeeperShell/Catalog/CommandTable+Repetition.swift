extension CommandTable {
  static let repetition: [CommandSpec] = [
    CommandSpec(
      .shell(.time), "time", summary: "Run a command and print how long it took",
      arguments: [
        ArgumentSpec("command", .command), ArgumentSpec("argument", .word, isOptional: true, isRepeated: true),
      ],
      details: [
        "The time goes to stderr, from the start of the command to its last output. The first command of a session"
          + " includes connecting."
      ],
      examples: [.init("time ls -R /", "how long a listing takes")]),
    CommandSpec(
      .shell(.repeat), "repeat", summary: "Run a command repeatedly",
      arguments: [
        ArgumentSpec("command", .command), ArgumentSpec("argument", .word, isOptional: true, isRepeated: true),
      ],
      options: [
        OptionSpec(.count, short: "n", value: ("COUNT", .number), "how often (default: until it fails, or ^C)"),
        OptionSpec(.every, short: "i", value: ("TIME", .duration), "the time from one start to the next (default 1s)"),
      ],
      details: ["It ends when the command fails; a negative answer, as of exists, is not a failure."],
      examples: [
        .init("repeat -i 2s get /leader", "every two seconds"),
        .init("repeat -n 100 -i 0s create -s /queue/item-", "a hundred times without a pause"),
      ]),
  ]
}
