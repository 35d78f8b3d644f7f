#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A pattern of lines, as `grep` has them: the C library's regular expressions, over bytes.
final class RegularExpression {
  private var compiled = regex_t()
  /// The pattern itself where it has no special characters: searching for that is much faster.
  private let literal: [UInt8]?

  /// Whether a value that does not have the pattern has no line that matches.
  var isLiteral: Bool { literal != nil }

  /// How a pattern is read.
  struct Options: OptionSet {
    let rawValue: Int
    static let ignoresCase = Options(rawValue: 1)
    static let isExtended = Options(rawValue: 2)
    static let isFixed = Options(rawValue: 4)
  }

  /// - Throws: a usage error with the C library's reason.
  init(_ pattern: String, _ options: Options = [.isExtended]) throws(ShellError) {
    let isPlain = options.contains(.isFixed) || !pattern.utf8.contains { Self.special.contains($0) }
    literal = isPlain && !options.contains(.ignoresCase) ? [UInt8](pattern.utf8) : nil
    var text = pattern
    if options.contains(.isFixed) {
      text = pattern.unicodeScalars.map(Self.escaped).joined()
    }
    guard !pattern.utf8.contains(0) else { throw .usage("a pattern cannot contain a zero byte") }
    var flags: Int32 = 0
    if options.contains(.isExtended) || options.contains(.isFixed) { flags |= REG_EXTENDED }
    if options.contains(.ignoresCase) { flags |= REG_ICASE }
    let code = regcomp(&compiled, text, flags)
    guard code == 0 else {
      var message = [CChar](repeating: 0, count: 256)
      regerror(code, &compiled, &message, message.count)
      let reason = message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      throw .usage("the pattern \(Tokenizer.quote(Word(pattern))) is not valid: \(reason)")
    }
  }

  deinit { regfree(&compiled) }

  /// A character as a pattern that matches nothing else.
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    guard scalar.isASCII, special.contains(UInt8(scalar.value)) else { return String(scalar) }
    return "\\\(scalar)"
  }

  private static let special = Set("\\.[]*^$+?(){}|".utf8)

  /// Whether the pattern describes a part of the bytes.
  func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if let literal {
      return Self.contains(literal, bytes)
    }
    guard let base = bytes.baseAddress else {
      var empty: CChar = 0
      return regexec(&compiled, &empty, 0, nil, 0) == 0
    }
    // The range to search in is passed in the first match, so that the bytes need not end with zero.
    var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(bytes.count))
    return regexec(&compiled, base.assumingMemoryBound(to: CChar.self), 1, &range, REG_STARTEND) == 0
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

  /// Whether the pattern describes a part of the bytes.
  func matches(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes(matches) }
}
