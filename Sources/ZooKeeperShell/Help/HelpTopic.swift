/// The topics that `help` explains in addition to the commands.
package enum HelpTopic: String, CaseIterable, Hashable, Sendable {
  case exitCodes = "exit-codes"
  case options
  case quoting
  case values
  case output
  case clusters
  case tls
  case environment
  case compatibility
  case sasl
  case configuration = "zoo.cfg"

  /// One line in the style of a command's summary.
  package var summary: String {
    switch self {
    case .exitCodes: "What the exit codes mean"
    case .options: "The options of the program"
    case .quoting: "How a line is split into arguments"
    case .values: "Data from stdin and files; durations, sizes, versions, ACLs"
    case .output: "Formats, and what goes to stdout and stderr"
    case .clusters: "The configuration file: clusters by name, and aliases"
    case .tls: "Encrypted connections, certificates and keys"
    case .environment: "Environment variables and files"
    case .compatibility: "Compatibility with zkCli.sh"
    case .sasl: "Logging in by SASL: passwords and Kerberos"
    case .configuration: "The keys of a server's configuration, and their support"
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
    case .clusters: Self.clustersText
    case .tls: Self.tlsText
    case .environment: Self.environmentText
    case .compatibility: Self.compatibilityText
    case .sasl: Self.saslText
    case .configuration: Self.configurationText
    }
  }

  private static let exitCodesText: [Part] = [
    .definitions(ExitCode.table.map { ($0.code, $0.meaning) }),
    .paragraph(
      "A script stops at the first failure and exits with its code. With -k it continues, and exits with the code of"
        + " the first failure."),
  ]

  private static let optionsText: [Part] = [
    .definitions(ProgramOptions.all.map { ($0.allForms, $0.summary) }),
    .paragraph(
      "Long options, -o and -h can also follow the command; the command's own options take precedence. Long options"
        + " can be shortened as long as they are unique. A lone -- ends the options: set /x -- -1."),
  ]

  private static let quotingText: [Part] = [
    .paragraph("Lines of the interactive shell and of scripts are split as by a POSIX shell, without expansions:"),
    .definitions([
      ("'...'", "everything in between, unchanged"),
      (
        "\"...\"",
        "the same, except for the escapes \\\" \\\\ \\n \\t \\r \\0 \\xHH (a byte) and \\u{H} (a character)"
      ),
      ("\\", "outside quotes: the next character, unchanged; \\xHH is a byte"),
      ("#", "at the start of an argument: the rest of the line is a comment"),
    ]),
    .paragraph(
      "At the end of a line, | COMMAND sends the answer to a command of /bin/sh, > FILE writes it to a file, and >>"
        + " FILE appends it. Quoted, or without blanks around them, these signs are data."),
    .paragraph(
      "Adjacent parts form one argument. An open quote, or a backslash at the end, continues on the next line. Put"
        + " JSON in single quotes: set /x '{\"a\": 1}'. Arguments that another shell passes to zkcli are not split"
        + " again. There are no here-documents: continue a quoted value on the next line, or use a file."),
  ]

  private static let valuesText: [Part] = [
    .paragraph("Data of a znode (create, set):"),
    .definitions([
      ("TEXT", "the bytes of the argument"),
      ("-", "everything from stdin"),
      ("@FILE", "the content of a file"),
      ("@@TEXT", "the text with one @ before it"),
    ]),
    .paragraph("Nothing is added or removed, not even a line end. Other values:"),
    .definitions([
      ("path", "absolute, or relative to the working directory; . and .. are resolved"),
      ("TIME", "500ms, 10s, 2m, 1h; a unit is required except for -timeout and --ttl, which take milliseconds"),
      ("SIZE", "bytes, or with K, M or G powers of 1024"),
      ("VERSION", "a number from 0, or -1 for any"),
      (
        "ACL",
        "scheme:id:perms,... with perms from c, d, r, w, a: world:anyone:r,auth::cdrwa; in an id \\, is a comma, \\\\ a"
          + " backslash and \\xHH a byte; or what getAcl prints, one entry on each line or as JSON"
      ),
    ]),
    .paragraph(
      "Text files (scripts, --auth-file, multi -f) can have any kind of line ends and a byte order mark. A warning"
        + " is printed if a file with secrets is accessible to others."),
  ]

  private static let outputText: [Part] = [
    .paragraph(
      "The answer goes to stdout, and everything else to stderr. Successful writes print nothing, except that create"
        + " prints the path. -v reports more, and -q suppresses warnings."),
    .definitions([
      (
        "text",
        "values unchanged, and lists with one item on each line; on a terminal, bytes that cannot be displayed are"
          + " printed as \\xHH, and backslashes are then doubled"
      ),
      (
        "json",
        "one document for each command, with the event that -w waited for in event; a long list is one array;"
          + " commands that keep running, such as watch, print one document for each record"
      ),
      ("jsonl", "one object on each line"),
      ("raw", "as text, with the exact bytes of the data even on a terminal"),
      ("hex, base64", "as text, with data in that form"),
      (
        "table, fields, csv",
        "the members of the JSON documents as aligned columns, as lines of key=value, or as comma-separated values with"
          + " a head; those of nested objects have dots in their names, and a list is a row for each item"
      ),
    ]),
    .paragraph(
      "In JSON, zxids and session ids are hexadecimal strings, times are ISO 8601 in UTC, missing data is null, and"
        + " encoding is utf8 or base64. Errors are objects on stderr."),
  ]

  static let environmentVariables: [(term: String, meaning: String)] = [
    ("ZKCLI_SERVER", "the servers, if -s is not given; otherwise ZOOKEEPER_SERVERS and ZK_HOSTS"),
    ("ZKCLI_CLUSTER", "as --cluster, if ZKCLI_SERVER is not set"),
    ("ZKCLI_CONFIG", "as --config; an empty value disables the configuration file"),
    ("ZKCLI_AUTH", "SCHEME:AUTH as for --auth, but not visible to others"),
    (
      "ZKCLI_TLS",
      "1 as --tls; ZKCLI_CACERT, ZKCLI_CERT, ZKCLI_KEY, ZKCLI_KEY_PASSWORD_FILE, ZKCLI_TLS_SERVER_NAME likewise"
    ),
    ("ZKCLI_SASL, ZKCLI_USER, ZKCLI_PASSWORD_FILE", "as --sasl, --user and --password-file"),
    ("ZKCLI_PRINCIPAL, ZKCLI_KEYTAB, ZKCLI_SERVICE", "as --principal, --keytab and --service"),
    ("ZKCLI_TIMEOUT", "as --timeout"),
    ("ZKCLI_OUTPUT", "as -o"),
    ("ZKCLI_HISTORY", "the history file; an empty value disables it"),
    ("PAGER", "the program for long output on a terminal (default less -FRX); cat or an empty value switches it off"),
    ("NO_COLOR", "no colour, if not empty"),
    (
      "CLIENT_JVMFLAGS, JVMFLAGS",
      "when called as zkCli.sh or with --compat: known -D properties are used, also from java.env and"
        + " zookeeper-env.sh in $ZOOCFGDIR; --verbose lists them"
    ),
  ]

  static let files: [(term: String, meaning: String)] = [
    (
      "$XDG_CONFIG_HOME/zkcli/config.toml",
      "clusters and aliases (default ~/.config/zkcli/config.toml); see help clusters"
    ),
    (
      "$XDG_STATE_HOME/zkcli/history",
      "the command history (default ~/.local/state/zkcli/history), without lines that contain addauth"
    ),
  ]

  private static let environmentText: [Part] = [
    .definitions(environmentVariables), .paragraph("Options take precedence over variables. Files:"),
    .definitions(files),
  ]

  private static let compatibilityText: [Part] = [
    .paragraph(
      "All commands of zkCli.sh are available with their options and single-dash forms; names are not"
        + " case-sensitive. Some differences are intended: extra arguments are errors, `delete path version` is"
        + " refused instead of ignoring the version, create prints the path on stdout, and failures have distinct"
        + " exit codes."),
    .paragraph(
      "With --compat, or when called as zkCli.sh, the output, errors and exit codes are exactly those of zkCli.sh"
        + " 3.9.5, without its log lines."),
  ]

  private static let saslText: [Part] = [
    .paragraph(
      "With SASL, the client proves its identity on every connection before anything else. ACLs name it as sasl:NAME."
        + " If the login fails, the session is over, and the exit code is 5."),
    .definitions([
      (
        "zkcli --sasl digest --user bob --password-file FILE ls /",
        "with a password, by DIGEST-MD5; without --password-file, zkcli asks for it"
      ),
      ("zkcli --sasl gssapi ls /", "with the Kerberos tickets of kinit"),
      (
        "zkcli --sasl gssapi --principal bob@EXAMPLE.COM --keytab FILE ls /",
        "with Kerberos keys; new tickets are requested when they are needed"
      ),
    ]),
    .paragraph(
      "The principal of a server is zookeeper/HOST, where HOST is the DNS name of the server's address. --service"
        + " changes the first part, or, with a slash, names one principal for all servers. Kerberos needs the library"
        + " libgssapi_krb5.so.2 (Debian: libgssapi-krb5-2), and is configured by krb5.conf or $KRB5_CONFIG."),
    .paragraph(
      "Login configurations of Java (JAAS) are used as they are. With --compat, or when called as zkCli.sh, the file"
        + " is given by -Djava.security.auth.login.config in JVMFLAGS or CLIENT_JVMFLAGS, its section is"
        + " Client or given by -Dzookeeper.sasl.clientconfig, and -Dzookeeper.sasl.client=false turns SASL off."),
    .paragraph(
      "A server reads the same files: SERVER_JVMFLAGS=-Djava.security.auth.login.config=FILE, or that key in zoo.cfg,"
        + " with a section Server of users (user_NAME=\"PASSWORD\") or of a key table; for quorum.auth.enableSasl=true,"
        + " with sections QuorumServer and QuorumLearner. sessionRequireClientSASLAuth=true refuses clients that do not"
        + " log in. server check reports what is wrong with the files, by line."),
  ]
}
