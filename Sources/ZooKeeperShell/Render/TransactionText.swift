import JSONFormat
import ZnodeFormats
import ZooKeeperHistory
import ZooKeeperProtocol

/// Writes transactions as lines: zxid, time, session, and what was done to which znodes.
///
/// A log can have millions of them, so a line is assembled from bytes: paths are not converted to strings, and the date
/// is computed once for each second of the log.
struct TransactionText {
  private var lines: [UInt8] = []
  private var second = Int64.min
  private var secondText: [UInt8] = []

  /// The lines of a batch.
  static func lines(of batch: TransactionBatch) -> [UInt8] {
    var text = TransactionText()
    text.lines.reserveCapacity(batch.byteCount)
    batch.forEach { text.append($0, batch) }
    return text.lines
  }

  private mutating func append(_ entry: UnsafeRawBufferPointer, _ batch: TransactionBatch) {
    guard let outline = TxnOutline(entry) else { return }
    let header = outline.header
    appendHex(header.zxid.rawValue)
    lines.append(UInt8(ascii: " "))
    appendTime(header.timeMilliseconds)
    lines.append(UInt8(ascii: " "))
    appendHex(header.sessionID.rawValue)
    if header.opCode == .multi { append(" multi") }
    var isFirst = true
    let filter = batch.filter
    let isWhole = outline.forEachOperation(readsACLs: batch.showsData) { operation in
      guard filter.path == nil && filter.opCodes == nil || filter.includes(operation) else { return true }
      append(isFirst ? " " : ", ")
      isFirst = false
      append(operation, batch.showsData)
      return true
    }
    if !isWhole { append(isFirst ? " (cannot be decoded)" : ", (the rest cannot be decoded)") }
    if let user = batch.users[header.sessionID] {
      append(" by")
      for part in [user.address, user.user] { if let part { append(" " + part) } }
    }
    lines.append(UInt8(ascii: "\n"))
  }

  private mutating func append(_ operation: TxnOutline.Operation, _ showsData: Bool) {
    if operation.isUndone, operation.opCode != .error { append("undone ") }
    append(Self.name(of: operation.opCode))
    if !operation.path.isEmpty {
      lines.append(UInt8(ascii: " "))
      lines.append(contentsOf: operation.path)
    }
    switch operation.opCode {
    case .create, .create2, .createContainer, .createTTL:
      appendSize(operation.data)
      if operation.isEphemeral { append(" ephemeral") }
      if let milliseconds = operation.milliseconds { append(" ttl \(milliseconds) ms") }
    case .setData, .reconfig:
      append(" version ")
      appendDecimal(Int64(operation.version ?? 0))
      appendSize(operation.data)
    case .setACL, .check:
      append(" version ")
      appendDecimal(Int64(operation.version ?? 0))
    case .createSession: append(" timeout \(operation.milliseconds ?? 0) ms")
    case .error: append(" " + (operation.error?.name ?? ""))
    default: break
    }
    if showsData {
      if let data = operation.data {
        append(" ")
        append(Tokenizer.quote(Word(bytes: [UInt8](data))))
      }
      if let acl = operation.acl { append(" acl " + acl.map(\.text).joined(separator: ",")) }
    }
  }

  /// The name of an operation. It is ZooKeeper's name, except that operations that differ only in the form of the reply
  /// share one.
  static func name(of opCode: OpCode?) -> String {
    switch opCode {
    case .create, .create2: "create"
    case .createContainer: "createContainer"
    case .createTTL: "createTTL"
    case .delete: "delete"
    case .deleteContainer: "deleteContainer"
    case .setData: "set"
    case .reconfig: "reconfig"
    case .setACL: "setAcl"
    case .check: "check"
    case .multi: "multi"
    case .createSession: "createSession"
    case .closeSession: "closeSession"
    case .error: "error"
    default: "unknown"
    }
  }

  private mutating func appendSize(_ data: UnsafeRawBufferPointer?) {
    guard let data else { return append(" null") }
    lines.append(UInt8(ascii: " "))
    appendDecimal(Int64(data.count))
    append(data.count == 1 ? " byte" : " bytes")
  }

  private mutating func append(_ text: String) { lines.append(contentsOf: text.utf8) }

  private mutating func appendTime(_ milliseconds: Int64) {
    var (quotient, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    if rest < 0 { (quotient, rest) = (quotient - 1, rest + 1000) }
    if quotient != second {
      second = quotient
      // Without the fraction.
      secondText = [UInt8](TimeStyle.shortText(milliseconds: milliseconds).utf8.dropLast())
    }
    lines.append(contentsOf: secondText)
    lines.append(UInt8(ascii: "."))
    for divisor in [Int64(100), 10, 1] { lines.append(UInt8(ascii: "0") + UInt8(rest / divisor % 10)) }
    lines.append(UInt8(ascii: "Z"))
  }

  private mutating func appendHex(_ value: Int64) {
    append("0x")
    let bits = UInt64(bitPattern: value)
    var shift = bits == 0 ? 0 : (63 - bits.leadingZeroBitCount) / 4 * 4
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: bits >> UInt64(shift) & 15)
      lines.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      shift -= 4
    }
  }

  private mutating func appendDecimal(_ value: Int64) {
    if value < 0 { lines.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = lines.count
    repeat {
      lines.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    lines[start...].reverse()
  }
}

extension JSON {
  /// The documents of the transactions of a batch.
  static func documents(of batch: TransactionBatch) -> [JSON] {
    var documents: [JSON] = []
    batch.forEach { entry in
      guard let outline = TxnOutline(entry) else { return }
      documents.append(of(outline, batch))
    }
    return documents
  }

  private static func of(_ outline: TxnOutline, _ batch: TransactionBatch) -> JSON {
    var operations: [JSON] = []
    let isWhole = outline.forEachOperation(readsACLs: batch.showsData) { operation in
      guard batch.filter.path == nil && batch.filter.opCodes == nil || batch.filter.includes(operation) else {
        return true
      }
      operations.append(of(operation, showsData: batch.showsData))
      return true
    }
    let user = batch.users[outline.header.sessionID]
    return .object([
      ("zxid", .string("\(outline.header.zxid)")),
      ("time", .string(TimeStyle.iso.text(milliseconds: outline.header.timeMilliseconds))),
      ("session", .string("\(outline.header.sessionID)")), ("cxid", .number(outline.header.cxid.rawValue)),
      ("address", .optional(user?.address)), ("user", .optional(user?.user)),
      ("type", .string(TransactionText.name(of: outline.header.opCode))), ("whole", .bool(isWhole)),
      ("operations", .array(operations)),
    ])
  }

  private static func of(_ operation: TxnOutline.Operation, showsData: Bool) -> JSON {
    let path = operation.path.isEmpty ? nil : String(decoding: operation.path, as: UTF8.self)
    var members: [(key: String, value: JSON)] = [
      ("operation", .string(TransactionText.name(of: operation.opCode))), ("path", .optional(path)),
      ("version", operation.version.map { .number($0) } ?? .null),
      ("dataLength", operation.data.map { .number($0.count) } ?? .null), ("ephemeral", .bool(operation.isEphemeral)),
      ("milliseconds", operation.milliseconds.map { .number($0) } ?? .null),
      ("error", .optional(operation.error?.name)), ("undone", .bool(operation.isUndone)),
    ]
    if showsData {
      members += encoded(operation.data.map { [UInt8]($0) }, .plain)
      members.append(("acl", operation.acl.map { .array($0.map { of($0) }) } ?? .null))
    }
    return .object(members)
  }
}
