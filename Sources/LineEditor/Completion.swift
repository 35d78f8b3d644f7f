/// What may stand in place of the word before the cursor.
package struct Completion: Equatable, Sendable {
  /// One of the possible words.
  package struct Candidate: Equatable, Sendable {
    /// What is inserted, quoted as the line needs it.
    package var text: String
    /// What a list of candidates shows, such as the last part of a path.
    package var display: String
    /// What follows the text if there is no other candidate: a space, a slash, a closing quote.
    package var suffix: String

    /// A possible word, shown as it is inserted unless `display` says otherwise.
    package init(text: String, display: String? = nil, suffix: String = "") {
      self.text = text
      self.display = display ?? text
      self.suffix = suffix
    }
  }

  /// How many Unicode scalars before the cursor a candidate replaces.
  package var replacedScalarCount: Int

  /// The possible words, in the order in which they are listed.
  package var candidates: [Candidate]

  /// Candidates for the last `replacing` Unicode scalars before the cursor.
  package init(replacing replacedScalarCount: Int, candidates: [Candidate]) {
    self.replacedScalarCount = replacedScalarCount
    self.candidates = candidates
  }

  /// No candidates: the terminal beeps.
  package static let none = Completion(replacing: 0, candidates: [])

  /// What all candidates begin with, never ending within a grapheme of any of them.
  ///
  /// Characters are compared scalar by scalar, not as Swift compares them: composed and decomposed `é` are different
  /// names to a server.
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
