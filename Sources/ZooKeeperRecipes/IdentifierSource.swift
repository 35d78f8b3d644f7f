public import ZooKeeperClient
import ZooKeeperProtocol

/// Numbers that are given out once each, in rising order: the sequence numbers of znodes.
///
/// The znode that carries a number is taken away again at once; the server counts those that were ever created. A
/// number is lost, and never given out twice, when its receiver dies. The count begins anew when the parent is deleted
/// and created again, and ends with 2147483646: the number behind it is one that servers give again and again.
public struct IdentifierSource: Sendable {
  public let path: String
  private let recipe: RecipeClient

  /// A source at `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// The next number, from 0.
  ///
  /// - Throws: `RecipeError` with `exhausted` when there are no more.
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

  /// A container would be taken away when it is empty, and the count with it.
  private func ensure() async throws {
    guard try await recipe.stat(of: path) == nil else { return }
    try await recipe.ensureParent(of: path)
    try await recipe.createIfMissing(path)
  }
}
