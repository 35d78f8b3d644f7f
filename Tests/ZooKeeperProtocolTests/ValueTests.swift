import Jute
import TestKit
import Testing
import ZooKeeperProtocol

/// Texts and numbers that both ends agree on.
@Suite(.timeLimit(.minutes(10)))
struct ValueTests {
  static let acls: [(text: String, entries: [ACL])] = [
    ("world:anyone:cdrwa", ACL.openUnsafe), ("world:anyone:r", ACL.readUnsafe), ("auth::cdrwa", ACL.creatorAll),
    ("world:anyone:awrdc", ACL.openUnsafe), ("world:anyone:rr", ACL.readUnsafe),
    ("digest:user:hash=:rw", [ACL(permissions: [.read, .write], scheme: "digest", id: "user:hash=")]),
    ("ip:10.0.0.0/8:r", [ACL(permissions: .read, scheme: "ip", id: "10.0.0.0/8")]),
    ("ip:2001:db8::1:r", [ACL(permissions: .read, scheme: "ip", id: "2001:db8::1")]),
    (#"x509:CN=a\,OU=b:r"#, [ACL(permissions: .read, scheme: "x509", id: "CN=a,OU=b")]),
    (
      "x509:CN=a,OU=b, O=c:cdrwa,world:anyone:r",
      [ACL(permissions: .all, scheme: "x509", id: "CN=a,OU=b, O=c"), ACL.readUnsafe[0]]
    ),
    (#"digest:DOM\user:r"#, [ACL(permissions: .read, scheme: "digest", id: #"DOM\user"#)]),
    (
      #"a:\\,b\x41\x0a\xc3\xa9:r"#.replacing(",", with: #"\,"#),
      [ACL(permissions: .read, scheme: "a", id: "\\,bA\n\u{e9}")]
    ),
    ("a:x:r\nb:y:-\n", [ACL(permissions: .read, scheme: "a", id: "x"), ACL(permissions: [], scheme: "b", id: "y")]),
    ("digest:u\u{1b}[1m:r", [ACL(permissions: .read, scheme: "digest", id: "u\u{1b}[1m")]),
    (#"s\x3a\x2c:x:r"#, [ACL(permissions: .read, scheme: "s:,", id: "x")]),
    ("a::c,b:x:d", [ACL(permissions: .create, scheme: "a", id: ""), ACL(permissions: .delete, scheme: "b", id: "x")]),
  ]

  @Test(arguments: acls) func aclIsRead(text: String, entries: [ACL]) throws {
    #expect(try ACL.parse(text) == entries)
    #expect(try ACL.parse(entries.map(\.text).joined(separator: ",")) == entries)
  }

  static let badACLs: [(text: String, reason: ACLTextError.Reason, entry: String)] = [
    ("", .empty, ""), ("world", .form, "world"), ("world:anyone", .form, "world:anyone"),
    ("world:anyone:", .form, "world:anyone:"), (":anyone:r", .form, ":anyone:r"), (",", .form, ""),
    ("world:anyone:r,", .form, ""), ("world:anyone:r,x", .form, "x"),
    ("world:anyone:rx", .unknownPermission(letter: "x"), "world:anyone:rx"),
    // A colon that was forgotten does not swallow the next entry.
    ("auth:cdrwa,world:anyone:r", .form, "auth:cdrwa"), ("x509:CN=a,world:anyone:r", .form, "x509:CN=a"),
    (#"a:\xff:r"#, .form, #"a:\xff:r"#), ("a:x:r\n\nb:y:r", .form, ""), ("\n", .form, ""),
    ("world:anyone:R", .unknownPermission(letter: "R"), "world:anyone:R"),
    ("world:anyone:r w", .unknownPermission(letter: " "), "world:anyone:r w"),
  ]

  @Test func anACLIsShownWithoutControlCharacters() throws {
    let acl = ACL(permissions: .all, scheme: "digest", id: "a,b\\c\u{1b}\u{9b}\n:d")
    #expect(acl.text == #"digest:a\,b\\c\x1b\xc2\x9b\x0a:d:cdrwa"#)
    #expect(try ACL.parse(acl.text) == [acl])
  }

  @Test(arguments: badACLs) func badACLIsNamed(text: String, reason: ACLTextError.Reason, entry: String) {
    let error = #expect(throws: ACLTextError.self) { try ACL.parse(text) }
    #expect(error?.reason == reason)
    #expect(error?.entry == entry)
  }

  @Test func permissionsAreShownInApachesOrder() {
    #expect(Permissions.all.text == "cdrwa")
    #expect(Permissions([.admin, .read]).text == "ra")
    #expect(Permissions(rawValue: 0).text == "")
    // Bits without a meaning are kept and not shown.
    #expect(Permissions(rawValue: 255).text == "cdrwa")
  }

  static let quotas: [(text: String, limits: QuotaLimits?)] = [
    ("count=5,bytes=-1", QuotaLimits(count: 5)), ("count=-1,bytes=7", QuotaLimits(bytes: 7)),
    (
      "count=1,bytes=2=;byteHardLimit=3;countHardLimit=4",
      QuotaLimits(count: 1, bytes: 2, countHardLimit: 4, bytesHardLimit: 3)
    ),
    ("count=1,bytes=2=;byteHardLimit=3", QuotaLimits(count: 1, bytes: 2, bytesHardLimit: 3)),
    ("count=1,bytes=-1=;countHardLimit=4", QuotaLimits(count: 1, countHardLimit: 4)),
    ("", QuotaLimits()), ("count=9", QuotaLimits(count: 9)), ("other=1,count=2", QuotaLimits(count: 2)),
    ("count=", QuotaLimits()), ("count=9223372036854775807", QuotaLimits(count: .max)),
    ("count=9223372036854775808", nil), ("count=x", nil), ("count=1,bytes=2x", nil),
  ]

  @Test(arguments: quotas) func quotaIsRead(text: String, limits: QuotaLimits?) {
    #expect(QuotaLimits(parsing: text) == limits)
    if let limits { #expect(QuotaLimits(parsing: limits.text) == limits) }
  }

  @Test func quotaIsWrittenAsServersDo() {
    #expect(QuotaLimits(count: 5).text == "count=5,bytes=-1")
    let hard = QuotaLimits(count: 1, bytes: 2, countHardLimit: 4, bytesHardLimit: 3)
    #expect(hard.text == "count=1,bytes=2=;byteHardLimit=3;countHardLimit=4")
    #expect(QuotaPaths.limits(of: "/") == "/zookeeper/quota/zookeeper_limits")
    #expect(QuotaPaths.stats(of: "/a/b") == "/zookeeper/quota/a/b/zookeeper_stats")
  }

  static let errors: [(Int32, name: String, message: String)] = [
    (0, "Ok", "ok"), (-4, "ConnectionLoss", "ConnectionLoss"), (-8, "BadArguments", "BadArguments"),
    (-101, "NoNode", "NoNode"), (-102, "NoAuth", "NoAuth"), (-103, "BadVersion", "BadVersion"),
    (-108, "NoChildrenForEphemerals", "NoChildrenForEphemerals"), (-110, "NodeExists", "NodeExists"),
    (-111, "NotEmpty", "Directory not empty"), (-112, "SessionExpired", "Session expired"),
    (-119, "NotReadOnly", "Not a read-only call"), (-121, "NoWatcher", "No such watcher"),
    (-125, "QuotaExceeded", "Quota has exceeded"), (-126, "Unknown(-126)", "Unknown error -126"),
    (-127, "ThrottledOp", "Op throttled due to high load"), (7, "Unknown(7)", "Unknown error 7"),
  ]

  @Test(arguments: errors) func errorHasItsName(code: Int32, name: String, message: String) {
    let error = KeeperError(rawValue: code)
    #expect(error.name == name)
    #expect(error.description == name)
    #expect(error.apacheMessage == message)
  }

  @Test func everyErrorOfTheProtocolHasAName() {
    let codes: [Int32] =
      [0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -12, -13, -14, -15, -100, -101, -102, -103, -108]
      + (110...125).map { -$0 } + [-127]
    #expect(KeeperError.allNamed.map(\.rawValue) == codes)
    #expect(Set(KeeperError.allNamed.map(\.name)).count == codes.count)
  }

  @Test func xidWrapsToOne() {
    #expect(Xid.first.rawValue == 1)
    #expect(Xid.first.next == Xid(rawValue: 2))
    #expect(Xid(rawValue: .max - 1).next == Xid(rawValue: .max))
    #expect(Xid(rawValue: .max).next == .first)
  }

  @Test func zxidIsEpochAndCounter() {
    let zxid = Zxid(rawValue: 0x0000_0005_ffff_fffe)
    #expect(zxid.epoch == 5)
    #expect(zxid.counter == 0xffff_fffe)
    #expect(zxid.description == "0x5fffffffe")
    #expect(Zxid(rawValue: -1).description == "0xffffffffffffffff")
    #expect(Zxid.zero < zxid)
    #expect(SessionID(rawValue: .min).description == "0x8000000000000000")
  }

  @Test func numbersAreApaches() {
    #expect(CreateMode.persistent.flags == 0 && CreateMode.ephemeral.flags == 1)
    #expect(CreateMode.persistentSequential.flags == 2 && CreateMode.ephemeralSequential.flags == 3)
    #expect(CreateMode.container.flags == 4 && CreateMode.persistentTTL(milliseconds: 1).flags == 5)
    #expect(CreateMode.persistentSequentialTTL(milliseconds: 1).flags == 6)
    #expect(CreateMode.maximumTTLMilliseconds == 1_099_511_627_775)
    #expect(EventType.allCases.map(\.rawValue) == [-1, 1, 2, 3, 4, 5, 6, 7])
    #expect(KeeperState.allCases.map(\.rawValue) == [-1, 0, 1, 3, 4, 5, 6, 7, -112])
    #expect(WatcherType.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
    #expect(Xid.notification.rawValue == -1 && Xid.ping.rawValue == -2)
    #expect(Xid.auth.rawValue == -4 && Xid.setWatches.rawValue == -8)
  }

  @Test func eventOfAnUnknownStateIsKeptAndOfAnUnknownTypeRefused() throws {
    let path = WatcherEvent(type: .nodeCreated, state: .unknown, path: "/a")
    let strange = bigEndian(1) + bigEndian(77) + bigEndian(2) + Array("/a".utf8)
    #expect(try WatcherEvent(decoding: strange) == path)
    #expect(throws: JuteError(.unknownValue(8), offset: 0)) {
      try WatcherEvent(decoding: bigEndian(8) + strange.dropFirst(4))
    }
  }

  @Test func operationsOfServersAmongThemselvesAreNoRequests() throws {
    for opCode in [OpCode.notification, .createSession, .deleteContainer, .error] {
      let request = try [UInt8](repeating: 0, count: 64).decode { reader throws(JuteError) in
        try ClientRequest(opCode: opCode, from: &reader)
      }
      #expect(request == nil)
    }
  }
}
