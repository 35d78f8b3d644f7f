import JSONFormat
import NIOHTTP1

/// The answer to a request.
struct WebAnswer: Sendable {
  /// What follows the head.
  enum Body: Sendable {
    case bytes([UInt8])
    /// What is produced piece by piece, each after the client has taken the one before.
    case pieces(@Sendable (PieceWriter) async throws -> Void)
    /// Events, until one of both sides ends the connection.
    case events(EventStream)
  }

  var status = HTTPResponseStatus.ok
  var headers: [(name: String, value: String)] = []
  var body = Body.bytes([])
  /// What was done, for the access log; nil where the target of the request says it.
  var deed: String?

  /// A document.
  static func json(_ document: JSON, status: HTTPResponseStatus = .ok, deed: String? = nil) -> WebAnswer {
    WebAnswer(
      status: status, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
      body: .bytes(document.bytes), deed: deed)
  }

  /// The document of an error.
  static func error(_ error: WebError) -> WebAnswer {
    var answer = json(error.document, status: error.status)
    answer.headers += error.headers
    return answer
  }

  /// A file to be saved.
  static func download(
    _ body: Body, name: String, type: String = "application/octet-stream", lengthBytes: Int? = nil
  ) -> WebAnswer {
    // The plain name is for programs that do not know the other form.
    let plain = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
    let disposition = "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(PercentEncoding.encode(name))"
    return WebAnswer(
      headers: [
        ("Content-Type", type), ("Content-Disposition", disposition), ("Cache-Control", "no-store"),
      ], body: body)
  }
}

/// Why a request was not carried out.
struct WebError: Error, Sendable {
  var status: HTTPResponseStatus
  /// A stable word for programs: a name of ZooKeeper's, or one of the shell's.
  var word: String
  var message: String
  var hint: String?
  var path: String?
  /// The exit code that the shell has for it.
  var code: Int
  /// What else the document has.
  var members: [(key: String, value: JSON)] = []
  var headers: [(name: String, value: String)] = []

  init(
    _ status: HTTPResponseStatus, _ word: String, _ message: String, hint: String? = nil, path: String? = nil,
    code: Int
  ) {
    self.status = status
    self.word = word
    self.message = message
    self.hint = hint
    self.path = path
    self.code = code
  }

  /// The document, in the form of the shell's error documents.
  var document: JSON {
    .object(
      [
        ("error", .string(word)), ("path", .optional(path)), ("code", .number(code)), ("message", .string(message)),
        ("hint", .optional(hint)),
      ] + members)
  }

  /// The request is wrong.
  static func badInput(_ message: String, hint: String? = nil) -> WebError {
    WebError(.badRequest, "BadArguments", message, hint: hint, code: 2)
  }

  /// The request must not be carried out.
  static func forbidden(_ word: String, _ message: String, hint: String? = nil) -> WebError {
    WebError(.forbidden, word, message, hint: hint, code: 5)
  }

  /// There is nothing of that name.
  static func notFound(_ message: String, hint: String? = nil) -> WebError {
    WebError(.notFound, "NotFound", message, hint: hint, code: 3)
  }

  /// The state of things is another one than the request expects.
  static func conflict(_ word: String, _ message: String, hint: String? = nil, path: String? = nil) -> WebError {
    WebError(.conflict, word, message, hint: hint, path: path, code: 4)
  }

  /// More is asked for than is done.
  static func tooMany(_ message: String) -> WebError {
    var error = WebError(.tooManyRequests, "TooMany", message, hint: "try again later", code: 6)
    error.headers = [("Retry-After", "1")]
    return error
  }

  /// What is sent is larger than what is accepted.
  static func tooLarge(_ limitBytes: Int) -> WebError {
    WebError(.payloadTooLarge, "TooLarge", "the body is over the limit of \(limitBytes) bytes", code: 6)
  }
}
