import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

/// In which way the shell is being used; it decides little things such as line ends.
enum RunMode: Hashable, Sendable {
  /// One command on the command line.
  case oneShot
  /// Commands from a file or a pipe.
  case script
  /// A person at a terminal.
  case interactive
}

/// What a command sees of the world while it runs.
struct CommandContext: Sendable {
  var invocation: Invocation
  /// Where relative paths start.
  var directory: String
  let mode: RunMode
  let dialect: any Dialect
  let maximumFrameBytes: Int
  let servers: [ServerAddress]
  /// How connections to them are encrypted; nil if they are not.
  let tls: TLSContext?
  /// How a connection is encrypted that must be, with the same certificates.
  let secureContext: @Sendable () throws(ShellError) -> TLSContext
  /// What the session would authenticate with: schemes, and what proves the identities.
  let credentials: @Sendable () async throws -> [(scheme: String, proof: [UInt8])]
  /// The path of the connect string that is the root here; nil for the servers' own root.
  let chroot: String?
  /// The cluster, if the servers were named by one.
  let cluster: NamedCluster?
  let values: DataArgumentReader
  /// How long the program's options allow to wait for something to happen; nil is indefinitely.
  let waitLimit: Duration?
  let forwarder: SignalForwarder
  /// Whether nothing is lost with the session but what the command itself holds: no command before it in this session
  /// has written.
  let sessionHoldsNothing: Bool
  /// Takes what the command has to say, piece by piece.
  let emit: @Sendable (CommandResult) throws(ShellError) -> Void
  /// Writes what has been emitted: a reader may be waiting for it.
  let flush: @Sendable () throws(ShellError) -> Void
  /// The command that runs the person's editor, as `/bin/sh` reads it.
  let editor: String
  /// Opens a session with another ensemble, which ends with the command.
  let openOther: @Sendable (ConnectString) async throws -> ZooKeeperClient
  /// Opens a session with a cluster of the configuration file, which ends with the command.
  let openCluster: @Sendable (String) async throws -> (ZooKeeperClient, NamedCluster, ConnectString)
  /// Opens a session with exactly one server, which ends with the command. The duration limits connecting and each
  /// request.
  let openMember: @Sendable (ServerAddress, Duration) async throws -> ZooKeeperClient
  /// Whether a command may take the whole terminal.
  let showsScreen: Bool
  /// Shows how far the command has got.
  let progress: Progress
  /// Makes a new session in the place of one that has expired.
  let reopen: @Sendable () async throws -> ZooKeeperClient

  /// The znode at an argument's place, which the command requires.
  func path(at index: Int = 0) throws(ShellError) -> String {
    guard let path = try optionalPath(at: index) else {
      throw .missing("argument", "path", of: invocation.spec)
    }
    return path
  }

  /// The znode at an argument's place, or nil when it was left out.
  func optionalPath(at index: Int = 0, isSequential: Bool = false) throws(ShellError) -> String? {
    guard let word = invocation.argument(index) else { return nil }
    return try path(of: word, isSequential: isSequential)
  }

  /// The znode that a word names.
  func path(of word: Word, isSequential: Bool = false) throws(ShellError) -> String {
    try dialect.path(word, in: directory, isSequential: isSequential)
  }

  /// The bytes that a data argument denotes: itself, stdin for `-`, a file for `@name`.
  func data(_ word: Word) async throws(ShellError) -> [UInt8] {
    try await dialect.data(word, from: values)
  }

  /// The ACL that a word spells.
  func acl(_ word: Word) throws(ShellError) -> [ACL] {
    let (entries, complaints) = try dialect.acl(word)
    for complaint in complaints { try emit(.warning(complaint)) }
    // Apache's client sends no empty list.
    guard !entries.isEmpty else { throw ShellError(.invalidACL, path: nil) }
    return entries
  }

  /// Whether the command waits for the event of the watch that it has set: only then is a watch of any use to a
  /// process that ends with its command.
  var awaitsEvents: Bool { mode == .oneShot && dialect.awaitsEvents }
}
