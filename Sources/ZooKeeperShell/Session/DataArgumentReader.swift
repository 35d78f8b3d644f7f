import Synchronization

/// Reads values and answers that are not on the command line.
final class DataArgumentReader: Sendable {
  /// Whether stdin can hold a value; if a script is read from stdin, it holds the commands.
  private let offersStdin: Bool
  private let hasReadStdin = Mutex(false)
  /// Whether the user can be asked before something is destroyed.
  let asksBeforeDestroying: Bool

  init(offersStdin: Bool, asksBeforeDestroying: Bool) {
    self.offersStdin = offersStdin
    self.asksBeforeDestroying = asksBeforeDestroying
  }

  /// The bytes that an argument denotes: `-` is stdin to its end, `@name` a file, `@@name` the text `@name`, and
  /// everything else itself.
  ///
  /// - Throws: exit code 12 if the file or stdin cannot be read; a usage error if stdin is in use.
  func bytes(of word: Word) async throws(ShellError) -> [UInt8] {
    switch word.bytes.first {
    case UInt8(ascii: "-") where word.bytes.count == 1: return try stdin()
    case UInt8(ascii: "@") where word.bytes.count > 1:
      let rest = [UInt8](word.bytes.dropFirst())
      return rest.first == UInt8(ascii: "@") ? rest : try FileIO.read(String(decoding: rest, as: UTF8.self))
    default: return word.bytes
    }
  }

  /// Asks the user for a secret.
  ///
  /// - Parameter otherWays: how it can be given without a terminal.
  /// - Throws: a usage error if there is no terminal.
  func secret(
    prompt: String, otherWays: String = "--auth-file or ZKCLI_AUTH"
  ) async throws(ShellError) -> [UInt8] {
    do throws(ShellError) {
      return try await TerminalQuestion.ask(prompt, isSecret: true)
    } catch {
      var error = error
      if error.exitCode == .usage { error.hint = "give the secret with \(otherWays)" }
      throw error
    }
  }

  /// Asks before something is destroyed, except in scripts and pipes.
  func confirms(_ question: String) async throws(ShellError) -> Bool {
    guard asksBeforeDestroying else { return true }
    return ["y", "yes"].contains(try await answer(to: "\(question) [y/N] ").lowercased())
  }

  /// The line that the user types in answer to a question, without blanks around it.
  func answer(to question: String) async throws(ShellError) -> String {
    let line = String(decoding: try await TerminalQuestion.ask(question, isSecret: false), as: UTF8.self)
    return String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  private func stdin() throws(ShellError) -> [UInt8] { try FileIO.read(try claimStdin(), name: "stdin") }

  /// The descriptor of stdin, which only the caller may read from then on.
  ///
  /// - Throws: a usage error if it is in use.
  func claimStdin() throws(ShellError) -> Int32 {
    guard offersStdin else {
      throw .usage("- means stdin, which is in use here", hint: "put the value into a file and give @FILE")
    }
    let isFirst = hasReadStdin.withLock { hasRead in
      defer { hasRead = true }
      return !hasRead
    }
    guard isFirst else { throw .usage("stdin has already been read; only one argument can be -") }
    return 0
  }
}
