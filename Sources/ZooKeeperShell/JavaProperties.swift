import ZooKeeperProtocol

/// A file of Java client properties, as `-client-configuration` names one.
struct JavaProperties {
  let file: String
  let entries: [PropertiesText.Entry]

  /// Reads a file.
  ///
  /// - Throws: `ClientConfiguration` with exit code 12 when it cannot be read.
  init(file: String) throws(ShellError) {
    self.file = file
    do throws(ShellError) {
      entries = PropertiesText(parsing: String(decoding: try Files.read(file), as: UTF8.self)).entries
    } catch {
      var error = error
      error.word = "ClientConfiguration"
      error.apacheExitCode = .usage
      throw error
    }
  }
}
