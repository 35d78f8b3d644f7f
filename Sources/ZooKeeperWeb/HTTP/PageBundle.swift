/// What the first view needs, in one script and one style sheet, made of the page's small files when they are first
/// asked for.
///
/// The page is written as plain modules, and a browser would ask for two dozen of them, six at a time, before it could
/// draw the first row of the tree. With the bundle it asks for four files; the first row is there after 98 ms instead
/// of 130, in Chromium on two cores, with an unoptimized build.
///
/// The script holds the module `app.js` and whatever it imports statically, each inside a function, in the order of
/// their imports. Views are loaded later, as the modules they are. What those import from the bundle must be the same
/// instance, so each bundled module has a stand-in at its address, which passes on what the bundle exports.
struct PageBundle {
  static let scriptName = "page.js"
  static let styleName = "page.css"
  private static let entry = "app.js"

  /// The page's frame, which asks for the bundle.
  private(set) var index = ""
  /// What is served at the addresses of the bundle and of the modules in it.
  private(set) var files: [(name: String, text: String)] = []

  /// Bundles the files of the page by their names.
  ///
  /// - Throws: `PageBundleError` when a file that is needed is missing, or is written in a way that is not understood.
  init(_ texts: [String: String]) throws(PageBundleError) {
    guard let index = texts["index.html"] else { throw PageBundleError(file: "index.html", fault: "is missing") }
    var script = ScriptBundle(texts)
    try script.add(Self.entry, importers: [])
    files = script.standIns
    files.append((Self.scriptName, script.text))
    try bundleStyles(of: index, texts)
  }

  /// Makes one style sheet of those in the index, and an index that names the bundle alone.
  private mutating func bundleStyles(of index: String, _ texts: [String: String]) throws(PageBundleError) {
    var styles = ""
    for line in index.split(separator: "\n") {
      if line.contains("rel=\"modulepreload\"") { continue }
      if line.contains("rel=\"stylesheet\"") {
        let parts = line.split(separator: "\"")
        guard let name = parts.first(where: { $0.hasSuffix(".css") }), let text = texts[String(name)] else {
          throw PageBundleError(file: "index.html", fault: "names a style sheet that is missing: \(line)")
        }
        if styles.isEmpty { self.index += "<link rel=\"stylesheet\" href=\"\(Self.styleName)\">\n" }
        styles += text + "\n"
      } else {
        self.index += line.replacing("src=\"\(Self.entry)\"", with: "src=\"\(Self.scriptName)\"") + "\n"
      }
    }
    files.append((Self.styleName, styles))
  }
}

/// A file of the page that cannot be bundled: a fault of the program, which its tests find.
struct PageBundleError: Error, Equatable, CustomStringConvertible {
  let file: String
  let fault: String

  var description: String { "\(file) \(fault)" }
}

/// Modules in one script.
///
/// An import and an export have one line each, which begins with `import` or `export`; the page's files are written so.
private struct ScriptBundle {
  let texts: [String: String]
  /// The script so far.
  private(set) var text = "export const modules = {};\n"
  /// What is served at the address of each module.
  private(set) var standIns: [(name: String, text: String)] = []

  init(_ texts: [String: String]) { self.texts = texts }

  /// Adds a module, after those that it imports; `importers` lead from the entry to it.
  mutating func add(_ name: String, importers: [String]) throws(PageBundleError) {
    guard !standIns.contains(where: { $0.name == name }) else { return }
    guard !importers.contains(name) else { throw PageBundleError(file: name, fault: "imports itself in a circle") }
    guard let source = texts[name] else { throw PageBundleError(file: name, fault: "is missing") }
    var body = ""
    var exports: [Substring] = []
    for line in source.split(separator: "\n") {
      if line.hasPrefix("import ") {
        let (names, module) = try imported(by: line, of: name)
        try add(module, importers: importers + [name])
        body += "const \(names) = modules[\"\(module)\"];\n"
      } else if line.hasPrefix("export ") {
        let declaration = line.dropFirst("export ".count)
        guard let exported = Self.declared(by: declaration) else {
          throw PageBundleError(file: name, fault: "exports in a way that the bundle does not understand: \(line)")
        }
        exports.append(exported)
        body += declaration + "\n"
      } else {
        body += line + "\n"
      }
    }
    let list = exports.isEmpty ? "{}" : "{ \(exports.joined(separator: ", ")) }"
    let isInFolder = name.contains("/")
    if isInFolder { body = Self.movedUp(body, from: name) }
    text += "modules[\"\(name)\"] = (() => {\n\(body)return \(list);\n})();\n"
    var standIn = "import { modules } from \"\(isInFolder ? ".." : ".")/\(PageBundle.scriptName)\";\n"
    if !exports.isEmpty { standIn += "export const \(list) = modules[\"\(name)\"];\n" }
    standIns.append((name, standIn))
  }

  /// A module's text with the addresses in it as they are seen from the folder above, where the bundle is.
  private static func movedUp(_ body: String, from name: String) -> String {
    body.replacing("import(\"./", with: "import(\"./\(folder(of: name))")
      .replacing("import(\"../", with: "import(\"./")
      .replacing("import.meta.url", with: "new URL(\"./\(name)\", import.meta.url).href")
  }

  /// What an import takes, as the left side of an assignment, and from which module.
  private func imported(
    by line: Substring, of name: String
  ) throws(PageBundleError) -> (names: String, module: String) {
    let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
    let words = quoted[0].split(separator: " ")
    guard quoted.count == 3, quoted[2] == ";", words.count > 2, words.last == "from" else {
      throw PageBundleError(file: name, fault: "imports in a way that the bundle does not understand: \(line)")
    }
    var folders = Self.folder(of: name).split(separator: "/")
    for part in quoted[1].split(separator: "/") where part != "." {
      if part == ".." { _ = folders.popLast() } else { folders.append(part) }
    }
    let isWhole = words[1] == "*"
    let names = isWhole ? String(words[3]) : words[1..<(words.count - 1)].joined(separator: " ")
    return (names.replacing(" as ", with: ": "), folders.joined(separator: "/"))
  }

  /// The name that a declaration gives.
  private static func declared(by declaration: Substring) -> Substring? {
    let words = declaration.split { " (={".contains($0) }.filter { $0 != "async" }
    guard words.count > 1, ["function", "function*", "class", "const"].contains(words[0]) else { return nil }
    return words[1]
  }

  /// The folder of a module with a `/` at its end, or nothing.
  private static func folder(of name: String) -> String {
    guard let slash = name.lastIndex(of: "/") else { return "" }
    return String(name[...slash])
  }
}
