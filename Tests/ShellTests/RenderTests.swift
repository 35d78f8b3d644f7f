import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

@testable import ZnodeFormats
@testable import ZooKeeperShell

/// A server with every fault.
private let suffering = {
  var server = LocalServer(
    id: 3, state: "killed", role: nil, zxid: nil, sessions: nil, connections: nil, address: "h:3", cutOff: [])
  server.links = [
    .init(id: 1, delayMilliseconds: 20, jitterMilliseconds: 5, dropProbability: 0.005),
    .init(id: 2, delayMilliseconds: 1000, jitterMilliseconds: 0, dropProbability: 0.005),
  ]
  server.diskDelayMilliseconds = 1500
  server.clockOffsetMilliseconds = -7_200_000
  return server
}()

/// Renders the answer of one command.
private func render(_ results: [CommandResult], _ context: RenderContext, isListing: Bool = false) -> Rendered {
  var renderer = Renderer(context)
  renderer.begin(isListing: isListing)
  var all = Rendered()
  for result in results {
    let part = renderer.emit(result)
    all.stdout += part.stdout
    all.stderr += part.stderr
  }
  all.stdout += renderer.finish().stdout
  return all
}

extension Rendered {
  fileprivate var outText: String { String(decoding: stdout, as: UTF8.self) }
  fileprivate var errText: String { String(decoding: stderr, as: UTF8.self) }
}

private func data(_ text: String?, form: DataForm = .plain, stat: Bool = false) -> CommandResult {
  .data(path: "/x", data: text.map { [UInt8]($0.utf8) }, stat: .sample, showsStat: stat, form: form)
}

private let isoBlock = """
  cZxid = 0x2
  ctime = 2026-11-23T06:23:00.123Z
  mZxid = 0x33
  mtime = 2026-11-23T06:24:57.004Z
  pZxid = 0xffffffffffffffff
  cversion = 7
  dataVersion = 2
  aclVersion = 1
  ephemeralOwner = 0x100002a5f0001
  dataLength = 5
  numChildren = 3

  """

@Suite(.timeLimit(.minutes(10))) struct TextRendererTests {
  @Test func dataGoesIntoAPipeByteForByte() {
    let all = [UInt8](0...255)
    let result = CommandResult.data(path: "/x", data: all, stat: .sample, showsStat: false)
    for format in [OutputFormat.text, .raw] {
      #expect(render([result], RenderContext(format: format)) == Rendered(stdout: all))
    }
    #expect(render([result], RenderContext(format: .raw, stdoutIsTerminal: true)) == Rendered(stdout: all))
    #expect(render([result], RenderContext(endsDataWithNewline: true)).stdout == all + [0x0a])
  }

  @Test(
    arguments: [
      ("hello", "hello\n", ""),
      ("hello\n", "hello\n", ""),
      ("", "", ""),
      (nil, "", "zkcli: /x has no data (null)\n"),
      (
        "a\u{1b}[31m\tb\u{7f}é", "a\\x1b[31m\tb\\x7fé\n",
        "zkcli: 2 unprintable bytes shown as \\xHH; -o raw, hex or base64 prints the bytes themselves\n"
      ),
    ] as [(String?, String, String)])
  func aTerminalGetsWhatItCanShow(text: String?, out: String, err: String) {
    let rendered = render([data(text)], RenderContext(stdoutIsTerminal: true))
    #expect(rendered.outText == out)
    #expect(rendered.errText == err)
  }

  @Test(
    arguments: [
      // As it is, where nothing is or seems to be escaped.
      (#"C:\dir\new"#, #"C:\dir\new"#, 0), (#"a\b\x0"#, #"a\b\x0"#, 0),
      (#"a\x1b"#, #"a\\x1b"#, 1), (#"a\\b"#, #"a\\\\b"#, 1), ("a\\\u{1b}", #"a\\\x1b"#, 1),
    ] as [(String, String, Int)])
  func aBackslashIsNotTakenForAnEscape(text: String, out: String, notes: Int) {
    let rendered = render([data(text)], RenderContext(stdoutIsTerminal: true))
    #expect(rendered.outText == out + "\n")
    #expect(rendered.errText.split(separator: "\n").count == notes)
  }

  @Test func eventOfAnEnsembleIsALine() {
    func text(_ event: ConsensusEvent) -> String { Record(event).text }
    var event = ConsensusEvent(
      time: .milliseconds(12_345) + .microseconds(678), server: 2, peer: 1, direction: .sent, kind: .proposal)
    event.zxid = 0x2_0000_0003
    event.epoch = 2
    event.detail = "setData /a\u{1b}[31m"
    #expect(text(event) == "+12.3456s 2 -> 1  PROPOSAL zxid=0x200000003 setData /a\\x1b[31m")
    event = ConsensusEvent(time: .zero, server: 1, peer: nil, direction: .received, kind: .followerInfo)
    event.epoch = 4
    #expect(text(event) == "+0.0000s 1 <- ?  FOLLOWERINFO epoch=4")
    event = ConsensusEvent(time: .seconds(1), server: 1, peer: 3, direction: .received, kind: .vote)
    (event.leader, event.round, event.zxid, event.detail) = (3, 7, 0, "looking")
    #expect(text(event) == "+1.0000s 1 <- 3  VOTE for=3 zxid=0x0 round=7 looking")
    event = ConsensusEvent(time: .seconds(1), server: 1, peer: nil, direction: .local, kind: .leading)
    #expect(text(event) == "+1.0000s 1       LEADING")
  }

  @Test func serversOfASandboxAreATable() {
    let servers = CommandResult.members([
      LocalServer(
        id: 1, state: "running", role: "follower", zxid: "0x100000002", sessions: 1, connections: 0, address: "h:1",
        cutOff: []),
      LocalServer(
        id: 2, state: "paused", role: nil, zxid: nil, sessions: nil, connections: nil, address: "h:2", cutOff: [1, 3]),
      suffering,
    ])
    let rows = """
      1   running  follower  0x100000002  1         0        h:1
      2   paused   -         -            -         -        h:2      cut off from 1,3
      3   killed   -         -            -         -        h:3      \
      delay 20ms±5ms to 1; delay 1s to 2; drop 0.5% to 1,2; slow disk 1500ms; clock -2h

      """
    let head = "id  state    role      zxid         sessions  clients  address\n"
    #expect(render([servers], RenderContext(stdoutIsTerminal: true)).outText == head + rows)
    #expect(render([servers], RenderContext()).outText == rows)
  }

  @Test func bytesThatAreNoTextAreShownOneByOne() {
    let bytes: [UInt8] = [0x41, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0x80]
    let result = CommandResult.data(path: "/x", data: bytes, stat: .sample, showsStat: false)
    let rendered = render([result], RenderContext(stdoutIsTerminal: true))
    #expect(rendered.outText == "A\\xff\\xc3(€\\xed\\xa0\\x80\n")
    #expect(rendered.errText.hasPrefix("zkcli: 5 unprintable bytes"))
    #expect(render([result], RenderContext(stdoutIsTerminal: true, isQuiet: true)).errText == "")
  }

  @Test func formsOfData() {
    #expect(render([data("hi\n")], RenderContext(format: .hex)).outText == "68690a\n")
    #expect(render([data("hi\n")], RenderContext(format: .base64)).outText == "aGkK\n")
    #expect(render([data("hi\n", form: .base64)], RenderContext()).outText == "aGkK\n")
    #expect(render([data(nil)], RenderContext(format: .hex)).outText == "")
  }

  @Test func theStatBeginsALine() {
    #expect(render([data("hello", stat: true)], RenderContext()).outText == "hello\n" + isoBlock)
    #expect(render([data("hello\n", stat: true)], RenderContext()).outText == "hello\n" + isoBlock)
    #expect(render([data(nil, stat: true)], RenderContext()).outText == isoBlock)
  }

  @Test(
    arguments: [
      (.children(path: "/", names: ["a", "b c"], stat: nil), "a\nb c\n"),
      (.children(path: "/", names: [], stat: .sample), isoBlock),
      (.stat(path: "/x", .sample), isoBlock),
      (
        .entry(ListingEntry(name: "a", stat: .sample)),
        "e        3        2         5 2026-11-23T06:24:57Z a\n"
      ),
      (.path("/a/b"), "/a/b\n"),
      (.created(path: "/q0000000001", stat: nil), "/q0000000001\n"),
      (.changed(path: "/x", stat: nil), ""),
      (.deleted(path: "/x", count: 3), ""),
      (.existence(path: "/x", nil), ""),
      (.synced(path: "/"), ""),
      (
        .acl(
          path: "/x",
          [ACL(permissions: .all, scheme: "world", id: "anyone"), ACL(permissions: .read, scheme: "ip", id: "::1")],
          stat: nil),
        "world:anyone:cdrwa\nip:::1:r\n"
      ),
      (.identities([ClientInfo(scheme: "ip", user: "127.0.0.1")]), "ip: 127.0.0.1\n"),
      (.ephemerals(["/a", "/b"]), "/a\n/b\n"),
      (.count(path: "/", 11), "11\n"),
      (
        .quota(
          path: "/q", limits: QuotaLimits(count: 2, bytes: -1, countHardLimit: 4),
          usage: QuotaLimits(count: 1, bytes: 9)),
        """
        count = 1
        countLimit = 2
        countHardLimit = 4
        bytes = 9
        bytesLimit = none
        bytesHardLimit = none

        """
      ),
      (
        .config(
          text: "server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=b:1:2;c:2182\nversion=100", stat: nil,
          clientOnly: true),
        "a:2181,c:2182\n"
      ),
      (.config(text: "version=0", stat: nil, clientOnly: false), "version=0\n"),
      (.history([HistoryEntry(number: 7, line: "ls /")]), "    7  ls /\n"),
      (.setting(name: "printwatches", value: "on"), "printwatches is on\n"),
      (.text("words"), "words\n"),
      (.remark("quiet unless asked"), ""),
      (
        .multi([
          MultiStep(operation: "create", path: "/a-", result: .create2(path: "/a-0000000001", stat: .sample)),
          MultiStep(operation: "set", path: "/b", result: .setData(.sample)),
          MultiStep(operation: "check", path: "/c", result: .check),
        ]),
        "create /a-0000000001\nset /b version 2\ncheck /c\n"
      ),
    ] as [(CommandResult, String)])
  func otherResults(result: CommandResult, out: String) {
    #expect(render([result], RenderContext()) == Rendered(stdout: [UInt8](out.utf8)))
  }

  @Test func aFailedMultiIsAnExplanation() {
    let steps = [
      MultiStep(operation: "create", path: "/a", result: .error(.ok)),
      MultiStep(operation: "check", path: "/b", result: .error(.badVersion)),
      MultiStep(operation: "delete", path: "/c", result: .error(.runtimeInconsistency)),
    ]
    let rendered = render([.multi(steps)], RenderContext())
    #expect(rendered.outText == "")
    #expect(rendered.errText == "create /a: undone\ncheck /b: BadVersion\ndelete /c: not tried\n")
  }

  @Test func whatIsBesideTheAnswerGoesToStderr() {
    let verbose = RenderContext(isVerbose: true)
    #expect(render([.deleted(path: "/x", count: 1)], verbose).errText == "zkcli: deleted /x\n")
    #expect(render([.existence(path: "/x", nil)], verbose).errText == "zkcli: /x does not exist\n")
    #expect(render([.warning("mind")], RenderContext()).errText == "zkcli: warning: mind\n")
    #expect(render([.warning("mind")], RenderContext(isQuiet: true)).errText == "")
    let notice = WatchEvent(type: .nodeDataChanged, state: .syncConnected, path: "/x", zxid: Zxid(rawValue: 276))
    #expect(render([.event(notice)], RenderContext()).errText == "event: NodeDataChanged /x zxid 0x114\n")
  }

  @Test func errorsHaveOneLine() {
    let error = ShellError(.noNode, "NoNode", path: "/x", "it does not exist", hint: "create it first")
    let renderer = Renderer(RenderContext())
    #expect(renderer.error(error).errText == "zkcli: NoNode /x: it does not exist; create it first\n")
    #expect(
      renderer.error(error, at: SourceLine(file: "a.zk", line: 3)).errText
        == "a.zk:3: NoNode /x: it does not exist; create it first\n")
    #expect(
      Renderer(RenderContext(usesColor: true)).error(.usage("no")).errText == "\u{1b}[1;31mzkcli:\u{1b}[0m no\n")
  }
}

@Suite(.timeLimit(.minutes(10))) struct JSONRendererTests {
  private let stat =
    #"{"czxid":"0x2","mzxid":"0x33","pzxid":"0xffffffffffffffff","ctime":"2026-11-23T06:23:00.123Z","#
    + #""mtime":"2026-11-23T06:24:57.004Z","version":2,"cversion":7,"aversion":1,"#
    + #""ephemeralOwner":"0x100002a5f0001","dataLength":5,"numChildren":3}"#

  private func json(_ result: CommandResult, _ format: OutputFormat = .json) -> String {
    render([result], RenderContext(format: format)).outText
  }

  @Test func dataTellsItsEncoding() {
    #expect(
      json(data("a\"\\\n\u{1}é"))
        == #"{"path":"/x","data":"a\"\\\n\u0001é","encoding":"utf8","stat":"# + stat + "}\n")
    #expect(json(data(nil)) == #"{"path":"/x","data":null,"encoding":null,"stat":"# + stat + "}\n")
    #expect(json(data("")) == #"{"path":"/x","data":"","encoding":"utf8","stat":"# + stat + "}\n")
    let bytes = CommandResult.data(path: "/x", data: [0xff], stat: .sample, showsStat: false)
    #expect(json(bytes) == #"{"path":"/x","data":"/w==","encoding":"base64","stat":"# + stat + "}\n")
  }

  @Test func listingsAreOneArrayOrManyLines() {
    let rows = [CommandResult.path("/a"), .warning("hm"), .path("/b")]
    let array = render(rows, RenderContext(format: .json), isListing: true)
    #expect(array.outText == "[{\"path\":\"/a\"},\n{\"path\":\"/b\"}]\n")
    #expect(array.errText == "{\"warning\":\"hm\"}\n")
    #expect(render([], RenderContext(format: .json), isListing: true).outText == "[]\n")
    #expect(
      render(rows, RenderContext(format: .jsonl), isListing: true).outText == "{\"path\":\"/a\"}\n{\"path\":\"/b\"}\n")
    #expect(render([], RenderContext(format: .jsonl), isListing: true).outText == "")
  }

  @Test(
    arguments: [
      (.children(path: "/", names: ["a"], stat: nil), #"{"path":"/","children":["a"]}"#),
      (.existence(path: "/x", nil), #"{"path":"/x","exists":false,"stat":null}"#),
      (.created(path: "/x", stat: nil), #"{"created":"/x"}"#),
      (.deleted(path: "/x", count: 2), #"{"deleted":"/x","count":2}"#),
      (
        .acl(path: "/x", [ACL(permissions: [.read, .create], scheme: "ip", id: "::1")], stat: nil),
        #"{"path":"/x","acl":[{"scheme":"ip","id":"::1","permissions":"cr"}]}"#
      ),
      (.identities([ClientInfo(scheme: "ip", user: "u")]), #"[{"scheme":"ip","user":"u"}]"#),
      (
        .quota(path: "/q", limits: QuotaLimits(count: 5), usage: QuotaLimits(count: 1, bytes: 2)),
        #"{"path":"/q","limits":{"count":5,"bytes":null,"countHard":null,"bytesHard":null},"#
          + #""usage":{"count":1,"bytes":2,"countHard":null,"bytesHard":null}}"#
      ),
      (
        .config(text: "server.1=a:1:2;3\nversion=100", stat: nil, clientOnly: false),
        #"{"version":"0x100","servers":[{"id":1,"address":"a:1:2;3"}],"connectString":"a:3"}"#
      ),
      (
        .multi([MultiStep(operation: "delete", path: "/c", result: .error(.noNode))]),
        #"[{"operation":"delete","path":"/c","error":"NoNode"}]"#
      ),
      (.setting(name: "printwatches", value: "on"), #"{"setting":"printwatches","value":"on"}"#),
      (
        .members([
          LocalServer(
            id: 2, state: "killed", role: nil, zxid: nil, sessions: nil, connections: nil, address: "h:1", cutOff: [1])
        ]),
        #"[{"id":2,"state":"killed","role":null,"zxid":null,"sessions":null,"connections":null,"address":"h:1","#
          + #""cutOffFrom":[1],"links":[],"diskDelayMilliseconds":0,"clockOffsetMilliseconds":0}]"#
      ),
      (
        .members([suffering]),
        #"[{"id":3,"state":"killed","role":null,"zxid":null,"sessions":null,"connections":null,"address":"h:3","#
          + #""cutOffFrom":[],"links":[{"to":1,"delayMilliseconds":20,"jitterMilliseconds":5,"dropPercent":0.5},"#
          + #"{"to":2,"delayMilliseconds":1000,"jitterMilliseconds":0,"dropPercent":0.5}],"#
          + #""diskDelayMilliseconds":1500,"clockOffsetMilliseconds":-7200000}]"#
      ),
    ] as [(CommandResult, String)])
  func documents(result: CommandResult, document: String) {
    #expect(json(result) == document + "\n")
  }

  @Test func anOperationThatWasTakenBackHasNoErrorOfItsOwn() {
    let steps = [
      MultiStep(operation: "create", path: "/a", result: .error(.ok)),
      MultiStep(operation: "check", path: "/b", result: .error(.badVersion)),
    ]
    #expect(
      json(.multi(steps))
        == #"[{"operation":"create","path":"/a","undone":true},{"operation":"check","path":"/b","error":"BadVersion"}]"#
        + "\n")
  }

  @Test func controlCharactersBeyondASCIIAreEscapedToo() {
    #expect(json(.text("a\u{9b}31m\u{80}é\u{a0}")) == "{\"text\":\"a\\u009b31m\\u0080é\u{a0}\"}\n")
  }

  @Test func anAwaitedEventBelongsToTheDocument() {
    let notice = WatchEvent(type: .nodeCreated, state: .syncConnected, path: "/x", zxid: nil)
    let event = #"{"event":"NodeCreated","state":"SyncConnected","path":"/x","zxid":null}"#
    var renderer = Renderer(RenderContext(format: .json))
    renderer.begin(awaitsEvent: true)
    let first = renderer.emit(.existence(path: "/x", nil))
    #expect(first.outText == #"{"path":"/x","exists":false,"stat":null"#)
    #expect(renderer.emit(.warning("hm")).errText == "{\"warning\":\"hm\"}\n")
    #expect(renderer.emitAwaited(notice).outText == #","event":"# + event + "}\n")
    #expect(renderer.finish() == Rendered())
    // Without the event, because of a failure, the document is closed all the same.
    renderer.begin(awaitsEvent: true)
    _ = renderer.emit(.existence(path: "/x", nil))
    #expect(renderer.finish().outText == ",\"event\":null}\n")
    renderer.begin(awaitsEvent: true)
    #expect(renderer.finish() == Rendered())
    // A list has it for its last item.
    renderer.begin(isListing: true, awaitsEvent: true)
    #expect(renderer.emit(.path("/a")).outText == #"[{"path":"/a"}"#)
    #expect(renderer.emitAwaited(notice).outText == ",\n" + event)
    #expect(renderer.finish().outText == "]\n")
    var lines = Renderer(RenderContext(format: .jsonl))
    lines.begin(awaitsEvent: true)
    #expect(lines.emit(.existence(path: "/x", nil)).outText == "{\"path\":\"/x\",\"exists\":false,\"stat\":null}\n")
    #expect(lines.emitAwaited(notice).outText == event + "\n")
    var text = Renderer(RenderContext())
    #expect(text.emitAwaited(notice).outText == "event: NodeCreated /x\n")
  }

  @Test func theCodeOfAnErrorIsTheExitCode() {
    let error = ShellError(.noNode, "NoNode", path: "/x", "it does not exist")
    let compat = Renderer(RenderContext(format: .json, dialect: ZkCliDialect())).error(error).errText
    #expect(compat.contains(#""code":1,"#))
  }

  @Test func errorsAreObjectsOnStderr() {
    let error = ShellError(.noNode, "NoNode", path: "/x", "it does not exist")
    let rendered = Renderer(RenderContext(format: .json)).error(error)
    #expect(
      rendered.errText
        == #"{"error":"NoNode","path":"/x","code":3,"message":"it does not exist","hint":null}"# + "\n")
    #expect(rendered.stdout.isEmpty)
  }
}

@Suite(.timeLimit(.minutes(10))) struct ZkCliRendererTests {
  private let context = RenderContext(dialect: ZkCliDialect(), compatTimes: .javaUTC)
  private let block = """
    cZxid = 0x2
    ctime = Mon Nov 23 06:23:00 UTC 2026
    mZxid = 0x33
    mtime = Mon Nov 23 06:24:57 UTC 2026
    pZxid = 0xffffffffffffffff
    cversion = 7
    dataVersion = 2
    aclVersion = 1
    ephemeralOwner = 0x100002a5f0001
    dataLength = 5
    numChildren = 3

    """

  @Test func dataAsAJavaString() {
    #expect(render([data("hello", stat: true)], context).outText == "hello\n" + block)
    #expect(render([data(nil)], context).outText == "null\n")
    #expect(render([data(nil, form: .base64)], context).outText == "bnVsbA==\n")
    #expect(render([data("", form: .hexDump)], context).outText == "\n")
    let all = CommandResult.data(path: "/x", data: [UInt8](0...255), stat: .sample, showsStat: false)
    #expect(render([all], context).stdout.count == 513)
    let surrogate = CommandResult.data(
      path: "/x", data: [0x41, 0xed, 0xa0, 0x80, 0xff], stat: .sample, showsStat: false)
    #expect(render([surrogate], context).outText == "A\u{fffd}\u{fffd}\n")
  }

  @Test func hexDump() {
    #expect(
      render([data("hello", form: .hexDump)], context).outText == """
                 +-------------------------------------------------+
                 |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
        +--------+-------------------------------------------------+----------------+
        |00000000| 68 65 6c 6c 6f                                  |hello           |
        +--------+-------------------------------------------------+----------------+

        """)
    let rows = render([data("0123456789abcdef\n\u{7f}é", form: .hexDump)], context).outText.split(separator: "\n")
    #expect(rows[3] == "|00000000| 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef|")
    #expect(rows[4] == "|00000010| 0a 7f c3 a9                                     |....            |")
  }

  @Test(
    arguments: [
      (.children(path: "/", names: ["a", "b", "zookeeper"], stat: nil), "[a, b, zookeeper]\n", ""),
      (.children(path: "/", names: [], stat: nil), "[]\n", ""),
      (.ephemerals(["/ee"]), "[/ee]\n", ""),
      (.created(path: "/seq-0000000002", stat: nil), "", "Created /seq-0000000002\n"),
      (.acl(path: "/x", ACL.openUnsafe, stat: nil), "'world,'anyone\n: cdrwa\n", ""),
      (.synced(path: "/x"), "Sync is OK\n", ""),
      (
        .identities([ClientInfo(scheme: "ip", user: "127.0.0.1"), ClientInfo(scheme: "digest", user: "u")]),
        "Auth scheme: User\nip: 127.0.0.1\ndigest: u\n", ""
      ),
      (
        .quota(
          path: "/q", limits: QuotaLimits(count: 2, bytes: -1, countHardLimit: -1, bytesHardLimit: -1),
          usage: QuotaLimits(count: 1, bytes: 1)),
        "Output quota for /q count=2,bytes=-1=;byteHardLimit=-1;countHardLimit=-1\n"
          + "Output stat for /q count=1,bytes=1\n",
        "absolute path is /zookeeper/quota/q/zookeeper_limits\n"
      ),
      (
        .event(WatchEvent(type: .nodeDataChanged, state: .syncConnected, path: "/x", zxid: Zxid(rawValue: 276))),
        "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:/x zxid: 276\n", ""
      ),
      (
        .event(WatchEvent(type: .none, state: .syncConnected, path: nil, zxid: nil)),
        "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null zxid: -1\n", ""
      ),
      (
        .config(
          text: "server.1=h1:1:2;h1:3\nserver.2=h2:1:2;h2:3\nserver.3=h3:1:2;h3:3\nversion=100000000", stat: nil,
          clientOnly: true),
        "100000000 h2:3,h1:3,h3:3\n", ""
      ),
      (.config(text: "", stat: nil, clientOnly: true), " \n", ""),
      (.config(text: "", stat: nil, clientOnly: false), "\n", ""),
      (.reconfigured(text: "version=3", stat: nil), "Committed new configuration:\nversion=3\n", ""),
      (.history([HistoryEntry(number: 7, line: "get /quo")]), "7 - get /quo\n", ""),
      (.setting(name: "printwatches", value: "off"), "printwatches is off\n", ""),
      (.changed(path: "/x", stat: nil), "", ""),
      (.count(path: "/", 11), "11\n", ""),
    ] as [(CommandResult, String, String)])
  func wordsOfZkCli(result: CommandResult, out: String, err: String) {
    let rendered = render([result], context)
    #expect(rendered.outText == out)
    #expect(rendered.errText == err)
  }

  @Test(
    arguments: [
      (.noNode, "Node does not exist: /x\n"),
      (.nodeExists, "Node already exists: /x\n"),
      (.notEmpty, "Node not empty: /x\n"),
      (.badVersion, "version No is not valid : /x\n"),
      (.noAuth, "Insufficient permission : /x\n"),
      (.invalidACL, "Acl is not valid : /x\n"),
      (.quotaExceeded, "Quota has exceeded : /x\n"),
      (.noChildrenForEphemerals, "Ephemerals cannot have children: /x\n"),
      (.notReadOnly, "Not a read-only call: /x\n"),
      (.connectionLoss, "KeeperErrorCode = ConnectionLoss for /x\n"),
      (.noWatcher, "KeeperErrorCode = No such watcher for /x\n"),
    ] as [(KeeperError, String)])
  func errorsOfTheServer(code: KeeperError, text: String) {
    var error = ShellError(.noNode, code.name, path: "/x", "some words")
    error.keeperError = code
    let renderer = Renderer(context)
    #expect(renderer.error(error).errText == text)
    #expect(renderer.exitCode(of: error).rawValue == 1)
  }

  @Test func datesInTheLocalZoneNameIt() {
    let text = TimeStyle.javaLocal.text(milliseconds: 1_795_414_980_123)
    #expect(text.split(separator: " ").count == 6)
    #expect(text.hasSuffix("2026"))
  }
}

@Suite(.timeLimit(.minutes(10))) struct EncodingTests {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func base64OfRFC4648(text: String, encoded: String) {
    #expect(Base64.encode([UInt8](text.utf8)) == encoded)
    #expect(Base64.decode([UInt8](encoded.utf8)) == [UInt8](text.utf8))
    #expect(Base64.decode([UInt8](encoded.utf8.filter { $0 != UInt8(ascii: "=") })) == [UInt8](text.utf8))
  }

  @Test(arguments: ["Z", "Zg=", "Zg===", "Zm 9v", "Zm9v\n", "====", "Zg==Zg=="])
  func otherBase64IsRefused(text: String) {
    #expect(Base64.decode([UInt8](text.utf8)) == nil)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
      (.max, "292278994-08-17T07:12:55.807Z"), (.min, "-292275055-05-16T16:47:04.192Z"),
    ] as [(Int64, String)])
  func timesAreISO8601(milliseconds: Int64, text: String) {
    #expect(TimeStyle.iso.text(milliseconds: milliseconds) == text)
  }
}
