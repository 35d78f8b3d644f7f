import TestKit
import Testing

/// What recipes answer when nobody else is there: each line as a process of its own.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RecipeScenarioTests {
  static let scenarios = [
    Scenario(
      "counter",
      Step("counter get ~", "0\n"), Step("counter add ~", "1\n"), Step("counter add ~ 41", "42\n"),
      Step("counter add ~ -- -2", "40\n"), Step("get -b ~", "AAAAAAAAACg=\n"),
      Step("counter set --format text ~/text 7", "7\n"), Step("get ~/text", "7"),
      Step("counter add ~/text", "8\n"), Step("counter set ~ 9223372036854775807", "9223372036854775807\n"),
      Step("counter add ~", fails: 4, "out of range"), Step("set ~ word", ""),
      Step("counter get --format long ~", fails: 4, "not a number"),
      Step("counter set ~", fails: 2, "missing argument: number"),
      Step("counter count ~", fails: 2, "choose from get, add, set"),
      Step("counter add ~ x", fails: 2, "not a number")),
    Scenario(
      "id", Step("id next ~", "0\n"), Step("id next ~", "1\n"),
      Step("id next -o json ~", "{\"path\":\"~\",\"value\":2}\n"),
      Step("ls ~", "")),
    Scenario(
      "queue",
      Step("queue len ~", "0\n"), Step("queue peek ~", fails: 1, ""), Step("queue list ~", ""),
      Step("queue list -o json ~", "[]\n"), Step("queue take --try ~", fails: 8, "nothing arrived"),
      Step("queue take --timeout 20ms ~", fails: 8, "nothing arrived"), Step("queue put ~ b >/dev/null"),
      Step("queue put --priority -5 ~ -- -a >/dev/null"), Step("queue len ~", "2\n"),
      Step("queue list ~ | cut -d ' ' -f 1,2,4", "free -5 -a\nfree 0 b\n"),
      Step("queue peek ~", "-a"), Step("queue take ~", "-a"), Step("queue take ~ -- false", fails: 1, ""),
      Step("queue take ~ -- sh -c 'exit 3'", fails: 3, ""), Step("queue len ~", "1\n"),
      Step("queue take ~ -- cat", "b"), Step("queue len ~", "0\n"),
      Step("queue put ~", fails: 2, "takes exactly one data argument"), Step("queue pop ~", fails: 2, "choose from")),
    Scenario(
      "barrier",
      Step("barrier wait ~"), Step("barrier set ~"), Step("barrier set ~"),
      Step("barrier wait --timeout 20ms ~", fails: 8, "TimedOut"), Step("barrier clear ~"), Step("barrier clear ~"),
      Step("barrier wait ~"), Step("barrier run --count 1 ~/round -- echo inside", "inside\n"), Step("ls ~/round", ""),
      Step("barrier enter --count 2 --timeout 20ms ~/round", fails: 8, "TimedOut"), Step("ls ~/round", ""),
      Step("barrier run --count 1 ~/round", fails: 2, "missing command"),
      Step("barrier enter ~", fails: 2, "missing option: --count")),
    Scenario(
      "group",
      Step("group list ~", ""), Step("group join --data here ~ me -- echo in", "in\n"), Step("group list ~", ""),
      Step("create ~/gone here", "~/gone\n"), Step("group list ~", "gone here\n"),
      Step("group join ~ gone -- true", fails: 4, "it is already taken"),
      Step("group join --timeout 20ms ~ gone -- true", fails: 8, "NotObtained"), Step("group leave ~ gone"),
      Step("group leave ~ gone", fails: 3, "NoNode"),
      Step("group join ~ a/b -- true", fails: 2, "not a valid znode name")),
    Scenario(
      "rendezvous",
      Step("rendezvous get --timeout 20ms ~/a", fails: 8, "nothing arrived"), Step("rendezvous put ~/a there"),
      Step("rendezvous get ~/a", "there"), Step("rendezvous put ~/a elsewhere"),
      Step("rendezvous get ~/a", "elsewhere"),
      Step("rendezvous put ~/a x -- true", fails: 4, "it is already taken"),
      Step("rendezvous put ~/b x -- true"), Step("exists ~/b", fails: 1, ""),
      Step("rendezvous put ~/b ''", fails: 2, "empty")),
    Scenario(
      "wait",
      Step("wait --timeout 20ms ~", fails: 8, "TimedOut"), Step("wait --absent ~"), Step("wait --children '==0' ~"),
      Step("create ~ v", "~\n"), Step("wait ~"), Step("wait --exists ~"), Step("wait --equals v ~"),
      Step("wait --equals w --timeout 20ms ~", fails: 8, "TimedOut"), Step("create ~/a", "~/a\n"),
      Step("wait --children '>=1' ~"), Step("wait --children '<1' --timeout 20ms ~", fails: 8, "TimedOut"),
      Step("wait --children 1 ~"), Step("wait --children '>' ~", fails: 2, "not a condition"),
      Step("wait --exists --absent ~", fails: 2, "cannot be combined")),
    Scenario(
      "commit",
      Step("commit status ~", fails: 3, "NoNode"),
      Step("commit propose --participants a,b --timeout 20ms ~ x >/dev/null", fails: 8, ""),
      Step("commit vote ~ a commit", fails: 4, "the decision is abort already"),
      Step("commit propose --participants a,a ~/2 x", fails: 2, "distinct names"),
      Step("commit propose ~/2 x", fails: 2, "needs --participants"), Step("get ~", "x")),
    Scenario(
      "elect",
      Step("elect ~ me -- sh -c 'echo $ZKCLI_LEADER'", "me\n"), Step("elect ~", fails: 2, "missing argument: name"),
      Step("elect --list ~", ""),
      Step("elect --observe --timeout 20ms ~ >/dev/null", fails: 8, "the timeout has passed")),
  ]

  @Test(arguments: scenarios.flatMap { scenario in ServerKind.allCases.map { (scenario, $0) } })
  func linesAnswerOneByOne(scenario: Scenario, server: ServerKind) async throws {
    try await scenario.runOneByOne(try await Zkcli.patient(server))
  }
}
