/// The description of a command: its name, arguments, options and examples.
///
/// From the table of these descriptions (`CommandTable`) come the parsing of argv and of typed lines, help, completion
/// in the shell and in bash, zsh and fish, and the manual page.
package struct CommandSpec: Sendable {
  package let id: CommandID
  /// The name in zkCli.sh's spelling; typed names match in either case.
  package let name: String
  package let aliases: [String]
  /// One line in the imperative, without a full stop.
  package let summary: String
  package let arguments: [ArgumentSpec]
  package let options: [OptionSpec]
  /// Paragraphs of plain text after the summary.
  package let details: [String]
  package let examples: [Example]
  /// Whether it changes the tree.
  package let writes: Bool
  /// Whether it can delete or overwrite many znodes, and so asks for confirmation; see `Guard`.
  package let destroys: Bool
  /// Whether an external command can follow `--`.
  package let takesCommand: Bool
  /// The usage that help shows, if the lists above do not show which options and arguments belong together.
  package let usage: String?

  /// An example: a line to type and its effect.
  package struct Example: Sendable {
    package let line: String
    package let note: String

    package init(_ line: String, _ note: String) {
      self.line = line
      self.note = note
    }
  }

  /// The defaults are those of most commands.
  package init(
    _ id: CommandID, _ name: String, aliases: [String] = [], summary: String, arguments: [ArgumentSpec] = [],
    options: [OptionSpec] = [], details: [String] = [], examples: [Example] = [], writes: Bool = false,
    destroys: Bool = false, takesCommand: Bool = false, usage: String? = nil
  ) {
    self.id = id
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.arguments = arguments
    self.options = options
    self.details = details
    self.examples = examples
    self.writes = writes
    self.destroys = destroys
    self.takesCommand = takesCommand
    self.usage = usage
  }
}

/// The meaning of a value, which determines its completion.
package enum ValueKind: Hashable, Sendable {
  /// The path of a znode.
  case path
  /// The path of a znode, here or on another ensemble, or a file; see `TreePlace`.
  case place
  /// Bytes of a znode: text, `-` for stdin, `@file` for a file.
  case data
  case acl
  case version
  case number
  case duration
  /// A local file.
  case file
  case server
  /// The name of a cluster in the configuration file.
  case cluster
  /// The name of a command or help topic.
  case command
  /// A condition on a znode; see `CommandContext.conditionOfUntil`.
  case condition
  /// One of a list.
  case choice([String])
  /// Anything else.
  case word
}

/// A positional argument of a command.
package struct ArgumentSpec: Sendable {
  package let name: String
  package let kind: ValueKind
  package let isOptional: Bool
  /// Whether it takes all remaining arguments.
  package let isRepeated: Bool
  /// Whether the remaining arguments are a list with its own options.
  package let endsOptions: Bool

  /// By default a single required argument; a list of arguments ends the options.
  package init(
    _ name: String, _ kind: ValueKind, isOptional: Bool = false, isRepeated: Bool = false, endsOptions: Bool? = nil
  ) {
    self.endsOptions = endsOptions ?? isRepeated
    self.name = name
    self.kind = kind
    self.isOptional = isOptional
    self.isRepeated = isRepeated
  }
}

/// An option of a command or of the program.
package struct OptionSpec: Sendable {
  package let name: OptionName
  /// Its one-letter form.
  package let short: Character?
  /// Its value, if it takes one.
  package let value: (name: String, kind: ValueKind)?
  /// Whether the value is optional. It is then given after `=`, or as a number after the option.
  package let isValueOptional: Bool
  package let summary: String
  /// The spelling of zkCli.sh with a single dash, such as `members` for `-members`.
  package let oldWord: String?

  /// A flag, or an option with a value if `value` is given.
  package init(
    _ name: OptionName, short: Character? = nil, value: (name: String, kind: ValueKind)? = nil,
    isValueOptional: Bool = false, oldWord: String? = nil, _ summary: String
  ) {
    self.isValueOptional = isValueOptional
    self.name = name
    self.short = short
    self.value = value
    self.oldWord = oldWord
    self.summary = summary
  }
}

/// The long names of all options, in commands and of the program.
package enum OptionName: String, CaseIterable, Hashable, Sendable {
  // Of commands.
  case stat, watch, recursive, long, base64, hex, version, sequential, ephemeral, container, ttl, parents, create, acl
  case batch, force, client, file, members, add, remove, mode, children, data, persistent, local, any
  case count, bytes, countHard = "count-hard", bytesHard = "bytes-hard", persistentRecursive = "persistent-recursive"
  case dryRun = "dry-run", abort, passwordFile = "password-file"
  // Of commands about whole subtrees.
  case overwrite, skipExisting = "skip-existing", inFlight = "in-flight", resume, brief, ignoreACL = "ignore-acl"
  case prune, follow, every, yes, max, name, path, type, size, older, newer, owner, value, empty, print0, delete
  case ignoreCase = "ignore-case", extended, fixed, human, depth, top, level, sort
  // Of commands about the past.
  case at, before, since, until, to, session, audit, logDir = "log-dir"
  // Of snapshots.
  case dir
  // Of commands about the parts of a value.
  case jsonPath = "json-path", decode, editor
  // Of monitoring.
  case strict, limit, admin, keys, reads, work = "for", inSessions = "sessions"
  // Of the recipes.
  case tryOnce = "try", shared, slots, exitCode = "exit-code", revocable, layout, list, revoke, release, observe
  case priority, participants, exists, absent, equals, withData = "with-data", initial, exec, format
  case oneSession = "one-session"
  // Of servers that run as separate processes.
  case logLevel = "log-level", logFormat = "log-format", logFile = "log-file", logSize = "log-size"
  case logFiles = "log-files", sysusers
  // Of the web server.
  case open, insecureListen = "insecure-listen", clientCA = "client-ca", tokenFile = "token-file"
  case allowHost = "allow-host", accessLog = "access-log"
  // Of the servers of --local.
  case jitter, seed, reconfig, quota, replay, web
  // Of the program.
  case server, cluster, config, label = "as", operation = "op"
  case timeout, connectTimeout = "connect-timeout", sessionTimeout = "session-timeout", readOnly = "read-only"
  case waitForConnection = "wait-for-connection", clientConfiguration = "client-configuration", auth
  case authFile = "auth-file", output, json, script, keepGoing = "keep-going", pipeline, quiet, verbose, color, compat
  case dataDir = "data-dir", port, listen
  case tls, cacert, cert, key, keyPasswordFile = "key-password-file", tlsServerName = "tls-server-name", insecure
  case sasl, user, principal, keytab, service
  case noHistory = "no-history", noPager = "no-pager", maxBuffer = "max-buffer", help, programVersion =
    "program-version"
  /// The session timeout in milliseconds, which zkCli.sh takes with `-timeout`.
  case oldTimeout = "old-timeout"

  /// The name after `--`; nil for an option that has only an old spelling.
  package var long: String? {
    switch self {
    // Commands also have a `--version`, which is the version of a znode.
    case .programVersion: "version"
    case .oldTimeout: nil
    default: rawValue
    }
  }
}
