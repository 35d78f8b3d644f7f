extension CommandTable {
  static let clusters: [CommandSpec] = [
    CommandSpec(
      .shell(.use), "use", summary: "Change to a cluster of the configuration file",
      arguments: [ArgumentSpec("cluster", .cluster)],
      options: [SharedOptions.label],
      details: [
        "The previous session ends, unless --as is given. Secrets and certificates of the command line"
          + " are not used for the new cluster; see help clusters."
      ],
      examples: [.init("use staging", "connect to the servers of staging in the file")]),
    CommandSpec(
      .shell(.clusters), "clusters", summary: "List the clusters of the configuration file",
      details: ["The cluster in use is marked with *."],
      examples: [.init("clusters", "names, servers and protection")]),
  ]
}

extension SharedOptions {
  /// The option of commands that can open an additional session.
  static let label = OptionSpec(
    .label, value: ("NAME", .word), "keep the present session and open an additional one, which NAME: ls / uses")
}
