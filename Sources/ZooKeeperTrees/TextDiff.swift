/// What differs between two texts, line by line, as `diff -u` shows it.
///
/// A line is what ends with a line feed; the last may lack it. Nothing is assumed about the encoding of the texts.
///
/// *Source*: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), in linear space. Where the shortest
/// sequence of edits would take too long to find, a longer one is taken.
public struct TextDiff: Sendable {
  /// A line, and which of the texts has it.
  public enum Line: Hashable, Sendable {
    case kept(ArraySlice<UInt8>)
    case removed(ArraySlice<UInt8>)
    case added(ArraySlice<UInt8>)
  }

  /// A run of lines with changes, and some lines around them that are the same in both texts.
  public struct Hunk: Hashable, Sendable {
    /// Counted from 0.
    public var firstOldLine: Int
    public var firstNewLine: Int
    public var oldCount: Int
    public var newCount: Int
    public var lines: [Line]
  }

  /// All lines of both texts; in each run of changes the removed lines are first.
  public let lines: [Line]

  /// Compares two texts.
  ///
  /// *Complexity*: of lines and edits O(N x D), and never more than O(N^1.5).
  public init(old: [UInt8], new: [UInt8]) {
    let (oldLines, newLines) = (Self.split(old), Self.split(new))
    var numbers: [ArraySlice<UInt8>: Int] = [:]
    func number(_ line: ArraySlice<UInt8>) -> Int {
      let next = numbers.count
      if let known = numbers[line] { return known }
      numbers[line] = next
      return next
    }
    var comparison = SequenceComparison(oldLines.map(number), newLines.map(number))
    comparison.run()
    var lines: [Line] = []
    var (x, y) = (0, 0)
    while x < oldLines.count || y < newLines.count {
      if x < oldLines.count, comparison.isRemoved[x] {
        lines.append(.removed(oldLines[x]))
        x += 1
      } else if y < newLines.count, comparison.isAdded[y] {
        lines.append(.added(newLines[y]))
        y += 1
      } else {
        lines.append(.kept(oldLines[x]))
        (x, y) = (x + 1, y + 1)
      }
    }
    self.lines = lines
  }

  /// Whether the texts are the same.
  public var isEmpty: Bool { lines.allSatisfy(\.isKept) }

  /// The changes with so many lines around each that are the same in both texts.
  public func hunks(context: Int = 3) -> [Hunk] {
    var hunks: [Hunk] = []
    var (old, new) = (0, 0)
    var lastChange: Int?
    var hunk: Hunk?
    for (index, line) in lines.enumerated() {
      if !line.isKept {
        if hunk == nil {
          let before = min(context, index - (lastChange.map { $0 + 1 + context } ?? 0))
          hunk = Hunk(
            firstOldLine: old - before, firstNewLine: new - before, oldCount: before, newCount: before,
            lines: [Line](lines[(index - before)..<index]))
        }
        lastChange = index
      }
      // Two changes are in one hunk when the lines between them would be in both.
      if let last = lastChange, line.isKept, index - last > context, let done = hunk {
        let next = lines[index...].prefix(context + 1).firstIndex { !$0.isKept }
        if next == nil {
          hunks.append(done)
          hunk = nil
        }
      }
      hunk?.append(line)
      if !line.isAdded { old += 1 }
      if !line.isRemoved { new += 1 }
    }
    if let hunk { hunks.append(hunk) }
    return hunks
  }

  /// The text of the changes as `patch` reads it; empty if there are none.
  ///
  /// - Parameters:
  ///   - oldName: what the first line calls the old text.
  ///   - newName: what the second line calls the new text.
  ///   - context: how many lines around a change are shown.
  public func unified(oldName: String, newName: String, context: Int = 3) -> [UInt8] {
    let hunks = hunks(context: context)
    guard !hunks.isEmpty else { return [] }
    var text = [UInt8]("--- \(oldName)\n+++ \(newName)\n".utf8)
    for hunk in hunks {
      let old = Self.range(hunk.firstOldLine, hunk.oldCount)
      let new = Self.range(hunk.firstNewLine, hunk.newCount)
      text += "@@ -\(old) +\(new) @@\n".utf8
      for line in hunk.lines {
        text.append(line.mark)
        text += line.bytes
        if line.bytes.last != UInt8(ascii: "\n") { text += "\n\\ No newline at end of file\n".utf8 }
      }
    }
    return text
  }

  /// *Shape*: the number of the first line, from 1, and the number of lines if that is not one; for none, the number
  /// of the line before.
  private static func range(_ first: Int, _ count: Int) -> String {
    switch count {
    case 0: "\(first),0"
    case 1: "\(first + 1)"
    default: "\(first + 1),\(count)"
    }
  }

  private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    while start < text.endIndex {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.endIndex
      lines.append(text[start..<end])
      start = end
    }
    return lines
  }
}

extension TextDiff.Hunk {
  fileprivate mutating func append(_ line: TextDiff.Line) {
    lines.append(line)
    if !line.isAdded { oldCount += 1 }
    if !line.isRemoved { newCount += 1 }
  }
}

extension TextDiff.Line {
  /// The line with its end.
  public var bytes: ArraySlice<UInt8> {
    switch self {
    case .kept(let line), .removed(let line), .added(let line): line
    }
  }

  fileprivate var mark: UInt8 {
    switch self {
    case .kept: UInt8(ascii: " ")
    case .removed: UInt8(ascii: "-")
    case .added: UInt8(ascii: "+")
    }
  }

  fileprivate var isKept: Bool { mark == UInt8(ascii: " ") }
  fileprivate var isRemoved: Bool { mark == UInt8(ascii: "-") }
  fileprivate var isAdded: Bool { mark == UInt8(ascii: "+") }
}

/// Finds the elements that one sequence has and another lacks.
private struct SequenceComparison {
  private let old: [Int]
  private let new: [Int]
  private(set) var isRemoved: [Bool]
  private(set) var isAdded: [Bool]
  /// By diagonal, x - y, the furthest x that so many edits reach from the upper left corner.
  private var forward: [Int]
  /// By diagonal, the least x that so many edits reach from the lower right corner.
  private var backward: [Int]
  /// So many edits are tried before a split that may not be the best is taken.
  private let patience: Int

  /// A part of the table of all pairs of elements.
  private struct Box {
    var x: Range<Int>
    var y: Range<Int>
  }

  init(_ old: [Int], _ new: [Int]) {
    self.old = old
    self.new = new
    isRemoved = Array(repeating: false, count: old.count)
    isAdded = Array(repeating: false, count: new.count)
    forward = Array(repeating: 0, count: old.count + new.count + 3)
    backward = forward
    patience = max(256, Int(Double(old.count + new.count).squareRoot()))
  }

  mutating func run() {
    var boxes = [Box(x: 0..<old.count, y: 0..<new.count)]
    while var box = boxes.popLast() {
      while !box.x.isEmpty, !box.y.isEmpty, old[box.x.lowerBound] == new[box.y.lowerBound] {
        box.x.removeFirst()
        box.y.removeFirst()
      }
      while !box.x.isEmpty, !box.y.isEmpty, old[box.x.upperBound - 1] == new[box.y.upperBound - 1] {
        box.x.removeLast()
        box.y.removeLast()
      }
      if box.x.isEmpty || box.y.isEmpty {
        for x in box.x { isRemoved[x] = true }
        for y in box.y { isAdded[y] = true }
      } else {
        let (x, y) = middle(of: box)
        boxes.append(Box(x: box.x.lowerBound..<x, y: box.y.lowerBound..<y))
        boxes.append(Box(x: x..<box.x.upperBound, y: y..<box.y.upperBound))
      }
    }
  }

  /// A point that a short sequence of edits passes, with edits on either side of it.
  private mutating func middle(of box: Box) -> (x: Int, y: Int) {
    let offset = new.count + 1
    let allowed = (box.x.lowerBound - box.y.upperBound)...(box.x.upperBound - box.y.lowerBound)
    let start = box.x.lowerBound - box.y.lowerBound
    let end = box.x.upperBound - box.y.upperBound
    let meetsForward = (start - end) % 2 != 0
    var (fromStart, fromEnd) = (start...start, end...end)
    forward[offset + start] = box.x.lowerBound
    backward[offset + end] = box.x.upperBound
    var edits = 0
    while true {
      edits += 1
      fromStart = Self.widened(fromStart, within: allowed, &forward, offset, unreached: -1)
      for diagonal in stride(from: fromStart.upperBound, through: fromStart.lowerBound, by: -2) {
        let x = advance(diagonal, offset, box)
        if meetsForward, fromEnd.contains(diagonal), backward[offset + diagonal] <= x { return (x, x - diagonal) }
      }
      fromEnd = Self.widened(fromEnd, within: allowed, &backward, offset, unreached: .max)
      for diagonal in stride(from: fromEnd.upperBound, through: fromEnd.lowerBound, by: -2) {
        let x = retreat(diagonal, offset, box)
        if !meetsForward, fromStart.contains(diagonal), x <= forward[offset + diagonal] { return (x, x - diagonal) }
      }
      if edits >= patience { return furthest(fromStart, fromEnd, offset, box) }
    }
  }

  /// The diagonals that one more edit reaches.
  private static func widened(
    _ range: ClosedRange<Int>, within allowed: ClosedRange<Int>, _ reached: inout [Int], _ offset: Int, unreached: Int
  ) -> ClosedRange<Int> {
    var (lower, upper) = (range.lowerBound, range.upperBound)
    if lower > allowed.lowerBound {
      lower -= 1
      reached[offset + lower - 1] = unreached
    } else {
      lower += 1
    }
    if upper < allowed.upperBound {
      upper += 1
      reached[offset + upper + 1] = unreached
    } else {
      upper -= 1
    }
    return lower...upper
  }

  private mutating func advance(_ diagonal: Int, _ offset: Int, _ box: Box) -> Int {
    let (below, above) = (forward[offset + diagonal - 1], forward[offset + diagonal + 1])
    var x = below < above ? above : below + 1
    while x < box.x.upperBound, x - diagonal < box.y.upperBound, old[x] == new[x - diagonal] { x += 1 }
    forward[offset + diagonal] = x
    return x
  }

  private mutating func retreat(_ diagonal: Int, _ offset: Int, _ box: Box) -> Int {
    let (below, above) = (backward[offset + diagonal - 1], backward[offset + diagonal + 1])
    var x = below < above ? below : above - 1
    while x > box.x.lowerBound, x - diagonal > box.y.lowerBound, old[x - 1] == new[x - diagonal - 1] { x -= 1 }
    backward[offset + diagonal] = x
    return x
  }

  /// The point that is furthest from the corner where the way to it begins.
  private func furthest(
    _ fromStart: ClosedRange<Int>, _ fromEnd: ClosedRange<Int>, _ offset: Int, _ box: Box
  ) -> (x: Int, y: Int) {
    var first = (x: box.x.lowerBound, y: box.y.lowerBound)
    for diagonal in stride(from: fromStart.upperBound, through: fromStart.lowerBound, by: -2) {
      let x = min(forward[offset + diagonal], box.x.upperBound, box.y.upperBound + diagonal)
      if x + x - diagonal > first.x + first.y { first = (x, x - diagonal) }
    }
    var last = (x: box.x.upperBound, y: box.y.upperBound)
    for diagonal in stride(from: fromEnd.upperBound, through: fromEnd.lowerBound, by: -2) {
      let x = max(backward[offset + diagonal], box.x.lowerBound, box.y.lowerBound + diagonal)
      if x + x - diagonal < last.x + last.y { last = (x, x - diagonal) }
    }
    let fromFirst = first.x + first.y - box.x.lowerBound - box.y.lowerBound
    let fromLast = box.x.upperBound + box.y.upperBound - last.x - last.y
    return fromFirst > fromLast ? first : last
  }
}
