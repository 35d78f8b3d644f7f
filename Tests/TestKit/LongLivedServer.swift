import Foundation

/// A server with a znode that has already had so many children that few sequence numbers are left.
public struct LongLivedServer: Sendable {
  /// The address for clients, as `host:port`.
  public let connectString: String
  /// Lives as long as this.
  private let server: any Sendable

  /// Starts a server of a kind with a znode at `path`, whose next sequential child is numbered `count`.
  ///
  /// - Throws: as the servers' own `start`.
  public init(_ kind: ServerKind, path: String, count: Int32) async throws {
    let log = Self.log(path: path, count: count)
    switch kind {
    case .zkcli:
      let server = try ServerUnderTest(["maxClientCnxns=0"])
      try await server.start()
      try await server.end(by: SIGTERM)
      try Self.install(log, in: server.dataDirectory)
      try await server.start()
      (connectString, self.server) = (server.connectString, server)
    case .apache:
      let server = try await ApacheServer.start(.permissive)
      try await server.stop()
      try Self.install(log, in: server.dataDirectory)
      try await server.restart()
      (connectString, self.server) = (server.connectString, server)
    }
  }

  private static func install(_ log: [UInt8], in dataDirectory: String) throws {
    // It follows what the server has written by itself, which is in epoch 0.
    try Data(log).write(to: URL(filePath: "\(dataDirectory)/version-2/log.100000001"))
  }

  /// A log of three transactions: the znode, a child whose creation sets the count, and its deletion.
  ///
  /// *Shape*: `FileHeader` (magic, version, database), then each record's Adler-32, length, `TxnHeader` and body, and a
  /// `B`.
  private static func log(path: String, count: Int32) -> [UInt8] {
    let acl = int(1) + int(31) + text("world") + text("anyone")
    let empty = int(0)
    return [UInt8]("ZKLG".utf8) + int(2) + long(0)
      + record(1, type: 1, body: text(path) + empty + acl + [0] + int(1))
      + record(2, type: 1, body: text("\(path)/first") + empty + acl + [0] + int(count))
      + record(3, type: 2, body: text("\(path)/first"))
  }

  private static func record(_ number: Int64, type: Int32, body: [UInt8]) -> [UInt8] {
    let entry = long(1) + int(Int32(number)) + long(1 << 32 | number) + long(1_700_000_000_000) + int(type) + body
    return long(Int64(adler32(entry))) + int(Int32(entry.count)) + entry + [UInt8(ascii: "B")]
  }

  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return b << 16 | a
  }

  private static func int(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

  private static func long(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

  private static func text(_ value: String) -> [UInt8] { int(Int32(value.utf8.count)) + Array(value.utf8) }
}
