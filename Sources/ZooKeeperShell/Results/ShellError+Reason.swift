package import ZooKeeperProtocol

extension ShellError {
  /// The exact reason of an error, if neither the exit code nor ZooKeeper's code shows it, for a dialect with its own
  /// text for the case.
  package enum Reason: Hashable, Sendable {
    case unknownCommand(String)
    /// Too few or too many arguments.
    case argumentCount(CommandID)
    case option(OptionMistake)
    // Indirect, so that an error without it stays small and is cheap to copy.
    indirect case badPath(ZnodePathError)
    /// The value of an option is not valid.
    case badValue(OptionName)
    case createMode(CreateModeConflict)
    case invalidACLOfCreate
    /// The parent of a znode that was to be created does not exist.
    case missingParent(of: String)
    /// A bulk operation is incomplete.
    case leftUndone
    /// The history has no line with that number.
    case noSuchLine
    case redoOfRedo
    /// There is no quota to show or remove.
    case noQuota(isForDeletion: Bool)
    /// A quota on the servers' own znodes.
    case quotaOfServers
    /// A quota on a znode that does not exist.
    case quotaOfNothing
    case nestedQuota(other: String, isAbove: Bool)
    case badLimit(LimitMistake)
    /// An argument that the server, or the client before sending a request, refused.
    case refusedArgument
    case clientConfiguration
    /// A signal ends the process.
    case signal
  }

  /// A mistake in an option.
  package enum OptionMistake: Hashable, Sendable {
    case unknown, lacksValue, isMissing, excludesAnother
  }

  /// Mutually exclusive options of `create`.
  package enum CreateModeConflict: Hashable, Sendable {
    case container, ephemeralTTL, ttlOutOfRange
  }

  /// A mistake in the limit of a quota.
  package enum LimitMistake: Hashable, Sendable {
    case notANumber, countBelowOne, bytesBelowZero
  }

  /// The same error with its reason.
  func because(_ reason: Reason) -> ShellError {
    var error = self
    error.reason = reason
    return error
  }

  /// Runs `body`, and adds a reason to its error.
  static func naming<Value>(
    _ reason: Reason, _ value: @autoclosure () throws(ShellError) -> Value
  ) throws(ShellError) -> Value {
    do throws(ShellError) {
      return try value()
    } catch {
      throw error.because(reason)
    }
  }
}
