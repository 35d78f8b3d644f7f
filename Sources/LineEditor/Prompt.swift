/// The text before an edited line, as pieces with one style each.
///
/// Control characters are shown as `?`. On a terminal with colour, the last character is always plain, because libedit
/// drops an escape sequence without a character after it; prompts should end with a plain space.
package struct Prompt: Equatable, Sendable, ExpressibleByStringLiteral {
  /// The style of a piece, if the terminal has colour.
  package enum Style: Hashable, Sendable {
    case plain, bold, dim, red, green, yellow, blue, magenta, cyan
  }

  /// A text of one style.
  package struct Piece: Equatable, Sendable {
    /// The visible text.
    package var text: String
    /// The style.
    package var style: Style

    /// A text of one style.
    package init(_ text: String, style: Style = .plain) {
      self.text = text
      self.style = style
    }
  }

  /// The pieces, from left to right.
  package var pieces: [Piece]

  /// A prompt of some pieces, from left to right.
  package init(_ pieces: [Piece]) {
    self.pieces = pieces
  }

  /// A plain prompt.
  package init(stringLiteral text: String) {
    pieces = [Piece(text)]
  }

  /// The character that opens and closes an escape sequence in ``encoded(inColor:)``.
  static let escapeMark: Unicode.Scalar = "\u{1}"

  /// The visible scalars, without any style.
  var scalars: [Unicode.Scalar] {
    pieces.flatMap { piece in piece.text.unicodeScalars.map(printable) }
  }

  /// The prompt in libedit's form, with escape sequences enclosed in ``escapeMark``.
  ///
  /// *Shape*: `plain ⟨1⟩ESC[1;31m⟨1⟩styled⟨1⟩ESC[0m⟨1⟩ plain`. Two sequences are never adjacent, because libedit needs
  /// a printing character after each.
  func encoded(inColor usesColor: Bool) -> String {
    var result = String.UnicodeScalarView()
    guard usesColor else {
      result.append(contentsOf: scalars)
      return String(result)
    }
    var styled = pieces.flatMap { piece in piece.text.unicodeScalars.map { (printable($0), piece.style) } }
    if !styled.isEmpty { styled[styled.count - 1].1 = .plain }
    var current = Style.plain
    for (scalar, style) in styled {
      if style != current {
        let reset = current == .plain ? "" : "\u{1B}[0m"
        result.append(Self.escapeMark)
        result.append(contentsOf: (reset + style.escapeSequence).unicodeScalars)
        result.append(Self.escapeMark)
        current = style
      }
      result.append(scalar)
    }
    return String(result)
  }
}

extension Prompt.Style {
  /// The SGR sequence that turns the style on from plain.
  fileprivate var escapeSequence: String {
    switch self {
    case .plain: ""
    case .bold: "\u{1B}[1m"
    case .dim: "\u{1B}[2m"
    case .red: "\u{1B}[31m"
    case .green: "\u{1B}[32m"
    case .yellow: "\u{1B}[33m"
    case .blue: "\u{1B}[34m"
    case .magenta: "\u{1B}[35m"
    case .cyan: "\u{1B}[36m"
    }
  }
}

/// The scalar itself, or `?` in place of a control character.
func printable(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
  scalar.properties.generalCategory == .control ? "?" : scalar
}
