import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// Endpoints for the state of a cluster's servers.
extension Site {
  /// GET /ensemble
  func ensemble(_ request: WebRequest) async throws -> WebAnswer {
    .json(try await session(of: request).ensembleDocument())
  }

  /// GET /health
  func health(_ request: WebRequest) async throws -> WebAnswer {
    .json(settings.shell.health(try await session(of: request).healthReport()))
  }

  /// GET /clients
  func clients(_ request: WebRequest) async throws -> WebAnswer {
    .json(try await session(of: request).clientsDocument())
  }

  /// GET /sessions/0xID
  func clientSession(_ id: String, _ request: WebRequest) async throws -> WebAnswer {
    guard let wanted = SessionID(hexadecimal: id) else {
      throw WebError.badInput("a session is a hexadecimal number such as 0x1000a2b3c4d0001")
    }
    let session = try session(of: request)
    guard let found = await session.censusEntry(of: wanted) else {
      throw WebError.notFound("there is no session \(wanted)")
    }
    return .json(
      .object([
        ("session", .string("\(found.id)")), ("client", .optional(found.client)),
        ("server", .optional(found.server.map { "\($0)" })), ("since", JSON.time(found.sinceMilliseconds)),
        ("timeoutMilliseconds", found.timeoutMilliseconds.map { .number($0) } ?? .null),
        ("ephemerals", .array(found.ephemerals.map(JSON.string))), ("watches", .array(found.watches.map(JSON.string))),
      ]))
  }

  /// GET /configuration
  func configuration(_ request: WebRequest) async throws -> WebAnswer {
    let (data, _) = try await client(of: request).getConfig()
    let text = String(decoding: data ?? [], as: UTF8.self)
    let ensemble = EnsembleText(parsing: text)
    guard !ensemble.servers.isEmpty else {
      throw WebError.notFound("the server is standalone and has no configuration of an ensemble")
    }
    return .json(
      .object([
        ("version", ensemble.version.isEmpty ? .null : .string("0x" + ensemble.version)),
        ("servers", ensemble.document), ("connectString", .string(ensemble.connectString)), ("text", .string(text)),
      ]))
  }
}

extension JSON {
  /// A time, or null.
  static func time(_ milliseconds: Int64?) -> JSON {
    milliseconds.map { .string(TimeStyle.iso.text(milliseconds: $0)) } ?? .null
  }

  /// A number, or null.
  static func optional(_ number: Int64?) -> JSON { number.map { .number($0) } ?? .null }

  /// A number with a fraction, or null.
  static func decimal(_ number: Double?) -> JSON {
    number.map { .raw([UInt8](Record.text(of: $0).utf8)) } ?? .null
  }
}
