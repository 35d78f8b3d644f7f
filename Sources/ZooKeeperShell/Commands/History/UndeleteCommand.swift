import ZooKeeperClient
import ZooKeeperHistory
import ZooKeeperProtocol
import ZooKeeperTrees

/// undelete.
extension CommandContext {
  /// Restores a past subtree in the ensemble.
  func undelete(_ client: ZooKeeperClient) async throws -> ExitCode {
    var history = try history(invocation.arguments[0])
    let path = try ValueParser.path(invocation.arguments[1], in: "/")
    guard invocation.flag(.at) || invocation.flag(.before) else { throw try missingMoment(history, path) }
    let target = try targetPath(path)
    guard !ZnodePath.isWithin(target, "/zookeeper") else {
      throw ShellError.usage("/zookeeper belongs to the servers", hint: "--to names another place")
    }
    let state = try state(of: &history, at: try moment())
    guard state.exists(path) else {
      throw ShellError(
        .noNode, "NoNode", path: path, "the znode did not exist after \(state.zxid)",
        hint: "log who \(Tokenizer.quote(invocation.arguments[0])) \(path) lists its changes")
    }
    let source = TreePlace.past(state, path: path, directory: invocation.arguments[0].text)
    let code = try await copy(
      from: source, to: .znode(client, path: target, ensemble: .present), isRecursive: true, client)
    return code == .success ? state.exitCode : code
  }

  /// The path to restore the subtree at: its former path, relative to the chroot of the session.
  private func targetPath(_ path: String) throws(ShellError) -> String {
    if let word = invocation.value(.to) { return try self.path(of: word) }
    guard let chroot, chroot != "/" else { return path }
    guard ZnodePath.isWithin(path, chroot) else {
      throw .usage(
        "\(path) is outside of \(chroot), which the connect string ends with", hint: "--to names a path in it")
    }
    return path == chroot ? "/" : String(path.dropFirst(chroot.count))
  }

  /// The error for a command without a moment; its hint names the state before the deletion.
  private func missingMoment(_ history: LocalHistory, _ path: String) throws -> ShellError {
    var filter = TxnFilter()
    filter.path = path
    filter.includesDescendants = true
    var deletion = DeletionRun(path: path)
    do throws(HistoryError) {
      var stream = try TransactionStream(history, from: .beginning, hooks)
      while let item = try stream.next() {
        guard case .transaction(let record) = item, let outline = TxnOutline(record.entry) else { continue }
        if filter.includes(outline) { deletion.note(outline, filter) }
      }
    } catch {
      throw ShellError(error)
    }
    let advice = deletion.advice(Tokenizer.quote(invocation.arguments[0]))
    return .usage(
      "missing option: --at or --before",
      hint: advice ?? "the log has no deletion of \(path); log who lists its changes")
  }
}
