import ZooKeeperTrees

/// Two versions of a text in one, for a person to make one of them.
enum TextConflict {
  /// The marks before the first version of some lines, between the two, and after the second.
  private static let marks = (yours: "<<<<<<<", middle: "=======", theirs: ">>>>>>>")

  /// The lines that both have once, and the others in both versions between marks.
  ///
  /// - Parameters:
  ///   - yoursName: what the first mark calls its version.
  ///   - theirsName: what the last mark calls its version.
  static func merged(_ yours: [UInt8], _ theirs: [UInt8], yoursName: String, theirsName: String) -> [UInt8] {
    let (yourLines, theirLines) = (lines(of: yours), lines(of: theirs))
    var text: [UInt8] = []
    var (deleted, inserted): ([UInt8], [UInt8]) = ([], [])
    func close() {
      guard !deleted.isEmpty || !inserted.isEmpty else { return }
      text += "\(marks.yours) \(yoursName)\n".utf8 + ended(deleted)
      text += "\(marks.middle)\n".utf8 + ended(inserted)
      text += "\(marks.theirs) \(theirsName)\n".utf8
      (deleted, inserted) = ([], [])
    }
    for edit in TextDiff.edits(yourLines, theirLines) {
      switch edit {
      case .keep(let index, _):
        close()
        text += yourLines[index]
      case .delete(let index): deleted += yourLines[index]
      case .insert(let index): inserted += theirLines[index]
      }
    }
    close()
    return text
  }

  /// Whether a text still has marks at the beginnings of lines.
  static func hasMarks(_ text: [UInt8]) -> Bool {
    lines(of: text).contains { line in
      line.starts(with: "\(marks.yours) ".utf8) || line.starts(with: "\(marks.theirs) ".utf8)
    }
  }

  private static func ended(_ lines: [UInt8]) -> [UInt8] {
    lines.isEmpty || lines.last == UInt8(ascii: "\n") ? lines : lines + [UInt8(ascii: "\n")]
  }

  /// The lines with their ends.
  private static func lines(of text: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var rest = text[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
      lines.append(rest[..<end])
      rest = rest[end...]
    }
    return lines
  }
}
