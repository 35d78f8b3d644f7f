import Foundation

/// Bytes that Apache's servers sent each other, captured on loopback.
public struct QuorumVectors: Decodable, Sendable {
  /// One message.
  public struct Vector: Decodable, Sendable, CustomStringConvertible {
    public var name: String
    public var hex: String

    /// The message as it was on the wire.
    public var bytes: [UInt8] { QuorumVectors.bytes(hex) }
    public var description: String { name }
  }

  /// The packets of one connection, in both directions.
  public struct Transcript: Decodable, Sendable {
    /// One packet.
    public struct Packet: Decodable, Sendable {
      public var dir: String
      public var type: String
      public var hex: String

      public var bytes: [UInt8] { QuorumVectors.bytes(hex) }
      public var isFromLearner: Bool { dir == "learner->leader" }
    }

    public var name: String
    public var packets: [Packet]
  }

  public var vectors: [Vector]
  public var transcripts: [Transcript]

  /// All of them.
  public static let all: QuorumVectors = {
    guard let url = Bundle.module.url(forResource: "Resources/quorum-vectors", withExtension: "json"),
      let data = try? Data(contentsOf: url), let vectors = try? JSONDecoder().decode(QuorumVectors.self, from: data)
    else { fatalError("quorum-vectors.json cannot be read") }
    return vectors
  }()

  /// The messages whose names begin so.
  public static func named(_ prefix: String) -> [Vector] { all.vectors.filter { $0.name.hasPrefix(prefix) } }

  fileprivate static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}
