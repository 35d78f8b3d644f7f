/// The exit codes of the process. They must not change, because scripts depend on them.
///
/// `zkcli help exit-codes` and the manual page print this table.
package struct ExitCode: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// Success; a predicate is true.
  package static let success = ExitCode(rawValue: 0)
  /// A predicate is false, and nothing went wrong.
  package static let no = ExitCode(rawValue: 1)
  /// The command line is wrong.
  package static let usage = ExitCode(rawValue: 2)
  /// A znode does not exist.
  package static let noNode = ExitCode(rawValue: 3)
  /// The state of the tree is not the one that the command requires.
  package static let conflict = ExitCode(rawValue: 4)
  /// The server refuses this client.
  package static let notAllowed = ExitCode(rawValue: 5)
  /// Over a limit.
  package static let overLimit = ExitCode(rawValue: 6)
  /// No server could be reached, or the connection was lost with the outcome unknown.
  package static let cannotConnect = ExitCode(rawValue: 7)
  /// The time limit passed.
  package static let timedOut = ExitCode(rawValue: 8)
  /// The session is over.
  package static let sessionLost = ExitCode(rawValue: 9)
  /// The ensemble cannot do it now, or not at all.
  package static let ensembleCannot = ExitCode(rawValue: 10)
  /// A bulk operation is incomplete.
  package static let partial = ExitCode(rawValue: 11)
  /// A local file or pipe failed.
  package static let localInputOutput = ExitCode(rawValue: 12)

  /// Ended by a signal, as a shell reports it: 128 plus the signal's number.
  package static func signal(_ number: Int32) -> ExitCode { ExitCode(rawValue: 128 + number) }

  /// The table for people: number or range, and meaning.
  package static let table: [(code: String, meaning: String)] = [
    ("0", "success; a predicate is true"),
    ("1", "the answer is no (exists, queue peek, commit); not an error"),
    ("2", "usage: unknown command or option, bad path, bad number, malformed ACL"),
    ("3", "NoNode: a znode does not exist"),
    ("4", "conflict: NodeExists, BadVersion, NotEmpty, NoChildrenForEphemerals, transaction rolled back"),
    ("5", "not allowed: NoAuth, AuthFailed, InvalidACL, read-only server"),
    ("6", "over a limit: quota, value or reply too large, throttled"),
    ("7", "cannot connect: refused, unresolved, or connection lost with the outcome unknown"),
    ("8", "timeout; a lock was not acquired"),
    ("9", "session expired; a lock or anything else that was held is lost"),
    ("10", "the ensemble cannot do it: no quorum, reconfiguration in progress, unimplemented, server error"),
    ("11", "partial: a recursive operation is incomplete (what remains is listed on stderr)"),
    ("12", "a local file or pipe failed"),
    (
      "126, 127",
      "the command after -- cannot be executed, or does not exist; otherwise the exit code is that of the command"
    ),
    ("128+n", "ended by signal n (130 after ^C, 143 after SIGTERM)"),
  ]
}
