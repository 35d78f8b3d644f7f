/// Guesses what a mistyped name was meant to be.
package enum Suggestions {
  /// The candidate nearest to `name`, if one is near enough to be worth a question.
  ///
  /// *Complexity*: names are short; the work is the product of their lengths for each candidate.
  package static func nearest(to name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased().utf8)
    guard !wanted.isEmpty else { return nil }
    // `stat` is what was typed of `status`, not a mistyped `start`.
    if wanted.count > 2, let whole = onlyBeginning(wanted, among: candidates) { return whole }
    // A third of the letters may be wrong: more, and every short name is near to every other.
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().utf8)
      let distance = distance(wanted, letters)
      // Another letter in its place makes another word of a short one: `edit` is not `exit`, nor `cp` `cd`.
      let isOtherWord = wanted.count < 5 && wanted.count == letters.count && !isSwap(wanted, letters)
      if distance <= limit, !isOtherWord, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name ?? onlyBeginning(wanted, among: candidates)
  }

  /// Whether two words of one length have the same letters.
  private static func isSwap(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.sorted() == right.sorted() }

  /// The candidate that a word is the beginning of, if all such are forms of one: `dele` is `delete`, and `deleteall`
  /// goes on from there.
  private static func onlyBeginning(_ wanted: [UInt8], among candidates: [String]) -> String? {
    let fitting = candidates.filter { $0.lowercased().utf8.starts(with: wanted) }
    guard let shortest = fitting.min(by: { $0.utf8.count < $1.utf8.count }) else { return nil }
    let stem = shortest.lowercased()
    return fitting.allSatisfy { $0.lowercased().utf8.starts(with: stem.utf8) } ? shortest : nil
  }

  /// Letters to insert, delete, replace or swap with their neighbour.
  ///
  /// *Source*: Damerau (1964), in the restricted form called optimal string alignment.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let substitution = last[column] + (left[row] == right[column] ? 0 : 1)
        var best = min(last[column + 1] + 1, current[column] + 1, substitution)
        let isSwap = row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column]
        if isSwap { best = min(best, beforeLast[column - 1] + 1) }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
