import JSONFormat
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperWeb

/// What the endpoints answer.
@Suite(.timeLimit(.minutes(5))) struct WebEndpointTests {
  @Test func znodesAreMadeReadAndChanged() async throws {
    try await WebFixture.run { fixture in
      let made = try await fixture.change("POST", "/znode", #"{"path":"/a b","data":"{\"x\":1}","encoding":"utf8"}"#)
      #expect(made.status == 201 && made.json?["created"]?.text == "/a b")
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a b"}"#).word == "NodeExists")
      let read = try await fixture.ask("GET", "/api/v1/znode?path=/a%20b").json
      #expect(
        read?["form"]?.text == "json" && read?["data"]?.text == #"{"x":1}"# && read?["kind"]?.text == "persistent")
      #expect(
        try await fixture.change("PUT", "/znode?path=/a+b&version=0", #"{"data":"AAE=","encoding":"base64"}"#).status
          == 200)
      let late = try await fixture.change("PUT", "/znode?path=/a%20b&version=0", #"{"data":"late"}"#)
      #expect(late.status == 409 && late.word == "BadVersion" && late.json?["current"]?["form"]?.text == "binary")
      #expect(try await fixture.change("PUT", "/znode?path=/a%20b&version=-1", #"{"data":"late"}"#).status == 400)
      #expect(try await fixture.change("PUT", "/znode?path=/a%20b", #"{"data":"late"}"#).status == 400)
      let raw = try await fixture.ask("GET", "/api/v1/znode/raw?path=/a%20b")
      #expect(raw.body == [0, 1] && raw.headers["x-zk-version"] == "1")
      #expect(raw.headers["content-disposition"]?.hasPrefix("attachment; filename=\"a_b\"") == true)
      #expect(try await fixture.change("DELETE", "/znode?path=/a%20b&version=0").word == "BadVersion")
      #expect(try await fixture.change("DELETE", "/znode?path=/a%20b&version=1").status == 200)
      #expect(try await fixture.ask("GET", "/api/v1/znode?path=/a%20b").word == "NoNode")
    }
  }

  @Test func ephemeralZnodesShowTheirOwner() async throws {
    try await WebFixture.run { fixture in
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/e","kind":"ephemeral"}"#).status == 201)
      let znode = try await fixture.ask("GET", "/api/v1/znode?path=/e").json
      #expect(znode?["kind"]?.text == "ephemeral" && znode?["owner"]?["client"]?.text?.hasPrefix("127.0.0.1:") == true)
      let session = try #require(znode?["owner"]?["session"]?.text)
      let owner = try await fixture.ask("GET", "/api/v1/sessions/\(session)").json
      guard case .array(let paths)? = owner?["ephemerals"] else { throw TestKitError(.ended, "no ephemerals") }
      #expect(paths.compactMap(\.text) == ["/e"])
      #expect(try await fixture.ask("GET", "/api/v1/sessions/0x1").status == 404)
    }
  }

  @Test func badInputIsRefused() async throws {
    try await WebFixture.run { fixture in
      for target in [
        "/znode", "/znode?path=a", "/znode?path=/a/../b", "/znode?path=/a%00", "/znode?path=%ff",
        "/znode?path=/&path=/",
        "/children?path=//", "/search?path=/", "/search?path=/&name=a&limit=0", "/events?topics=nonsense",
        "/sessions/12",
      ] {
        #expect(try await fixture.ask("GET", "/api/v1" + target).status == 400, "\(target)")
      }
      for body in [
        "", "[]", "{", #"{"path":1}"#, #"{"path":"/a","other":1}"#, #"{"path":"/a","kind":"odd"}"#,
        #"{"path":"/a","data":1.5}"#,
      ] {
        #expect(try await fixture.change("POST", "/znode", body).status == 400, "\(body)")
      }
      #expect(try await fixture.ask("GET", "/api/v1/nothing").status == 404)
      #expect(try await fixture.ask("GET", "/api/v1/znode?path=/&cluster=other").status == 404)
      let patched = try await fixture.ask("PATCH", "/api/v1/znode?path=/")
      #expect(patched.status == 405 && patched.headers["allow"] == "DELETE, GET, HEAD, POST, PUT")
    }
  }

  @Test func bodiesAreBounded() async throws {
    try await WebFixture.run { fixture in
      let token = try await fixture.token()
      let announced = try await fixture.ask(
        "POST", "/api/v1/znode", headers: ["X-Zkcli-Token": token, "Content-Length": "\(WebLimits.bodyBytes + 1)"])
      #expect(announced.status == 413)
      // A request that is cut off leaves nothing behind.
      let port = fixture.port
      try await onThread {
        let socket = try LoopbackSocket.connect(to: port)
        try socket.write([UInt8]("POST /api/v1/znode HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Le".utf8))
        socket.shutdown()
      }
      #expect(try await fixture.ask("GET", "/api/v1/session").status == 200)
    }
  }

  @Test func subtreesAreCopiedAndDeletedByJobs() async throws {
    try await WebFixture.run { fixture in
      _ = try await fixture.change("POST", "/znode", #"{"path":"/a/b/c","parents":true}"#)
      let copy = try await fixture.change("POST", "/copy", #"{"from":"/a","to":"/z/a"}"#)
      #expect(copy.status == 202)
      let copied = try await fixture.end(of: copy)
      #expect(copied["state"]?.text == "done" && copied["counts"]?["created"]?.bytes == [UInt8]("3".utf8))
      let within = try await fixture.change("POST", "/copy", #"{"from":"/a","to":"/a/x"}"#)
      #expect(within.status == 400)
      let differing = try await fixture.change("DELETE", "/znode?path=/a&recursive=true&count=7")
      #expect(differing.word == "CountDiffers")
      let deletion = try await fixture.change("DELETE", "/znode?path=/a&recursive=1&count=3")
      #expect(try await fixture.end(of: deletion)["counts"]?["deleted"]?.bytes == [UInt8]("3".utf8))
      #expect(try await fixture.ask("GET", "/api/v1/znode?path=/a").status == 404)
      #expect(try await fixture.change("DELETE", "/znode?path=/&recursive=1&count=3").status == 400)
    }
  }

  @Test func subtreesAreCounted() async throws {
    try await WebFixture.run { fixture in
      _ = try await fixture.change("POST", "/znode", #"{"path":"/a/b/c","parents":true,"data":"1234"}"#)
      let counted = try await fixture.ask("GET", "/api/v1/subtree?path=/a").json
      #expect(counted?["count"]?.bytes == [UInt8]("3".utf8) && counted?["dataBytes"]?.bytes == [UInt8]("4".utf8))
    }
  }
}

/// Streams of events.
@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
  @Test func changesComeToThoseWhoFollow() async throws {
    try await WebFixture.run { fixture in
      let (reader, other) = (try EventReader(fixture), try EventReader(fixture))
      reader.start()
      other.start()
      let id = try await reader.id()
      let body = #"{"topics":[],"watches":{"children":["/"],"data":["/a"]}}"#
      #expect(try await fixture.change("POST", "/streams/\(id)", body).status == 200)
      _ = try await fixture.change("POST", "/znode", #"{"path":"/a"}"#)
      try await reader.wait(for: #"{"path":"/","type":"children""#)
      try await reader.wait(for: #"{"path":"/a","type":"created""#)
      _ = try await fixture.change("PUT", "/znode?path=/a&version=0", #"{"data":"1"}"#)
      try await reader.wait(for: #"{"path":"/a","type":"data""#)
      #expect(!other.all.contains("event: change"))
      #expect(try await fixture.change("POST", "/streams/0000", "{}").status == 404)
      reader.close()
      try await eventually("the stream is forgotten") {
        try await fixture.change("POST", "/streams/\(id)", "{}").status == 404
      }
      other.close()
    }
  }

  @Test func watchesAreSetAgainInANewSession() async throws {
    try await WebFixture.run { fixture in
      let reader = try EventReader(fixture)
      reader.start()
      let id = try await reader.id()
      _ = try await fixture.change("POST", "/streams/\(id)", #"{"watches":{"children":["/"]}}"#)
      guard case .array(let clusters)? = try await fixture.ask("GET", "/api/v1/clusters").json,
        let session = clusters.first?["session"]?.text, let bits = UInt64(session.dropFirst(2), radix: 16)
      else { throw TestKitError(.ended, "no session") }
      try await fixture.sandbox.expire(session: Int64(bitPattern: bits))
      try await eventually("there is another session") {
        guard case .array(let now)? = try await fixture.ask("GET", "/api/v1/clusters").json else { return false }
        return now.first?["state"]?.text == "connected" && now.first?["session"]?.text != session
      }
      // The watch is set soon after; until then a change may go unseen.
      var number = 0
      try await eventually("changes come again") {
        number += 1
        _ = try await fixture.change("POST", "/znode", #"{"path":"/n\#(number)"}"#)
        return reader.all.contains(#"{"path":"/","type":"children""#)
      }
      reader.close()
    }
  }

  @Test func slowReadersLoseEventsAndAreTold() async throws {
    try await WebFixture.run { fixture in
      let reader = try EventReader(fixture)
      try await eventually("the stream is there") { fixture.server.hub.hasStreams(of: "test") }
      let text = String(repeating: "x", count: 60_000)
      for _ in 0..<400 { fixture.server.hub.publish("job", .string(text)) }
      reader.start()
      try await reader.wait(for: "event: lagging")
      #expect(reader.all.utf8.count < 23_000_000)
      reader.close()
    }
  }

  @Test func streamsAreBounded() throws {
    let hub = EventHub(loop: ZooKeeperClient.sharedGroup.next())
    var streams: [EventStream] = []
    for _ in 0..<WebLimits.streams { streams.append(try hub.open(cluster: "test", topics: [])) }
    #expect(throws: WebError.self) { try hub.open(cluster: "test", topics: []) }
    streams[0].end()
    _ = try hub.open(cluster: "test", topics: [])
    hub.stop()
  }

  @Test func oneWatchServesAllFollowers() {
    var followed = FollowedPaths()
    followed.set(["/a": .children, "/b": .data], of: "1")
    followed.set(["/a": [.children, .data]], of: "2")
    #expect(followed.paths == ["/a", "/b"])
    let event = WatchEvent(type: .nodeDataChanged, state: .syncConnected, path: "/a")
    #expect(followed.streams(for: event) == ["2"])
    followed.remove("2")
    #expect(followed.paths == ["/a", "/b"] && followed.streams(for: event).isEmpty)
    followed.set([:], of: "1")
    #expect(followed.paths.isEmpty)
  }
}
