import Synchronization
import TransportSecurity
import ZooKeeperSandbox
import ZooKeeperWeb

/// The page that a server shows of itself, with `web.enable` in its `zoo.cfg`.
///
/// It is a client of the server without an identity: its users can do what any client can that connects from this
/// machine.
///
/// *Thread*: any.
final class ServerPage: Sendable {
  private let settings: WebSettings
  private let usesTLS: Bool
  private let log: DaemonLog?
  private let server = Mutex<WebServer?>(nil)

  /// Reads all files that the page needs. Nil if the server shows no page.
  ///
  /// - Parameter log: takes the access log; nil if the page is only checked.
  /// - Throws: if a file cannot be used.
  init?(of daemon: ServerDaemon, log: DaemonLog?) throws(ShellError) {
    guard let page = daemon.page else { return nil }
    var settings = WebSettings(clusters: [], current: "", version: Version.text, shell: .shell)
    settings.host = page.address
    settings.port = page.port
    settings.names = page.names
    settings.isReadOnly = page.isReadOnly
    if let encryption = page.encryption {
      do throws(TLSStoreError) { settings.tls = try TLSContext(server: encryption) } catch {
        throw ShellError(.localInputOutput, "TLS", "TLS of the page's port: \(error)", hint: error.hint)
      }
    }
    if page.hasLogin {
      settings.login = LoginPolicy(
        token: try page.tokenFile.map(WebLoginFiles.token),
        passwords: try page.passwordFile.map(WebLoginFiles.passwords), acceptsCertificates: page.acceptsCertificates)
    }
    if let log { settings.log = { log.page($0) } }
    self.settings = settings
    usesTLS = daemon.isSecureOnly
    self.log = log
  }

  /// Checks whether the page could be served, if the server shows one.
  ///
  /// - Throws: a usage error if one of its files cannot be used: the configuration is at fault.
  static func check(of daemon: ServerDaemon) throws(ShellError) {
    do throws(ShellError) { _ = try ServerPage(of: daemon, log: nil) } catch {
      throw .usage(error.message, hint: error.hint)
    }
  }

  /// Starts to serve. A page that cannot be served does not prevent the server from serving its clients; the log says
  /// why.
  ///
  /// - Parameter servers: how to connect to the server, `HOST:PORT`.
  func open(_ servers: String) async {
    do throws(ShellError) {
      var web = settings
      let cluster = try cluster(servers)
      (web.clusters, web.current) = ([cluster], cluster.name)
      let started: WebServer
      do throws(WebStartError) { started = try await WebServer.start(web) } catch {
        throw ShellError(.localInputOutput, "Server", error.message, hint: error.hint)
      }
      server.withLock { $0 = started }
      log?.page("serving the page at \(started.url)")
    } catch {
      log?.warn("the page was not started: \(error.message)")
    }
  }

  /// Ends its connections and sessions.
  func close() async {
    let started = server.withLock { server in
      defer { server = nil }
      return server
    }
    await started?.stop()
  }

  /// The server as the only cluster of the page. The environment's settings do not apply to it.
  private func cluster(_ servers: String) throws(ShellError) -> WebCluster {
    var options: [OptionName: [Word]] = [.server: [Word(servers)]]
    // The server itself listens on that port, so its certificate need not be verified.
    if usesTLS { options.merge([.tls: [Word(bytes: [])], .insecure: [Word(bytes: [])]]) { $1 } }
    let environment = ShellEnvironment()
    let shell = try ShellSettings(options, environment: environment)
    let asker = ShellSession(
      settings: shell, mode: .oneShot, environment: environment, output: Output(),
      values: DataArgumentReader(offersStdin: false, asksBeforeDestroying: false))
    return WebClusters.cluster(servers, shell, WebOpener(shell, asker))
  }
}
