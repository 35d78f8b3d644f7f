import Digests
import JSONFormat
import NIOHTTP1
import Zlib

#if DEBUG
  import Platform

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Darwin)
    import Darwin
  #endif
#endif

/// The files of the page, which are embedded in the program.
enum PageFiles {
  fileprivate struct File {
    let type: String
    let tag: String
    let plain: [UInt8]
    let compressed: [UInt8]

    /// Whether this is the document which asks for the others.
    var isFrame: Bool { type.hasPrefix("text/html") }
  }

  /// The description of the API, which is not a part of the page.
  private static let descriptionName = "openapi.yaml"
  private static let frameName = "index.html"

  /// The files as they were written, by their names.
  static let sources = Dictionary(
    PageContents.files.map { ($0.name, $0.text.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }) },
    uniquingKeysWith: { first, _ in first })

  /// By the path of the target. Made when the first file is asked for.
  private static let files = made.files

  /// The document and its first view.
  private static let firstView = made.firstView

  private static let made: (files: [String: File], firstView: FirstView?) = {
    var texts = sources
    texts[descriptionName] = nil
    // Without the bundle the page is slower and otherwise the same; a test sees to it that there is one.
    if let bundle = try? PageBundle(texts) {
      texts[frameName] = bundle.index
      for (name, text) in bundle.files { texts[name] = text }
    }
    let firstView = texts[frameName].flatMap { FirstView($0) }
    if let firstView { texts[frameName] = firstView.frame }
    var files: [String: File] = [:]
    for (name, text) in texts { files["/" + name] = File(name, text) }
    files["/"] = files["/" + frameName]
    return (files, firstView)
  }()

  /// The page's frame for those who have chosen its colours, by what the cookie `theme` says.
  ///
  /// The choice is in the document itself, so that the first paint has the right colours and waits for no script.
  /// Without a choice, the preference of the system counts (theme.css).
  private static let framesByTheme: [String: File] = {
    let frame = files["/" + frameName].map { String(decoding: $0.plain, as: UTF8.self) } ?? ""
    return Dictionary(uniqueKeysWithValues: themes.map { ($0, File(frameName, themed(frame, $0))) })
  }()

  private static let themes = ["light", "dark"]

  private static func themed(_ document: String, _ theme: String) -> String {
    document.replacing("<html ", with: "<html data-theme=\"\(theme)\" ", maxReplacements: 1)
  }

  private static let descriptionFile = sources[descriptionName].map { File(descriptionName, $0) }

  /// Makes the files ready to be sent, so that the first request does not wait for it.
  static func prepare() { _ = framesByTheme.count }

  /// Whether a path is that of the document.
  static func isFrame(_ path: String) -> Bool { files[path]?.isFrame == true }

  /// Answers a request for a file.
  ///
  /// - Parameter rootNames: the children of the root for the document's first view; nil for a document without it.
  static func answer(_ request: WebRequest, rootNames: [String]? = nil) -> WebAnswer {
    #if DEBUG
      if let answer = answerFromFolder(request, rootNames) { return answer }
    #endif
    guard var file = files[request.path] else { return .error(.notFound("there is no such page")) }
    guard file.isFrame else { return file.answer(request) }
    let theme = request.cookie("theme").flatMap { themes.contains($0) ? $0 : nil }
    guard let rootNames, let document = firstView?.document(rootNames) else {
      if let theme, let frame = framesByTheme[theme] { file = frame }
      return file.answer(request)
    }
    return File(frameName, theme.map { themed(document, $0) } ?? document).answer(request, isKept: false)
  }

  /// Answers with the description of the API.
  static func description(_ request: WebRequest) -> WebAnswer {
    descriptionFile?.answer(request) ?? .error(.notFound("this program has no description of its API"))
  }

  fileprivate static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "svg": "image/svg+xml"
    case "json": "application/json"
    case "yaml": "application/yaml"
    case "webmanifest": "application/manifest+json"
    default: "text/plain; charset=utf-8"
    }
  }

  #if DEBUG
    /// With `ZKCLI_WEB_PAGE` set, debug builds serve that folder, so that changes of the page are visible at once.
    private static func answerFromFolder(_ request: WebRequest, _ rootNames: [String]?) -> WebAnswer? {
      guard let folder = getenv("ZKCLI_WEB_PAGE").map({ String(cString: $0) }), !folder.isEmpty else { return nil }
      let name = request.path == "/" ? frameName : String(request.path.dropFirst())
      let isPlain = name.split(separator: "/").allSatisfy { !$0.hasPrefix(".") } && !name.contains("\u{0}")
      guard !name.isEmpty, isPlain,
        let stream = fopen("\(folder)/\(name)", "r")
      else { return .error(.notFound("there is no such page")) }
      defer { fclose(stream) }
      var bytes = [UInt8](repeating: 0, count: 4 << 20)
      bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, stream))
      if name == frameName, let view = FirstView(String(decoding: bytes, as: UTF8.self)) {
        bytes = [UInt8]((rootNames.map { view.document($0) } ?? view.frame).utf8)
      }
      return WebAnswer(headers: [("Content-Type", type(of: name)), ("Cache-Control", "no-store")], body: .bytes(bytes))
    }
  #endif
}

extension PageFiles.File {
  fileprivate init(_ name: String, _ text: String) {
    plain = [UInt8](text.utf8)
    type = PageFiles.type(of: name)
    tag = "\"\(Hex.text(MessageDigest.sha256.hash(plain).prefix(12)))\""
    var output: [UInt8] = []
    if var writer = GzipWriter() {
      plain.withUnsafeBytes { writer.append($0, to: &output) }
      writer.finish(to: &output)
    }
    compressed = output
  }

  /// The answer with the file, compressed if the client accepts that, and without a body if the client has it.
  ///
  /// - Parameter isKept: whether browsers may keep the file. What an ensemble has is not written to their disks.
  fileprivate func answer(_ request: WebRequest, isKept: Bool = true) -> WebAnswer {
    let varies = isFrame ? "Accept-Encoding, Cookie" : "Accept-Encoding"
    var headers = [("Vary", varies), ("Content-Type", type)]
    headers += isKept ? [("ETag", tag), ("Cache-Control", "no-cache")] : [("Cache-Control", "no-store")]
    let known = isKept ? request.headers[canonicalForm: "If-None-Match"] : []
    if known.contains(where: { $0 == tag || $0 == "W/\(tag)" || $0 == "*" }) {
      return WebAnswer(status: .notModified, headers: headers)
    }
    let accepted = request.headers[canonicalForm: "Accept-Encoding"].map { $0.split(separator: ";")[0] }
    guard accepted.contains("gzip"), !compressed.isEmpty else {
      return WebAnswer(headers: headers, body: .bytes(plain))
    }
    return WebAnswer(headers: headers + [("Content-Encoding", "gzip")], body: .bytes(compressed))
  }
}
