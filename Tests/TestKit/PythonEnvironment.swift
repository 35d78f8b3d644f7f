import Foundation

/// A Python with packages from PyPI, for tests that drive other programs with it.
public enum PythonEnvironment {
  /// A Python with what a file of requirements names, made by pip once for each set of versions; its path.
  ///
  /// - Parameters:
  ///   - name: what the environment is called, beside the build's products.
  ///   - requirements: the path of the file.
  /// - Throws: `TestKitError.missing` if it cannot be made, with what pip said.
  public static func make(_ name: String, requirements: String) async throws -> String {
    let contents = try Data(contentsOf: URL(filePath: requirements))
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in contents { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let build = URL(filePath: try Products.executable("zkcli")).deletingLastPathComponent().deletingLastPathComponent()
    let home = build.appending(path: "\(name)-\(String(hash, radix: 16))").path
    let python = "\(home)/bin/python"
    if FileManager.default.fileExists(atPath: "\(home)/complete") { return python }
    try? FileManager.default.removeItem(atPath: home)
    // What pip is told of proxies and mirrors comes from outside.
    let environment = ProcessInfo.processInfo.environment
    for words in [
      ["/usr/bin/python3", "-m", "venv", home],
      [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements],
    ] {
      let run = try await CommandRun.run(
        words[0], Array(words.dropFirst()), environment: environment, timeLimit: .seconds(240))
      guard run.exitStatus == 0 else {
        throw TestKitError(
          .missing, "\(name) from PyPI (apt-get install python3-venv): \(run.output)\(run.errorOutput)")
      }
    }
    try Data().write(to: URL(filePath: "\(home)/complete"))
    return python
  }
}
