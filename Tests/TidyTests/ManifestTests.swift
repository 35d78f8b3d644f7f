import Foundation
import Testing

/// The manifest, the import table and the imports in the sources say the same.
@Suite struct ManifestTests {
  /// Modules that come with the toolchain, so that no manifest names them.
  private static let toolchain: Set<String> = [
    "Glibc", "Darwin", "Musl", "Synchronization", "PackagePlugin", "Foundation",
  ]

  private func manifest() throws -> Manifest {
    Manifest(try String(contentsOf: TreeTests.root.appending(path: "Package.swift"), encoding: .utf8))
  }

  @Test func manifestDeclaresWhatTheTableAllows() throws {
    let manifest = try manifest()
    #expect(Set(manifest.dependencies.keys) == Set(ImportTable.allowed.keys))
    for (target, allowed) in ImportTable.allowed {
      let declared = manifest.dependencies[target] ?? []
      let expected = allowed.subtracting(Self.toolchain)
      #expect(declared == expected, "\(target): \(declared.symmetricDifference(expected).sorted())")
    }
  }

  @Test func everyDependencyIsImported() throws {
    var imported: [String: Set<String>] = [:]
    for path in try TreeTests.swiftFiles() where path.hasPrefix("Sources/") {
      let target = String(path.split(separator: "/")[1])
      let text = SwiftText(try String(contentsOf: TreeTests.root.appending(path: path), encoding: .utf8))
      imported[target, default: []].formUnion(text.codeLines.compactMap { Rules.importedModule($0) })
    }
    for (target, dependencies) in try manifest().dependencies {
      let unused = dependencies.subtracting(imported[target] ?? [])
      #expect(unused.isEmpty, "\(target) declares \(unused.sorted()) and never imports it")
    }
  }

  @Test func manifestIsRead() {
    let text = """
      products: [.library(name: "A", targets: ["A"])],
      .target(name: "A", swiftSettings: house),
      .target(
        name: "B",
        dependencies: [
          "A", .product(name: "NIOCore", package: "swift-nio"), .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: house),
      .systemLibrary(name: "C", pkgConfig: "c", providers: [.apt(["libc-dev"])]),
      .target(name: "Kit", path: "Tests/Kit"),
      .testTarget(name: "ATests", dependencies: ["A", "C"]),
      """
    #expect(Manifest(text).dependencies == ["A": [], "B": ["A", "NIOCore", "Logging"], "C": []])
  }
}
