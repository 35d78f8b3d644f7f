import Logging
import NIOCore
import NIOPosix
import ZooKeeperProtocol

/// The port of an observer master.
extension QuorumPort {
  /// What an inbound connection has come for.
  enum Door {
    /// The quorum port: a leader's learners.
    case learners
    /// `observerMasterPort`: a follower's observers.
    case observers
  }

  /// Listens on `observerMasterPort`, if there is one and this server does not listen yet.
  ///
  /// It does so when it follows for the first time, like Apache's, since an observer on the same machine may name the
  /// same port. If that fails, it follows nevertheless: the observers find another server.
  func listenForObservers() {
    guard let port = settings.times.observerMasterPort, let listening, !hasObserverPort, !isStopped else { return }
    hasObserverPort = true
    let limit = ConnectionLimit(Self.maximumConnections, purpose: "the port for observers", logger: logger)
    let bootstrap = bootstrap(limit, .observers)
    var hosts: [String] = []
    for address in settings.ownMember.addresses {
      let host = settings.times.listensEverywhere ? "0.0.0.0" : address.quorum.host
      if !hosts.contains(host) { hosts.append(host) }
    }
    for host in hosts {
      let address = ServerAddress(host: host, port: port)
      listening.bind(bootstrap, address, purpose: "the port for observers").whenComplete { [self] result in
        switch result {
        case .success(let channel):
          if isStopped { return channel.stopListening() }
          listeners.append(channel)
          logger.info("listening for observers", metadata: ["address": "\(address)"])
        case .failure(let error):
          hasObserverPort = false
          logger.error("observers cannot connect to this server", metadata: ["reason": "\(error)"])
        }
      }
    }
  }
}
