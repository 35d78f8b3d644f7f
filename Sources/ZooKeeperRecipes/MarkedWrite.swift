import ZooKeeperClient
import ZooKeeperProtocol

/// A write that must not take effect twice, with a mark that shows whether it has.
///
/// An ephemeral znode with a unique name is created in the same transaction. If the reply is lost, the existence of the
/// mark shows whether the write was carried out; and should the first request arrive after all, a second attempt fails
/// because the mark exists.
struct MarkedWrite: Sendable {
  let recipe: RecipeClient
  /// The mark; its parent must exist.
  let mark: String

  /// A write with a new mark under `parent`.
  init(_ recipe: RecipeClient, markUnder parent: String) {
    self.recipe = recipe
    mark = ZnodePath.child(ProtectedName().curatorPrefix + "mark", of: parent)
  }

  /// Carries out `operations` once, and deletes the mark.
  ///
  /// - Returns: their results; nil if the reply was lost, and the mark showed that they were carried out.
  /// - Throws: NoNode if the parent of the mark does not exist; `rolledBack`, whose results are those of `operations`;
  ///   `sessionExpired`, after which it is unknown whether they were carried out.
  func run(_ operations: [MultiOperation]) async throws(ZooKeeperError) -> [MultiResult]? {
    var isUncertain = false
    let create = MultiOperation.create(
      CreateRequest(path: mark, data: nil, acl: ACL.openUnsafe, flags: CreateMode.ephemeral.flags))
    while true {
      do throws(ZooKeeperError) {
        if isUncertain {
          try await recipe.sync(mark)
          if try await recipe.stat(of: mark) != nil {
            try await recipe.remove(mark)
            return nil
          }
          isUncertain = false
        }
        let results = try await recipe.client.multi([create] + operations)
        try? await recipe.remove(mark)
        return [MultiResult](results.dropFirst())
      } catch {
        if let (index, failure) = error.failedOperation, index == 0 {
          throw ZooKeeperError(.server(failure), path: ZnodePath.parent(of: mark))
        }
        if case .rolledBack(let results) = error.code {
          throw ZooKeeperError(.rolledBack([MultiResult](results.dropFirst())), path: error.path)
        }
        guard error.isTransient else { throw error }
        try await recipe.client.connected(failsFast: false)
        isUncertain = true
      }
    }
  }
}

extension ZooKeeperError {
  /// The operation because of which a transaction failed, and its error.
  var failedOperation: (index: Int, error: KeeperError)? {
    guard case .rolledBack(let results) = code else { return nil }
    for (index, result) in results.enumerated() {
      if case .error(let error) = result, error != .ok, error != .runtimeInconsistency { return (index, error) }
    }
    return nil
  }
}
