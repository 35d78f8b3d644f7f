/// One line for each thing that happens. Always hashed, kept only if somebody wants to read it.
struct TraceLog {
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  private(set) var lines: [String] = []
  let keepsLines: Bool

  /// An empty trace.
  init(keepsLines: Bool) { self.keepsLines = keepsLines }

  /// Notes numbers that stand for what happened: cheap enough for every event.
  mutating func mix(_ values: Int64...) {
    for value in values { mix(UInt64(bitPattern: value)) }
  }

  /// Notes a line.
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
