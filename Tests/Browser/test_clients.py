"""The clients, ten thousand of them, and the page of a session."""

from browser import PageTest

MOUNT = """
const [count, done] = arguments;
const clients = [...Array(count).keys()].map((number) => ({
  session: `0x${(0x100000000 + number).toString(16)}`, client: `10.0.${number % 256}.${number >> 8}:4${String(number).padStart(4, "0")}`,
  server: `zk-${number % 3}:2181`, since: new Date().toISOString(), timeoutMilliseconds: 30000, received: 1, sent: 1, queued: 0,
  requestRate: number % 10 === 3 ? null : number / 10, averageLatencyMilliseconds: 1, lastOperation: "PING", ephemerals: 0, watches: number % 7,
}));
const off = () => {};
const context = { api: { get: async () => ({ complete: true, notes: [], clients }) }, live: { topic: () => off, on: () => off }, status: { showError(error) { throw error; } } };
import(new URL("views/clients.js", document.baseURI)).then(async ({ mount }) => {
  const main = document.getElementById("main");
  const container = document.createElement("div");
  container.className = "view";
  main.replaceChildren(container);
  const started = performance.now();
  const view = await mount(container, context);
  view.update({ rest: [], parameters: {} });
  const look = () => (container.querySelector(".rows .grid-row") ? done(performance.now() - started) : setTimeout(look, 5));
  look();
}).catch((error) => done(String(error)));
"""


class ClientsTest(PageTest):
    def shown(self, column):
        """The texts of a column, from the top."""
        return self.js("""return [...document.querySelectorAll(".rows .grid-row")]
          .sort((a, b) => a.getAttribute("aria-rowindex") - b.getAttribute("aria-rowindex")).map((row) => row.children[arguments[0]].textContent)""", column)

    def test_draws_only_the_rows_that_are_seen(self):
        self.visit("#!/clients")
        self.one(".grid")
        elapsed = self.browser.execute_async_script(MOUNT, 10_000)
        self.assertLess(elapsed, 3000)
        self.assertLess(len(self.shown(0)), 80)
        self.assertEqual(self.js("return document.querySelector('.grid').getAttribute('aria-rowcount')"), "10001")
        self.assertEqual(self.shown(3)[0], "999.9")
        # Unknown rates are the last, in both directions.
        self.js("const grid = document.querySelector('.grid'); grid.scrollTop = grid.scrollHeight")
        self.until("the last row", lambda: self.shown(3)[-1] == "–")
        self.assertLess(len(self.shown(0)), 80)
        self.click("Requests/s")
        self.js("document.querySelector('.grid').scrollTop = 0")
        self.until("the lowest rate first", lambda: self.shown(3)[0] == "0")
        self.one("input[type=search]").send_keys("0x100000007 ")
        self.until("those that match", lambda: self.shown(1) == ["0x100000007"])
        self.assertIn("1 of 10,000", self.text(".clients"))
        self.one("input[type=search]").send_keys("nobody")
        self.until("that none matches", lambda: self.shown(1) == [])

    def test_shows_the_clients_of_the_ensemble(self):
        self.visit("#!/clients")
        own = self.api.get("/clusters")
        session = next(one["session"] for one in own if one["current"])
        self.until("the session of this page", lambda: session in self.shown(1))
        self.one("input[type=search]").send_keys(session)
        self.until("that session alone", lambda: self.shown(1) == [session])
        self.assertRegex(self.shown(0)[0], r":\d+$")
        self.shot("clients")

    def test_a_session_says_what_it_owns(self):
        path = self.path("<i>mine")
        self.api.create(path, "x", kind="ephemeral")
        session = self.api.get("/znode", path=path)["stat"]["ephemeralOwner"]
        self.visit(f"#!/clients/{session}")
        link = self.until("a link to the znode", lambda: next(one for one in self.all(".paths a") if one.text == path))
        self.assertIn(session, self.text("h1"))
        self.shot("session")
        link.click()
        self.until("the znode in the tree", lambda: self.text(".value-text") == "x")
        self.api.delete(path)

    def test_a_session_that_is_gone_is_said_to_be(self):
        self.visit("#!/clients/0x1dead")
        self.until_text("main", "There is no such session")
