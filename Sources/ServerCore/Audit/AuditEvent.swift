package import ZooKeeperProtocol

/// Something that a server did or refused to do, as a line of the audit log.
///
/// *Source*: `org.apache.zookeeper.audit.AuditEvent`, `AuditConstants`.
package struct AuditEvent: Hashable, Sendable {
  /// The operations, by the names that the log has for them.
  package enum Operation: String, Sendable {
    case serverStart, serverStop, create, delete, setData, setAcl, multiOperation, reconfig
    case ephemeralZNodeDeletionOnSessionCloseOrExpire
  }

  /// How an operation ended. A server that stops cannot say how that ends.
  package enum Result: String, Sendable {
    case success, failure, invoked
  }

  package var operation: Operation
  package var result: Result
  package var session: SessionID?
  /// The names of the client's identities, separated by commas; nil for the user who runs the server.
  package var user: String?
  /// The client's address.
  package var address: String?
  package var path: String?
  /// The mode of a znode that was to be created.
  package var znodeType: String?
  package var acl: String?

  /// An event of the server itself.
  package init(_ operation: Operation, _ result: Result) {
    self.operation = operation
    self.result = result
  }

  /// The event as Apache's server writes it, without the time. Fields without a value are left out.
  ///
  /// Control characters in paths and names, which could forge lines and fields, are written as `\xHH`. Apache's server
  /// writes them as they are.
  ///
  /// - Parameter serverUser: the user who runs the server.
  package func text(serverUser: String) -> String {
    let fields: [(name: String, value: String?)] = [
      ("session", session.map { "\($0)" }), ("user", user ?? (address == nil ? serverUser : nil)), ("ip", address),
      ("operation", operation.rawValue), ("znode", path), ("znode_type", znodeType), ("acl", acl),
      ("result", result.rawValue),
    ]
    return fields.compactMap { field in field.value.map { "\(field.name)=\(Self.escaped($0))" } }
      .joined(separator: "\t")
  }

  private static func escaped(_ text: String) -> String {
    let isControl = { (scalar: Unicode.Scalar) in
      scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || [0x2028, 0x2029].contains(scalar.value)
    }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isControl(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for byte in String(scalar).utf8 {
        result += byte < 16 ? "\\x0\(String(byte, radix: 16))" : "\\x\(String(byte, radix: 16))"
      }
    }
    return result
  }
}
