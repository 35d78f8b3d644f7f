/// Why a text is not the path of a znode.
public struct ZnodePathError: Error, Hashable, Sendable {
  /// The rule that is broken; offsets count characters of the path.
  public enum Reason: Hashable, Sendable {
    /// The path has no characters.
    case empty
    /// The path does not begin with a slash.
    case notAbsolute
    /// The path ends with a slash and is not the root.
    case trailingSlash
    /// Two slashes follow each other; `offset` is that of the second.
    case emptyComponent(offset: Int)
    /// A name is `.` or `..`.
    case relativeComponent(offset: Int)
    /// A character is one that servers accept in no name.
    case forbiddenCharacter(scalar: Unicode.Scalar, offset: Int)
  }

  /// The text that was checked.
  public let path: String
  /// The first rule that it breaks.
  public let reason: Reason
}

/// The rules and the arithmetic of znode paths.
///
/// Paths are compared and cut by their bytes, as in servers. As Swift's characters, a slash with a combining mark after
/// it would not be a slash, and the two spellings of é would be one name.
///
/// *Source*: `org.apache.zookeeper.common.PathUtils`; `ClientProtocol` 4.2.
public enum ZnodePath {
  /// Checks an absolute path against the rules that servers apply to names.
  ///
  /// - Throws: `ZnodePathError` for the first rule that the path breaks.
  public static func validate(_ path: String) throws(ZnodePathError) {
    if withBytes(path, isPlain) { return }
    try validateByCharacter(path)
  }

  /// Whether a path obviously keeps the rules: an absolute one of printable ASCII whose names are not empty and do not
  /// begin with a dot. Nearly all paths are such, and a server checks one with each write, so that the slow check of
  /// every character is seldom needed.
  private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.first == slash, bytes.count > 1, bytes[bytes.count - 1] != slash else { return false }
    guard bytes.count >= 8 else {
      return isPlain(bytes.reversed().reduce(repeated(UInt8(ascii: "a"))) { $0 << 8 | UInt64($1) })
    }
    // Eight bytes at a time, of which each begins with the last one before: so every two neighbours are seen together.
    var offset = 0
    while isPlain(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))) {
      if offset == bytes.count - 8 { return true }
      offset = min(offset + 7, bytes.count - 8)
    }
    return false
  }

  /// Whether eight bytes, the first of which is the lowest, are printable ASCII with no slash or dot after a slash.
  private static func isPlain(_ word: UInt64) -> Bool {
    let highBits = repeated(0x80)
    // With all high bits clear, a sum of two bytes carries nothing into the next one.
    guard word & highBits == 0, (word &+ repeated(0x80 - 0x20)) & highBits == highBits,
      (word &+ repeated(0x80 - 0x7f)) & highBits == 0
    else { return false }
    let notSlash = (word ^ repeated(slash)) &+ repeated(0x7f)
    // A dot differs from a slash in the lowest bit only.
    let notSlashOrDot = ((word | repeated(1)) ^ repeated(slash)) &+ repeated(0x7f)
    return (~notSlash & highBits) << 8 & ~notSlashOrDot == 0
  }

  private static func repeated(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

  private static func validateByCharacter(_ path: String) throws(ZnodePathError) {
    func fail(_ reason: ZnodePathError.Reason) -> ZnodePathError { ZnodePathError(path: path, reason: reason) }
    guard !path.isEmpty else { throw fail(.empty) }
    guard path.utf8.first == UInt8(ascii: "/") else { throw fail(.notAbsolute) }
    if path == "/" { return }
    guard path.utf8.last != UInt8(ascii: "/") else { throw fail(.trailingSlash) }
    var offset = 0
    var component = ""
    for scalar in path.unicodeScalars.dropFirst() {
      offset += 1
      if scalar == "/" {
        try checkComponent(component, endingAt: offset, of: path)
        component = ""
        continue
      }
      guard !isForbidden(scalar) else { throw fail(.forbiddenCharacter(scalar: scalar, offset: offset)) }
      component.unicodeScalars.append(scalar)
    }
    try checkComponent(component, endingAt: offset + 1, of: path)
  }

  /// Checks the path of a create. A sequential znode may have an empty last name: `/queue/` becomes
  /// `/queue/0000000000`.
  ///
  /// - Throws: `ZnodePathError` for the first rule that the path breaks.
  public static func validate(_ path: String, isSequential: Bool) throws(ZnodePathError) {
    try validate(isSequential ? path + "1" : path)
  }

  /// The path of the parent; nil for the root.
  public static func parent(of path: String) -> String? {
    guard path != "/", let slash = path.utf8.lastIndex(of: slash) else { return nil }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component; empty for the root.
  public static func name(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: slash) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// The path of a child.
  public static func child(_ name: String, of parent: String) -> String {
    parent == "/" ? "/" + name : parent + "/" + name
  }

  /// Resolves what a person typed against a working directory: relative paths, `.`, `..`, repeated and
  /// trailing slashes, as a POSIX shell's `cd` does without links.
  ///
  /// `keepingTrailingSlash` keeps one slash at the end, which means an empty name to a sequential create.
  public static func resolve(_ typed: String, in directory: String, keepingTrailingSlash: Bool = false) -> String {
    let whole = typed.utf8.first == slash ? typed : directory + "/" + typed
    var components: [Substring] = []
    for component in whole.utf8.split(separator: slash).map(Substring.init) where component != "." {
      if component == ".." { _ = components.popLast() } else { components.append(component) }
    }
    let path = "/" + components.joined(separator: "/")
    return keepingTrailingSlash && typed.utf8.last == slash && path != "/" ? path + "/" : path
  }

  /// Whether `path` is that of the root.
  package static func isRoot(_ path: String) -> Bool { path.utf8.count == 1 && path.utf8.first == slash }

  /// Whether `path` is `ancestor` or lies under it.
  public static func isWithin(_ path: String, _ ancestor: String) -> Bool {
    let path = path.utf8
    guard ancestor != "/", path.starts(with: ancestor.utf8) else { return ancestor == "/" }
    let rest = path.dropFirst(ancestor.utf8.count)
    return rest.isEmpty || rest.first == slash
  }

  private static let slash = UInt8(ascii: "/")

  private static func checkComponent(
    _ component: String, endingAt offset: Int, of path: String
  ) throws(ZnodePathError) {
    if component.isEmpty { throw ZnodePathError(path: path, reason: .emptyComponent(offset: offset)) }
    if component == "." || component == ".." {
      throw ZnodePathError(path: path, reason: .relativeComponent(offset: offset - component.count))
    }
  }

  /// Control characters, surrogates, the private use area, non-characters, and everything that needs
  /// two UTF-16 units: servers see those as surrogates.
  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1f, 0x7f...0x9f, 0xd800...0xf8ff, 0xfff0...0xffff, 0x10000...: true
    default: false
    }
  }
}
