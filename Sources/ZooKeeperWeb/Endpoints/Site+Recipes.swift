import ZooKeeperClient
import ZooKeeperProtocol

/// The endpoint for recipes.
extension Site {
  /// GET /recipes
  func recipes(_ request: WebRequest) async throws -> WebAnswer {
    let path = try request.query["path"].map { (text) throws(WebError) in try Self.checked(text) } ?? "/"
    let session = try session(of: request)
    let client = try await session.connected()
    return try await walks.run("walks") {
      var finder = RecipeFinder(client, path)
      try await finder.walk()
      let census = await session.census()
      let clients = Dictionary(census.sessions.map { ($0.id, $0.client) }) { first, _ in first }
      return .json(try await finder.document(clients: clients))
    }
  }
}
