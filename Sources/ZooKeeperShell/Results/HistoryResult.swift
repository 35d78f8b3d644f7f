package import ZooKeeperHistory
package import ZooKeeperProtocol

/// A result of a command about the past.
package enum HistoryResult: Hashable, Sendable {
  /// Transactions of a log, in order.
  case transactions(TransactionBatch)
  /// Several znodes of a recursive listing, in order.
  case paths([String])
  /// A hint for the user, in addition to the answer.
  case advice(String)
}

/// Transactions as they are in the log, so that a renderer decodes only what it prints.
package struct TransactionBatch: Hashable, Sendable {
  /// Which operations of the transactions are shown.
  package var filter = TxnFilter()
  /// Whether data and ACLs are shown.
  package var showsData = false
  /// The users of the sessions, as far as the audit log contains them.
  package var users: [SessionID: SessionUser] = [:]
  /// The entries, one after the other.
  private(set) var bytes: [UInt8] = []
  /// The end offset of each entry.
  private(set) var ends: [Int] = []

  /// A batch without transactions.
  package init() {}

  /// The number of bytes.
  var byteCount: Int { bytes.count }

  /// Adds a transaction.
  package mutating func append(_ entry: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: entry)
    ends.append(bytes.count)
  }

  /// Removes the transactions.
  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with each entry.
  func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { raw in
      var start = 0
      for end in ends {
        body(UnsafeRawBufferPointer(rebasing: raw[start..<end]))
        start = end
      }
    }
  }
}

/// The user of a session.
package struct SessionUser: Hashable, Sendable {
  /// The address of the client; nil if it is not known.
  package var address: String?
  /// The identities, as the audit log writes them.
  package var user: String?

  package init(address: String?, user: String?) {
    self.address = address
    self.user = user
  }
}
