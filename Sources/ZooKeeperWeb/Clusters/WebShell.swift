package import JSONFormat
package import ZooKeeperMonitor
package import ZooKeeperProtocol
package import ZooKeeperTrees

/// Functions of the shell that the server uses, so that both give the same answers.
package struct WebShell: Sendable {
  /// An error as the shell describes it.
  package struct Explanation: Sendable {
    package var word: String
    package var message: String
    package var hint: String?
    package var path: String?
    /// The exit code.
    package var code: Int

    package init(word: String, message: String, hint: String?, path: String?, code: Int) {
      self.word = word
      self.message = message
      self.hint = hint
      self.path = path
      self.code = code
    }
  }

  /// A file with the znodes of a subtree.
  package enum FileFormat: String, CaseIterable, Sendable {
    case jsonl, tar
  }

  /// Finds a matching line in a value; nil if there is none.
  package typealias LineSearch = @Sendable ([UInt8]) -> (number: Int, text: String)?

  /// Describes an error.
  package var explain: @Sendable (any Error) -> Explanation
  /// The document of `health -o json`.
  package var health: @Sendable (EnsembleReport) -> JSON
  /// Writes the znodes that the first function returns, until it returns nil, and passes the bytes to the second.
  package var export:
    @Sendable (
      FileFormat, _ root: String, _ next: () async throws -> TreeEntry?, _ write: ([UInt8]) async throws -> Void
    ) async throws -> Void
  /// The znodes in a file, parents before children, and names that are not valid for znodes.
  package var entries: @Sendable (FileFormat, [UInt8]) throws -> (entries: [TreeEntry], refusals: [(String, String)])
  /// Creates a search for a text, or for a regular expression if `isExpression` is true.
  package var search: @Sendable (_ text: String, _ isExpression: Bool, _ ignoresCase: Bool) throws -> LineSearch
  /// The entries of an ACL in JSON.
  package var acl: @Sendable (JSON) throws -> [ACL]

  package init(
    explain: @escaping @Sendable (any Error) -> Explanation, health: @escaping @Sendable (EnsembleReport) -> JSON,
    export:
      @escaping @Sendable (
        FileFormat, _ root: String, _ next: () async throws -> TreeEntry?, _ write: ([UInt8]) async throws -> Void
      ) async throws -> Void,
    entries: @escaping @Sendable (FileFormat, [UInt8]) throws -> (entries: [TreeEntry], refusals: [(String, String)]),
    search: @escaping @Sendable (_ text: String, _ isExpression: Bool, _ ignoresCase: Bool) throws -> LineSearch,
    acl: @escaping @Sendable (JSON) throws -> [ACL]
  ) {
    self.explain = explain
    self.health = health
    self.export = export
    self.entries = entries
    self.search = search
    self.acl = acl
  }
}
