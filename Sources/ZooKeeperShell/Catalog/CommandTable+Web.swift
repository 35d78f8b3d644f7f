extension CommandTable {
  /// The command that serves the page.
  static let web = CommandSpec(
    .web, "web", summary: "Serve a page with which a browser shows and changes the ensemble",
    options: [
      OptionSpec(
        .listen, value: ("HOST:PORT", .word),
        "the address to listen on (default 127.0.0.1:9090; port 0 takes any free one)"),
      OptionSpec(.open, "open the page in the browser"),
      OptionSpec(.readOnly, "refuse all changes"),
      OptionSpec(
        .insecureListen, "listen on another address than loopback without TLS: others can read all that is sent"),
      OptionSpec(.cert, value: ("FILE", .file), "the certificate of the page, with its key unless --key names it"),
      OptionSpec(.key, value: ("FILE", .file), "the private key of --cert"),
      OptionSpec(
        .clientCA, value: ("FILE", .file),
        "let in clients with a certificate of these authorities; others cannot connect"),
      OptionSpec(
        .tokenFile, value: ("FILE", .file), "let in users with the token in the file's first line"),
      OptionSpec(
        .passwordFile, value: ("FILE", .file), "let in the users of a file, with lines as user:$5$salt$hash"),
      OptionSpec(.allowHost, value: ("NAME,...", .word), "further host names that browsers may use for the server"),
      OptionSpec(.accessLog, value: ("FILE", .file), "append the access log to a file instead of stderr"),
    ],
    details: [
      "The page shows the tree, values, ACLs, the servers and their clients, and with --local N what the servers of the"
        + " sandbox tell each other: zkcli --local 3 web --open is an ensemble to break and to watch. It is served"
        + " until ^C, together with the API under /api/v1 that it uses, which /api/v1/openapi.yaml describes. All"
        + " clusters of the configuration file can be chosen on it. zkcli --local 3 --web serves it beside a shell, a"
        + " script or another command, and a server with web.enable=true in its zoo.cfg serves its own.",
      "Browsers on this machine need no login. On another address than loopback there must be TLS, or"
        + " --insecure-listen, and a login: by a token, a password or a certificate. If none is given, a token is made"
        + " and printed on stderr. The hashes of passwords are made by: openssl passwd -5",
      "Users of the page act with the identities of this command; options about the connection to the ensemble,"
        + " such as --auth-file and the ensemble's --cert, come before the command. Clusters that are read-only in the"
        + " configuration file are so here too, and each change of a protected one is confirmed with its name.",
      "Each change is a line of the access log: time, address, user, cluster, status, error and what was done.",
    ],
    examples: [
      .init("web", "for http://127.0.0.1:9090/"),
      .init("web --read-only --open", "a look, in the browser"),
      .init(
        "web --listen 0.0.0.0:9443 --cert web.pem --password-file users",
        "for others too, with TLS and passwords"),
    ])
}
