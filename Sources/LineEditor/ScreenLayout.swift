import CLibEdit

/// The positions of the characters of a prompt and a line on a terminal of a given width.
///
/// libedit does not report the position of the cursor, which is needed to clear the edited line or to move below it. So
/// this repeats the rules of its `refresh.c` (`re_addc`, `re_putc`): a wide character that does not fit moves to the
/// next row, a full row moves the cursor to the next one, tab stops are eight columns apart, and other control
/// characters are spelled out.
struct ScreenLayout: Equatable {
  /// A position on the screen, counted from the first column of the prompt's first row.
  struct Position: Equatable {
    var row = 0
    var column = 0
  }

  /// The position of the cursor.
  private(set) var cursor = Position()

  /// The position after the last character.
  private(set) var end = Position()

  /// Lays out a prompt and a line whose cursor is after `cursor` scalars.
  ///
  /// *Complexity*: linear in the length of both.
  init(prompt: [Unicode.Scalar], line: [Unicode.Scalar], cursor offset: Int, columns: Int) {
    for scalar in prompt { advance(by: max(0, scalarColumnWidth(scalar)), columns: columns) }
    cursor = end
    for (index, scalar) in line.enumerated() {
      // If a wide character under the cursor moves to the next row, so does the cursor.
      if index == offset { cursor = wrapped(end, before: scalar, columns: columns) }
      add(scalar, columns: columns)
    }
    if offset >= line.count { cursor = end }
  }

  private mutating func add(_ scalar: Unicode.Scalar, columns: Int) {
    switch scalar {
    case "\n":
      end = Position(row: end.row + 1, column: 0)
    case "\t":
      repeat { advance(by: 1, columns: columns) } while end.column % 8 != 0
    default:
      if let spelled = spelledWidth(of: scalar) {
        for _ in 0..<spelled { advance(by: 1, columns: columns) }
      } else {
        advance(by: max(0, scalarColumnWidth(scalar)), columns: columns)
      }
    }
  }

  private mutating func advance(by width: Int, columns: Int) {
    if end.column + width > columns { end = Position(row: end.row + 1, column: 0) }
    end.column += width
    if end.column >= columns { end = Position(row: end.row + 1, column: 0) }
  }

  private func wrapped(_ position: Position, before scalar: Unicode.Scalar, columns: Int) -> Position {
    let width = scalarColumnWidth(scalar)
    let fits = width <= 1 || position.column + width <= columns
    return fits ? position : Position(row: position.row + 1, column: 0)
  }

  /// The columns of a scalar that libedit spells out: `^X`, `\U+1234`, `\U+12345`; `nil` for one that it prints.
  private func spelledWidth(of scalar: Unicode.Scalar) -> Int? {
    if scalar.value < 0x100, scalar.properties.generalCategory == .control { return 2 }
    guard scalarColumnWidth(scalar) < 0 else { return nil }
    return scalar.value > 0xFFFF ? 8 : 7
  }
}

/// The number of columns of a scalar on the terminal: 0, 1 or 2, or -1 for one that does not print.
func scalarColumnWidth(_ scalar: Unicode.Scalar) -> Int {
  Int(wcwidth(wchar_t(bitPattern: scalar.value)))
}
