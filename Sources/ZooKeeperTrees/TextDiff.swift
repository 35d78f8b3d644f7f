/// The difference of two texts, line by line.
///
/// *Source*: Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, sections 2 and 4.
public enum TextDiff {
  /// An edit of one line.
  public enum Edit: Hashable, Sendable {
    case keep(old: Int, new: Int)
    case delete(old: Int)
    case insert(new: Int)
  }

  /// The maximum number of edits to search for; texts that differ in more are shown as deleted and inserted.
  static let editLimit = 2000

  /// The edits that change `old` to `new`, in order: the fewest possible, if these are at most `editLimit`.
  public static func edits<Line: Equatable>(_ old: [Line], _ new: [Line]) -> [Edit] {
    let prefix = zip(old, new).prefix { $0 == $1 }.count
    let rest = min(old.count, new.count) - prefix
    let suffix = zip(old.reversed(), new.reversed()).prefix(rest).prefix { $0 == $1 }.count
    let middle = middleEdits(
      old[prefix..<(old.count - suffix)], new[prefix..<(new.count - suffix)])
    return (0..<prefix).map { .keep(old: $0, new: $0) } + middle
      + (0..<suffix).map { .keep(old: old.count - suffix + $0, new: new.count - suffix + $0) }
  }

  private static func middleEdits<Line: Equatable>(_ old: ArraySlice<Line>, _ new: ArraySlice<Line>) -> [Edit] {
    let limit = min(old.count + new.count, editLimit)
    // For each diagonal, the furthest position of a path in `old`; one array for each number of edits, for the way
    // back.
    var furthest = [Int](repeating: 0, count: 2 * limit + 2)
    var history: [[Int]] = []
    for edits in 0...max(limit, 0) {
      history.append(Array(furthest[max(0, limit - edits - 1)..<min(furthest.count, limit + edits + 2)]))
      for diagonal in stride(from: -edits, through: edits, by: 2) {
        let goesDown =
          diagonal == -edits
          || diagonal != edits && furthest[limit + diagonal - 1] < furthest[limit + diagonal + 1]
        var x = goesDown ? furthest[limit + diagonal + 1] : furthest[limit + diagonal - 1] + 1
        var y = x - diagonal
        while x < old.count, y < new.count, old[old.startIndex + x] == new[new.startIndex + y] {
          x += 1
          y += 1
        }
        furthest[limit + diagonal] = x
        if x >= old.count, y >= new.count {
          return path(old, new, edits, history, limit)
        }
        guard edits < limit || diagonal < edits else { break }
      }
    }
    return old.indices.map { .delete(old: $0) } + new.indices.map { .insert(new: $0) }
  }

  /// Traces the path back from the end, through the arrays of each number of edits.
  private static func path<Line>(
    _ old: ArraySlice<Line>, _ new: ArraySlice<Line>, _ count: Int, _ history: [[Int]], _ limit: Int
  ) -> [Edit] {
    var path: [Edit] = []
    var (x, y) = (old.count, new.count)
    for edits in stride(from: count, through: 0, by: -1) {
      let row = history[edits]
      let first = max(0, limit - edits - 1)
      func reached(_ diagonal: Int) -> Int { row[limit + diagonal - first] }
      let diagonal = x - y
      let goesDown = diagonal == -edits || diagonal != edits && reached(diagonal - 1) < reached(diagonal + 1)
      let (fromX, fromY): (Int, Int)
      if edits == 0 {
        (fromX, fromY) = (0, 0)
      } else {
        let previous = goesDown ? diagonal + 1 : diagonal - 1
        fromX = reached(previous)
        fromY = fromX - previous
      }
      let (startX, startY) = edits == 0 ? (0, 0) : goesDown ? (fromX, fromY + 1) : (fromX + 1, fromY)
      while x > startX, y > startY {
        x -= 1
        y -= 1
        path.append(.keep(old: old.startIndex + x, new: new.startIndex + y))
      }
      guard edits > 0 else { break }
      path.append(goesDown ? .insert(new: new.startIndex + fromY) : .delete(old: old.startIndex + fromX))
      (x, y) = (fromX, fromY)
    }
    return path.reversed()
  }

  /// The difference as `diff -u` prints it, without the two lines of names: hunks with `context` lines around changes.
  ///
  /// If the difference may not be the smallest one, a line before the first hunk says so, which patch ignores.
  ///
  /// - Returns: no lines if the texts are the same.
  public static func unified(_ old: String, _ new: String, context: Int = 3) -> [String] {
    let (oldLines, newLines) = (lines(of: old), lines(of: new))
    let edits = edits(oldLines, newLines)
    var output: [String] = []
    if edits.count(where: \.isChange) > editLimit {
      output.append("more than \(editLimit) lines differ; this may not be the smallest difference")
    }
    var index = 0
    while let first = edits[index...].firstIndex(where: \.isChange) {
      let start = max(index, first - context)
      var end = first
      var kept = 0
      while end < edits.count, kept <= 2 * context {
        kept = edits[end].isChange ? 0 : kept + 1
        end += 1
      }
      end -= max(0, kept - context)
      output += hunk(edits[start..<end], oldLines, newLines)
      index = end
    }
    return output
  }

  private static func hunk(_ edits: ArraySlice<Edit>, _ old: [Line], _ new: [Line]) -> [String] {
    var (oldStart, newStart): (Int?, Int?)
    var (oldCount, newCount) = (0, 0)
    var body: [String] = []
    for edit in edits {
      switch edit {
      case .keep(let oldIndex, let newIndex):
        oldStart = oldStart ?? oldIndex
        newStart = newStart ?? newIndex
        oldCount += 1
        newCount += 1
        body += old[oldIndex].text(after: " ")
      case .delete(let index):
        oldStart = oldStart ?? index
        oldCount += 1
        body += old[index].text(after: "-")
      case .insert(let index):
        newStart = newStart ?? index
        newCount += 1
        body += new[index].text(after: "+")
      }
    }
    func range(_ start: Int?, _ count: Int) -> String {
      count == 1 ? "\((start ?? 0) + 1)" : "\(count == 0 ? start ?? 0 : (start ?? 0) + 1),\(count)"
    }
    return ["@@ -\(range(oldStart, oldCount)) +\(range(newStart, newCount)) @@"] + body
  }

  /// A line, and whether it is the last one and has no line end.
  private struct Line: Equatable {
    var bytes: [UInt8]
    var lacksEnd = false

    func text(after mark: String) -> [String] {
      [mark + String(decoding: bytes, as: UTF8.self)] + (lacksEnd ? ["\\ No newline at end of file"] : [])
    }
  }

  private static func lines(of text: String) -> [Line] {
    guard !text.isEmpty else { return [] }
    var lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { Line(bytes: Array($0)) }
    if lines.last?.bytes.isEmpty == true { lines.removeLast() } else { lines[lines.count - 1].lacksEnd = true }
    return lines
  }
}

extension TextDiff.Edit {
  fileprivate var isChange: Bool { if case .keep = self { false } else { true } }
}
