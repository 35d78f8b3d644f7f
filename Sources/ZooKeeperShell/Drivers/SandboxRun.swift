import Platform
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The settings of `--local` for servers and their page.
struct SandboxSettings: Sendable {
  var ensemble = LocalEnsemble.Settings()
  /// The address of the page; nil for none.
  var page: ServerAddress?
}

/// Runs servers inside this process for `--local`, and on them the shell, a command, a script or a child process.
enum SandboxRun {
  /// Starts the servers, runs `body` on them, stops them and removes their data.
  ///
  /// - Throws: if a server cannot start; what `body` throws.
  ///
  /// - Parameter shell: the settings of the shell on the servers, which the page uses too.
  static func run(
    _ settings: SandboxSettings, _ shell: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ body: (LocalEnsemble) throws(ShellError) -> ExitCode
  ) throws(ShellError) -> ExitCode {
    let size = settings.ensemble.size
    let purpose = size == 1 ? "a local server" : "a local ensemble of \(size)"
    let ofPage = settings.page == nil ? 0 : Descriptors.ofServer
    try Descriptors.require(Descriptors.ofSandbox(size: size) + ofPage, for: purpose)
    // Before the servers' threads start, so that they do not receive signals that are meant for the shell.
    SignalCancellation.block()
    let sandbox = try start(settings.ensemble)
    defer { stop(sandbox) }
    if !shell.isQuiet {
      let what = sandbox.size == 1 ? "local ZooKeeper server" : "local ensemble of \(sandbox.size) servers"
      try output.write(.err("zkcli: \(what) at \(sandbox.connectString)\n"))
    }
    let page = try settings.page.map { address throws(ShellError) in
      try SandboxPage.start(at: address, sandbox, try shell.adapted(to: sandbox), environment, output)
    }
    defer { page?.stop() }
    return try body(sandbox)
  }

  /// The settings of the servers that the options give.
  ///
  /// - Throws: a usage error for an invalid value, or if other servers are named as well.
  static func settings(_ options: [OptionName: [Word]]) throws(ShellError) -> SandboxSettings {
    guard options[.server] == nil else { throw .usage("--local cannot be combined with --server") }
    guard options[.tls] == nil else {
      throw .usage("--local cannot be combined with --tls: local servers listen on loopback, without encryption")
    }
    var settings = LocalEnsemble.Settings()
    if let word = options[.local]?.last, !word.bytes.isEmpty {
      settings.size = Int(try ValueParser.integer(word, of: "--local", in: 1...9))
    }
    if let word = options[.dataDir]?.last { settings.dataDirectory = try ValueParser.text(word, of: "--data-dir") }
    if let word = options[.port]?.last {
      settings.port = Int(try ValueParser.integer(word, of: "--port", in: 0...65527))
    }
    if let word = options[.listen]?.last { settings.address = try ValueParser.text(word, of: "--listen") }
    settings.allowsReconfig = options[.reconfig] != nil
    settings.enforcesQuota = options[.quota] != nil
    return SandboxSettings(ensemble: settings, page: try options[.web]?.last.map(SandboxPage.address))
  }

  /// Refuses options that need the servers of `--local`.
  ///
  /// - Throws: a usage error for the first one.
  static func refuseOptions(_ options: [OptionName: [Word]]) throws(ShellError) {
    for name in [OptionName.web, .reconfig, .quota, .replay] where options[name] != nil {
      throw .usage("--\(name.rawValue) needs servers started with --local", hint: "for example: zkcli --local 3")
    }
  }

  private static func start(_ settings: LocalEnsemble.Settings) throws(ShellError) -> LocalEnsemble {
    let gate = Gate<Result<LocalEnsemble, SandboxError>>()
    Task {
      do throws(SandboxError) {
        gate.open(.success(try await LocalEnsemble.start(settings)))
      } catch {
        gate.open(.failure(error))
      }
    }
    switch gate.wait() {
    case .success(let sandbox): return sandbox
    case .failure(let error): throw ShellError(error)
    }
  }

  private static func stop(_ sandbox: LocalEnsemble) {
    let gate = Gate<Void>()
    Task {
      await sandbox.stop()
      gate.open(())
    }
    gate.wait()
  }

  /// Runs an external command with the address in its environment, and exits with its exit code.
  static func runChild(_ words: [Word], on sandbox: LocalEnsemble) throws(ShellError) -> ExitCode {
    // The watchdog ends it with this process, because its servers are gone then.
    let watchdog = ChildWatchdog.start()
    defer { watchdog?.childExited() }
    let forwarder = SignalForwarder()
    let child = try ChildProcess.start(
      words, variables: ["ZKCLI_SERVER": sandbox.connectString, "ZOOKEEPER_CONNECT": sandbox.connectString],
      ownsGroup: !ChildProcess.isInForeground, watchedBy: watchdog, willBegin: forwarder.setChild)
    let interruption = SignalCancellation.start(forwarder: forwarder)
    return withExtendedLifetime(interruption) { child.wait() }
  }
}

extension ShellError {
  init(_ error: SandboxError) {
    self.init(
      error.isConfiguration ? .usage : .localInputOutput, error.isConfiguration ? "Configuration" : "Server",
      error.message, hint: error.hint)
  }
}
