import ZooKeeperProtocol
import ZooKeeperRecipes
import ZooKeeperTrees

/// Recognizes a recipe from the children of a znode.
struct RecipeFamily {
  private var counts: [String: Int] = [:]
  private var ephemeralCount = 0
  private var total = 0
  private var hasCuratorNames = false
  /// Whether the znode exists that completes the entry into a double barrier.
  private var hasReady = false

  /// Adds a child.
  mutating func add(_ name: String, isEphemeral: Bool) {
    total += 1
    if isEphemeral { ephemeralCount += 1 }
    if name == "ready", !isEphemeral { hasReady = true }
    guard let marker = Self.marker(of: name) else { return }
    counts[marker, default: 0] += 1
    if name.hasPrefix("_c_") { hasCuratorNames = true }
  }

  private static func marker(of name: String) -> String? {
    let digits = name.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
    guard digits >= 10 else { return nil }
    let head = name.dropLast(10)
    for marker in ["__lock__", "__rlock__", "__READ__", "__WRIT__", "latch-", "lease-", "lock-"]
    where head.hasSuffix(marker) {
      return marker
    }
    for marker in ["qn-", "queue-", "entry-"] where head.hasPrefix(marker) { return marker }
    return nil
  }

  /// The recipe, and the library whose names it has; nil if none is recognized.
  var recipe: (RecipeFinder.Kind, String?)? {
    func has(_ markers: String...) -> Bool { markers.contains { counts[$0] != nil } }
    let curator = hasCuratorNames ? "curator" : nil
    if has("__rlock__") { return (.sharedLock, "kazoo") }
    if has("__lock__") { return (.lock, "kazoo") }
    if has("__READ__", "__WRIT__") { return (.sharedLock, curator) }
    if has("latch-") { return (.election, curator) }
    if has("lease-") { return (.semaphore, curator) }
    if has("lock-") { return (.lock, curator) }
    if has("entry-") { return (.queue, "kazoo") }
    if has("qn-", "queue-") { return (.queue, nil) }
    if hasReady, ephemeralCount == total - 1 { return (.doubleBarrier, nil) }
    // Only ephemeral znodes without numbers are members of a group.
    if ephemeralCount > 0, ephemeralCount == total { return (.group, nil) }
    return nil
  }
}

/// Recipes that are one znode without children. Names and data only suggest what they are.
enum LoneRecipe {
  /// What a znode can be; nil if there is no indication. Its data must show whether it is a counter.
  static func kind(of node: TreeNode) -> RecipeFinder.Kind? {
    guard node.stat.numChildren == 0, !node.isEphemeral else { return nil }
    let name = ZnodePath.name(of: node.path).lowercased()
    // A sequential znode belongs to another recipe.
    guard name.utf8.reversed().prefix(while: { (0x30...0x39).contains($0) }).count < 10 else { return nil }
    switch node.stat.dataLength {
    case 0: return name.contains("barrier") ? .barrier : nil
    case 4, 8: return .counter
    case 1...20: return name.contains("count") ? .counter : nil
    default: return nil
    }
  }

  /// The number of a counter and the library whose format it has; nil for other data.
  ///
  /// Four or eight bytes are considered a number only if the first byte shows that it is not a large one, because a
  /// text or a hash very rarely begins like that.
  static func counter(_ data: [UInt8], named name: String) -> (number: Int64, by: String)? {
    let isSmall = data.first == 0 || data.first == 0xff
    if data.count == 8, isSmall, let number = Counter.Format.long.number(in: data) { return (number, "curator") }
    if data.count == 4, isSmall, let number = Counter.Format.int.number(in: data) { return (number, "curator") }
    guard name.lowercased().contains("count"), let number = Counter.Format.text.number(in: data) else { return nil }
    return (number, "kazoo")
  }
}
