package import TransportSecurity
package import ZooKeeperSandbox

/// What is served, to whom, and where.
package struct WebSettings: Sendable {
  /// The address that is listened on.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 9090
  /// Further names by which clients may call this server.
  package var names: [String] = []
  /// How connections are encrypted; nil for connections in the clear.
  package var tls: TLSContext?
  /// Who may use the server; nil for everyone who can connect.
  package var login: LoginPolicy?
  /// Whether nothing may be changed.
  package var isReadOnly = false
  /// The ensembles, each under another name; there is at least one.
  package var clusters: [WebCluster]
  /// The cluster of requests that name none.
  package var current: String
  /// The servers that this process runs itself, which can be killed, partitioned and so on.
  package var sandbox: LocalEnsemble?
  /// The program's version.
  package var version: String
  /// What the shell does for the server.
  package var shell: WebShell
  /// Takes the lines of the access log, from any thread.
  package var log: @Sendable (String) -> Void = { _ in }

  package init(clusters: [WebCluster], current: String, version: String, shell: WebShell) {
    self.clusters = clusters
    self.current = current
    self.version = version
    self.shell = shell
  }
}

/// How clients prove who they are. Any one of the ways is enough.
package struct LoginPolicy: Sendable {
  /// A secret that lets everyone in who has it; nil if there is none.
  package var token: String?
  /// Users and their passwords; nil if there are none.
  package var passwords: PasswordFile?
  /// Whether a certificate that the listener has accepted is enough.
  package var acceptsCertificates = false

  package init(token: String? = nil, passwords: PasswordFile? = nil, acceptsCertificates: Bool = false) {
    self.token = token
    self.passwords = passwords
    self.acceptsCertificates = acceptsCertificates
  }

  /// The ways as the page knows them.
  var methods: [String] {
    (token == nil ? [] : ["token"]) + (passwords == nil ? [] : ["password"])
      + (acceptsCertificates ? ["certificate"] : [])
  }
}

/// Why the server does not start.
package struct WebStartError: Error, Hashable, Sendable {
  /// What went wrong.
  package var message: String
  /// What to do about it.
  package var hint: String?

  package init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

/// What is accepted at most.
enum WebLimits {
  /// The data of a znode: what servers take in one request, unless `jute.maxbuffer` says otherwise.
  static let valueBytes = 1 << 20
  /// A file of znodes.
  static let uploadBytes = 32 << 20
  /// A body in JSON: the data of a znode with all bytes escaped.
  static let bodyBytes = 7 << 20
  /// The names of an answer with children.
  static let listNames = 200_000
  /// The stats of one answer.
  static let statNames = 500
  /// The connections.
  static let connections = 1024
  /// The files that are received at the same time.
  static let uploads = 2
  /// The streams of events.
  static let streams = 256
  /// What waits for the reader of a stream.
  static let streamBytes = 1 << 20
  /// The znodes whose children a stream follows, and those whose data it follows.
  static let followedChildren = 1000
  static let followedData = 100
  /// The znodes that all streams follow together, on one cluster.
  static let followedPaths = 50_000
  /// The jobs that run at the same time, and those that are remembered.
  static let runningJobs = 4
  static let rememberedJobs = 100
  /// The failures that a job tells.
  static let jobFailures = 100
  /// The subtrees that are searched, counted or exported at the same time.
  static let walks = 8
  /// The znodes of a subtree that are counted.
  static let countedZnodes = 1_000_000
  /// What compressed data may decompress to.
  static let decodedBytes = 8 << 20
}
