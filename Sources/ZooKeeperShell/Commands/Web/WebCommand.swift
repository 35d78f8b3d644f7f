import Platform
import TransportSecurity
import ZooKeeperProtocol
import ZooKeeperSandbox
import ZooKeeperWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `zkcli web`: the page in a browser, until it is stopped.
enum WebCommand {
  /// Serves the page.
  ///
  /// - Parameter sandbox: the servers that were started for it; nil if it shows others.
  static func run(
    _ invocation: Invocation, _ settings: ShellSettings, _ environment: ShellEnvironment, _ output: Output,
    _ sandbox: LocalEnsemble?
  ) throws(ShellError) -> ExitCode {
    if let mistake = settings.clusterMistake { throw mistake }
    try Descriptors.require(Descriptors.ofServer, for: "a server for the page")
    let interruption = SignalCancellation.start()
    let log = try WebLog(invocation)
    let (listening, madeToken) = try listening(invocation)
    let gate = Gate<Result<Void, ShellError>>()
    let task = Task {
      do {
        let clusters = try await WebClusters.make(settings, environment, output)
        var web = WebSettings(
          clusters: clusters.all, current: clusters.current, version: Version.text, shell: .shell)
        web.host = listening.address.host
        web.port = listening.address.port
        web.tls = listening.tls
        web.login = listening.login
        web.names = listening.names
        web.isReadOnly = invocation.flag(.readOnly)
        web.sandbox = sandbox
        web.log = { log.write($0) }
        let server = try await WebServer.start(web)
        try announce(server.url, token: madeToken, invocation, settings, output)
        await untilCancelled()
        await server.stop()
        gate.open(.success(()))
      } catch let error as WebStartError {
        gate.open(.failure(ShellError(.localInputOutput, "Server", error.message, hint: error.hint)))
      } catch {
        gate.open(.failure(ShellError(error)))
      }
    }
    interruption.whenSignalled { task.cancel() }
    try gate.wait().get()
    // It was asked to stop and did.
    return .success
  }

  private static func untilCancelled() async {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
  }

  private static func announce(
    _ url: String, token: String?, _ invocation: Invocation, _ settings: ShellSettings, _ output: Output
  ) throws(ShellError) {
    try output.write(.out("\(url)\n"))
    if let token { try output.write(.err("zkcli: log in with the token \(token)\n")) }
    try output.flush()
    guard invocation.flag(.open) else { return }
    #if os(Linux)
      let opener = "xdg-open"
    #else
      let opener = "open"
    #endif
    var spawn = Spawn(.onPath(opener), [opener, url])
    spawn.resetsSignals = true
    spawn.ownsGroup = true
    spawn.passedOn = []
    do throws(SystemError) {
      let process = try spawn.start()
      BlockingThread.start { Spawn.reap(process) }
    } catch {
      if !settings.isQuiet { try output.write(.err("zkcli: cannot run \(opener): \(error.text); open \(url)\n")) }
    }
  }

  // MARK: Options

  /// Where the server listens, and who is let in.
  private struct Listening {
    var address: ServerAddress
    var tls: TLSContext?
    var login: LoginPolicy?
    var names: [String] = []
  }

  /// - Returns: also the token that was made because none was given.
  private static func listening(_ invocation: Invocation) throws(ShellError) -> (Listening, token: String?) {
    var listening = Listening(address: try address(invocation))
    if let word = invocation.value(.allowHost) {
      listening.names = try ValueParser.text(word, of: "--allow-host").split(separator: ",").map(String.init)
    }
    listening.tls = try tls(invocation)
    var login = LoginPolicy()
    if let word = invocation.value(.tokenFile) {
      login.token = try WebLoginFiles.token(try ValueParser.text(word, of: "--token-file"))
    }
    if let word = invocation.value(.passwordFile) {
      login.passwords = try WebLoginFiles.passwords(try ValueParser.text(word, of: "--password-file"))
    }
    login.acceptsCertificates = invocation.flag(.clientCA)
    let isLocal = listening.address.isLoopback
    guard isLocal || listening.tls != nil || invocation.flag(.insecureListen) else {
      throw .usage(
        "\(listening.address.host) is not a loopback address, and the connections are not encrypted",
        hint: "give --cert FILE, or --insecure-listen if no one else can listen in")
    }
    let hasLogin = login.token != nil || login.passwords != nil || login.acceptsCertificates
    var madeToken: String?
    if !hasLogin, !isLocal {
      let made = WebServer.makeToken()
      login.token = made
      madeToken = made
    }
    if hasLogin || !isLocal { listening.login = login }
    return (listening, madeToken)
  }

  private static func address(_ invocation: Invocation) throws(ShellError) -> ServerAddress {
    guard let word = invocation.value(.listen) else { return WebAddress.usual }
    return try WebAddress.read(word, of: "--listen")
  }

  private static func tls(_ invocation: Invocation) throws(ShellError) -> TLSContext? {
    guard let word = invocation.value(.cert) else {
      for name in [OptionName.key, .clientCA] where invocation.flag(name) {
        throw .usage("--\(name.rawValue) is of no use without --cert")
      }
      return nil
    }
    let certificate = try ValueParser.text(word, of: "--cert")
    var tls = TLSSettings()
    if let word = invocation.value(.key) {
      tls.identity = .pair(certificate: certificate, key: TLSStore(file: try ValueParser.text(word, of: "--key")))
    } else {
      tls.identity = .store(TLSStore(file: certificate))
    }
    tls.clientAuthentication = .none
    if let word = invocation.value(.clientCA) {
      tls.trust = .store(TLSStore(file: try ValueParser.text(word, of: "--client-ca")))
      // With another way to log in, a certificate is one way of several.
      tls.clientAuthentication = invocation.flag(.passwordFile) || invocation.flag(.tokenFile) ? .want : .need
    }
    do throws(TLSStoreError) { return try TLSContext(server: tls) } catch {
      throw ShellError(.localInputOutput, "TLS", "\(error)", hint: error.hint)
    }
  }
}
