import Foundation
import Jute
import ZooKeeperProtocol

/// A value of JSON, compared as a whole.
indirect enum JSONValue: Hashable, Decodable {
  case null
  case bool(Bool)
  case int(Int64)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .int(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// A buffer as the vectors write it.
  static func buffer(_ bytes: [UInt8]?) -> JSONValue {
    guard let bytes else { return .null }
    let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return .object(["hex": .string(hex), "len": .int(Int64(bytes.count))])
  }

  static func strings(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }

  static func int(_ value: Int32) -> JSONValue { .int(Int64(value)) }
}

/// One frame that was captured between an Apache server and a client.
struct Vector: Decodable, CustomStringConvertible {
  var name: String
  var server: String
  var direction: String
  var hex: String
  var length: Int
  var fields: JSONValue

  /// The frame without its length.
  var payload: [UInt8] {
    let digits = Array(hex.utf8)
    let bytes = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
    }
    return Array(bytes.dropFirst(4))
  }

  var description: String { "\(name) of \(server)" }

  var isRequest: Bool { direction == "client->server" }

  /// The first frames of a connection have no header.
  var isHandshake: Bool { fields["protocolVersion"] != nil }
}

/// The captured frames, each with the operation that it belongs to.
enum GoldenVectors {
  private struct File: Decodable {
    var vectors: [Vector]
    var algorithms: [String: JSONValue]
  }

  static let all: [(vector: Vector, opCode: OpCode?)] = {
    let url = Bundle.module.url(forResource: "client-vectors", withExtension: "json")!
    let vectors = try! JSONDecoder().decode(File.self, from: Data(contentsOf: url)).vectors
    // A reply belongs to the request of its name, else to the latest one with its xid on that server.
    var byName: [String: OpCode] = [:]
    var byXid: [String: OpCode] = [:]
    return vectors.map { vector in
      guard !vector.isHandshake, case .int(let xid)? = vector.fields["header"]?["xid"] else { return (vector, nil) }
      let name = "\(vector.server) \(vector.name)"
      if vector.isRequest, case .int(let type)? = vector.fields["header"]?["type"] {
        let opCode = OpCode(rawValue: Int32(type))
        byName[name] = opCode
        byXid["\(vector.server) \(xid)"] = opCode
        return (vector, opCode)
      }
      let request = name.hasSuffix(".reply") ? byName[name.dropLast(6) + ".request"] : nil
      return (vector, xid == -1 ? .notification : request ?? byXid["\(vector.server) \(xid)"])
    }
  }()
}
