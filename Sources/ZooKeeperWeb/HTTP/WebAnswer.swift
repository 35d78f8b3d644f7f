import JSONFormat
import NIOHTTP1

/// The answer to a request.
struct WebAnswer: Sendable {
  /// The body of the answer.
  enum Body: Sendable {
    case bytes([UInt8])
    /// A body that is produced in pieces, each after the client has received the previous one.
    case pieces(@Sendable (PieceWriter) async throws -> Void)
    /// Events, until either side ends the connection.
    case events(EventStream)
  }

  var status = HTTPResponseStatus.ok
  var headers: [(name: String, value: String)] = []
  var body = Body.bytes([])
  /// What was done, for the access log; nil if the target of the request shows it.
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
    // The plain name is for clients that do not support the other form.
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
  /// A stable name for programs: a name of ZooKeeper's, or one of the shell's.
  var word: String
  var message: String
  var hint: String?
  var path: String?
  /// The shell's exit code for it.
  var code: Int
  /// Further members of the document.
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

  /// The request is not valid.
  static func badInput(_ message: String, hint: String? = nil) -> WebError {
    WebError(.badRequest, "BadArguments", message, hint: hint, code: 2)
  }

  /// The request must not be carried out.
  static func forbidden(_ word: String, _ message: String, hint: String? = nil) -> WebError {
    WebError(.forbidden, word, message, hint: hint, code: 5)
  }

  /// The named thing does not exist.
  static func notFound(_ message: String, hint: String? = nil) -> WebError {
    WebError(.notFound, "NotFound", message, hint: hint, code: 3)
  }

  /// The state is not the one that the request expects.
  static func conflict(_ word: String, _ message: String, hint: String? = nil, path: String? = nil) -> WebError {
    WebError(.conflict, word, message, hint: hint, path: path, code: 4)
  }

  /// A limit of concurrent work is reached.
  static func tooMany(_ message: String) -> WebError {
    var error = WebError(.tooManyRequests, "TooMany", message, hint: "try again later", code: 6)
    error.headers = [("Retry-After", "1")]
    return error
  }

  /// The body is too large.
  static func tooLarge(_ limitBytes: Int) -> WebError {
    WebError(.payloadTooLarge, "TooLarge", "the body is over the limit of \(limitBytes) bytes", code: 6)
  }
}
