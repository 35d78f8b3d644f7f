import CLibEdit

extension LineEditor {
  /// Handles TAB: inserts the common prefix of the candidates, or lists them, or beeps if there are none.
  ///
  /// - Returns: the next action of libedit.
  func complete() -> Int32 {
    guard let completer else { return CC_ERROR }
    let (line, cursor) = editedLine
    let completion = completer(String(String.UnicodeScalarView(line)), cursor)
    // A signal may have arrived while the completer waited.
    if interruption != nil { return CC_EOF }
    let replaced = line[..<cursor].suffix(max(0, completion.replacedScalarCount))
    switch completion.candidates.count {
    case 0:
      return CC_ERROR
    case 1:
      let candidate = completion.candidates[0]
      replace(replaced.count, with: candidate.text)
      insertUnlessThere(candidate.suffix, following: line[cursor...])
      return CC_REFRESH
    default:
      let prefix = completion.commonPrefix
      if prefix.unicodeScalars.count > replaced.count {
        replace(replaced.count, with: prefix)
        return CC_REFRESH
      }
      list(completion.candidates)
      // CC_REDISPLAY would erase the last rows of the list.
      return CC_NORM
    }
  }

  private func replace(_ scalarCount: Int, with text: String) {
    el_deletestr(editLine, Int32(scalarCount))
    el_insertstr(editLine, text)
  }

  /// Inserts a suffix, or moves the cursor past it if it already follows.
  private func insertUnlessThere(_ suffix: String, following rest: ArraySlice<Unicode.Scalar>) {
    if !suffix.isEmpty, rest.starts(with: suffix.unicodeScalars) {
      el_cursor(editLine, Int32(suffix.unicodeScalars.count))
    } else {
      el_insertstr(editLine, suffix)
    }
  }

  private func list(_ candidates: [Completion.Candidate]) {
    // Two rows are kept for the line itself.
    let list = CandidateList(candidates.map(\.display), columns: screenColumns, rowLimit: screenRows - 2)
    moveToEndOfLine()
    writeToTerminal("\r\n" + list.rows.map { row in row + "\r\n" }.joined())
    shim_el_refresh(editLine)
  }
}
