/// One line for each event that a reader of a run needs. Lines are always hashed, and kept only on request.
struct TraceLog {
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  private(set) var lines: [String] = []
  let keepsLines: Bool

  /// Creates an empty trace.
  init(keepsLines: Bool) { self.keepsLines = keepsLines }

  /// Adds numbers that identify an event to the hash only, which is cheap enough for every event.
  mutating func mix(_ values: Int64...) {
    for value in values { mix(UInt64(bitPattern: value)) }
  }

  /// Adds a line.
  mutating func add(_ time: Int64, _ line: @autoclosure () -> String) {
    mix(time)
    guard keepsLines else { return }
    lines.append("\(time / 1000).\(String(1000 + time % 1000).dropFirst()) \(line())")
  }

  private mutating func mix(_ value: UInt64) {
    hash ^= value
    hash = hash &* 0x100_0000_01b3
    hash ^= hash >> 29
  }
}
