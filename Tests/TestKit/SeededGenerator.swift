import Foundation

/// A repeatable generator of random numbers: the seed is printed, and can be set again by `ZKCLI_TEST_SEED`.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator for one test. The seed is printed with the test's name.
  public init(for test: String = #function) {
    let given = ProcessInfo.processInfo.environment["ZKCLI_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? .random(in: 1...999_999_999)
    print("\(test): ZKCLI_TEST_SEED=\(seed)")
    state = seed
  }

  /// A generator with a fixed seed, for what must be the same in every run.
  public init(seed: UInt64) { state = seed }

  /// A separate generator for a part of a test, with a seed from another generator.
  public init(from other: inout SeededGenerator) { state = other.next() }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Changes bytes as a faulty or hostile peer might: flipped bits, cuts, additions, wrong lengths.
public func mutate(_ original: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
  var bytes = original
  for _ in 0..<Int.random(in: 1...4, using: &random) {
    switch Int.random(in: 0..<4, using: &random) {
    case 0 where !bytes.isEmpty:
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    case 2: bytes += (0..<Int.random(in: 1...8, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 3 where bytes.count >= 4:
      let offset = Int.random(in: 0...bytes.count - 4, using: &random)
      let value = [Int32.max, .min, -1, -2, 0, 1, 100].randomElement(using: &random) ?? 0
      bytes.replaceSubrange(offset..<offset + 4, with: bigEndian(value))
    default: break
    }
  }
  return bytes
}

/// The four bytes of an integer as they go over the wire.
public func bigEndian(_ value: Int32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
