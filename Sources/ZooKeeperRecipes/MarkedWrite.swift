import ZooKeeperClient
import ZooKeeperProtocol

/// A write that may not happen twice, together with the mark that tells whether it has.
///
/// An ephemeral znode of a name of its own is created in the same transaction: when the answer is lost, the mark tells
/// what became of the write, and a second attempt finds it in the way.
struct MarkedWrite: Sendable {
  let recipe: RecipeClient
  /// The mark; its parent must exist.
  let mark: String

  /// A write with a new mark under `parent`.
  init(_ recipe: RecipeClient, markUnder parent: String) {
    self.recipe = recipe
    mark = ZnodePath.child(ProtectedName().curatorPrefix + "mark", of: parent)
  }

  /// Carries out `operations` once, and takes the mark away.
  ///
  /// - Returns: their results; nil when the answer was lost and the mark has told that they were carried out.
  /// - Throws: NoNode when the parent of the mark does not exist; `ZooKeeperError` with `rolledBack`, whose results
  ///   are those of `operations`; `sessionExpired`, and then nobody knows.
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
        guard error.isPassing else { throw error }
        try await recipe.client.connected(failsFast: false)
        isUncertain = true
      }
    }
  }
}

extension ZooKeeperError {
  /// Which operation of a transaction failed it, and why.
  var failedOperation: (index: Int, error: KeeperError)? {
    guard case .rolledBack(let results) = code else { return nil }
    for (index, result) in results.enumerated() {
      if case .error(let error) = result, error != .ok, error != .runtimeInconsistency { return (index, error) }
    }
    return nil
  }
}
