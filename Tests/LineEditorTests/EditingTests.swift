import Testing

/// What a person sees who types on a terminal.
@Suite(.serialized) struct EditingTests {
  @Test(.timeLimit(.minutes(10))) func returnKeyGivesTheLine() throws {
    let session = try TmuxSession()
    try session.enter("get /a")
    try session.waitForEnd("probe> get /a", "line: <get /a>", "probe>")
  }

  @Test(.timeLimit(.minutes(10))) func interruptDropsTheLine() throws {
    let session = try TmuxSession()
    try session.type("half typed")
    // ^C makes the terminal drop what has not been read yet.
    try session.waitForEnd("probe> half typed")
    try session.press("Left", "Left", "Left", "C-c")
    try session.waitForEnd("probe> half typed^C", "interrupted", "probe>")
    try session.enter("next")
    try session.waitFor("line: <next>")
  }

  @Test(.timeLimit(.minutes(10))) func interruptOfALongLineShowsBelowItsLastRow() throws {
    let session = try TmuxSession()
    try session.type(String(repeating: "x", count: 100))
    try session.waitForEnd("probe> " + String(repeating: "x", count: 73), String(repeating: "x", count: 27))
    try session.press("C-a", "C-c")
    try session.waitForEnd(
      "probe> " + String(repeating: "x", count: 73), String(repeating: "x", count: 27) + "^C", "interrupted", "probe>")
  }

  @Test(.timeLimit(.minutes(10))) func endOfInputOnAnEmptyLineLeaves() throws {
    let session = try TmuxSession()
    try session.type("ab")
    try session.press("C-a", "C-d")
    try session.waitForEnd("probe> b")
    try session.press("C-d", "C-d")
    try session.waitForEnd("end of input", "status: 0")
  }

  @Test(.timeLimit(.minutes(10))) func wideAndAccentedCharactersAreEdited() throws {
    let session = try TmuxSession()
    try session.type("größe 日本")
    try session.waitForEnd("probe> größe 日本")
    #expect(try session.cursorColumn() == 7 + 6 + 4)
    try session.press("Left", "BSpace")
    try session.waitForEnd("probe> größe 本")
    try session.press("Enter")
    try session.waitFor("line: <größe 本>")
  }

  /// ^S stops what is written to the terminal, so that the prompt takes as long as wanted.
  @Test(.timeLimit(.minutes(10))) func whatIsTypedWhileThePromptIsWrittenIsShownOnce() throws {
    let session = try TmuxSession()
    try session.enter("pause 500")
    try session.waitFor("line: <pause 500>")
    try session.press("C-s")
    try session.waitUntilEchoIsOff()
    try session.type("typed early")
    try session.press("C-q")
    try session.waitForEnd("line: <pause 500>", "probe> typed early")
    try session.press("Enter")
    try session.waitFor("line: <typed early>")
  }

  @Test(.timeLimit(.minutes(10))) func pastedNewlinesSeparateLines() throws {
    let session = try TmuxSession()
    try session.paste("one\ntwo\nthree")
    try session.waitFor("line: <one>")
    try session.waitFor("line: <two>")
    try session.waitForEnd("probe> three")
  }

  @Test(.timeLimit(.minutes(10))) func textsAppearAboveTheTypedLine() throws {
    let session = try TmuxSession()
    try session.enter("ticks 3")
    try session.type("typed")
    try session.waitForEnd("tick 1", "tick 2", "tick 3", "probe> typed")
    try session.enter(" on")
    try session.waitFor("line: <typed on>")
  }

  @Test(.timeLimit(.minutes(10))) func textsAppearAboveALineOfSeveralRows() throws {
    let session = try TmuxSession()
    try session.enter("ticks 2")
    try session.type(String(repeating: "y", count: 160))
    try session.waitForEnd(
      "tick 1", "tick 2", "probe> " + String(repeating: "y", count: 73), String(repeating: "y", count: 80), "yyyyyyy")
  }

  @Test(.timeLimit(.minutes(10))) func promptChangesWhileALineIsTyped() throws {
    let session = try TmuxSession()
    try session.enter("prompt lost")
    try session.type("typed")
    try session.waitForEnd("lost> typed")
  }

  @Test(.timeLimit(.minutes(10))) func anotherWidthDrawsTheLineAnew() throws {
    let session = try TmuxSession()
    try session.type(String(repeating: "z", count: 50))
    try session.waitFor(String(repeating: "z", count: 50))
    try session.resize(columns: 40)
    try session.waitForEnd("probe> " + String(repeating: "z", count: 33), String(repeating: "z", count: 17))
    try session.resize(columns: 80)
    try session.waitForEnd("probe> " + String(repeating: "z", count: 50))
  }

  @Test(.timeLimit(.minutes(10))) func editrcChoosesVi() throws {
    let home = try TemporaryDirectory()
    let file = home.path + "/editrc"
    try "bind -v\n".write(toFile: file, atomically: true, encoding: .utf8)
    let session = try TmuxSession(environment: ["EDITRC": file])
    try session.enter("one two three")
    try session.waitFor("line: <one two three>")
    // Into command mode, back over a word, one character away; then the first word.
    try session.type("one two three\u{1B}bx0dw")
    try session.waitForEnd("probe> two hree")
    try session.press("C-c")
    try session.waitFor("interrupted")
    try session.type("apri")
    try session.press("Tab")
    try session.waitForEnd("probe> apricot")
  }

  @Test(.timeLimit(.minutes(10))) func dumbTerminalWorksInPlainText() throws {
    let session = try TmuxSession(environment: ["TERM": "dumb"])
    try session.type("plaim")
    try session.press("BSpace")
    try session.enter("n")
    try session.waitForEnd("line: <plain>", "probe>")
    try session.enter("ticks 1")
    try session.type("typed")
    try session.waitForEnd("tick 1", "probe> typed")
    try session.press("C-c", "C-d")
    try session.waitForEnd("end of input", "status: 0")
  }
}
