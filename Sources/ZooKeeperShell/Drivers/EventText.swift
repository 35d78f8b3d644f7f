import ZooKeeperProtocol

/// How events read above the prompt.
enum EventText {
  /// The text of an event, or nil when it needs none.
  static func of(_ notice: WatchNotice, dialect: any Dialect, format: OutputFormat = .text) -> String? {
    if format == .json || format == .jsonl {
      guard notice.path != nil || session(notice.state) != nil else { return nil }
      return String(decoding: JSON.of(CommandResult.event(notice)).bytes, as: UTF8.self)
    }
    if dialect is ZkCliDialect {
      var renderer = Renderer(RenderContext(dialect: dialect))
      return String(decoding: renderer.emit(.event(notice)).stdout, as: UTF8.self)
    }
    guard let path = notice.path else { return session(notice.state) }
    return "watch: \(notice.type.name) \(path)" + (notice.zxid.map { " (zxid \($0))" } ?? "")
  }

  private static func session(_ state: KeeperState) -> String? {
    switch state {
    case .disconnected: "session: connection lost, looking for a server"
    case .syncConnected: "session: connected"
    case .connectedReadOnly: "session: connected to a server that only reads"
    case .expired: "session: expired; its ephemeral znodes are gone, and the next command begins a new session"
    case .authFailed: "session: ended, because an identity was refused; the next command begins a new one"
    case .closed, .unknown, .noSyncConnected, .saslAuthenticated: nil
    }
  }
}
