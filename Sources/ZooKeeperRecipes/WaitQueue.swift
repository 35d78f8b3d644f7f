import ZooKeeperClient
import ZooKeeperProtocol

/// Participants in the order in which they came: the children of a znode with sequence numbers in their names.
///
/// Each waits for one other, the last before it that is in its way, so that a release wakes one client and not all of
/// them. After the end of the sequence numbers, the order is that of the transactions that created the znodes
/// (`SequenceNumbers`).
///
/// *Source*: ZooKeeper's documentation, "Recipes and Solutions", on locks; Curator's and kazoo's names of znodes.
struct WaitQueue: Sendable {
  let recipe: RecipeClient
  let parent: String

  /// A participant's position in the queue, read from the name of its znode.
  struct Position: Sequenced, Hashable, Sendable {
    var name: String
    /// The number of znodes that had been created under the parent before this one, up to `SequenceNumbers.end`.
    var sequence: Int32
    var creation: Zxid?
    /// Whether it can share the lock with other shared participants.
    var isShared: Bool

    /// Reads the name of a znode; nil if it is not a name of these recipes.
    init?(name: String) {
      // What precedes the sequence number, of Curator's mutex, latch, lease and read/write lock, and of kazoo's locks.
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

  /// All participants, in the order in which they came.
  func positions() async throws(ZooKeeperError) -> [Position] {
    let positions = try await recipe.children(of: parent).compactMap(Position.init)
    return try await recipe.withOrder(positions, in: parent).sorted { $0.wasCreated(before: $1) }
  }

  /// The last participant before `own` that `blocks` it; nil if no one does.
  ///
  /// - Throws: `RecipeError` with `removed` if `own` was deleted.
  func blocker(of own: String, blocks: (Position) -> Bool) async throws -> String? {
    let positions = try await positions()
    guard let position = positions.first(where: { $0.name == own }) else {
      throw RecipeError(.removed, path: ZnodePath.child(own, of: parent))
    }
    return positions.last { $0.wasCreated(before: position) && blocks($0) }?.name
  }

  /// Waits until no one before `own` blocks it.
  ///
  /// - Throws: `RecipeError` with `removed` if `own` is deleted meanwhile.
  func awaitTurn(of own: String, blocks: @Sendable (Position) -> Bool) async throws {
    while let blocker = try await blocker(of: own, blocks: blocks) {
      do {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in
          // If the znode is deleted already, this sets no watch, unlike a watch on existence, which would stay.
          try await client.watchData(ZnodePath.child(blocker, of: parent))
        }
        try await watch.events.awaitChange()
      } catch let error as ZooKeeperError {
        guard error.code == .server(.noNode) else { throw error }
      }
    }
  }

  /// The hold of a participant that no one blocks.
  ///
  /// - Throws: `RecipeError` with `removed` if it was deleted.
  func hold(_ own: String) async throws -> Hold {
    let path = ZnodePath.child(own, of: parent)
    let asked = ContinuousClock.now
    guard let stat = try await recipe.stat(of: path) else { throw RecipeError(.removed, path: path) }
    return Hold(path: path, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked)
  }
}

extension String {
  /// The last occurrence of `text`, compared by bytes.
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
