public import ZooKeeperClient
import ZooKeeperProtocol

/// Numbers that are given out once each, in rising order: the sequence numbers of znodes.
///
/// The znode that carries a number is taken away again at once; the server counts those that were ever created. A
/// number is lost, and never given out twice, when its receiver dies. The count begins anew when the parent is deleted
/// and created again, and ends after 2³¹.
public struct IdentifierSource: Sendable {
  public let path: String
  private let recipe: RecipeClient

  /// A source at `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// The next number, from 0.
  public func next() async throws -> Int64 {
    try await ensure()
    let prefix = ProtectedName().curatorPrefix
    let name = try await recipe.createProtected(in: path, prefix: prefix, base: "id-", data: nil)
    try await recipe.remove(ZnodePath.child(name, of: path))
    guard let number = Int64(name.dropFirst(prefix.utf8.count + "id-".utf8.count)), number >= 0 else {
      throw RecipeError(.malformed("the count of \(name) is over"), path: path)
    }
    return number
  }

  /// A container would be taken away when it is empty, and the count with it.
  private func ensure() async throws {
    guard try await recipe.stat(of: path) == nil else { return }
    try await recipe.ensureParent(of: path)
    try await recipe.createIfMissing(path)
  }
}
