/// Extracts the options from a list of tokens, by the rules of GNU's `getopt_long` and with zkCli.sh's old spellings.
///
/// - Options can be anywhere; `--` ends them; `-` alone is an argument.
/// - Long options take a value as `--name=value` or `--name value`, and can be shortened while they stay unique.
/// - Short options can be bundled (`-sw`) and take a value attached or after them (`-v3`, `-v 3`), even one that begins
///   with `-`.
/// - An old spelling with a single dash (`-server`) takes precedence over a bundle of the same letters.
struct OptionParser {
  /// In order of precedence: an option hides later ones with the same letter or name.
  let options: [OptionSpec]
  /// Whether the first argument ends the options, as the command's name does for the program's.
  var stopsAtArgument = false

  /// The options and arguments of a list of tokens.
  struct Result {
    /// The values of each option in order; a flag has an empty value for each occurrence.
    var options: [OptionName: [Word]] = [:]
    var arguments: [Word] = []
    /// Whether there was a `--` before the arguments.
    var endedByTerminator = false
    /// The first mistake. Tokens after it are read as well, because they can say how the error is printed.
    var mistake: ShellError?
  }

  /// The meaning of a token.
  enum Reading {
    /// Options in order; only the last one can still need a value.
    case options([(spec: OptionSpec, value: Word?)])
    /// `--`
    case terminator
    /// Not an option.
    case argument
  }

  /// Separates tokens into options and arguments.
  ///
  /// - Throws: a usage error for an option that is unknown or ambiguous, or has no value or a surplus one.
  func parse(_ words: [Word]) throws(ShellError) -> Result {
    let result = read(words)
    if let mistake = result.mistake { throw mistake }
    return result
  }

  /// Separates tokens into options and arguments as far as they are valid, and records the first mistake.
  func read(_ words: [Word]) -> Result {
    var result = Result()
    var rest = words[...]
    while let word = rest.popFirst() {
      do throws(ShellError) {
        switch try read(word) {
        case .terminator:
          result.endedByTerminator = result.arguments.isEmpty
          result.arguments += rest
          return result
        case .argument:
          result.arguments.append(word)
          guard !stopsAtArgument else {
            result.arguments += rest
            return result
          }
        case .options(let readings):
          for (spec, attached) in readings {
            var value = attached
            if value == nil, spec.takesAsValue(rest.first) { value = rest.popFirst() }
            try add(spec, value, to: &result)
          }
        }
      } catch {
        result.mistake = result.mistake ?? error
      }
    }
    return result
  }

  /// Reads one token, without the one after it.
  func read(_ word: Word) throws(ShellError) -> Reading {
    guard word.bytes.count > 1, word.bytes[0] == UInt8(ascii: "-") else { return .argument }
    if word.bytes == [UInt8](repeating: UInt8(ascii: "-"), count: 2) { return .terminator }
    // A negative number, unless an option is a digit.
    if word.bytes[1].isDigit, !options.contains(where: { $0.short?.isNumber == true }) { return .argument }
    let equals = word.bytes.firstIndex(of: UInt8(ascii: "=")) ?? word.bytes.endIndex
    let name = String(decoding: word.bytes[..<equals], as: UTF8.self)
    // The value is kept as bytes, because it need not be UTF-8.
    let value = equals == word.bytes.endIndex ? nil : Word(bytes: [UInt8](word.bytes[(equals + 1)...]))
    if name.hasPrefix("--") { return .options([(try checkingFlag(try long(name.dropFirst(2)), name, value), value)]) }
    if let old = options.first(where: { $0.oldWord == String(name.dropFirst()) }) {
      return .options([(try checkingFlag(old, name, value), value)])
    }
    return .options(try bundle(word))
  }

  private func add(_ spec: OptionSpec, _ value: Word?, to result: inout Result) throws(ShellError) {
    if let (name, _) = spec.value, value == nil, !spec.isValueOptional {
      throw .usage("option \(spec.spelling) needs a value", hint: "write \(spec.spelling) \(name)")
    }
    result.options[spec.name, default: []].append(value ?? Word(bytes: []))
    if spec.name == .json { result.options[.output, default: []].append("json") }
  }

  private func checkingFlag(_ spec: OptionSpec, _ name: String, _ value: Word?) throws(ShellError) -> OptionSpec {
    if value != nil, spec.value == nil { throw .usage("option \(name) takes no value") }
    return spec
  }

  private func long(_ name: Substring) throws(ShellError) -> OptionSpec {
    if let exact = options.first(where: { $0.name.long == String(name) }) { return exact }
    var matches: [OptionSpec] = []
    for spec in options {
      guard let long = spec.name.long, long.hasPrefix(name) else { continue }
      if !matches.contains(where: { $0.name.long == long }) { matches.append(spec) }
    }
    if matches.count == 1 { return matches[0] }
    if matches.isEmpty { throw unknown("--\(name)") }
    let candidates = matches.map(\.longSpelling).joined(separator: ", ")
    throw .usage("option --\(name) is ambiguous", hint: "it could be \(candidates)")
  }

  private func bundle(_ word: Word) throws(ShellError) -> [(spec: OptionSpec, value: Word?)] {
    var readings: [(spec: OptionSpec, value: Word?)] = []
    for index in word.bytes.indices.dropFirst() {
      let letter = Character(Unicode.Scalar(word.bytes[index]))
      guard letter.isASCII, let spec = options.first(where: { $0.short == letter }) else {
        throw unknown(index == 1 ? word.text : "-\(letter)", in: word)
      }
      guard spec.value != nil else {
        readings.append((spec, nil))
        continue
      }
      let attached = [UInt8](word.bytes[(index + 1)...])
      return readings + [(spec, attached.isEmpty ? nil : Word(bytes: attached))]
    }
    return readings
  }

  private func unknown(_ option: String, in word: Word? = nil) -> ShellError {
    let known = options.flatMap { spec in
      [spec.name.long.map { "--" + $0 }, spec.oldWord.map { "-" + $0 }].compactMap(\.self)
    }
    let place = word.flatMap { $0.text == option ? nil : " in \($0.text)" } ?? ""
    // One letter is not enough for a guess.
    if option.utf8.count > 2, let nearest = Suggestions.nearest(to: option, among: known) {
      return .usage("unknown option \(option)\(place)", hint: "did you mean \(nearest)?")
    }
    return .usage("unknown option \(option)\(place)", hint: "to pass a value that begins with -, put -- before it")
  }
}

extension OptionSpec {
  /// Whether the token after the option is its value.
  func takesAsValue(_ word: Word?) -> Bool {
    guard let value else { return false }
    guard isValueOptional else { return true }
    guard value.kind == .number else { return false }
    return word.map { !$0.bytes.isEmpty && $0.bytes.allSatisfy { (0x30...0x39).contains($0) } } ?? false
  }

  /// The spelling that messages use: the long one, if there is one.
  var spelling: String { name.long == nil ? "-" + (oldWord ?? "") : longSpelling }

  /// `--name`.
  var longSpelling: String { "--" + (name.long ?? name.rawValue) }
}
