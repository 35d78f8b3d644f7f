import Synchronization

/// Where values come from that are not on the command line.
final class ValueSource: Sendable {
  /// Whether stdin is free to hold a value; in a script read from stdin it holds the commands.
  private let offersStdin: Bool
  private let hasReadStdin = Mutex(false)
  /// Asks a person for a secret, without showing it; nil where there is no person.
  private let secretPrompt: (@Sendable (String) async throws(ShellError) -> [UInt8])?

  init(offersStdin: Bool, secretPrompt: (@Sendable (String) async throws(ShellError) -> [UInt8])? = nil) {
    self.offersStdin = offersStdin
    self.secretPrompt = secretPrompt
  }

  /// The bytes that a word stands for: `-` is stdin to its end, `@name` a file, `@@name` the text `@name`, and
  /// everything else itself.
  ///
  /// - Throws: exit code 12 when the file or stdin cannot be read; a usage error when stdin is not free.
  func bytes(of word: Word) async throws(ShellError) -> [UInt8] {
    switch word.bytes.first {
    case UInt8(ascii: "-") where word.bytes.count == 1: return try stdin()
    case UInt8(ascii: "@") where word.bytes.count > 1:
      let rest = [UInt8](word.bytes.dropFirst())
      return rest.first == UInt8(ascii: "@") ? rest : try Files.read(String(decoding: rest, as: UTF8.self))
    default: return word.bytes
    }
  }

  /// A secret from a person.
  ///
  /// - Throws: a usage error where nobody can be asked.
  func secret(prompt: String) async throws(ShellError) -> [UInt8] {
    guard let secretPrompt else {
      throw .usage("nobody can be asked for the secret here", hint: "give it with --auth-file or ZKCLI_AUTH")
    }
    return try await secretPrompt(prompt)
  }

  private func stdin() throws(ShellError) -> [UInt8] {
    guard offersStdin else {
      throw .usage("- means stdin, which is not free here", hint: "put the value into a file and write @FILE")
    }
    let isFirst = hasReadStdin.withLock { hasRead in
      defer { hasRead = true }
      return !hasRead
    }
    guard isFirst else { throw .usage("stdin has been read already; one - is all there can be") }
    return try Files.read(0, name: "stdin")
  }
}
