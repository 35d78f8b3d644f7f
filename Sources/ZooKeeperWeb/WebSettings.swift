package import TransportSecurity
package import ZooKeeperSandbox

/// The settings of the page: contents, address and access.
package struct WebSettings: Sendable {
  /// The address to listen on.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 9090
  /// Further host names that clients may use.
  package var names: [String] = []
  /// How connections are encrypted; nil for connections in the clear.
  package var tls: TLSContext?
  /// The required login; nil to admit every client that can connect.
  package var login: LoginPolicy?
  /// Whether changes are refused.
  package var isReadOnly = false
  /// The ensembles, with distinct names; at least one.
  package var clusters: [WebCluster]
  /// The default cluster of requests.
  package var current: String
  /// The servers of the sandbox, into which faults can be injected.
  package var sandbox: LocalEnsemble?
  /// The program's version.
  package var version: String
  /// Functions of the shell that the server uses.
  package var shell: WebShell
  /// Writes a line of the access log. Called on any thread.
  package var log: @Sendable (String) -> Void = { _ in }

  package init(clusters: [WebCluster], current: String, version: String, shell: WebShell) {
    self.clusters = clusters
    self.current = current
    self.version = version
    self.shell = shell
  }
}

/// The ways in which clients can log in; any one of them is enough.
package struct LoginPolicy: Sendable {
  /// A secret that admits every client that has it; nil for none.
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

  /// The names of the methods for the page.
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

/// Limits of the server.
enum WebLimits {
  /// The data of a znode: the amount that servers accept in one request with a path, by the default of
  /// `jute.maxbuffer`.
  static let valueBytes = 0xfffff - 2048
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
  /// The buffer for the reader of a stream.
  static let streamBytes = 1 << 20
  /// The znodes whose children a stream follows, and those whose data it follows.
  static let followedChildren = 1000
  static let followedData = 100
  /// The znodes that all streams follow together, on one cluster.
  static let followedPaths = 50_000
  /// The jobs that run at the same time, and those that are remembered.
  static let runningJobs = 4
  static let rememberedJobs = 100
  /// The failures that a job shows.
  static let jobFailures = 100
  /// The subtrees that are searched, counted or exported at the same time.
  static let walks = 8
  /// The lists of children that are made at the same time.
  static let listings = 8
  /// The znodes of a subtree that are counted.
  static let countedZnodes = 1_000_000
  /// The maximum size of decompressed data.
  static let decodedBytes = 8 << 20
}
