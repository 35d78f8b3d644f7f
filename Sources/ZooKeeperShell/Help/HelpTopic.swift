/// What `help` explains besides commands.
package enum HelpTopic: String, CaseIterable, Hashable, Sendable {
  case exitCodes = "exit-codes"
  case options
  case quoting
  case values
  case output
  case environment
  case compatibility

  /// One line in the style of a command's summary.
  package var summary: String {
    switch self {
    case .exitCodes: "What the exit code says"
    case .options: "The options of the program"
    case .quoting: "How a line is split into words"
    case .values: "Data from stdin and files; durations, sizes, versions, ACLs"
    case .output: "Formats, and what goes to stdout and stderr"
    case .environment: "Environment variables and files"
    case .compatibility: "What is kept from zkCli.sh"
    }
  }

  /// A part of the explanation: a paragraph, or a list of terms.
  enum Part: Sendable {
    case paragraph(String)
    case definitions([(term: String, meaning: String)])
  }

  /// The explanation; help and the manual page print it.
  var parts: [Part] {
    switch self {
    case .exitCodes: Self.exitCodesText
    case .options: Self.optionsText
    case .quoting: Self.quotingText
    case .values: Self.valuesText
    case .output: Self.outputText
    case .environment: Self.environmentText
    case .compatibility: Self.compatibilityText
    }
  }

  private static let exitCodesText: [Part] = [
    .definitions(ExitCode.table.map { ($0.code, $0.meaning) }),
    .paragraph(
      "A script stops at the first failure and exits with its code; with -k it runs on and exits with the code of the"
        + " first failure."),
  ]

  private static let optionsText: [Part] = [
    .definitions(ProgramOptions.all.map { ($0.allForms, $0.summary) }),
    .paragraph(
      "Long options may stand behind the command too, and so may -o and -h; an option of the command's own wins. Long"
        + " options may be cut short while they stay unique. A lone -- ends the options: set /x -- -1."),
  ]

  private static let quotingText: [Part] = [
    .paragraph("Lines typed here and lines of scripts are split as a POSIX shell splits them, without expansions:"),
    .definitions([
      ("'...'", "everything in between as it stands"),
      ("\"...\"", "the same, but for the escapes \\\" \\\\ \\n \\t \\r \\0 \\xHH (a byte) and \\u{H} (a character)"),
      ("\\", "outside quotes: the next character as it stands; \\xHH is a byte"),
      ("#", "at the start of a word: the rest of the line is a comment"),
    ]),
    .paragraph(
      "Parts that touch are one word. An open quote, or a backslash at the end, takes in the next line. JSON is best"
        + " put in single quotes: set /x '{\"a\": 1}'. Words given to zkcli by another shell are not split again. There"
        + " are no here-documents: let a quoted value go on in the next line, or name a file."),
  ]

  private static let valuesText: [Part] = [
    .paragraph("Data of a znode (create, set):"),
    .definitions([
      ("TEXT", "the bytes of the word"),
      ("-", "what comes from stdin, to its end"),
      ("@FILE", "the content of a file"),
      ("@@TEXT", "the text with one @ in front"),
    ]),
    .paragraph("Nothing is added or taken away, not even a line end. Other values:"),
    .definitions([
      ("path", "begins with /, or starts from the working directory; . and .. count"),
      ("TIME", "500ms, 10s, 2m, 1h; a unit is required, but for -timeout and --ttl, which take milliseconds"),
      ("SIZE", "bytes, or with K, M or G for powers of 1024"),
      ("VERSION", "a number from 0, or -1 for any"),
      (
        "ACL",
        "scheme:id:perms,... with perms from c, d, r, w, a: world:anyone:r,auth::cdrwa; in an id \\, is a comma, \\\\ a"
          + " backslash and \\xHH a byte; or what getAcl prints, one entry on each line or as JSON"
      ),
    ]),
    .paragraph(
      "Files of lines (scripts, --auth-file, multi -f) may have line ends of any kind, and a byte order mark. A file"
        + " with secrets that others can read is warned of."),
  ]

  private static let outputText: [Part] = [
    .paragraph(
      "The answer goes to stdout, everything else to stderr. Writes that succeed say nothing, but create prints the"
        + " path; -v tells more, -q drops warnings."),
    .definitions([
      (
        "text",
        "values as they are, lists one item on each line; on a terminal, bytes that cannot be shown as \\xHH, and a"
          + " backslash beside such as \\\\"
      ),
      (
        "json",
        "one document for each command, which has in event what -w has waited for; a long list is one array; commands"
          + " that go on, such as watch, print a document for each thing that they tell"
      ),
      ("jsonl", "one object on each line"),
      ("raw", "as text, with data byte for byte even on a terminal"),
      ("hex, base64", "as text, with data in that form"),
    ]),
    .paragraph(
      "In JSON, zxids and session ids are strings in hexadecimal, times are ISO 8601 in UTC, missing data is null, and"
        + " encoding tells whether data is utf8 or base64. Errors are objects on stderr."),
  ]

  static let environmentVariables: [(term: String, meaning: String)] = [
    ("ZKCLI_SERVER", "the servers, where -s is not given; else ZOOKEEPER_SERVERS and ZK_HOSTS are looked at"),
    ("ZKCLI_AUTH", "SCHEME:AUTH, as for --auth, but not seen by others"),
    ("ZKCLI_TIMEOUT", "as --timeout"),
    ("ZKCLI_OUTPUT", "as -o"),
    ("ZKCLI_HISTORY", "the history file; empty for none"),
    ("NO_COLOR", "no colour, if not empty"),
    (
      "CLIENT_JVMFLAGS, JVMFLAGS",
      "when called as zkCli.sh or with --compat: -D properties that mean something here are taken, also from java.env"
        + " and zookeeper-env.sh in $ZOOCFGDIR; --verbose tells which"
    ),
  ]

  static let files: [(term: String, meaning: String)] = [
    ("$XDG_STATE_HOME/zkcli/history", "the lines typed (default ~/.local/state/zkcli/history); no line with addauth")
  ]

  private static let environmentText: [Part] = [
    .definitions(environmentVariables), .paragraph("Options win over variables. Files:"), .definitions(files),
  ]

  private static let compatibilityText: [Part] = [
    .paragraph(
      "All commands of zkCli.sh are here with their options and old single-dash words; names match in any case of"
        + " letters. The differences are meant: surplus arguments are errors, delete path version is refused rather"
        + " than run without the version, create prints the path on stdout, failures have exit codes of their own."),
    .paragraph(
      "With --compat, or when called as zkCli.sh, output, errors and exit codes are those of zkCli.sh 3.9.5, byte for"
        + " byte, without its log lines."),
  ]
}
