/// Guesses the intended name of a mistyped one.
package enum Suggestions {
  /// The candidate most similar to `name`, if one is similar enough.
  ///
  /// *Complexity*: the product of the lengths of both names, for each candidate.
  package static func nearest(to name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased().utf8)
    guard !wanted.isEmpty else { return nil }
    // `stat` is the beginning of `status`, and not a mistyped `start`.
    if wanted.count > 2, let whole = onlyBeginning(wanted, among: candidates) { return whole }
    // At most a third of the letters may differ: otherwise every short name would be similar to every other.
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().utf8)
      let distance = distance(wanted, letters)
      // A replaced letter makes a different name of a short one: `edit` is not `exit`, and `cp` is not `cd`.
      let isOtherWord = wanted.count < 5 && wanted.count == letters.count && !isSwap(wanted, letters)
      if distance <= limit, !isOtherWord, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name ?? onlyBeginning(wanted, among: candidates)
  }

  /// Whether two names of the same length have the same letters.
  private static func isSwap(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.sorted() == right.sorted() }

  /// The shortest candidate that begins with `wanted`, if all others with that beginning also begin with it: `dele` is
  /// `delete`, although `deleteall` begins with it too.
  private static func onlyBeginning(_ wanted: [UInt8], among candidates: [String]) -> String? {
    let fitting = candidates.filter { $0.lowercased().utf8.starts(with: wanted) }
    guard let shortest = fitting.min(by: { $0.utf8.count < $1.utf8.count }) else { return nil }
    let stem = shortest.lowercased()
    return fitting.allSatisfy { $0.lowercased().utf8.starts(with: stem.utf8) } ? shortest : nil
  }

  /// The number of letters to insert, delete, replace or swap with their neighbours.
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
