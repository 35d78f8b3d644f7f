public import ZooKeeperClient
import ZooKeeperProtocol

/// Unique numbers in ascending order, for all clients of an ensemble: the sequence numbers of znodes.
///
/// The znode that carries a number is deleted at once; the server counts all that were ever created. If a client dies
/// before it has its number, the number is lost, and is not given out again. The count starts again at 0 if the parent
/// is deleted and created again. The last number is 2147483646, because servers give the next one more than once.
public struct IdentifierSource: Sendable {
  /// The parent of the znodes, which keeps the count.
  public let path: String
  private let recipe: RecipeClient

  /// A source at `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// The next number: 0 to 2147483646.
  ///
  /// - Throws: `RecipeError` with `exhausted` if all numbers have been given out; `ZooKeeperError`.
  public func next() async throws -> Int64 {
    try await ensure()
    let prefix = ProtectedName().curatorPrefix
    let name = try await recipe.createProtected(in: path, prefix: prefix, base: "id-", data: nil)
    try await recipe.remove(ZnodePath.child(name, of: path))
    guard let number = Int32(name.dropFirst(prefix.utf8.count + "id-".utf8.count)) else {
      throw RecipeError(.malformed("the server has numbered a znode as \(name)"), path: path)
    }
    guard number >= 0, number < SequenceNumbers.end else {
      throw RecipeError(
        .exhausted("all numbers have been given out; use another path, or delete this one to begin again at 0"),
        path: path)
    }
    return Int64(number)
  }

  /// Creates the parent if it is missing. It is not a container, which servers would delete while it is empty, and the
  /// count with it.
  private func ensure() async throws {
    guard try await recipe.stat(of: path) == nil else { return }
    try await recipe.ensureParent(of: path)
    try await recipe.createIfMissing(path)
  }
}
