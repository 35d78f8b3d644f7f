/// The possible completions of the text before the cursor.
package struct Completion: Equatable, Sendable {
  /// One possible completion.
  package struct Candidate: Equatable, Sendable {
    /// The text to insert, quoted as the line needs it.
    package var text: String
    /// The text in a list of candidates, such as the last component of a path.
    package var display: String
    /// The suffix to insert if there is no other candidate: a space, a slash, a closing quote.
    package var suffix: String

    /// A candidate that is listed as it is inserted, unless `display` is given.
    package init(text: String, display: String? = nil, suffix: String = "") {
      self.text = text
      self.display = display ?? text
      self.suffix = suffix
    }
  }

  /// The number of Unicode scalars before the cursor that a candidate replaces.
  package var replacedScalarCount: Int

  /// The candidates, in the order in which they are listed.
  package var candidates: [Candidate]

  /// Candidates for the last `replacing` Unicode scalars before the cursor.
  package init(replacing replacedScalarCount: Int, candidates: [Candidate]) {
    self.replacedScalarCount = replacedScalarCount
    self.candidates = candidates
  }

  /// No candidates: the terminal beeps.
  package static let none = Completion(replacing: 0, candidates: [])

  /// The common prefix of all candidates, which does not end within a grapheme of any of them.
  ///
  /// Characters are compared scalar by scalar, and not as Swift compares them, because servers distinguish composed and
  /// decomposed `é`.
  ///
  /// *Complexity*: linear in the length of all candidates.
  var commonPrefix: String {
    guard var prefix = candidates.first.map({ candidate in Array(candidate.text) }) else { return "" }
    for candidate in candidates.dropFirst() {
      let common = zip(prefix, candidate.text).prefix { ours, theirs in
        ours.unicodeScalars.elementsEqual(theirs.unicodeScalars)
      }
      prefix.removeSubrange(common.count...)
    }
    return String(prefix)
  }
}
