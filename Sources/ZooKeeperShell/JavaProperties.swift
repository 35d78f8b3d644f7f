import ZooKeeperProtocol

/// A file of Java client properties, as `-client-configuration` names one.
struct JavaProperties {
  let file: String
  let entries: [PropertiesText.Entry]
  /// What is to be said if there are passwords in it that others can read.
  let warning: String?

  /// Reads a file.
  ///
  /// - Throws: `ClientConfiguration` with exit code 12 when it cannot be read.
  init(file: String) throws(ShellError) {
    self.file = file
    do throws(ShellError) {
      let (bytes, exposure) = try Files.readSecret(file)
      let entries = PropertiesText(parsing: String(decoding: bytes, as: UTF8.self)).entries
      let hasSecrets = entries.contains { $0.key.lowercased().hasSuffix("password") && !$0.value.isEmpty }
      self.entries = entries
      warning = hasSecrets ? exposure : nil
    } catch {
      var error = error
      error.word = "ClientConfiguration"
      error.apacheExitCode = .usage
      throw error
    }
  }
}
