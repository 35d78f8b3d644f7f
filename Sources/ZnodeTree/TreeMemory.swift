/// The memory that a tree has taken from the system, by its parts. What znodes have left free is part of it.
package struct TreeMemory: Hashable, Sendable {
  /// Records of fixed size, one for each znode.
  package var recordBytes = 0
  /// The index that finds a child by its name.
  package var indexBytes = 0
  /// Names and data.
  package var contentBytes = 0
  /// What znodes use of it, each with its size rounded up.
  package var usedContentBytes = 0
  /// Copies of what has changed since snapshots that are being written were begun.
  package var copiedBytes = 0
  /// The number of different ACLs.
  package var aclCount = 0
}
