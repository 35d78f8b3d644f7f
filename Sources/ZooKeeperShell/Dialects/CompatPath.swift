import ZooKeeperProtocol

/// Paths as zkCli.sh takes them: absolute, and refused in Java's words.
///
/// *Source*: `org.apache.zookeeper.common.PathUtils`.
enum CompatPath {
  /// Checks a path.
  ///
  /// - Throws: a usage error with zkCli.sh's message.
  static func check(_ word: Word, isSequential: Bool) throws(ShellError) -> String {
    let path = word.text
    do throws(ZnodePathError) {
      try ZnodePath.validate(path, isSequential: isSequential)
    } catch {
      var failure = ShellError.usage("path \(Tokenizer.quote(word)) is not valid")
      failure.apacheText = words(for: error)
      throw failure
    }
    return path
  }

  private static func words(for error: ZnodePathError) -> String {
    func invalid(_ reason: String) -> String { "Invalid path string \"\(error.path)\" caused by \(reason)" }
    return switch error.reason {
    case .empty: "Path length must be > 0"
    case .notAbsolute: "Path must start with / character"
    case .trailingSlash: "Path must not end with / character"
    case .emptyComponent(let offset): invalid("empty node name specified @\(offset)")
    case .relativeComponent(let offset): invalid("relative paths not allowed @\(offset)")
    case .forbiddenCharacter(let scalar, let offset):
      invalid(scalar.value == 0 ? "null character not allowed @\(offset)" : "invalid character @\(offset)")
    }
  }
}
