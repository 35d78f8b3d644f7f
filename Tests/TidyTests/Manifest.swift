/// The targets of `Package.swift` and what each depends on, read from its text.
///
/// The manifest is not evaluated: that would take the package manager, and seconds. It is written in one style, so the
/// text can be read: a target begins with `.target(`, `.executableTarget(` or `.systemLibrary(`, and its dependencies
/// are names in quotes between the brackets after `dependencies:`.
struct Manifest {
  /// What each target under `Sources` depends on: targets of the package, and products of others.
  private(set) var dependencies: [String: Set<String>] = [:]

  /// Reads the text of a manifest.
  init(_ text: String) {
    let kinds = [".target(", ".executableTarget(", ".systemLibrary(", ".plugin("]
    var rest = text[...]
    while let start = kinds.compactMap({ rest.firstRange(of: $0) }).min(by: { $0.lowerBound < $1.lowerBound }) {
      let declaration = Self.balanced(rest[start.upperBound...], open: "(", close: ")")
      rest = rest[declaration.endIndex...]
      // Targets elsewhere belong to the tests.
      guard let name = Self.quoted(declaration).first, !declaration.contains("path: \"Tests") else { continue }
      var names: Set<String> = []
      if let list = declaration.firstRange(of: "dependencies: [") {
        let inner = Self.balanced(declaration[list.upperBound...], open: "[", close: "]")
        names = Set(Self.quoted(Self.withoutPackages(inner)))
      }
      dependencies[name] = names
    }
  }

  /// What comes before the bracket that closes one opened already.
  private static func balanced(_ text: Substring, open: Character, close: Character) -> Substring {
    var depth = 1
    let end = text.indices.first { index in
      if text[index] == open { depth += 1 }
      if text[index] == close { depth -= 1 }
      return depth == 0
    }
    return text[..<(end ?? text.endIndex)]
  }

  private static func quoted(_ text: some StringProtocol) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  /// Without the packages that products come from: `.product(name: "NIOCore", package: "swift-nio")`.
  private static func withoutPackages(_ text: Substring) -> String {
    text.split(separator: "package: \"").enumerated().map { index, part in
      index == 0 ? String(part) : String(part.drop { $0 != "\"" }.dropFirst())
    }.joined()
  }
}
