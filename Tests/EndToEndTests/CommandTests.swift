import TestKit
import Testing

/// Every command with its options, as a process of its own and as a line of a script: the same table both ways.
@Suite(.timeLimit(.minutes(10)))
struct CommandTests {
  @Test(arguments: Scenario.all) func asSingleCommands(_ scenario: Scenario) async throws {
    try await scenario.runOneByOne(try await .shared())
  }

  @Test(arguments: Scenario.all) func asScript(_ scenario: Scenario) async throws {
    try await scenario.runAsScript(try await .shared())
  }
}

extension Scenario {
  static let all = [reads, writes, creations, deletions, access, quotas, transactions, shell, usage].flatMap(\.self)

  private static let reads = [
    Scenario(
      "get", Step("create ~ 'a value'", "~\n"), Step("get ~", "a value"), Step("cat ~", "a value"),
      Step("GET ~", "a value"), Step("get -b ~", "YSB2YWx1ZQ==\n"), Step("get -o base64 ~", "YSB2YWx1ZQ==\n"),
      Step("get --output=hex ~", "612076616c7565\n"), Step("get ~ -o raw", "a value", inScript: "a value"),
      Step("get ~/nope", fails: 3, "NoNode ~/nope"), Step("get", fails: 2, "missing argument: path"),
      Step("exists ~ surplus", fails: 2, "surplus")),
    Scenario(
      "null, empty and the word null", Step("create ~", "~\n"), Step("get ~"), Step("set ~ ''"),
      Step("get ~", "", inScript: "\n"), Step("set ~ null"), Step("get ~", "null"), Step("get -b ~", "bnVsbA==\n")),
    Scenario(
      "hex dump", Step("create ~ hello", "~\n"),
      Step(
        "get -x ~",
        """
                 +-------------------------------------------------+
                 |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
        +--------+-------------------------------------------------+----------------+
        |00000000| 68 65 6c 6c 6f                                  |hello           |
        +--------+-------------------------------------------------+----------------+

        """)),
    Scenario(
      "ls", Step("create -p ~/b/c", "~/b/c\n"), Step("create ~/a", "~/a\n"), Step("create '~/a b'", "~/a b\n"),
      Step("create '~/ünï'", "~/ünï\n"), Step("ls ~", "a\na b\nb\nünï\n"), Step("ls ~/a"),
      Step("ls -R ~", "~\n~/a\n~/a b\n~/b\n~/b/c\n~/ünï\n"), Step("ls ~/nope", fails: 3, "NoNode ~/nope"),
      Step(
        "ls -o jsonl -R ~/b",
        """
        {"path":"~/b"}
        {"path":"~/b/c"}

        """), Step("ls -o json -R ~/b", "[{\"path\":\"~/b\"},\n{\"path\":\"~/b/c\"}]\n"),
      Step("ls -o json ~/b", "{\"path\":\"~/b\",\"children\":[\"c\"]}\n")),
    Scenario(
      "exists", Step("create ~", "~\n"), Step("exists ~"),
      Step("exists ~/nope", fails: 1, ""), Step("exists -v", fails: 2, "unknown option -v")),
    Scenario(
      "counts and sync", Step("create -p ~/a/b", "~/a/b\n"), Step("getAllChildrenNumber ~", "2\n"),
      Step("getallchildrennumber ~/a/b", "0\n"), Step("sync ~"), Step("sync"), Step("getEphemerals"),
      Step("getEphemerals ~"), Step("getAllChildrenNumber ~/nope", fails: 3, "NoNode")),
  ]

  private static let writes = [
    Scenario(
      "set", Step("create ~ one", "~\n"), Step("set ~ two"), Step("get ~", "two"), Step("set ~ three -v 1"),
      Step("set -v 1 ~ four", fails: 4, "BadVersion ~"), Step("set -v3 ~ four", fails: 4, "BadVersion"),
      Step("set -v -1 ~ five"), Step("set --version=3 ~ six"), Step("get ~", "six"),
      Step("set ~/nope v", fails: 3, "NoNode ~/nope"), Step("set -v abc ~ v", fails: 2, "abc is not a version"),
      Step("set ~ a b c", fails: 2, "unexpected argument: b"), Step("set ~", fails: 2, "missing argument: data"),
      Step("set -b ~ c2V2ZW4="), Step("get ~", "seven"), Step("set -b ~ '***'", fails: 2, "not valid base64"),
      Step("get ~", "seven"), Step("set ~ -- -v"), Step("get ~", "-v")),
    Scenario(
      "set --create", Step("set --create ~ one"), Step("get ~", "one"), Step("set --create ~ two"),
      Step("get ~", "two"), Step("set --create ~/a/b v", fails: 3, "NoNode"),
      Step("set --create -v 3 ~/new v", fails: 3, "NoNode ~/new")),
  ]

  private static let creations = [
    Scenario(
      "create", Step("create ~ v", "~\n"), Step("create ~ v", fails: 4, "NodeExists ~"),
      Step("create ~/a/b v", fails: 3, "NoNode ~/a: the parent of ~/a/b does not exist"),
      Step("create -p ~/a/b v", "~/a/b\n"), Step("get ~/a"), Step("get ~/a/b", "v"),
      Step("create -s ~/s-", "~/s-0000000001\n"), Step("create -s ~/s- v", "~/s-0000000002\n"),
      Step("create -s ~/a/", "~/a/0000000001\n"), Step("create -e ~/e", "~/e\n"),
      Step("create -e -s ~/es-", "~/es-0000000004\n"), Step("create -se ~/es- v", "~/es-0000000005\n"),
      Step("create -c ~/container", "~/container\n"), Step("create -t 60000 ~/ttl v", "~/ttl\n"),
      Step("create -s -t 60000 ~/st", "~/st0000000008\n"), Step("create --ttl 1m ~/ttl2", "~/ttl2\n"),
      Step("create -c -s ~/x", fails: 2, "--container cannot be combined"),
      Step("create -t 0 ~/x", fails: 2, "--ttl must be"),
      Step("create -t 5 -e ~/x", fails: 2, "--ttl cannot be combined with --ephemeral"),
      Step("create -t soon ~/x", fails: 2, "soon is not a time"),
      Step("create ~/acl v world:anyone:r", "~/acl\n"), Step("getAcl ~/acl", "world:anyone:r\n"),
      Step("create --acl ip:127.0.0.1:cdrwa ~/acl2", "~/acl2\n"), Step("getacl ~/acl2", "ip:127.0.0.1:cdrwa\n"),
      Step("create ~/x v nonsense", fails: 2, "ACL entry nonsense is malformed"),
      Step("create ~/x v world:anyone:z", fails: 2, "unknown permission z"),
      Step("create ~/x v auth::r", fails: 5, "InvalidACL ~/x"),
      Step("exists ~/x", fails: 1, "")),
    Scenario("create without a name", Step("create", fails: 2, "missing argument: path")),
  ]

  private static let deletions = [
    Scenario(
      "delete", Step("create -p ~/a/b", "~/a/b\n"), Step("delete ~/a", fails: 4, "NotEmpty ~/a"),
      Step("delete -v 1 ~/a/b", fails: 4, "BadVersion ~/a/b"),
      Step("delete ~/a/b 7", fails: 2, "7 could be a version or a znode"),
      Step("delete -v 0 ~/a/b"), Step("rm ~/a"), Step("delete ~/a", fails: 3, "NoNode ~/a"),
      Step("create -p ~/c/d/e", "~/c/d/e\n"), Step("rm -r ~/c"), Step("ls ~")),
    Scenario(
      "deleteall", Step("create -p ~/a/b/c", "~/a/b/c\n"),
      Step("deleteall --dry-run ~/a", "~/a/b/c\n~/a/b\n~/a\n"), Step("exists ~/a/b/c"), Step("deleteall -b 1 ~/a/b"),
      Step("ls ~/a"), Step("rmr ~"), Step("exists ~", fails: 1, ""), Step("deleteall ~", fails: 3, "NoNode ~"),
      Step("deleteall -b none ~", fails: 2, "none is not a number"),
      Step("deleteall /", fails: 2, "would delete the whole tree")),
  ]

  private static let access = [
    Scenario(
      "ACLs", Step("create -p ~/a/b", "~/a/b\n"), Step("getAcl ~", "world:anyone:cdrwa\n"),
      Step("setAcl ~/a world:anyone:ra,ip:127.0.0.1:cdrwa"),
      Step("getAcl ~/a", "world:anyone:ra\nip:127.0.0.1:cdrwa\n"),
      Step("setAcl -v 7 ~ world:anyone:r", fails: 4, "BadVersion ~"),
      Step("setAcl ~ what", fails: 2, "malformed"), Step("setAcl ~ ip:nonsense:r", fails: 5, "InvalidACL"),
      Step("setAcl -R ~ world:anyone:cdra"), Step("getAcl ~/a/b", "world:anyone:cdra\n"),
      Step("set ~/a/b v", fails: 5, "NoAuth ~/a/b: the ACL does not allow it; getAcl shows who may"),
      Step("getAcl ~/nope", fails: 3, "NoNode ~/nope")),
    Scenario("identities", Step("whoami", "ip: 127.0.0.1\n"), Step("addauth digest bob:secret")),
  ]

  private static let quotas = [
    Scenario(
      "quotas", Step("create -p ~/a v", "~/a\n"), Step("listquota ~", fails: 3, "NoQuota ~"),
      Step("setquota ~", fails: 2, "missing option: -n, -b, -N or -B"), Step("setquota -n 0 ~", fails: 2, "-n 0"),
      Step("setquota -n 10 ~"), Step("setquota -b 100 ~"), Step("setquota -N 20 -B 200 ~"),
      Step(
        "listquota ~",
        """
        count = 2
        countLimit = 10
        countHardLimit = 20
        bytes = 1
        bytesLimit = 100
        bytesHardLimit = 200

        """), Step("setquota -n 5 ~/a", fails: 4, "QuotaNested ~/a: ~ above it already has a quota"),
      Step("delquota -n ~"), Step("delquota -B ~"),
      Step(
        "listquota -o json ~",
        "{\"path\":\"~\",\"limits\":{\"count\":null,\"bytes\":100,\"countHard\":20,\"bytesHard\":null},"
          + "\"usage\":{\"count\":2,\"bytes\":1,\"countHard\":null,\"bytesHard\":null}}\n"),
      Step("delquota ~"), Step("delquota ~", fails: 3, "NoQuota ~"), Step("setquota -n 5 ~/a"),
      Step("setquota -n 5 ~", fails: 4, "QuotaNested ~: ~/a under it already has a quota"), Step("delquota ~/a"),
      Step("setquota -n 5 ~/nope", fails: 3, "NoNode ~/nope"),
      Step("setquota -n 5 /zookeeper/quota", fails: 2, "cannot have a quota"))
  ]

  private static let transactions = [
    Scenario(
      "multi", Step("create ~ v", "~\n"),
      Step(
        "multi create ~/a 1 , create -s ~/s- , set ~ w , check ~ 1 , delete ~/a",
        "create ~/a\ncreate ~/s-0000000001\nset ~ version 1\ncheck ~\ndelete ~/a\n"),
      Step("multi check ~ 7 , set ~ x", fails: 4, "operation 1 (check) failed, and nothing was changed"),
      Step("multi create ~/b , delete ~/nope", fails: 4, "create ~/b: undone\ndelete ~/nope: NoNode\n"),
      Step("exists ~/b", fails: 1, ""), Step("get ~", "w"), Step("multi", fails: 2, "missing argument: operation"),
      Step("multi frobnicate ~", fails: 2, "operation 1: unknown operation frobnicate"),
      Step("multi create ~/b , , create ~/c", fails: 2, "operation 2 of the multi is empty"),
      Step("multi create ~/b , set ~", fails: 2, "operation 2: missing argument: data"))
  ]

  private static let shell = [
    Scenario(
      "offline commands", Step("pwd", "/\n"), Step("printwatches", "printwatches is on\n"),
      Step("printwatches sometimes", fails: 2, "choose from on, off"), Step("history"),
      Step("redo 7", fails: 2, "there is no line 7 in the history"), Step("redo abc", fails: 2, "abc is not a number"),
      Step("help nonsense", fails: 2, "nonsense")),
    Scenario(
      "connect and close", Step("connect"), Step("close"), Step("cd /"), Step("cd ~", fails: 3, "NoNode ~"),
      Step("connect a:b", fails: 2, "a:b is not a list of servers"), Step("sync")),
    Scenario("quit", Step("quit"), Step("exit")),
    Scenario(
      "watches", Step("create ~", "~\n"), Step("removewatches ~", fails: 3, "NoWatcher ~"),
      Step("removewatches -d ~", fails: 3, "NoWatcher ~"),
      Step("addWatch -m SOMETIMES ~", fails: 2, "--mode cannot be")),
    Scenario("a standalone server has no configuration", Step("config"), Step("config -c")),
    Scenario(
      "reconfig without permission", Step("reconfig", fails: 2, "missing option: -file, -members, -add or -remove"),
      Step("reconfig -remove 2", fails: 10, "ReconfigDisabled"),
      Step("reconfig -add x -members y", fails: 2, "cannot be combined"),
      Step("reconfig -file /nonexistent/zoo.cfg", fails: 12, "cannot open /nonexistent/zoo.cfg"),
      Step("reconfig -v nothex -remove 2", fails: 2, "nothex is not a configuration version")),
  ]

  private static let usage = [
    Scenario(
      "usage errors name the cause and a way out", Step("gett /", fails: 2, "unknown command gett; did you mean get?"),
      Step("ls / --recursiv-e", fails: 2, "did you mean --recursive?"), Step("ls -z /", fails: 2, "unknown option -z"),
      Step("ls --stat=yes /", fails: 2, "takes no value"), Step("get --timeout 5 /", fails: 2, "5 has no unit"),
      Step("get -o yaml /", fails: 2, "choose from text, json"), Step("set -v", fails: 2, "needs a value"))
  ]
}
