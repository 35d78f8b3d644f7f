import Jute
import Testing
import ZooKeeperProtocol

/// Frames of real servers and clients: decoded to what the capture says, and encoded to the same bytes.
@Suite(.timeLimit(.minutes(10)))
struct GoldenTests {
  /// Frames that cannot be decoded, and why. An entry without a frame fails the test.
  static let exceptions: [String: String] = [
    "marshalling_error.request": "its body is two bytes, to see what a server answers to that",
    "unknown_opcode.request": "operation 99 does not exist",
  ]

  /// What a frame decodes to, and the bytes that encoding it again gives.
  struct Decoded {
    var fields: JSONValue
    var bytes: [UInt8]
  }

  @Test func everyFrameDecodesToItsFieldsAndBack() throws {
    var unused = Set(Self.exceptions.keys)
    #expect(GoldenVectors.all.count == 341)
    for (vector, opCode) in GoldenVectors.all {
      let payload = vector.payload
      #expect(payload.count == vector.length, "\(vector)")
      if Self.exceptions[vector.name] != nil {
        #expect((try? Self.decode(vector, opCode)) == nil, "\(vector) can be decoded after all")
        unused.remove(vector.name)
        continue
      }
      do {
        let decoded = try #require(try Self.decode(vector, opCode), "\(vector)")
        #expect(decoded.fields == vector.fields, "\(vector)")
        #expect(decoded.bytes == payload, "\(vector)")
      } catch {
        Issue.record("\(vector): \(error)")
      }
    }
    #expect(unused == [])
  }

  /// Returns nil for an operation that no client may ask for.
  static func decode(_ vector: Vector, _ opCode: OpCode?) throws(JuteError) -> Decoded? {
    let payload = vector.payload
    if vector.isHandshake {
      if vector.isRequest {
        let request = try ConnectRequest(decoding: payload)
        return Decoded(fields: .fields(request), bytes: request.encoded)
      }
      let response = try ConnectResponse(decoding: payload)
      return Decoded(fields: .fields(response), bytes: response.encoded)
    }
    return try payload.decode { reader throws(JuteError) in
      vector.isRequest ? try decodeRequest(&reader) : try decodeReply(&reader, to: opCode)
    }
  }

  private static func decodeRequest(_ reader: inout JuteReader) throws(JuteError) -> Decoded? {
    let header = try RequestHeader(from: &reader)
    guard let opCode = header.opCode, let request = try ClientRequest(opCode: opCode, from: &reader) else { return nil }
    try reader.finish()
    #expect(request.opCode == opCode)
    var writer = JuteWriter()
    request.encodeFrame(xid: header.xid, into: &writer)
    let fields = JSONValue.object([
      "header": .fields(header), "op": .string("\(opCode)"), "body": .fields(request),
    ])
    return Decoded(fields: fields, bytes: Array(writer.bytes.dropFirst(4)))
  }

  private static func decodeReply(_ reader: inout JuteReader, to opCode: OpCode?) throws(JuteError) -> Decoded? {
    let header = try ReplyHeader(from: &reader)
    var writer = JuteWriter()
    header.encode(into: &writer)
    if header.xid == .notification {
      let event = try WatcherEvent(from: &reader)
      try reader.finish()
      event.encode(into: &writer)
      return Decoded(fields: .object(["header": .fields(header), "event": .fields(event)]), bytes: writer.bytes)
    }
    guard header.error == .ok else {
      // An error is a header and nothing more.
      try reader.finish()
      return Decoded(fields: .object(["header": .fields(header), "body": .object([:])]), bytes: writer.bytes)
    }
    guard let opCode else { return nil }
    let reply = try ServerReply(to: opCode, from: &reader)
    try reader.finish()
    reply.encode(into: &writer)
    return Decoded(
      fields: .object(["header": .fields(header), "body": .fields(reply, to: opCode)]), bytes: writer.bytes)
  }

  @Test func framesCutShortAreErrors() {
    for (vector, opCode) in GoldenVectors.all where Self.exceptions[vector.name] == nil {
      let payload = vector.payload
      for count in 0..<payload.count {
        var cut = vector
        cut.hex = "00000000" + payload.prefix(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        // Without its last byte a frame of the handshake is that of an older peer.
        if vector.isHandshake, count == payload.count - 1, vector.fields["readOnly"] != nil { continue }
        // A header alone is an error reply, if it says so; the cut is then at its end.
        #expect(throws: JuteError.self, "\(vector) cut to \(count) bytes") { try Self.decode(cut, opCode) }
      }
    }
  }
}

extension [UInt8] {
  /// Decodes by hand what no one record covers.
  func decode<Value>(_ body: (inout JuteReader) throws(JuteError) -> Value) throws(JuteError) -> Value {
    let result = withUnsafeBytes { raw -> Result<Value, JuteError> in
      var reader = JuteReader(raw)
      do throws(JuteError) { return .success(try body(&reader)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
