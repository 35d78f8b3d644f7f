import ZooKeeperWeb

/// The files by which users of the page log in.
enum WebLoginFiles {
  /// Fewer could be guessed.
  private static let leastTokenBytes = 16

  /// The token in a file's first line.
  ///
  /// - Throws: exit code 12 if the file cannot be read, a usage error for a token that is too short.
  static func token(_ path: String) throws(ShellError) -> String {
    let (bytes, _) = try FileIO.readSecret(path)
    let token = String(decoding: bytes.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
    guard token.utf8.count >= leastTokenBytes else {
      throw .usage(
        "the token in \(path) has fewer than \(leastTokenBytes) bytes", hint: "openssl rand -hex 32 makes one")
    }
    return token
  }

  /// The users of a file.
  ///
  /// - Throws: exit code 12 if the file cannot be read, a usage error for a line that cannot be used.
  static func passwords(_ path: String) throws(ShellError) -> PasswordFile {
    let (bytes, _) = try FileIO.readSecret(path)
    do throws(WebStartError) {
      return try PasswordFile(parsing: String(decoding: bytes, as: UTF8.self))
    } catch {
      throw .usage("\(path): \(error.message)", hint: error.hint)
    }
  }
}
