import TestKit
import Testing

/// Three voters and an observer, server 4, that server 1 serves as its observer master.
///
/// All members have the same address, and so only server 1 has the port; the observer finds it there, whichever voter
/// it means to call.
enum ObserverMasterEnsemble {
  /// The settings of such an ensemble.
  ///
  /// - Parameter lines: added to every `zoo.cfg`.
  static func configuration(
    voters: MemberKind, observer: MemberKind, port: UInt16, _ lines: [String] = []
  ) -> ServerEnsemble.Configuration {
    var configuration = ServerEnsemble.Configuration([voters, voters, voters, observer])
    configuration.observers = [4]
    configuration.extraLines = RejoinTests.lines + lines
    configuration.tickTimeMilliseconds = 1000
    configuration.syncLimit = 20
    configuration.ownLines = [1: ["observerMasterPort=\(port)"], 4: ["observerMasterPort=\(port)"]]
    return configuration
  }

  /// Starts the voters, of which server 3 leads.
  static func startVoters(_ configuration: ServerEnsemble.Configuration) async throws -> ServerEnsemble {
    let ensemble = try ServerEnsemble(configuration)
    for id in [2, 3] { try await ensemble[id].launch() }
    try await ensemble.waitUntilServing([2, 3])
    try await ensemble[1].launch()
    try await ensemble.waitUntilServing([1, 2, 3])
    #expect(ensemble.leader?.id == 3)
    return ensemble
  }

  /// Expects that the observer is connected to server 1, and not to the leader.
  static func expectMaster(_ ensemble: ServerEnsemble) async throws {
    try await eventually("an observer at the follower", within: .seconds(60), every: .milliseconds(20)) {
      ensemble[1].figure("synced_observers") == "1"
    }
    #expect(ensemble[3].figure("synced_observers") == "0")
  }
}
