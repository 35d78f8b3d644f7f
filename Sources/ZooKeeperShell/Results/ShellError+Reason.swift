package import ZooKeeperProtocol

extension ShellError {
  /// What exactly went wrong, where neither the exit code nor ZooKeeper's code says it: for a dialect that has its own
  /// text for the case.
  package enum Reason: Hashable, Sendable {
    case unknownCommand(String)
    /// Too few or too many arguments.
    case argumentCount(CommandID)
    case option(OptionMistake)
    // Kept apart, so that an error without it stays small and is cheap to copy.
    indirect case badPath(ZnodePathError)
    /// The value of an option cannot be read.
    case badValue(OptionName)
    case createMode(CreateModeConflict)
    case invalidACLOfCreate
    /// The parent of a znode that was to be created does not exist.
    case missingParent(of: String)
    /// A bulk operation has left something undone.
    case leftUndone
    /// The history has no line of that number.
    case noSuchLine
    case redoOfRedo
    /// There is no quota to show or to lift.
    case noQuota(isForDeletion: Bool)
    /// A quota on the servers' own znodes.
    case quotaOfServers
    /// A quota on a znode that does not exist.
    case quotaOfNothing
    case nestedQuota(other: String, isAbove: Bool)
    case badLimit(LimitMistake)
    /// An argument that the client refused before it sent anything, or the server.
    case refusedArgument
    case clientConfiguration
    /// A signal ends the process.
    case signal
  }

  /// What is wrong with an option.
  package enum OptionMistake: Hashable, Sendable {
    case unknown, lacksValue, isMissing, excludesAnother
  }

  /// Options of `create` that exclude each other.
  package enum CreateModeConflict: Hashable, Sendable {
    case container, ephemeralTTL, ttlOutOfRange
  }

  /// What is wrong with the limit of a quota.
  package enum LimitMistake: Hashable, Sendable {
    case notANumber, countBelowOne, bytesBelowZero
  }

  /// The same error with its reason.
  func because(_ reason: Reason) -> ShellError {
    var error = self
    error.reason = reason
    return error
  }

  /// A value, or the failure to make it with a reason.
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
