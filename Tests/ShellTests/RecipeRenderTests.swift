import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperRecipes
@testable import ZooKeeperShell

/// How the answers of recipes look.
@Suite(.timeLimit(.minutes(10))) struct RecipeRenderTests {
  private func rendered(_ result: RecipeResult, _ format: OutputFormat) -> String {
    var renderer = Renderer(RenderContext(format: format))
    return String(decoding: renderer.emit(.recipe(result)).stdout, as: UTF8.self)
  }

  private static let leader = Election.Leader(
    name: [UInt8]("one".utf8), path: "/e/_c_x-latch-0000000001", zxid: Zxid(rawValue: 0x1f))
  private static let status = TwoPhaseCommit.Status(proposal: nil, votes: [], decision: nil)
  private static let event = WatchEvent(
    type: .nodeDataChanged, state: .syncConnected, path: "/a", zxid: Zxid(rawValue: 7))

  private static let oldEvent = WatchEvent(type: .nodeDataChanged, state: .syncConnected, path: "/a", zxid: nil)

  static let cases: [(RecipeResult, String, String)] = [
    (
      .held(path: "/l/x", zxid: Zxid(rawValue: 16), name: nil), "/l/x 0x10\n",
      #"{"held":"/l/x","zxid":"0x10","name":null}"#
    ),
    (
      .held(path: "/l/x", zxid: Zxid(rawValue: 16), name: "me"), "me\n",
      #"{"held":"/l/x","zxid":"0x10","name":"me"}"#
    ),
    (
      .leader(leader), "one\n",
      #"{"leader":"one","path":"/e/_c_x-latch-0000000001","zxid":"0x1f"}"#
    ),
    (.leader(nil), "\n", #"{"leader":null,"path":null,"zxid":null}"#),
    (.released(path: "/l", count: 2), "", #"{"path":"/l","count":2}"#),
    (.number(path: "/c", -5), "-5\n", #"{"path":"/c","value":-5}"#),
    (.decision(path: "/t", .abort), "abort\n", #"{"path":"/t","decision":"abort"}"#),
    (
      .transaction(path: "/t", status), "undecided\n",
      #"{"path":"/t","decision":null,"data":null,"encoding":null,"votes":[]}"#
    ),
    (
      .members(all: ["a", "b"], joined: ["b"], left: ["c"], milliseconds: 0), "left c\njoined b\n",
      #"{"time":"1970-01-01T00:00:00.000Z","members":["a","b"],"joined":["b"],"left":["c"]}"#
    ),
    (
      .change(.change(event, data: [UInt8]("x\ny".utf8), stat: nil), milliseconds: 5),
      "NodeDataChanged /a zxid 0x7 data x\\ny\n",
      #"{"time":"1970-01-01T00:00:00.005Z","event":"NodeDataChanged","path":"/a","zxid":"0x7","data":"x\ny","#
        + #""encoding":"utf8","stat":null}"#
    ),
    // Servers before 3.9 tell no zxid: the columns stay where they are.
    (
      .change(.change(oldEvent, data: [UInt8](#"C:\x1b"#.utf8), stat: nil), milliseconds: 5),
      #"NodeDataChanged /a zxid - data C:\\x1b"# + "\n",
      #"{"time":"1970-01-01T00:00:00.005Z","event":"NodeDataChanged","path":"/a","zxid":null,"data":"C:\\x1b","#
        + #""encoding":"utf8","stat":null}"#
    ),
    // Data that was not asked for is not null, it is not there.
    (
      .change(.change(oldEvent, data: nil, stat: nil), milliseconds: 5, showsData: false),
      "NodeDataChanged /a zxid -\n",
      #"{"time":"1970-01-01T00:00:00.005Z","event":"NodeDataChanged","path":"/a","zxid":null}"#
    ),
    (
      .change(.gap(.expired), milliseconds: 0), "gap expired\n",
      #"{"time":"1970-01-01T00:00:00.000Z","gap":true,"reason":"expired"}"#
    ),
  ]

  @Test(arguments: cases) func answersAreATextAndAnObject(result: RecipeResult, text: String, json: String) {
    #expect(rendered(result, .text) == text)
    #expect(rendered(result, .json) == json + "\n")
    #expect(rendered(result, .jsonl) == json + "\n")
  }

  @Test func addressesAreReadFromWhatServersTell() {
    let answer = """
       /127.0.0.1:53422[1](queued=0,recved=1,sent=1,sid=0x1000a2b3c4d0001,lop=PING,est=1)
       /[0:0:0:0:0:0:0:1]:53424[0](queued=0,recved=1,sent=0)
       /10.1.2.3:9[1](queued=0,recved=1,sent=1,sid=0xffffffffffffffff,lop=NA)

      """
    let addresses = ClientAddresses.parse(answer)
    #expect(addresses[SessionID(rawValue: 0x1000_a2b3_c4d_0001)] == "127.0.0.1:53422")
    #expect(addresses[SessionID(rawValue: -1)] == "10.1.2.3:9")
    #expect(addresses.count == 2)
    #expect(ClientAddresses.parse("cons is not executed because it is not in the whitelist.\n").isEmpty)
  }
}
