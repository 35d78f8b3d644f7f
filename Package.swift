// swift-tools-version: 6.2
import PackageDescription

/// One set of language rules for every target; warnings stop the build in CI only, so that a newer
/// compiler's new warning never locks a user out of building a release.
let house: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// Bugs on purpose, which the tests of the simulator must find; release builds have no trace of them.
let mutations: [SwiftSetting] = [.define("ZAB_MUTATIONS", .when(configuration: .debug))]

let package = Package(
  name: "zkcli",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "zkcli", targets: ["zkcli"]),
    .library(name: "ZooKeeperClient", targets: ["ZooKeeperClient"]),
    .library(name: "ZooKeeperProtocol", targets: ["ZooKeeperProtocol"]),
    .library(name: "ZooKeeperRecipes", targets: ["ZooKeeperRecipes"]),
    .library(name: "ZooKeeperSandbox", targets: ["ZooKeeperSandbox"]),
    .library(name: "TransportSecurity", targets: ["TransportSecurity"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections.git", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
  ],
  targets: [
    .target(name: "Jute", swiftSettings: house),
    .target(name: "ZooKeeperProtocol", dependencies: ["Jute"], swiftSettings: house),
    .target(name: "Digests", swiftSettings: house),
    .target(name: "JSONFormat", swiftSettings: house),
    .target(name: "SASL", dependencies: ["Digests"], swiftSettings: house),
    .systemLibrary(name: "CGSSAPI"),
    .target(name: "GSSAPI", dependencies: ["CGSSAPI", "SASL"], swiftSettings: house),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Zlib", dependencies: ["CZlib"], swiftSettings: house),
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .target(name: "Checksums", dependencies: ["CDeflate"], swiftSettings: house),
    .systemLibrary(name: "CWriteQueue"),
    .target(
      name: "TxnLog", dependencies: ["Checksums", "CWriteQueue", "Jute", "ZooKeeperProtocol", "Zlib"],
      swiftSettings: house),
    .target(
      name: "StorageTesting", dependencies: ["Checksums", "TxnLog", "ZooKeeperProtocol", "Jute"], swiftSettings: house),
    .systemLibrary(name: "CMemory"),
    .target(
      name: "ZnodeTree", dependencies: ["Checksums", "CMemory", "Jute", "ZooKeeperProtocol"], swiftSettings: house),
    .target(
      name: "ServerCore",
      dependencies: [
        "Jute", "ZooKeeperProtocol", "ZnodeTree", "Digests", "SASL",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: house),
    .target(name: "Zab", dependencies: ["ZooKeeperProtocol"], swiftSettings: house + mutations),
    .target(
      name: "EnsembleCore", dependencies: ["Jute", "ZooKeeperProtocol", "ZnodeTree", "ServerCore", "Zab", "TxnLog"],
      swiftSettings: house),
    .target(
      name: "ZooKeeperHistory", dependencies: ["Jute", "ZooKeeperProtocol", "ZnodeTree", "ServerCore", "TxnLog"],
      swiftSettings: house),
    .target(
      name: "ZabSimulator",
      dependencies: [
        "Jute", "ZooKeeperProtocol", "ZnodeTree", "ServerCore", "Zab", "EnsembleCore", "TxnLog", "StorageTesting",
      ],
      swiftSettings: house + mutations),
    .executableTarget(name: "zabsim", dependencies: ["ZabSimulator"], swiftSettings: house),
    .target(
      name: "TransportSecurity",
      dependencies: [
        "Digests", "ZooKeeperProtocol",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: house),
    .target(
      name: "ZooKeeperClient",
      dependencies: [
        "Jute", "ZooKeeperProtocol", "TransportSecurity", "SASL", "GSSAPI",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: house),
    .target(
      name: "ZooKeeperRecipes", dependencies: ["ZooKeeperClient", "ZooKeeperProtocol"], swiftSettings: house),
    .target(
      name: "ZooKeeperTrees",
      dependencies: [
        "ZooKeeperClient", "ZooKeeperProtocol", "Digests", .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: house),
    .target(
      name: "ZooKeeperMonitor",
      dependencies: [
        "ZooKeeperClient", "ZooKeeperProtocol", "TransportSecurity", "JSONFormat", "Platform",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: house),
    .target(
      name: "ZooKeeperServer",
      dependencies: [
        "Jute", "ZooKeeperProtocol", "ZnodeTree", "ServerCore", "TxnLog", "Zab", "EnsembleCore", "TransportSecurity",
        "SASL", "GSSAPI", "JSONFormat",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: house),
    .target(
      name: "ZooKeeperSandbox",
      dependencies: [
        "ZooKeeperServer", "ZooKeeperProtocol", "TransportSecurity", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: house),
    .target(
      name: "ZnodeFormats", dependencies: ["JSONFormat", "ZooKeeperProtocol", "ZooKeeperSandbox", "Zlib"],
      swiftSettings: house),
    .plugin(name: "EmbedPage", capability: .buildTool(), path: "Sources/EmbedPage"),
    .target(
      name: "ZooKeeperWeb",
      dependencies: [
        "Digests", "JSONFormat", "Platform", "TransportSecurity", "ZnodeFormats", "Zlib", "ZooKeeperClient",
        "ZooKeeperMonitor", "ZooKeeperProtocol", "ZooKeeperRecipes", "ZooKeeperSandbox", "ZooKeeperTrees",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      exclude: ["Page", "embed-page.sh"], swiftSettings: house, plugins: ["EmbedPage"]),
    .systemLibrary(name: "CSpawn"),
    .target(name: "Platform", dependencies: ["CMemory", "CSpawn"], swiftSettings: house),
    .systemLibrary(name: "CLibEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .target(name: "LineEditor", dependencies: ["CLibEdit", "Platform"], swiftSettings: house),
    .target(
      name: "ZooKeeperShell",
      dependencies: [
        "Digests", "JSONFormat", "ZooKeeperClient", "ZooKeeperRecipes", "ZooKeeperTrees", "ZooKeeperMonitor",
        "ZooKeeperHistory", "TxnLog", "ZooKeeperProtocol", "TransportSecurity", "SASL", "LineEditor", "Platform",
        "ZooKeeperSandbox", "ZooKeeperWeb", "ZnodeFormats",
      ],
      swiftSettings: house),
    .executableTarget(
      name: "zkcli", dependencies: ["ZooKeeperShell"], exclude: ["Release", "StaticLibraries"], swiftSettings: house,
      linkerSettings: [
        // The C++ and unwinding libraries become a part of the program, which saves each command a millisecond in which
        // they would be loaded. LLD resolves symbols in whatever order the libraries are named.
        .unsafeFlags(
          [
            "-use-ld=lld", "-Xclang-linker", "-static-libgcc",
            "-L\(Context.packageDirectory)/Sources/zkcli/StaticLibraries",
            // What a command executes is a small part of 18 MB of code. Side by side, and not in pieces all over them,
            // it takes 10 MiB of resident memory instead of 17 (Tests/Benchmarks/order.sh).
            "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/zkcli/Release/order.txt",
            "-Xlinker", "--no-warn-symbol-ordering",
            // The table of the 65,000 addresses that are relocated at each start has 14 KB instead of 1.5 MB.
            "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
          ], .when(platforms: [.linux], configuration: .release))
      ]),

    .target(name: "CrowdLimit", path: "Tests/CrowdLimit"),
    .target(
      name: "TestKit", dependencies: ["CrowdLimit", "CSpawn"], path: "Tests/TestKit", resources: [.copy("Resources")],
      swiftSettings: house),
    .testTarget(name: "JuteTests", dependencies: ["Jute", "TestKit"], swiftSettings: house),
    .testTarget(
      name: "ZooKeeperProtocolTests", dependencies: ["ZooKeeperProtocol", "Jute", "TestKit"],
      exclude: ["Quorums"], resources: [.copy("client-vectors.json")], swiftSettings: house),
    .executableTarget(
      name: "log-benchmark", dependencies: ["Checksums", "TxnLog", "ZooKeeperProtocol"],
      path: "Tests/Benchmarks/LogBenchmark", swiftSettings: house),
    .testTarget(name: "DigestsTests", dependencies: ["Digests"], swiftSettings: house),
    .testTarget(
      name: "TransportSecurityTests",
      dependencies: ["TransportSecurity", "Digests", .product(name: "NIOSSL", package: "swift-nio-ssl")],
      exclude: ["Stores", "make-stores.sh"], swiftSettings: house),
    .testTarget(name: "SASLTests", dependencies: ["SASL"], swiftSettings: house),
    .testTarget(name: "ChecksumsTests", dependencies: ["Checksums"], swiftSettings: house),
    .testTarget(name: "ZlibTests", dependencies: ["Zlib"], swiftSettings: house),
    .testTarget(
      name: "TxnLogTests", dependencies: ["TxnLog", "StorageTesting", "ZooKeeperProtocol", "Jute", "TestKit"],
      resources: [.copy("Resources")], swiftSettings: house),
    .testTarget(
      name: "ZnodeTreeTests", dependencies: ["ZnodeTree", "ZooKeeperProtocol", "Jute"], swiftSettings: house),
    .testTarget(
      name: "ZooKeeperHistoryTests",
      dependencies: [
        "ZooKeeperHistory", "TxnLog", "StorageTesting", "ZnodeTree", "ZooKeeperProtocol", "Jute",
      ],
      swiftSettings: house),
    .testTarget(
      name: "ServerCoreTests", dependencies: ["ServerCore", "ZnodeTree", "ZooKeeperProtocol", "Jute"],
      swiftSettings: house),
    .executableTarget(
      name: "tree-memory", dependencies: ["ZnodeTree", "ZooKeeperProtocol", "Jute"],
      path: "Tests/Benchmarks/TreeMemory", swiftSettings: house),
    .testTarget(
      name: "ZooKeeperClientTests",
      dependencies: [
        "ZooKeeperClient", "ZooKeeperProtocol", "Jute", "TestKit",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: house),
    .testTarget(
      name: "ZooKeeperRecipesTests",
      dependencies: ["ZooKeeperRecipes", "ZooKeeperClient", "ZooKeeperProtocol", "TestKit", "zkcli"],
      swiftSettings: house),
    .testTarget(
      name: "ZooKeeperTreesTests",
      dependencies: ["ZooKeeperTrees", "ZooKeeperClient", "ZooKeeperProtocol", "TestKit", "zkcli"],
      swiftSettings: house),
    .testTarget(
      name: "ZooKeeperMonitorTests",
      dependencies: ["ZooKeeperMonitor", "ZooKeeperClient", "ZooKeeperProtocol", "TestKit"], swiftSettings: house),
    .testTarget(
      name: "ZooKeeperSandboxTests",
      dependencies: ["ZooKeeperSandbox", "ZooKeeperClient", "ZooKeeperProtocol", "TestKit"],
      swiftSettings: house),
    .testTarget(
      name: "ZooKeeperWebTests",
      dependencies: [
        "ZooKeeperWeb", "ZooKeeperSandbox", "ZooKeeperClient", "ZooKeeperProtocol", "JSONFormat", "TestKit",
      ],
      swiftSettings: house),
    .executableTarget(
      name: "line-editor-probe", dependencies: ["LineEditor"], path: "Tests/LineEditorProbe", swiftSettings: house),
    .testTarget(name: "LineEditorTests", dependencies: ["LineEditor", "line-editor-probe"], swiftSettings: house),
    .testTarget(
      name: "ShellTests",
      dependencies: [
        "ZooKeeperShell", "ZooKeeperClient", "ZooKeeperRecipes", "ZooKeeperProtocol", "ZooKeeperHistory", "Jute",
        "JSONFormat", "ZnodeFormats", "ZooKeeperSandbox", "TestKit", "zkcli",
      ],
      exclude: ["Completions.txt", "Transcripts"],
      swiftSettings: house),
    .testTarget(
      name: "ServerFaultTests",
      dependencies: ["TestKit", "zkcli", "ZooKeeperClient", "ZooKeeperProtocol", "Jute"], swiftSettings: house),
    .testTarget(
      name: "ZooKeeperServerTests",
      dependencies: [
        "ZooKeeperServer", "ServerCore", "EnsembleCore", "ZooKeeperProtocol", "Jute", "SASL", "TxnLog", "Zab",
        "ZnodeTree", "StorageTesting", "TestKit",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      exclude: ["ApacheKeys.txt", "ApacheMetrics.txt"], swiftSettings: house),
    .testTarget(
      name: "ServerTests", dependencies: ["TestKit", "zkcli"], exclude: ["Kazoo"], swiftSettings: house),
    .testTarget(
      name: "EnsembleTests", dependencies: ["TestKit", "zkcli", "ZooKeeperClient", "ZooKeeperProtocol", "Jute"],
      swiftSettings: house),
    .testTarget(name: "EndToEndTests", dependencies: ["TestKit", "zkcli"], swiftSettings: house),
    .testTarget(name: "BrowserTests", dependencies: ["TestKit", "zkcli"], swiftSettings: house),
    .testTarget(
      name: "EnsembleCoreTests",
      dependencies: [
        "EnsembleCore", "Zab", "ServerCore", "ZnodeTree", "TxnLog", "StorageTesting", "ZooKeeperProtocol", "Jute",
        "TestKit",
      ],
      swiftSettings: house),
    .testTarget(
      name: "ZabTests", dependencies: ["Zab", "ZooKeeperProtocol", "TestKit"], exclude: ["Scenarios"],
      swiftSettings: house + mutations),
    .testTarget(
      name: "ZabSimulatorTests", dependencies: ["ZabSimulator", "Zab", "StorageTesting", "ZooKeeperProtocol", "Jute"],
      resources: [.copy("seeds.txt")],
      swiftSettings: house + mutations),
    .testTarget(name: "TestKitTests", dependencies: ["TestKit", "zkcli"], swiftSettings: house),
    .testTarget(name: "TidyTests", exclude: ["BannedWords.txt"], swiftSettings: house),
  ],
  swiftLanguageModes: [.v6]
)
