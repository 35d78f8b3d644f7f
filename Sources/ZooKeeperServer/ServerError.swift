import TxnLog

/// Why a server does not start, or had to stop, in words for the person who runs it.
public struct ServerStartError: Error, Hashable, Sendable {
  /// What went wrong.
  public var message: String
  /// What to do about it.
  public var hint: String?

  public init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}

extension ServerStartError {
  init(_ error: TxnLogError) {
    switch error.code {
    case .locked:
      self.init("another server uses \(error.path)", hint: "stop it, or choose another data directory")
    case .damaged, .truncated, .gap, .zxidOrder, .lostHistory, .badHeader:
      self.init(
        "\(error)",
        hint: "nothing was changed; restore the file, or cut the log there with: zkcli server repair CFG")
    case .fileSystem(let failure): self.init("\(failure)", hint: nil)
    default: self.init("\(error)")
    }
  }
}
