import JSONFormat

/// How an action of `server` reports: with zkServer.sh's messages for people, in one JSON document for programs.
struct ServerVoice: Sendable {
  let output: Output
  let context: RenderContext

  /// Whether the output is for programs.
  var isJSON: Bool { context.format == .json || context.format == .jsonl }

  /// Prints a message for people, on stdout.
  func say(_ text: String) throws(ShellError) {
    if !isJSON { try output.write(.out(text)) }
  }

  /// Prints a message for people on stderr, beside the answer.
  func mention(_ text: String) throws(ShellError) {
    if !isJSON { try output.write(.err("zkcli: \(text)\n")) }
  }

  /// Warns, in any format.
  func warn(_ text: String) throws(ShellError) {
    var renderer = Renderer(context)
    try output.write(renderer.emit(.warning(text)))
  }

  /// Prints the answer for programs; people have seen all of it by then.
  func finish(_ answer: ServerAnswer) throws(ShellError) {
    guard isJSON else { return }
    try output.write(Rendered(stdout: JSON.of(answer).bytes + [0x0a]))
  }
}
