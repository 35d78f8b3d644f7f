#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A pattern for lines, as `grep` searches them.
///
/// The C library's matcher takes quadratic time for some patterns, hours for a value of a megabyte, and cannot be
/// interrupted. Swift's is many times slower for all patterns. See ``Pattern``.
final class RegularExpression {
  private var pattern: Pattern
  /// The pattern itself if it has no special characters: a plain search is faster still.
  private let literal: [UInt8]?

  /// Whether the absence of a match in a whole value proves that no line matches.
  var isLiteral: Bool { literal != nil }

  /// How a pattern is read.
  struct Options: OptionSet {
    let rawValue: Int
    static let ignoresCase = Options(rawValue: 1)
    static let isExtended = Options(rawValue: 2)
    static let isFixed = Options(rawValue: 4)
  }

  /// - Throws: a usage error that says what is wrong with the pattern.
  init(_ text: String, _ options: Options = [.isExtended]) throws(ShellError) {
    let ignoresCase = options.contains(.ignoresCase)
    let isPlain = options.contains(.isFixed) || !text.utf8.contains { Self.special.contains($0) }
    literal = isPlain && !ignoresCase ? [UInt8](text.utf8) : nil
    do throws(PatternError) {
      pattern =
        isPlain
        ? try Pattern(text: text, ignoresCase: ignoresCase)
        : try Pattern(expression: text, isBasic: !options.contains(.isExtended), ignoresCase: ignoresCase)
    } catch {
      throw .usage("the pattern \(Tokenizer.quote(Word(text))) is not valid: \(error.message)")
    }
  }

  private static let special = Set("\\.[]*^$+?(){}|".utf8)

  /// Whether the pattern matches a part of the bytes.
  func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if let literal { return Self.contains(literal, bytes) }
    return bytes.withMemoryRebound(to: UInt8.self) { pattern.matches($0) }
  }

  private static func contains(_ wanted: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let first = wanted.first else { return true }
    guard let base = bytes.baseAddress else { return false }
    var start = 0
    while bytes.count - start >= wanted.count,
      let place = memchr(base + start, Int32(first), bytes.count - start - wanted.count + 1)
    {
      let offset = base.distance(to: UnsafeRawPointer(place))
      if memcmp(base + offset, wanted, wanted.count) == 0 { return true }
      start = offset + 1
    }
    return false
  }

  /// Whether the pattern matches a part of the bytes.
  func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes(matches) }
}
