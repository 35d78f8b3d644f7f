import ZooKeeperProtocol

/// A file of Java client properties, given by `-client-configuration`.
struct JavaProperties {
  let file: String
  let entries: [PropertiesText.Entry]
  /// Warnings about harmless mistakes, with lines, and about passwords in the file that other users can read.
  let warnings: [String]

  /// Reads a file.
  ///
  /// - Throws: `ClientConfiguration` with exit code 12 if it cannot be read.
  init(file: String) throws(ShellError) {
    self.file = file
    do throws(ShellError) {
      let (bytes, exposure) = try FileIO.readSecret(file)
      let (entries, duplicates) = PropertiesText(parsing: PropertiesText.text(of: bytes)).counting()
      let hasSecrets = entries.contains { $0.key.lowercased().hasSuffix("password") && !$0.value.isEmpty }
      self.entries = entries
      warnings =
        duplicates.map { duplicate in
          let (first, last) = (duplicate.overridden, duplicate.counting)
          return "\(file):\(first.line): \(first.key) is set again in line \(last.line), which takes precedence"
        } + (hasSecrets ? [exposure].compactMap { $0 } : [])
    } catch {
      var error = error
      error.word = "ClientConfiguration"
      throw error.because(.clientConfiguration)
    }
  }
}
