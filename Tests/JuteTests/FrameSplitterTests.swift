import Jute
import TestKit
import Testing

/// Frames out of a stream, however it is cut.
@Suite(.timeLimit(.minutes(10)))
struct FrameSplitterTests {
  static func frame(_ payload: [UInt8]) -> [UInt8] { bigEndian(Int32(payload.count)) + payload }

  /// The first payload of `bytes`, copied.
  static func first(_ bytes: [UInt8], limit: Int = FrameSplitter.defaultLimitBytes) throws(JuteError) -> [UInt8]? {
    let result = bytes.withUnsafeBytes { raw -> Result<[UInt8]?, JuteError> in
      do throws(JuteError) {
        return .success(try FrameSplitter.firstPayload(in: raw, limitBytes: limit).map { [UInt8]($0) })
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// All frames of a stream that arrives in `chunks`.
  static func drip(_ chunks: [[UInt8]]) throws -> [[UInt8]] {
    var pending: [UInt8] = []
    var payloads: [[UInt8]] = []
    for chunk in chunks {
      pending += chunk
      while let payload = try first(pending) {
        payloads.append(payload)
        pending.removeFirst(FrameSplitter.prefixLengthBytes + payload.count)
      }
    }
    #expect(pending == [])
    return payloads
  }

  static let payloads: [[UInt8]] = [[1], [], [2, 3, 4], [UInt8](repeating: 5, count: 300)]
  static let stream = payloads.flatMap(frame)

  @Test func everySplitIntoTwoGivesTheSameFrames() throws {
    for cut in 0...Self.stream.count {
      let chunks = [Array(Self.stream.prefix(cut)), Array(Self.stream.dropFirst(cut))]
      #expect(try Self.drip(chunks) == Self.payloads, "cut at \(cut)")
    }
  }

  @Test func byteByByteGivesTheSameFrames() throws {
    #expect(try Self.drip(Self.stream.map { [$0] }) == Self.payloads)
  }

  @Test func everySplitOfASmallStreamIntoThreeGivesTheSameFrames() throws {
    let payloads: [[UInt8]] = [[1, 2], [], [3]]
    let stream = payloads.flatMap(Self.frame)
    for first in 0...stream.count {
      for second in first...stream.count {
        let chunks = [Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])]
        #expect(try Self.drip(chunks) == payloads, "cut at \(first) and \(second)")
      }
    }
  }

  @Test func limitIsTheLargestFrame() throws {
    let payload = [UInt8](repeating: 7, count: 16)
    #expect(try Self.first(Self.frame(payload), limit: 16) == payload)
    // One past it is refused on its length alone.
    #expect(throws: JuteError(.tooLarge(lengthBytes: 17, limitBytes: 16), offset: 0)) {
      try Self.first([0, 0, 0, 17], limit: 16)
    }
    #expect(try Self.first([0, 0x0f, 0xff, 0xff]) == nil)
    #expect(throws: JuteError(.tooLarge(lengthBytes: 0x10_0000, limitBytes: 0xfffff), offset: 0)) {
      try Self.first([0, 0x10, 0, 0])
    }
  }

  @Test(arguments: [Int32.min, -2, -1]) func negativeLengthIsRefused(length: Int32) {
    #expect(throws: JuteError(.negativeLength(Int(length)), offset: 0)) { try Self.first(bigEndian(length)) }
  }

  @Test func largestLengthIsRefusedWithoutItsBytes() {
    #expect(throws: JuteError(.tooLarge(lengthBytes: 0x7fff_ffff, limitBytes: 0xfffff), offset: 0)) {
      try Self.first([0x7f, 0xff, 0xff, 0xff])
    }
  }

  @Test func incompletePrefixIsNoFrame() throws {
    for count in 0..<4 { #expect(try Self.first([UInt8](repeating: 255, count: count)) == nil) }
  }

  @Test func errorsDescribeThemselves() {
    let table: [(JuteError, String)] = [
      (JuteError(.truncated(missingBytes: 2), offset: 3), "2 bytes missing at offset 3"),
      (JuteError(.negativeLength(-5), offset: 1), "length -5 at offset 1 is negative"),
      (
        JuteError(.tooLarge(lengthBytes: 9, limitBytes: 8), offset: 0),
        "length 9 at offset 0 is over the limit of 8 bytes"
      ),
      (JuteError(.unexpectedNull, offset: 4), "null at offset 4 where a value is required"),
      (JuteError(.unknownValue(6), offset: 5), "unknown value 6 at offset 5"),
      (JuteError(.trailingBytes(1), offset: 7), "1 bytes left over at offset 7"),
    ]
    for (error, text) in table { #expect(error.description == text) }
  }
}
