import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

/// How the shell is used; details such as line ends depend on it.
enum RunMode: Hashable, Sendable {
  /// One command on the command line.
  case oneShot
  /// Commands from a file or a pipe.
  case script
  /// A user at a terminal.
  case interactive
}

/// The environment of a command while it runs.
struct CommandContext: Sendable {
  var invocation: Invocation
  /// Where relative paths start.
  var directory: String
  let mode: RunMode
  let dialect: any Dialect
  let maximumFrameBytes: Int
  let servers: [ServerAddress]
  /// How connections to the servers are encrypted; nil for connections in the clear.
  let tls: TLSContext?
  /// Creates the context for a connection that must be encrypted, with the same certificates.
  let secureContext: @Sendable () throws(ShellError) -> TLSContext
  /// The identities with which the session would authenticate: schemes and proofs.
  let credentials: @Sendable () async throws -> [(scheme: String, proof: [UInt8])]
  /// The chroot of the connect string; nil for the servers' own root.
  let chroot: String?
  /// The cluster, if the servers were named by one.
  let cluster: NamedCluster?
  let values: DataArgumentReader
  /// How long the program's options allow a command to wait for an event; nil for indefinitely.
  let waitLimit: Duration?
  let forwarder: SignalForwarder
  /// Whether the session holds nothing except what this command holds: no earlier command in it has written.
  let sessionHoldsNothing: Bool
  /// Accepts the command's results one by one.
  let emit: @Sendable (CommandResult) throws(ShellError) -> Void
  /// Writes what has been emitted, because a reader may be waiting for it.
  let flush: @Sendable () throws(ShellError) -> Void
  /// The command that runs the user's editor, in the syntax of `/bin/sh`.
  let editor: String
  /// Opens a session with another ensemble, which ends with the command.
  let openOther: @Sendable (ConnectString) async throws -> ZooKeeperClient
  /// Opens a session with a cluster of the configuration file, which ends with the command.
  let openCluster: @Sendable (String) async throws -> (ZooKeeperClient, NamedCluster, ConnectString)
  /// Opens a session with exactly one server, which ends with the command. The duration limits connecting and each
  /// request.
  let openMember: @Sendable (ServerAddress, Duration) async throws -> ZooKeeperClient
  /// Whether a command may use the whole terminal.
  let showsScreen: Bool
  /// Shows the command's progress.
  let progress: Progress
  /// Creates a new session in place of one that has expired.
  let reopen: @Sendable () async throws -> ZooKeeperClient

  /// The path of the znode that a required argument names.
  func path(at index: Int = 0) throws(ShellError) -> String {
    guard let path = try optionalPath(at: index) else {
      throw .missing("argument", "path", of: invocation.spec)
    }
    return path
  }

  /// The path of the znode that an optional argument names, or nil if it was left out.
  func optionalPath(at index: Int = 0, isSequential: Bool = false) throws(ShellError) -> String? {
    guard let word = invocation.argument(index) else { return nil }
    return try path(of: word, isSequential: isSequential)
  }

  /// The path of the znode that an argument names.
  func path(of word: Word, isSequential: Bool = false) throws(ShellError) -> String {
    try dialect.path(word, in: directory, isSequential: isSequential)
  }

  /// The bytes that a data argument denotes: the argument itself, stdin for `-`, a file for `@name`.
  func data(_ word: Word) async throws(ShellError) -> [UInt8] {
    try await dialect.data(word, from: values)
  }

  /// The ACL that an argument denotes.
  func acl(_ word: Word) throws(ShellError) -> [ACL] {
    let (entries, complaints) = try dialect.acl(word)
    for complaint in complaints { try emit(.warning(complaint)) }
    // Apache's client does not send an empty list.
    guard !entries.isEmpty else { throw ShellError(.invalidACL, path: nil) }
    return entries
  }

  /// Whether the command waits for the event of the watch that it has set. Otherwise the watch would be useless,
  /// because the process ends with its command.
  var awaitsEvents: Bool { mode == .oneShot && dialect.awaitsEvents }
}
