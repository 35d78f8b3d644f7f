"""The recipes that are found in the tree."""

from browser import PageTest

MOUNT = """
const done = arguments[0];
const person = (name, session) => ({ path: `/r/${name}`, session, client: "10.0.0.1:4000", since: new Date().toISOString(), data: "<b>data</b>", encoding: "utf8" });
const recipe = (kind, holders, waiting, more = {}) => ({ kind, path: `/r/<i>${kind}`, title: "", by: "curator", holders, waiting, count: null, value: null, ...more });
const found = [
  recipe("lock", [person("first-0000000001", "0x1")], [person("second-0000000002", "0x2")]), recipe("sharedLock", [], []),
  recipe("election", [person("n_1", "0x3")], []), recipe("semaphore", [], [], { count: 3 }), recipe("barrier", [], []),
  recipe("queue", [], [...Array(25).keys()].map((number) => person(`item-${number}`, null)), { count: 25 }), recipe("group", [person("m", "0x4")], []),
  recipe("counter", [], [], { value: 4711 }), recipe("somethingNew", [], []),
];
const off = () => {};
const context = { api: { get: async () => ({ path: "/", found, visited: 9, truncated: true }) }, live: { on: () => off }, navigate() {}, status: {} };
import(new URL("views/recipes.js", document.baseURI)).then(async ({ mount }) => {
  const container = document.createElement("div");
  container.className = "view";
  document.getElementById("main").replaceChildren(container);
  const view = await mount(container, context);
  view.update({ rest: [], parameters: {} });
  const look = () => (container.querySelector(".recipe") ? done(true) : setTimeout(look, 5));
  look();
}).catch((error) => done(String(error)));
"""


class RecipesTest(PageTest):
    def card(self, kind):
        return self.js("return document.querySelector(`.recipe[data-kind=${arguments[0]}]`).innerText", kind)

    def test_shows_each_kind_as_what_it_is(self):
        self.visit("#!/recipes")
        self.one(".page")
        self.assertIs(self.browser.execute_async_script(MOUNT), True)
        lock = self.card("lock")
        self.assertLess(lock.index("Holder"), lock.index("first-0000000001"))
        self.assertLess(lock.index("Waiting, the next first"), lock.index("second-0000000002"))
        self.assertIn("/r/<i>lock", lock)
        self.assertIn("<b>data</b>", lock)
        self.assertIn("No client holds it.", self.card("sharedLock"))
        self.assertIn("Leader", self.card("election"))
        self.assertIn("3 leases", self.card("semaphore"))
        self.assertIn("25 items", self.card("queue"))
        self.assertIn("and 15 more", self.card("queue"))
        self.assertIn("4711", self.card("counter"))
        self.assertIn("somethingNew", self.card("somethingNew"))
        self.assertIn("where the search ended", self.text("main"))
        links = self.js("return [...document.querySelectorAll('.recipe[data-kind=lock] a')].map((one) => one.getAttribute('href'))")
        self.assertEqual(links[:3], ["#/r/%3Ci%3Elock", "#/r/first-0000000001", "#!/clients/0x1"])

    def test_finds_a_lock_with_its_holder_and_its_queue(self):
        lock = self.path("lock")
        self.api.create(lock)
        names = []
        for number in range(2):
            prefix = f"{lock}/_c_4f9c0a3e-6d0c-4a8f-9d7b-2f6b1c3d5e7{number}-lock-"
            body = {"path": prefix, "data": f"worker-{number}", "encoding": "utf8", "kind": "ephemeral", "sequential": True,
                    "ttlMilliseconds": None, "parents": False, "acl": None}
            names.append(self.api.request("POST", "/znode", body=body)["created"].rsplit("/", 1)[1])
        self.visit(f"#!/recipes?path={self.root}")
        self.until_text(".recipe[data-kind=lock] .participants.holds", names[0])
        self.until_text(".recipe[data-kind=lock] .participants.waits", names[1])
        self.shot("recipes")

    def test_says_when_there_is_none(self):
        empty = self.path("empty")
        self.api.create(empty)
        self.visit(f"#!/recipes?path={empty}")
        self.until_text("main", "There are no znodes that look like")

    def test_says_when_there_is_no_such_znode(self):
        self.visit(f"#!/recipes?path={self.path('missing')}")
        self.one(".notice.error")
