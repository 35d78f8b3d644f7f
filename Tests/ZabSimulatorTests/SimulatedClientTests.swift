import Jute
import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import ZabSimulator

/// What clients hold against their servers: each rule, with answers that break it.
struct SimulatedClientTests {
  private static func client(readOnlyServers: Bool = false) -> SimulatedClient {
    var options = SimulationOptions(seed: 1)
    options.clientCount = 2
    options.hasWatches = true
    options.hasReadOnlyServers = readOnlyServers
    options.sendsSyncsWithReads = false
    return SimulatedClient(number: 2, options: options)
  }

  private static func frame(_ body: (inout JuteWriter) -> Void) -> [UInt8] {
    var writer = JuteWriter()
    body(&writer)
    return withUnsafeBytes(of: UInt32(writer.bytes.count).bigEndian) { [UInt8]($0) } + writer.bytes
  }

  private static func connect(_ client: inout SimulatedClient, readOnly: Bool = false) -> Bool {
    _ = client.connectFrame()
    let password = [UInt8](repeating: 1, count: ConnectRequest.passwordLengthBytes)
    return client.receive(
      frame {
        ConnectResponse(
          timeoutMilliseconds: 4000, sessionID: SessionID(rawValue: 5), password: password, readOnly: readOnly
        ).encode(into: &$0)
      })
  }

  /// Answers the read that is under way with a version of the shared znode.
  private static func answer(_ client: inout SimulatedClient, version: Int32, zxid: Int64) {
    let xid = client.xid
    _ = client.receive(
      frame {
        $0.writeInt(xid)
        $0.writeLong(zxid)
        $0.writeInt(0)
        $0.writeBuffer([])
        Stat(
          czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: version, cversion: 0,
          aversion: 0, ephemeralOwner: .none, dataLength: 0, numChildren: 0, pzxid: .zero
        ).encode(into: &$0)
      })
  }

  private static func event(_ client: inout SimulatedClient, path: String = "/shared") {
    _ = client.receive(
      frame {
        $0.writeInt(Xid.notification.rawValue)
        $0.writeLong(-1)
        $0.writeInt(0)
        WatcherEvent(type: .nodeDataChanged, state: .syncConnected, path: path).encode(into: &$0)
      })
  }

  /// Reads the shared znode with a watch, or without one.
  private static func read(_ client: inout SimulatedClient, watch: Bool, version: Int32, zxid: Int64) {
    client.request = .readShared(watch: watch)
    answer(&client, version: version, zxid: zxid)
  }

  @Test func eventPrecedesWhatItIsAbout() {
    var client = Self.client()
    #expect(Self.connect(&client))
    Self.read(&client, watch: true, version: 3, zxid: 10)
    #expect(client.watchedVersion == 3)
    Self.event(&client)
    Self.read(&client, watch: false, version: 4, zxid: 11)
    #expect(client.violation == nil && client.watchedVersion == nil)

    Self.read(&client, watch: true, version: 4, zxid: 12)
    Self.read(&client, watch: false, version: 5, zxid: 13)
    #expect(client.violation?.contains("before the event") == true)
  }

  @Test func eventNeedsAWatch() {
    var client = Self.client()
    #expect(Self.connect(&client))
    Self.read(&client, watch: true, version: 3, zxid: 10)
    Self.event(&client)
    Self.event(&client)
    #expect(client.violation?.contains("without a watch") == true)

    client = Self.client()
    #expect(Self.connect(&client))
    Self.event(&client, path: "/other")
    #expect(client.violation?.contains("no watch is for") == true)
  }

  /// After a reconnect the watch is registered before anything else is asked.
  @Test func watchIsRegisteredAgainFirst() {
    var client = Self.client()
    #expect(Self.connect(&client))
    Self.read(&client, watch: true, version: 3, zxid: 10)
    client.disconnect()
    #expect(Self.connect(&client))
    var random = SplitMix64(seed: 1)
    _ = client.nextFrames(&random, now: 0, known: 3)
    #expect(client.request == .setWatches)
  }

  @Test func serverWithoutAQuorumAcknowledgesNothing() {
    var client = Self.client(readOnlyServers: true)
    #expect(Self.connect(&client, readOnly: true))
    #expect(client.isReadOnly)
    client.request = .setShared
    Self.answer(&client, version: 4, zxid: 10)
    #expect(client.violation?.contains("without a quorum") == true)

    client = Self.client(readOnlyServers: true)
    #expect(Self.connect(&client, readOnly: true))
    Self.read(&client, watch: false, version: 4, zxid: 10)
    #expect(client.violation == nil)
    // What such a server shows may never be committed.
    #expect(client.knownShared == -1)
    client.disconnect()
    #expect(client.session == .none)

    client = Self.client()
    #expect(Self.connect(&client, readOnly: true))
    #expect(client.violation?.contains("needs one") == true)
  }

  @Test func readsDoNotGoBack() {
    var client = Self.client()
    #expect(Self.connect(&client))
    Self.read(&client, watch: false, version: 4, zxid: 10)
    Self.read(&client, watch: false, version: 3, zxid: 11)
    #expect(client.violation?.contains("went from version 4 to 3") == true)

    client = Self.client()
    #expect(Self.connect(&client))
    Self.read(&client, watch: false, version: 4, zxid: 10)
    Self.read(&client, watch: false, version: 4, zxid: 9)
    #expect(client.violation?.contains("an answer shows") == true)
  }
}
