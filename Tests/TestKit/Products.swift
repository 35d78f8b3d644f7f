import Foundation

/// The executables that the build put beside the test bundle.
public enum Products {
  /// The path of the built executable `name`.
  ///
  /// For `zkcli` it is what `ZKCLI_UNDER_TEST` says, if that is set: the tests are built without optimization, and what
  /// it breaks would be seen by users first.
  ///
  /// - Throws: `TestKitError.missing` if the build made none of that name.
  public static func executable(_ name: String) throws(TestKitError) -> String {
    if name == "zkcli", let path = ProcessInfo.processInfo.environment["ZKCLI_UNDER_TEST"] {
      guard access(path, X_OK) == 0 else { throw TestKitError(.missing, "no executable at ZKCLI_UNDER_TEST, \(path)") }
      return path
    }
    // On Linux the bundle is itself the running program; Bundle.main says the same at more cost.
    guard let bundle = realpath("/proc/self/exe", nil) else { throw .systemCall("realpath") }
    defer { free(bundle) }
    let path = URL(filePath: String(cString: bundle)).deletingLastPathComponent().appending(path: name).path
    guard access(path, X_OK) == 0 else { throw TestKitError(.missing, "no executable at \(path)") }
    return path
  }
}
