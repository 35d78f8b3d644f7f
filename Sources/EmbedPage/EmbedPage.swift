import Foundation
import PackagePlugin

/// Puts the files of the page into the program, as a source that is made at each build and kept nowhere.
///
/// The package manager's own way to embed files makes arrays of numbers of them, for which the compiler takes twenty
/// seconds a hundred kilobytes. Here each file is one string literal.
@main struct EmbedPage: BuildToolPlugin {
  /// The command for a target that has a folder `Page`.
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let module = target as? SwiftSourceModuleTarget else { return [] }
    let folder = module.directoryURL.appending(path: "Page")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().filter { name in
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder.appending(path: name).path, isDirectory: &isDirectory)
      return !isDirectory.boolValue && !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
    let script = module.directoryURL.appending(path: "embed-page.sh")
    let output = context.pluginWorkDirectoryURL.appending(path: "PageContents.swift")
    return [
      .buildCommand(
        displayName: "Embedding the page", executable: URL(filePath: "/bin/sh"),
        arguments: [script.path, output.path, folder.path] + names,
        inputFiles: [script] + names.map { folder.appending(path: $0) }, outputFiles: [output])
    ]
  }
}
