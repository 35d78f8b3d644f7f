/// The options of the program itself, and the split of a command line at the command's name.
package enum ProgramOptions {
  /// In the order in which help lists them.
  package static let all: [OptionSpec] = [
    OptionSpec(
      .server, short: "s", value: ("HOST:PORT,...[/CHROOT]", .server), oldWord: "server",
      "the servers, and a path to use as the root (default $ZKCLI_SERVER or localhost:2181)"),
    OptionSpec(
      .cluster, short: "c", value: ("NAME", .cluster),
      "a cluster of the configuration file (default $ZKCLI_CLUSTER, or the file's default); see help clusters"),
    OptionSpec(
      .config, value: ("FILE", .file),
      "the configuration file (default $ZKCLI_CONFIG or ~/.config/zkcli/config.toml)"),
    OptionSpec(.timeout, value: ("TIME", .duration), "the time limit for one operation (default 10s)"),
    OptionSpec(.connectTimeout, value: ("TIME", .duration), "the time limit for connecting (default 5s)"),
    OptionSpec(
      .sessionTimeout, value: ("TIME", .duration),
      "how long servers keep the session without hearing from the client"),
    OptionSpec(
      .oldTimeout, value: ("MS", .number), oldWord: "timeout",
      "the session timeout in milliseconds, as in zkCli.sh"),
    OptionSpec(.readOnly, short: "r", "connect to a read-only server if there is no quorum"),
    OptionSpec(
      .waitForConnection, oldWord: "waitforconnection",
      "accepted as in zkCli.sh; zkcli always waits for the connection"),
    OptionSpec(
      .clientConfiguration, value: ("FILE", .file), oldWord: "client-configuration",
      "a file of Java client properties; known keys are used"),
    OptionSpec(
      .auth, value: ("SCHEME:AUTH", .word),
      "prove an identity, such as digest:bob:secret; others can see this argument"),
    OptionSpec(.authFile, value: ("FILE", .file), "read SCHEME:AUTH from a file, one on each line"),
    OptionSpec(.tls, "encrypt connections with TLS, as zks:// in front of the servers does"),
    OptionSpec(
      .cacert, value: ("FILE", .file),
      "the certificates of the authorities to trust (default: those of the system); see help tls"),
    OptionSpec(.cert, value: ("FILE", .file), "the client's certificate, with its key unless --key names it"),
    OptionSpec(.key, value: ("FILE", .file), "the private key of --cert"),
    OptionSpec(.keyPasswordFile, value: ("FILE", .file), "a file with the password of the key"),
    OptionSpec(
      .tlsServerName, value: ("NAME", .word),
      "the name that the server's certificate must have, if it differs from the host name"),
    OptionSpec(.insecure, "accept any server certificate; for tests only"),
    OptionSpec(
      .sasl, value: ("MECHANISM", .choice(["digest", "gssapi"])),
      "log in by SASL: digest (DIGEST-MD5) or gssapi (Kerberos); see help sasl"),
    OptionSpec(.user, value: ("NAME", .word), "with --sasl digest, the user"),
    OptionSpec(
      .passwordFile, value: ("FILE", .file),
      "with --sasl digest, the file whose first line is the password; without it, zkcli asks for the password"),
    OptionSpec(
      .principal, value: ("NAME", .word),
      "with --sasl gssapi, the Kerberos principal (default: that of the ticket cache)"),
    OptionSpec(
      .keytab, value: ("FILE", .file),
      "with --sasl gssapi, the file with the principal's keys (default: use the tickets of kinit)"),
    OptionSpec(
      .service, value: ("NAME", .word),
      "with --sasl gssapi, the servers' service (default zookeeper), or one principal, service/host"),
    OptionSpec(
      .output, short: "o", value: ("FORMAT", .choice(OutputFormat.allCases.map(\.rawValue))),
      "text, json, jsonl, raw, hex, base64, table, fields or csv (default $ZKCLI_OUTPUT or text)"),
    OptionSpec(.json, "the same as -o json"),
    OptionSpec(
      .script, short: "f", value: ("FILE", .file),
      "run the commands of a file, one on each line; - is stdin"),
    OptionSpec(
      .keepGoing, short: "k",
      "in a script, continue after a failure; the exit code is that of the first failure"),
    OptionSpec(
      .pipeline, value: ("N", .number),
      "in a script, send up to N consecutive writes as one transaction; order and outcome stay the same"),
    OptionSpec(.quiet, short: "q", "print no warnings on stderr"),
    OptionSpec(.verbose, short: "v", "report on stderr what was done"),
    OptionSpec(.color, value: ("WHEN", .choice(["auto", "always", "never"])), "whether to use colour (default auto)"),
    OptionSpec(.compat, "behave and print like zkCli.sh"),
    OptionSpec(
      .local, value: ("N", .number), isValueOptional: true,
      "start a local server, or an ensemble of N (up to 9), for as long as the command, the shell or the command"
        + " after -- runs"),
    OptionSpec(
      .dataDir, value: ("DIR", .file),
      "with --local, keep the data there; otherwise it is deleted at the end"),
    OptionSpec(
      .port, value: ("PORT", .number),
      "with --local, the port to listen on; an ensemble uses the following ports too (default: free ports)"),
    OptionSpec(.listen, value: ("ADDRESS", .word), "with --local, the address to listen on (default 127.0.0.1)"),
    OptionSpec(
      .web, value: ("HOST:PORT", .word), isValueOptional: true,
      "with --local, serve the page of help web as well (default 127.0.0.1:9090), at a loopback address and without a"
        + " login; its access log goes to stderr unless that is a terminal"),
    OptionSpec(
      .reconfig,
      "with --local N, allow reconfig; this shell is then the superuser, which reconfig needs, and other clients can"
        + " become it by addauth digest super:sandbox"),
    OptionSpec(.quota, "with --local, refuse writes beyond the hard limits of setquota, as with enforceQuota=true"),
    OptionSpec(
      .replay, value: ("FILE", .file),
      "with --local, run the commands of a file at their times; see help local"),
    OptionSpec(.noPager, "do not show long output in $PAGER or less"),
    OptionSpec(.noHistory, "do not read or write the history file"),
    OptionSpec(.maxBuffer, value: ("SIZE", .word), "the largest reply to accept (default 1M, as servers send)"),
    OptionSpec(.help, short: "h", "explain the program, or the preceding command"),
    OptionSpec(.programVersion, short: "V", "print the program's version"),
  ]

  /// The options that can also follow the command: all of them, by their long names. The letters belong to the
  /// commands, except for `-o` and `-h`.
  package static let behindCommand: [OptionSpec] = all.map { spec in
    let keepsLetter = spec.name == .output || spec.name == .help
    return OptionSpec(
      spec.name, short: keepsLetter ? spec.short : nil, value: spec.value, isValueOptional: spec.isValueOptional,
      oldWord: spec.oldWord, spec.summary)
  }

  /// The options that make sense on one line of a script or of the interactive shell.
  package static let ofOneLine: [OptionSpec] = behindCommand.filter { spec in
    [.timeout, .output, .json, .quiet, .verbose, .noPager, .help].contains(spec.name)
  }

  /// Splits a command line, without the program's name, at the command. What follows the command is not parsed.
  package static func parse(_ words: [Word]) -> ProgramInvocation {
    let parsed = OptionParser(options: all, stopsAtArgument: true).read(words)
    var invocation = ProgramInvocation(globals: parsed.options, mistake: parsed.mistake)
    if parsed.endedByTerminator, parsed.options[.local] != nil {
      invocation.child = parsed.arguments
    } else {
      invocation.command = parsed.arguments.first
      invocation.words = [Word](parsed.arguments.dropFirst())
    }
    return invocation
  }

  /// Splits a command line as zkCli.sh does. Its five options and this program's long ones can precede the command; any
  /// other argument that begins with `-` is skipped.
  ///
  /// Mistakes are reported only in this program's long options, which zkCli.sh does not have.
  package static func parseCompat(_ words: [Word]) -> ProgramInvocation {
    let known = behindCommand.filter { $0.name != .programVersion } + [OptionSpec(.readOnly, short: "r", "")]
    let parser = OptionParser(options: known)
    var invocation = ProgramInvocation(globals: [.compat: [Word(bytes: [])]])
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.bytes.first == UInt8(ascii: "-") else {
        invocation.command = word
        invocation.words = [Word](rest)
        break
      }
      guard isKnown(word, among: known) else { continue }
      var option = [word]
      if let reading = try? parser.read(word), case .options(let readings) = reading, let last = readings.last,
        last.value == nil, last.spec.takesAsValue(rest.first), let value = rest.popFirst()
      {
        option.append(value)
      }
      let parsed = parser.read(option)
      invocation.globals.merge(parsed.options) { $0 + $1 }
      invocation.mistake = invocation.mistake ?? parsed.mistake
    }
    return invocation
  }

  private static func isKnown(_ word: Word, among options: [OptionSpec]) -> Bool {
    let name = String(word.text.prefix { $0 != "=" })
    return options.contains { spec in
      spec.short.map { name == "-\($0)" } ?? false || spec.oldWord.map { name == "-\($0)" } ?? false
        || spec.name.long.map { name == "--\($0)" } ?? false
    }
  }
}

/// A command line split at the command's name.
package struct ProgramInvocation: Sendable {
  /// The options before the command.
  package var globals: [OptionName: [Word]]
  /// nil for the interactive shell or a script.
  package var command: Word?
  /// What follows the command, to be bound to its spec.
  package var words: [Word] = []
  /// The arguments after `--local --`: an external command to run beside local servers.
  package var child: [Word]?
  /// The first mistake before the command.
  package var mistake: ShellError?

  init(globals: [OptionName: [Word]], mistake: ShellError? = nil) {
    self.globals = globals
    self.mistake = mistake
  }

  /// Whether the option was given before the command.
  package func flag(_ name: OptionName) -> Bool { globals[name] != nil }

  /// The value of an option before the command; the last one if it was given more than once.
  package func value(_ name: OptionName) -> Word? { globals[name]?.last }
}

/// How answers are written.
package enum OutputFormat: String, CaseIterable, Hashable, Sendable {
  /// For people and for `cut`: values as they are, and lists with one item on each line.
  case text
  /// One JSON document for each command.
  case json
  /// One JSON object on each line.
  case jsonl
  /// As text, with data byte for byte even on a terminal.
  case raw
  /// As text, with data in hexadecimal.
  case hex
  /// As text, with data in base64.
  case base64
  /// Aligned columns with a head.
  case table
  /// Lines of `key=value`, with an empty line between records.
  case fields
  /// Comma-separated values with a head, as RFC 4180 describes them.
  case csv
}
