import ZooKeeperClient
import ZooKeeperProtocol

/// Participants in the order in which they came: the children of a znode with sequence numbers in their names.
///
/// Each waits for one other, the last before it that is in its way, so that a release wakes one. Where the numbers come
/// to their end, the transactions that created the znodes tell the order (`SequenceNumbers`).
///
/// *Source*: ZooKeeper's documentation, "Recipes and Solutions", on locks; names of Curator's and kazoo's recipes.
struct WaitingLine: Sendable {
  let recipe: RecipeClient
  let parent: String

  /// A participant, as its name tells.
  struct Place: Sequenced, Hashable, Sendable {
    var name: String
    /// Counts the znodes that were ever created under the parent, up to its end.
    var sequence: Int32
    var creation: Zxid?
    /// Whether it shares with others of its kind.
    var isShared: Bool

    /// Reads the name of a znode; nil when it is none of the recipes'.
    init?(name: String) {
      // What stands before the sequence number: of Curator's mutex, latch, lease and read/write lock, and of kazoo's.
      let markers = ["lock-", "latch-", "lease-", "__READ__", "__WRIT__", "__rlock__", "__lock__"]
      for marker in markers {
        guard let range = name.lastRange(of: marker) else { continue }
        let digits = name[range.upperBound...]
        guard digits.utf8.count >= 10, digits.utf8.first != UInt8(ascii: "+"), let sequence = Int32(digits) else {
          continue
        }
        self.name = name
        self.sequence = sequence
        isShared = marker == "__READ__" || marker == "__rlock__"
        return
      }
      return nil
    }
  }

  /// All participants, first come first.
  func places() async throws(ZooKeeperError) -> [Place] {
    let places = try await recipe.children(of: parent).compactMap(Place.init)
    return try await recipe.withOrder(places, in: parent).sorted { $0.wasCreated(before: $1) }
  }

  /// The last participant before `own` that `blocks` it; nil when it is its turn.
  ///
  /// - Throws: `RecipeError` with `removed` when `own` is not there any more.
  func blocker(of own: String, blocks: (Place) -> Bool) async throws -> String? {
    let places = try await places()
    guard let place = places.first(where: { $0.name == own }) else {
      throw RecipeError(.removed, path: ZnodePath.child(own, of: parent))
    }
    return places.last { $0.wasCreated(before: place) && blocks($0) }?.name
  }

  /// Waits until nobody before `own` blocks it.
  func awaitTurn(of own: String, blocks: @Sendable (Place) -> Bool) async throws {
    while let blocker = try await blocker(of: own, blocks: blocks) {
      do {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in
          // Unlike a watch on existence, this leaves none behind when the znode is gone already.
          try await client.watchData(ZnodePath.child(blocker, of: parent))
        }
        try await watch.events.awaitChange()
      } catch let error as ZooKeeperError {
        guard error.code == .server(.noNode) else { throw error }
      }
    }
  }

  /// The hold of a participant whose turn it is.
  ///
  /// - Throws: `RecipeError` with `removed` when it is not there any more.
  func hold(_ own: String) async throws -> Hold {
    let path = ZnodePath.child(own, of: parent)
    let asked = ContinuousClock.now
    guard let stat = try await recipe.stat(of: path) else { throw RecipeError(.removed, path: path) }
    return Hold(path: path, zxid: stat.czxid, recipe: recipe, proven: asked)
  }
}

extension String {
  /// Where `text` occurs for the last time; both are ASCII at that place.
  fileprivate func lastRange(of text: String) -> Range<String.Index>? {
    let wanted = [UInt8](text.utf8)
    let bytes = utf8
    guard bytes.count >= wanted.count else { return nil }
    var start = bytes.index(bytes.endIndex, offsetBy: -wanted.count)
    while true {
      let end = bytes.index(start, offsetBy: wanted.count)
      if bytes[start..<end].elementsEqual(wanted) { return start..<end }
      guard start > bytes.startIndex else { return nil }
      start = bytes.index(before: start)
    }
  }
}
