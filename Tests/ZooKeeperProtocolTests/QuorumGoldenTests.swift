import Jute
import TestKit
import Testing
import ZooKeeperProtocol

/// What Apache's servers send each other, byte for byte.
struct QuorumGoldenTests {
  static let packets = QuorumVectors.named("quorum.").filter { !$0.name.contains("SNAP.stream") }

  @Test(arguments: packets) func packetRoundTrips(_ vector: QuorumVectors.Vector) throws {
    let packet = try QuorumPacket(decoding: vector.bytes)
    #expect(packet.encoded == vector.bytes)
    #expect(packet.kind.map { vector.name.uppercased().contains("\($0)".uppercased()) } == true, "\(vector.name)")
    try checkData(packet)
  }

  /// The records inside.
  private func checkData(_ packet: QuorumPacket) throws {
    guard let data = packet.data else { return }
    switch packet.kind {
    case .proposal?, .inform?:
      let entry = try TxnEntry(decoding: data)
      #expect(entry.header.zxid == packet.zxid)
      #expect(entry.encoded == data)
    case .informAndActivate?: _ = try TxnEntry(decoding: Array(data.dropFirst(8)))
    case .request?: #expect(try ForwardedRequest(decoding: data).encoded == data)
    case .followerInfo?, .observerInfo?: #expect(try LearnerInfo(decoding: data).encoded == data)
    case .revalidate? where data.count == 9: #expect(try SessionValidity(decoding: data).encoded == data)
    case .revalidate?: #expect(try SessionTouch(decoding: data).encoded == data)
    case .ping?: #expect(try SessionTouch.table(from: data).flatMap(\.encoded) == data)
    case .newLeader?:
      let text = String(decoding: data, as: UTF8.self)
      let configuration = try QuorumConfiguration(parsing: text)
      #expect(Set(configuration.text.split(separator: "\n")) == Set(text.split(separator: "\n")))
    default: break
    }
  }

  @Test(arguments: packets) func packetIsFoundOnceItIsWhole(_ vector: QuorumVectors.Vector) throws {
    let bytes = vector.bytes
    for count in 0...(bytes.count + 3) {
      let available = count <= bytes.count ? Array(bytes[..<count]) : bytes + [0, 0, 0]
      let found = try available.withUnsafeBytes { raw in try QuorumPacket.first(in: raw, limitBytes: 1 << 20) }
      #expect((found?.lengthBytes ?? 0) == (count < bytes.count ? 0 : bytes.count))
    }
  }

  @Test(arguments: QuorumVectors.named("election.initial")) func greetingRoundTrips(
    _ vector: QuorumVectors.Vector
  ) throws {
    let found = try vector.bytes.withUnsafeBytes { raw in try ElectionGreeting.first(in: raw) }
    #expect(found?.lengthBytes == vector.bytes.count)
    #expect(found?.greeting.encoded == vector.bytes)
    for count in 0..<vector.bytes.count {
      #expect(try vector.bytes[..<count].withUnsafeBytes { raw in try ElectionGreeting.first(in: raw) } == nil)
    }
  }

  @Test(arguments: QuorumVectors.named("election.notification")) func notificationRoundTrips(
    _ vector: QuorumVectors.Vector
  ) throws {
    let payload = Array(vector.bytes.dropFirst(4))
    if vector.name.contains("len36") {
      #expect(throws: JuteError.self) { try ElectionNotification(decoding: payload) }
      return
    }
    let notification = try ElectionNotification(decoding: payload, allowingTrailingBytes: true)
    guard notification.version == ElectionNotification.currentVersion else {
      #expect(notification.configuration == nil && notification.zxid.rawValue == 0x1_0000_0004)
      #expect(notification.peerEpoch == Epoch(rawValue: 1))
      return
    }
    #expect(notification.encoded == payload)
    #expect(try QuorumConfiguration(parsing: notification.configuration ?? "").members.count >= 3)
  }

  @Test func absurdLengthsAreRefused() {
    var packet = QuorumPacket(.ping, zxid: .zero, data: []).encoded
    packet.replaceSubrange(12..<16, with: [0x7f, 0xff, 0xff, 0xff])
    #expect(throws: JuteError.self) {
      try packet.withUnsafeBytes { raw in _ = try QuorumPacket.first(in: raw, limitBytes: 1 << 20) }
    }
    let greeting: [UInt8] = [255, 255, 255, 255, 255, 255, 0, 0] + [UInt8](repeating: 0, count: 8) + [0x7f, 0, 0, 0]
    #expect(throws: JuteError.self) {
      try greeting.withUnsafeBytes { raw in _ = try ElectionGreeting.first(in: raw) }
    }
  }
}

/// Lines of `zoo.cfg` about an ensemble, and who is a quorum of it.
///
/// *Source*: `StorageFormat` E.2, `QuorumProtocol` A.9.
struct QuorumConfigurationTests {
  @Test(arguments: [
    ("h:1", "does not have the form"), ("::1:1:2", "does not have the form"), ("h:1:2;3;4", "does not have the form"),
    ("[::1:1:2", "has no matching ']:'"), ("h:x:2", "Address unresolved: h:x"),
    ("h:1:1", "Client and election port must be different"), ("h:1:2:boss", "Unrecognised peertype: boss"),
    ("h:1:2:observer|g:1:2:participant", "Multiple addresses should have similar roles"),
  ])
  func badMemberIsRefusedInApachesWords(_ text: String, _ words: String) {
    let error = #expect(throws: QuorumConfigurationError.self) {
      try QuorumConfiguration.Member(id: ServerID(rawValue: 1), parsing: text)
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test func membersAreReadAndWritten() throws {
    let text = """
      server.1=a:2888:3888:participant;0.0.0.0:2181
      server.2=b:2888:3888|c:2889:3889:observer;127.0.0.1:2182
      server.3=[::1]:2888:3888:participant
      version=1a
      """
    let configuration = try QuorumConfiguration(parsing: text)
    #expect(configuration.text == text)
    #expect(configuration.voters == [1, 3].map { ServerID(rawValue: $0) })
    #expect(configuration.version == 0x1a)
    let short = try QuorumConfiguration.Member(id: ServerID(rawValue: 9), parsing: "h:1:2;2181")
    #expect(short.client == ServerAddress(host: "0.0.0.0", port: 2181) && !short.isObserver)
  }

  @Test(arguments: [
    (3, [1], false), (3, [1, 2], true), (4, [1, 2], false), (4, [1, 2, 3], true), (5, [1, 2, 9], false),
    (1, [1], true),
  ])
  func majorityIsAQuorum(_ count: Int64, _ ids: [Int64], _ expected: Bool) {
    let configuration = QuorumConfiguration(
      members: (1...count).map {
        .init(id: ServerID(rawValue: $0), addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)])
      })
    #expect(configuration.isQuorum { ids.contains($0.rawValue) } == expected)
  }

  @Test(
    arguments: [
      ([1, 2, 4, 5], true), ([1, 2, 3], false), ([1, 2, 4], false), ([1, 4, 7], false), ([1, 2, 7, 8], true),
      ([], false),
    ] as [([Int64], Bool)])
  func moreThanHalfOfTheGroupsWithMoreThanHalfOfTheirWeight(_ ids: [Int64], _ expected: Bool) throws {
    let lines = (1...9).map { "server.\($0)=h:1:2" } + ["group.1=1:2:3", "group.2=4:5:6", "group.3=7:8:9"]
    let configuration = try QuorumConfiguration(parsing: lines.joined(separator: "\n"))
    #expect(configuration.isQuorum { ids.contains($0.rawValue) } == expected)
  }

  @Test func weightsCountAndZeroIsNobody() throws {
    let lines = (1...3).map { "server.\($0)=h:1:2" } + ["group.1=1:2:3", "weight.1=0", "weight.2=1", "weight.3=3"]
    let configuration = try QuorumConfiguration(parsing: lines.joined(separator: "\n"))
    #expect(configuration.isQuorum { $0.rawValue == 3 })
    #expect(!configuration.isQuorum { $0.rawValue <= 2 })
    #expect(configuration.weight(of: ServerID(rawValue: 1)) == 0)
    #expect(throws: QuorumConfigurationError.self) {
      try QuorumConfiguration(parsing: "server.1=h:1:2\nserver.2=h:1:2\ngroup.1=1")
    }
  }
}
