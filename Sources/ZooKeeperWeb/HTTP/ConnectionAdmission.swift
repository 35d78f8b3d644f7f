import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TransportSecurity

/// Accepts new connections up to a limit.
final class ConnectionAdmission: Sendable {
  private let site = Mutex<Site?>(nil)
  private let places = Slots(WebLimits.connections)

  /// Accepts connections from now on.
  func open(_ site: Site) { self.site.withLock { $0 = site } }

  /// Prepares an accepted connection, or closes it if there are too many.
  func accept(_ channel: any Channel, _ tls: TLSContext?) throws {
    guard let site = site.withLock({ $0 }), places.acquire() else { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [places] _ in places.release() }
    let address = channel.remoteAddress?.ipAddress ?? "?"
    guard let tls else { return try Self.addHandlers(channel, site, WebClient(address: address)) }
    let loop = channel.eventLoop
    try tls.encryptAccepted(channel) { certificate in
      loop.makeCompletedFuture {
        try Self.addHandlers(
          channel, site, WebClient(address: address, certificate: certificate, isEncrypted: true))
      }
    }
  }

  private static func addHandlers(_ channel: any Channel, _ site: Site, _ client: WebClient) throws {
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
    try channel.pipeline.syncOperations.addHandler(WebConnection(site, client))
  }
}
