extension CommandTable {
  static let clusters: [CommandSpec] = [
    CommandSpec(
      .shell(.use), "use", summary: "Change to a cluster of the configuration file",
      arguments: [ArgumentSpec("cluster", .cluster)],
      options: [SharedOptions.label],
      details: [
        "The session with the servers before ends, unless --as keeps it. Secrets and certificates of the command line"
          + " are not used for the new cluster; see help clusters."
      ],
      examples: [.init("use staging", "the servers that the file has for staging")]),
    CommandSpec(
      .shell(.clusters), "clusters", summary: "List the clusters of the configuration file",
      details: ["The cluster in use is marked with *."],
      examples: [.init("clusters", "names, servers, and what protects them")]),
  ]
}

extension SharedOptions {
  /// For commands that open a session: to keep it beside the present one.
  static let label = OptionSpec(
    .label, value: ("NAME", .word), "keep the present session, and open this one beside it as NAME: NAME: ls /")
}
