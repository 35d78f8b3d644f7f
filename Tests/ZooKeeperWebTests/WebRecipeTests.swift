import JSONFormat
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperWeb

/// Recipes that are found in a tree.
@Suite(.timeLimit(.minutes(5))) struct WebRecipeTests {
  private func found(_ fixture: WebFixture, _ path: String) async throws -> [JSON] {
    guard case .array(let found)? = try await fixture.ask("GET", "/api/v1/recipes?path=\(path)").json?["found"] else {
      throw TestKitError(.ended, "no recipes")
    }
    return found
  }

  @Test func barriersAndCountersAreFound() async throws {
    try await WebFixture.run { fixture in
      for body in [
        #"{"path":"/r/long","data":"AAAAAAAAACo=","encoding":"base64","parents":true}"#,
        #"{"path":"/r/int","data":"/////w==","encoding":"base64"}"#, #"{"path":"/r/jobcount","data":"17"}"#,
        #"{"path":"/r/word","data":"true"}"#, #"{"path":"/r/start-barrier"}"#, #"{"path":"/r/empty"}"#,
        #"{"path":"/r/meeting/ready","parents":true}"#, #"{"path":"/r/meeting/one","kind":"ephemeral"}"#,
        #"{"path":"/r/meeting/two","kind":"ephemeral"}"#,
        // An item of a queue is no counter, whatever its data is.
        #"{"path":"/r/queue/qn-0000000001","data":"AAAAAAAAACo=","encoding":"base64","parents":true}"#,
      ] {
        #expect(try await fixture.change("POST", "/znode", body).status == 201, "\(body)")
      }
      let texts = try await found(fixture, "/r").map { recipe in
        guard case .array(let holders)? = recipe["holders"] else { return "?" }
        return [
          recipe["path"]?.text, recipe["kind"]?.text, recipe["by"]?.text, recipe["value"]?.text, "\(holders.count)",
        ].map { $0 ?? "-" }.joined(separator: " ")
      }
      #expect(
        texts == [
          "/r/int counter curator -1 0", "/r/jobcount counter kazoo 17 0", "/r/long counter curator 42 0",
          "/r/meeting doubleBarrier - - 2", "/r/queue queue - - 0", "/r/start-barrier barrier - - 0",
        ])
    }
  }

  @Test(
    arguments: [
      ([0, 0, 0, 7], "x", 7), ([0xff, 0xff, 0xff, 0xfe], "x", -2), ([0, 0, 0, 0, 0, 0, 1, 0], "x", 256),
      ([0x74, 0x72, 0x75, 0x65], "x", nil), ([0x31, 0x32], "x", nil), ([0x31, 0x32], "a-Count", 12),
      ([0x31, 0x32, 0x33, 0x34], "count", 1234), ([0x61], "count", nil), ([0, 0, 0], "count", nil),
    ] as [([UInt8], String, Int64?)])
  func countersAreKnownByTheirData(data: [UInt8], name: String, number: Int64?) {
    #expect(LoneRecipe.counter(data, named: name)?.number == number)
  }
}

/// What is told of the servers.
@Suite(.timeLimit(.minutes(5))) struct WebMonitoringTests {
  @Test func clocksAreThoseThatHealthHasSeen() async throws {
    try await WebFixture.run { fixture in
      func clock() async throws -> JSON? {
        guard case .array(let members)? = try await fixture.ask("GET", "/api/v1/ensemble").json?["members"] else {
          return nil
        }
        return members.first?["clockOffsetMilliseconds"]
      }
      #expect(try await clock()?.bytes == [UInt8]("null".utf8))
      #expect(try await fixture.ask("GET", "/api/v1/health").status == 200)
      try await eventually("the clock is known") {
        guard let text = try await clock().map({ String(decoding: $0.bytes, as: UTF8.self) }),
          let offset = Int64(text)
        else { return false }
        return abs(offset) < 10_000
      }
    }
  }

  @Test func slowDisksAndWrongClocksAreShown() async throws {
    try await WebFixture.run { fixture in
      #expect(
        try await fixture.change("POST", "/sandbox/slow-disk", #"{"server":1.0,"milliseconds":20}"#).status == 200)
      let reply = try await fixture.change("POST", "/sandbox/clock", #"{"server":1,"milliseconds":-7200000}"#)
      #expect(reply.status == 200)
      guard case .array(let members)? = reply.json?["members"], let member = members.first else {
        throw TestKitError(.ended, "no members")
      }
      #expect(member["diskDelayMilliseconds"]?.bytes == [UInt8]("20".utf8))
      #expect(member["clockOffsetMilliseconds"]?.bytes == [UInt8]("-7200000".utf8))
      #expect(try await fixture.change("POST", "/sandbox/clock", #"{"server":2,"milliseconds":0}"#).status == 404)
      for body in [
        #"{"server":10,"milliseconds":0}"#, #"{"server":1}"#, #"{"server":1,"milliseconds":1e99}"#,
        #"{"server":1,"milliseconds":0.5}"#,
      ] {
        #expect(try await fixture.change("POST", "/sandbox/slow-disk", body).status == 400, "\(body)")
        #expect(try await fixture.change("POST", "/sandbox/clock", body).status == 400, "\(body)")
      }
    }
  }
}
