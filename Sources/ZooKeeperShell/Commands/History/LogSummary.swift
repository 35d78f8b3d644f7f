import TxnLog
import ZnodeFormats
import ZooKeeperHistory
import ZooKeeperProtocol

/// The statistics of a log.
struct LogSummary {
  private var count = 0
  private var bytes = 0
  private var first: TxnHeader?
  private var last: TxnHeader?
  private var operations: [String: Int] = [:]
  private var sessions: [SessionID: Int] = [:]

  /// How many of the busiest sessions are listed.
  private static let listedCount = 5

  /// Adds a transaction.
  mutating func add(_ outline: TxnOutline, byteCount: Int) {
    count += 1
    bytes += byteCount
    first = first ?? outline.header
    last = outline.header
    sessions[outline.header.sessionID, default: 0] += 1
    outline.forEachOperation { operation in
      operations[TransactionText.name(of: operation.opCode), default: 0] += 1
      return true
    }
  }

  /// The statistics, including those of the files.
  func record(_ history: LocalHistory) -> Record {
    func time(_ header: TxnHeader?) -> Record.Value {
      header.map { .text(TimeStyle.iso.text(milliseconds: $0.timeMilliseconds)) } ?? .missing
    }
    func zxid(_ header: TxnHeader?) -> Record.Value { header.map { .text("\($0.zxid)") } ?? .missing }
    let counts = operations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
    let busiest = sessions.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      .prefix(Self.listedCount).map { "\($0.key) \($0.value)" }
    func counted(_ count: Int, _ unit: String) -> String { "\(count) \(unit)\(count == 1 ? "" : "s")" }
    var lines = [
      counted(history.segments.count, "segment") + ", \(history.logBytes) bytes on disk; "
        + counted(history.snapshots.count, "snapshot"),
      counted(count, "transaction") + ", \(bytes) bytes, of " + counted(sessions.count, "session"),
    ]
    if let first, let last {
      lines.append(
        "from \(first.zxid) \(TimeStyle.shortText(milliseconds: first.timeMilliseconds))"
          + " to \(last.zxid) \(TimeStyle.shortText(milliseconds: last.timeMilliseconds))")
    }
    if !counts.isEmpty { lines.append("operations: " + counts.joined(separator: ", ")) }
    if !busiest.isEmpty { lines.append("busiest sessions: " + busiest.joined(separator: ", ")) }
    return Record(
      lines.joined(separator: "\n"),
      [
        "segments": .number(Int64(history.segments.count)), "diskBytes": .number(Int64(history.logBytes)),
        "snapshots": .number(Int64(history.snapshots.count)), "transactions": .number(Int64(count)),
        "bytes": .number(Int64(bytes)), "sessions": .number(Int64(sessions.count)), "firstZxid": zxid(first),
        "firstTime": time(first), "lastZxid": zxid(last), "lastTime": time(last), "operations": .list(counts),
        "busiestSessions": .list(busiest),
      ])
  }
}

/// The audit log of a server, which contains the addresses and the identities of sessions.
enum AuditFile {
  /// The user of each session.
  ///
  /// *Source*: `org.apache.zookeeper.audit.AuditEvent`: `key=value` pairs separated by tabs.
  ///
  /// - Throws: exit code 12 if the file cannot be read.
  static func users(_ path: String) throws(ShellError) -> [SessionID: SessionUser] {
    var users: [SessionID: SessionUser] = [:]
    for line in try TextLines.split(try FileIO.read(path), name: path) {
      let text = String(decoding: line, as: UTF8.self)
      guard let session = value("session", in: text), session.hasPrefix("0x"),
        let number = UInt64(session.dropFirst(2), radix: 16)
      else { continue }
      users[SessionID(rawValue: Int64(bitPattern: number))] = SessionUser(
        address: value("ip", in: text), user: value("user", in: text))
    }
    return users
  }

  private static func value(_ key: String, in line: String) -> String? {
    for field in line.split(whereSeparator: { $0 == "\t" || $0 == " " }) where field.hasPrefix("\(key)=") {
      let value = field.dropFirst(key.utf8.count + 1)
      return value.isEmpty || value == "null" ? nil : String(value)
    }
    return nil
  }
}
