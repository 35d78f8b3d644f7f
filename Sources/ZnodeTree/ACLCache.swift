internal import Jute
internal import ZooKeeperProtocol

/// The index of an ACL list in the tree's cache; 0 is the open ACL, which has no entry on disk.
package typealias ACLSlot = UInt32

/// Keeps each distinct ACL list once, with a count of the znodes that have it.
///
/// A list that no znode has stays until the next `releaseRetired`, so that the events of a delete can still be checked
/// against the list of the deleted znode.
struct ACLCache {
  /// One list.
  struct Entry {
    var acl: [ACL]
    var useCount: Int
    /// What anyone may do, computed once so that most checks need not look at the list.
    var worldPermissions: Permissions
  }

  private(set) var entries: [Entry]
  /// By the list's bytes: Swift's strings compare equal when Unicode says so, ZooKeeper's do not.
  private var slots: [[UInt8]: ACLSlot] = [:]
  private var free: [ACLSlot] = []
  private var retired: [ACLSlot] = []

  /// A cache with the open ACL only.
  init() { entries = [Entry(acl: ACL.openUnsafe, useCount: 0, worldPermissions: .all)] }

  /// The slot of `acl`, whose use count is increased.
  mutating func acquire(_ acl: [ACL]) -> ACLSlot {
    if acl.count == 1, acl[0].permissions == .all, acl[0].scheme == "world", acl[0].id == "anyone" { return 0 }
    let key = Self.key(acl)
    if let slot = slots[key] {
      entries[Int(slot)].useCount += 1
      return slot
    }
    let entry = Entry(acl: acl, useCount: 1, worldPermissions: Self.worldPermissions(of: acl))
    let slot: ACLSlot
    if let reused = free.popLast() {
      slot = reused
      entries[Int(slot)] = entry
    } else {
      slot = ACLSlot(entries.count)
      entries.append(entry)
    }
    slots[key] = slot
    return slot
  }

  /// Increases the use count of a slot.
  mutating func retain(_ slot: ACLSlot) { if slot != 0 { entries[Int(slot)].useCount += 1 } }

  /// Decreases the use count of a slot.
  mutating func release(_ slot: ACLSlot) {
    guard slot != 0 else { return }
    entries[Int(slot)].useCount -= 1
    if entries[Int(slot)].useCount == 0 { retired.append(slot) }
  }

  /// Removes the lists that no znode has.
  mutating func releaseRetired() {
    guard !retired.isEmpty else { return }
    for slot in retired where entries[Int(slot)].useCount == 0 {
      guard slots.removeValue(forKey: Self.key(entries[Int(slot)].acl)) != nil else { continue }
      entries[Int(slot)].acl = []
      free.append(slot)
    }
    retired.removeAll(keepingCapacity: true)
  }

  /// The lists in use except for the open one, by slot, as a snapshot contains them.
  var inUse: [(slot: ACLSlot, acl: [ACL])] {
    entries.indices.dropFirst().compactMap { index in
      entries[index].useCount > 0 ? (ACLSlot(index), entries[index].acl) : nil
    }
  }

  private static func key(_ acl: [ACL]) -> [UInt8] {
    var writer = JuteWriter()
    for entry in acl { entry.encode(into: &writer) }
    return writer.takeBytes()
  }

  private static func worldPermissions(of acl: [ACL]) -> Permissions {
    // An empty list, which old servers could store, forbids nothing.
    if acl.isEmpty { return .all }
    return acl.reduce(into: Permissions()) { permissions, entry in
      if entry.scheme == "world", entry.id == "anyone" { permissions.formUnion(entry.permissions) }
    }
  }
}
