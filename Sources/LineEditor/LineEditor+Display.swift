import CLibEdit

extension LineEditor {
  /// The scalars of libedit's line, and the number of scalars before the cursor.
  var editedLine: (line: [Unicode.Scalar], cursor: Int) {
    guard let info = el_wline(editLine)?.pointee, let start = info.buffer else { return ([], 0) }
    let scalars = UnsafeBufferPointer(start: start, count: info.lastchar - start)
    return (scalars.map { Unicode.Scalar(UInt32(bitPattern: $0)) ?? "\u{FFFD}" }, info.cursor - start)
  }

  /// Whether the terminal can move its cursor and clear; otherwise no colour is used either.
  ///
  /// The sequences are those of ECMA-48, which all present terminals support.
  var hasCursorMotion: Bool {
    shim_el_has(editLine, "up") != 0 && shim_el_has(editLine, "cd") != 0
  }

  /// The columns of the screen, as libedit knows them.
  var screenColumns: Int { dimension("co", fallback: 80) }

  /// The rows of the screen, as libedit knows them.
  var screenRows: Int { dimension("li", fallback: 24) }

  /// The position of the cursor and of the end of the line.
  var layout: ScreenLayout {
    let (line, cursor) = editedLine
    return ScreenLayout(prompt: prompt.scalars, line: line, cursor: cursor, columns: screenColumns)
  }

  /// Whether the cursor is in a line that libedit has drawn.
  private var isDrawn: Bool { isInteractive && isEditing }

  /// Shows texts of other threads, above the line that is being edited if there is one, and updates the prompt.
  func showWaitingTexts() {
    let waiting = printer.takeWaiting()
    guard !waiting.text.isEmpty || waiting.prompt != nil else { return }
    guard isDrawn else {
      if let prompt = waiting.prompt { setPrompt(prompt) }
      return writeToTerminal(waiting.text)
    }
    redraw(below: waiting.text, prompt: waiting.prompt)
  }

  /// Clears the prompt and the line, writes a text in their place, and draws them again below it.
  func redraw(below text: String = "", prompt newPrompt: Prompt? = nil) {
    guard isDrawn else { return }
    if hasCursorMotion {
      let row = min(layout.cursor.row, screenRows - 1)
      writeToTerminal("\r" + (row > 0 ? "\u{1B}[\(row)A" : "") + "\u{1B}[J" + text)
    } else {
      writeToTerminal("\r\n" + text)
    }
    if let newPrompt { setPrompt(newPrompt) }
    shim_el_refresh(editLine)
  }

  /// Moves the terminal's cursor after the last character of the line, without libedit's knowledge, because the line
  /// ends here.
  func moveToEndOfLine() {
    guard isDrawn, hasCursorMotion else { return }
    let (cursor, end) = (layout.cursor, layout.end)
    let down = end.row > cursor.row ? "\u{1B}[\(end.row - cursor.row)B" : ""
    let right = end.column > 0 ? "\u{1B}[\(end.column)C" : ""
    writeToTerminal(down + "\r" + right)
  }

  /// Shows a hint after the cursor, as far as it fits in the row, without libedit's knowledge.
  func showHint() {
    guard isDrawn, hasCursorMotion, let hinter else { return }
    let (line, cursor) = editedLine
    guard !line.isEmpty, cursor == line.count, let hint = hinter(String(String.UnicodeScalarView(line))) else { return }
    // The last column stays empty, because a character there would move the cursor to the next row.
    let room = screenColumns - layout.cursor.column - 1
    let shown = hint.unicodeScalars.map(printable).prefix(max(0, room))
    guard !shown.isEmpty else { return }
    showsHint = true
    let text = String(String.UnicodeScalarView(shown))
    let (on, off) = usesColor ? ("\u{1B}[2m", "\u{1B}[0m") : ("", "")
    // Saves and restores the position of the cursor.
    writeToTerminal("\u{1B}7\(on)\(text)\(off)\u{1B}8")
  }

  /// Removes the hint before any other output.
  func removeHint() {
    guard showsHint else { return }
    showsHint = false
    writeToTerminal("\u{1B}[K")
  }

  private func dimension(_ capability: String, fallback: Int) -> Int {
    let value = Int(shim_el_number(editLine, capability))
    return value > 1 ? value : fallback
  }
}
