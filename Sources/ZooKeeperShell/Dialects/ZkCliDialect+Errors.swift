import ZooKeeperProtocol

/// zkCli.sh's error messages and exit codes.
extension ZkCliDialect {
  /// zkCli.sh exits with 1, but with 0 for some failures.
  func exitCode(of error: ShellError) -> ExitCode {
    switch error.reason {
    case .signal: error.exitCode
    case .unknownCommand: ExitCode(rawValue: 127)
    case .clientConfiguration: .usage
    case .noQuota, .quotaOfServers, .badLimit, .leftUndone: .success
    default: .no
    }
  }

  /// Whether zkCli.sh prints the failure on stdout, as an answer.
  static func answersOnStdout(_ error: ShellError) -> Bool { error.reason == .noQuota(isForDeletion: true) }

  /// The text for an error.
  static func text(of error: ShellError) -> String {
    guard let reason = error.reason else { return text(error.keeperError, error) }
    return switch reason {
    case .unknownCommand(let name): ZkCliSyntax.fullUsage + "\nCommand not found: Command not found \(name)"
    case .argumentCount(let id): ZkCliSyntax.find(id.name)?.ownUsage ?? error.message
    case .option(let mistake): text(of: mistake, error.message)
    case .badPath(let path): text(of: path)
    case .badValue(let option): text(of: option, error.message)
    case .createMode(let conflict): text(of: conflict)
    case .invalidACLOfCreate:
      "KeeperErrorCode = InvalidACL\(error.path.map { " for \($0)" } ?? "")\n"
        + "Acl is not valid : \(error.path ?? "null")"
    case .missingParent(let path): "Node does not exist: \(path)"
    case .leftUndone: "Failed to delete some node(s) in the subtree!"
    case .noSuchLine: "Command index out of range"
    case .redoOfRedo: "No redoing redos"
    case .noQuota, .quotaOfServers, .quotaOfNothing, .nestedQuota, .badLimit: textOfQuota(reason, error)
    case .refusedArgument, .clientConfiguration, .signal: error.message
    }
  }

  private static func textOfQuota(_ reason: ShellError.Reason, _ error: ShellError) -> String {
    let path = error.path ?? "null"
    return switch reason {
    case .noQuota(isForDeletion: true): "Quota does not exist for \(path)"
    case .noQuota: "absolute path is \(QuotaPaths.limits(of: path))\nquota for \(path) does not exist."
    case .quotaOfServers: "cannot set a quota under the path: \(QuotaPaths.root)"
    case .quotaOfNothing: "\(path) does not exist."
    case .nestedQuota(let other, isAbove: true): "\(path) has a parent \(other) which has a quota"
    case .nestedQuota(let other, isAbove: false): "\(path) has a child \(other) which has a quota"
    case .badLimit(.notANumber): "NumberFormatException happens when parsing the option value"
    case .badLimit(.countBelowOne): "the num quota must be greater than zero"
    case .badLimit(.bytesBelowZero): "the bytes quota must be greater than or equal to zero"
    default: error.message
    }
  }

  /// *Source*: `org.apache.commons.cli`.
  private static func text(of mistake: ShellError.OptionMistake, _ message: String) -> String {
    let exception =
      switch mistake {
      case .unknown: "UnrecognizedOptionException"
      case .lacksValue: "MissingArgumentException"
      case .isMissing: "MissingOptionException"
      case .excludesAnother: "AlreadySelectedException"
      }
    return "org.apache.commons.cli.\(exception): \(message)"
  }

  private static func text(of option: OptionName, _ message: String) -> String {
    switch option {
    case .mode: ZkCliSyntax.find("addWatch")?.ownUsage ?? message
    case .batch: "-b argument must be an int value"
    case .ttl: "-t argument must be a long value"
    default: message
    }
  }

  private static func text(of conflict: ShellError.CreateModeConflict) -> String {
    switch conflict {
    case .container: "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential."
    case .ephemeralTTL: "TTLs cannot be used with Ephemeral znodes"
    case .ttlOutOfRange: "ttl must be positive and cannot be larger than: \(CreateMode.maximumTTLMilliseconds)"
    }
  }

  /// *Source*: `org.apache.zookeeper.common.PathUtils`.
  private static func text(of error: ZnodePathError) -> String {
    func invalid(_ reason: String) -> String { "Invalid path string \"\(error.path)\" caused by \(reason)" }
    return switch error.reason {
    case .empty: "Path length must be > 0"
    case .notAbsolute: "Path must start with / character"
    case .trailingSlash: "Path must not end with / character"
    case .emptyComponent(let offset): invalid("empty node name specified @\(offset)")
    case .relativeComponent(let offset): invalid("relative paths not allowed @\(offset)")
    case .forbiddenCharacter(let scalar, let offset):
      invalid(scalar.value == 0 ? "null character not allowed @\(offset)" : "invalid character @\(offset)")
    }
  }

  /// *Source*: `org.apache.zookeeper.cli.CliWrapperException`.
  private static func text(_ code: KeeperError?, _ error: ShellError) -> String {
    guard let code else { return error.message }
    let path = error.path ?? "null"
    switch code {
    case .noNode: return "Node does not exist: \(path)"
    case .noChildrenForEphemerals: return "Ephemerals cannot have children: \(path)"
    case .nodeExists: return "Node already exists: \(path)"
    case .notEmpty: return "Node not empty: \(path)"
    case .notReadOnly: return "Not a read-only call: \(path)"
    case .invalidACL: return "Acl is not valid : \(path)"
    case .noAuth: return "Insufficient permission : \(path)"
    case .badArguments: return "Arguments are not valid : \(path)"
    case .badVersion: return "version No is not valid : \(path)"
    case .reconfigInProgress:
      return "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)"
    case .newConfigNoQuorum:
      return "No quorum of new config is connected and up-to-date with the leader of last commmitted config"
        + " - try invoking reconfiguration after new servers are connected and synced"
    case .quotaExceeded: return "Quota has exceeded : \(path)"
    default:
      let place = error.path.map { $0.isEmpty ? "" : " for \($0)" } ?? ""
      return "KeeperErrorCode = \(code.apacheMessage)\(place)"
    }
  }
}
