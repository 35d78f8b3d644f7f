/// The only imports allowed, by target: the table of the design, as data.
enum ImportTable {
  /// The C library, under its name on each platform.
  private static let platform: Set<String> = ["Glibc", "Darwin", "Musl"]
  private static let networking: Set<String> = ["NIOCore", "NIOPosix", "Logging"]
  /// The rules of requests and of agreement, in which nothing may do I/O, tell the time, lock or draw random numbers.
  private static let core: Set<String> = [
    "EnsembleCore", "ServerCore", "Zab", "ZnodeTree", "TxnLog", "ZooKeeperProtocol", "Jute",
  ]

  /// What each target may import; a target that is not here may not exist.
  static let allowed: [String: Set<String>] = [
    "Jute": [],
    "ZooKeeperProtocol": ["Jute"],
    "Digests": [],
    "JSONFormat": [],
    "TransportSecurity": platform.union([
      "Digests", "ZooKeeperProtocol", "NIOCore", "NIOTLS", "NIOSSL", "Synchronization",
    ]),
    "SASL": ["Digests"],
    "CGSSAPI": [],
    "GSSAPI": platform.union(["CGSSAPI", "SASL"]),
    "CZlib": [],
    "Zlib": ["CZlib"],
    "CDeflate": [],
    "Checksums": ["CDeflate"],
    "CMemory": [],
    "ZnodeTree": ["ZooKeeperProtocol", "Jute", "Checksums", "CMemory"],
    "ServerCore": ["ZnodeTree", "ZooKeeperProtocol", "Jute", "Digests", "SASL", "DequeModule"],
    "Zab": ["ZooKeeperProtocol"],
    "EnsembleCore": ["Zab", "ServerCore", "ZnodeTree", "TxnLog", "ZooKeeperProtocol", "Jute"],
    "CWriteQueue": [],
    "TxnLog": platform.union(["ZooKeeperProtocol", "Jute", "Checksums", "CWriteQueue", "Zlib"]),
    "ZooKeeperHistory": ["TxnLog", "ServerCore", "ZnodeTree", "ZooKeeperProtocol", "Jute"],
    "StorageTesting": ["TxnLog", "ZooKeeperProtocol", "Jute", "Checksums"],
    "ZooKeeperServer": core.union(networking).union(platform).union([
      "TransportSecurity", "NIOHTTP1", "NIOConcurrencyHelpers", "Synchronization", "SASL", "GSSAPI", "JSONFormat",
    ]),
    "ZooKeeperClient": networking.union(platform).union([
      "ZooKeeperProtocol", "Jute", "TransportSecurity", "DequeModule", "Synchronization", "SASL", "GSSAPI",
    ]),
    "ZooKeeperRecipes": ["ZooKeeperClient", "ZooKeeperProtocol"],
    "ZooKeeperTrees": ["ZooKeeperClient", "ZooKeeperProtocol", "Digests", "DequeModule", "Synchronization"],
    "ZooKeeperMonitor": [
      "ZooKeeperClient", "ZooKeeperProtocol", "TransportSecurity", "JSONFormat", "Platform", "NIOCore", "NIOPosix",
      "NIOHTTP1", "Synchronization",
    ],
    "ZooKeeperSandbox": platform.union([
      "ZooKeeperServer", "ZooKeeperProtocol", "TransportSecurity", "Logging", "Synchronization",
    ]),
    "ZnodeFormats": platform.union(["JSONFormat", "ZooKeeperProtocol", "ZooKeeperSandbox", "Zlib"]),
    "ZooKeeperWeb": platform.union([
      "Digests", "JSONFormat", "Platform", "TransportSecurity", "ZnodeFormats", "Zlib", "ZooKeeperClient",
      "ZooKeeperMonitor", "ZooKeeperProtocol", "ZooKeeperRecipes", "ZooKeeperSandbox", "ZooKeeperTrees", "NIOCore",
      "NIOPosix", "NIOHTTP1", "Synchronization",
    ]),
    "EmbedPage": ["PackagePlugin", "Foundation"],
    "CSpawn": [],
    "Platform": platform.union(["CMemory", "CSpawn", "Synchronization"]),
    "CLibEdit": [],
    "LineEditor": platform.union(["CLibEdit", "Platform", "Synchronization"]),
    "ZooKeeperShell": platform.union([
      "Digests", "JSONFormat", "ZooKeeperClient", "ZooKeeperRecipes", "ZooKeeperTrees", "ZooKeeperMonitor",
      "ZooKeeperHistory", "TxnLog", "ZooKeeperProtocol", "TransportSecurity", "SASL", "LineEditor", "Platform",
      "ZooKeeperSandbox", "ZooKeeperWeb", "ZnodeFormats", "Synchronization",
    ]),
    "ZabSimulator": core.union(platform).union(["StorageTesting"]),
    "zkcli": ["ZooKeeperShell"],
    "zabsim": ["ZabSimulator"],
  ]

  /// Every module that the table names.
  static var modules: Set<String> { allowed.values.reduce(into: Set(allowed.keys)) { $0.formUnion($1) } }

  /// Files that alone in their target may import the platform's C library.
  static let platformFiles: [String: String] = [
    "TxnLog": "PosixFileSystem.swift", "ZabSimulator": "ExitProcess.swift",
  ]

  /// Whether the file `fileName` of `target` may import `module`.
  static func allows(_ module: String, in target: String, fileName: String) -> Bool {
    guard allowed[target]?.contains(module) == true else { return false }
    guard platform.contains(module), let only = platformFiles[target] else { return true }
    return fileName == only
  }
}
