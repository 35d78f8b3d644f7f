import NIOCore
import NIOHTTP1
import NIOPosix
import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The page and its API, served over HTTP.
package final class WebServer: Sendable {
  private let channel: any Channel
  private let site: Site
  /// The address of the page.
  package let url: String

  private init(_ channel: any Channel, _ site: Site, url: String) {
    self.channel = channel
    self.site = site
    self.url = url
  }

  /// Starts to listen.
  ///
  /// - Throws: if it cannot listen on the address, or if other machines could use the server without a login.
  package static func start(_ settings: WebSettings) async throws(WebStartError) -> WebServer {
    guard ServerAddress(host: settings.host, port: 0).isLoopback || settings.login != nil else {
      throw WebStartError("a server that listens on \(settings.host) needs a login")
    }
    let loop = ZooKeeperClient.sharedGroup.next()
    let admission = ConnectionAdmission()
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try admission.accept(channel, settings.tls) }
      }
    let channel: any Channel
    do {
      channel = try await bootstrap.bind(host: settings.host, port: settings.port).get()
    } catch {
      throw startError(error, settings)
    }
    let port = channel.localAddress?.port ?? settings.port
    let site = Site(settings, port: port, loop: loop)
    admission.open(site)
    Task.detached(priority: .utility) { PageFiles.prepare() }
    let shown = ServerAddress(host: settings.host, port: port)
    let host = shown.isWildcard ? "localhost:\(port)" : "\(shown)"
    return WebServer(channel, site, url: "\(settings.tls == nil ? "http" : "https")://\(host)/")
  }

  /// The streams of events.
  var hub: EventHub { site.hub }

  /// A random token.
  package static func makeToken() -> String { SecretText.make() }

  /// Ends all connections, jobs and sessions.
  package func stop() async {
    try? await channel.close()
    await site.stop()
  }

  private static func startError(_ error: any Error, _ settings: WebSettings) -> WebStartError {
    let place = ServerAddress(host: settings.host, port: settings.port)
    guard let error = error as? IOError else {
      return WebStartError("\(settings.host) is no address of this machine", hint: "listen on 127.0.0.1")
    }
    switch error.errnoCode {
    case EADDRINUSE:
      return WebStartError(
        "\(place) is in use by another program", hint: "choose another port; 0 takes any free one")
    case EADDRNOTAVAIL:
      return WebStartError("\(settings.host) is no address of this machine", hint: "listen on 127.0.0.1")
    case EACCES:
      return WebStartError("only the superuser can listen on \(place)", hint: "choose a port from 1024 on")
    default: return WebStartError("cannot listen on \(place): \(String(cString: strerror(error.errnoCode)))")
    }
  }
}
