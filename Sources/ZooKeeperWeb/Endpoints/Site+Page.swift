import ZooKeeperClient

/// The page's files, and what the document among them has of the ensemble.
extension Site {
  /// Answers a request for a file of the page.
  func page(_ request: WebRequest) async -> WebAnswer {
    guard mayShowRoot(request) else { return PageFiles.answer(request) }
    var answer = PageFiles.answer(request, rootNames: await rootNames())
    answer.headers.append(("Link", Self.firstQuestions))
    return answer
  }

  /// Lets the browser ask for what the first view shows before it has the page's script, which takes these answers
  /// (`start` in app.js).
  ///
  /// *Source*: RFC 8288; the HTML standard's link type `preload`.
  private static let firstQuestions = ["children", "znode"]
    .map { "</api/v1/\($0)?path=%2F>; rel=preload; as=fetch; crossorigin" }.joined(separator: ", ")

  /// Whether a request asks for the document, for the cluster that is current here, and by a user who may see it.
  private func mayShowRoot(_ request: WebRequest) -> Bool {
    PageFiles.isFrame(request.path) && request.query.names.isEmpty && (logins == nil || user(of: request) != nil)
  }

  /// The time that the document may wait for the ensemble.
  private static let patience = Duration.milliseconds(100)
  /// The number of the root's children up to which the document has the first of them. To list more takes longer than
  /// the script needs to ask for them itself.
  private static let mostNames: Int32 = 1000

  /// The names of the root's children in the order of the tree; nil if there are too many, or if they cannot be read at
  /// once.
  private func rootNames() async -> [String]? {
    guard let session = clusters[settings.current] else { return nil }
    let (answers, continuation) = AsyncStream<[String]?>.makeStream(bufferingPolicy: .bufferingOldest(1))
    // An ensemble that is away is not waited for: the first task may end long after the answer.
    Task {
      let client = try? await session.connected().withTimeLimit(Self.patience)
      let stat = try? await client?.exists("/")
      let isShort = (stat?.numChildren ?? .max) <= Self.mostNames
      continuation.yield(isShort ? try? await client?.getChildren("/") : nil)
    }
    Task {
      try? await Task.sleep(for: Self.patience)
      continuation.yield(nil)
    }
    for await names in answers { return names.map(Self.inTreeOrder) }
    return nil
  }
}
