"""The tree: places, keys, many children, the filter, what is live, and search."""

import time

from selenium.webdriver.common.keys import Keys

from browser import PageTest, encoded


class TreeTest(PageTest):
    MANY = 3000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ["alpha", "alpha/one", "alpha/two", "beta", "gamma"]:
            cls.api.create(f"{cls.root}/{name}", f"value of {name}")
        cls.api.create(f"{cls.root}/many")
        cls.api.create_many(f"{cls.root}/many", [f"node-{number:06}" for number in range(cls.MANY)])

    def test_shows_the_root_and_its_children(self):
        self.visit("#/")
        self.row(self.root)
        self.assertEqual(self.rows()[0], "/")
        self.assertIn("/zookeeper", self.rows())

    def asked_for_the_root(self):
        """Who has asked for the children of the root: the browser because of a link, or the script."""
        return self.js("return performance.getEntriesByType('resource')"
                       ".filter((one) => one.name.endsWith('/children?path=%2F')).map((one) => one.initiatorType)")

    def test_the_root_is_asked_for_once_and_before_the_script(self):
        self.open_anew("#/")
        self.row(self.root)
        self.assertEqual(self.asked_for_the_root(), ["link"])

    def test_what_was_asked_for_ahead_is_not_shown_later(self):
        self.open_anew("#!/clusters")
        self.until("the view of the clusters", lambda: self.all('[data-view="clusters"]'))
        self.settle()
        late = f"{self.root}-late"
        self.api.create(late)
        self.go("#/")
        self.row(late)
        self.assertEqual(self.asked_for_the_root(), ["link", "fetch"])
        self.api.delete(late)

    # Where the names of the rows are, from the top.
    PLACES = """return [...document.querySelectorAll(".tree-row:not(.head) .text")].map((name) => {
      const { x, y } = name.getBoundingClientRect();
      return [name.textContent, Math.round(x), Math.round(y)]; }).sort((one, other) => one[2] - other[2])"""

    def block(self, *addresses):
        """Lets the browser load nothing from these addresses."""
        self.browser.execute_cdp_cmd("Network.enable", {})
        self.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": addresses})

    def open_without_script(self, address):
        """Opens a place without the script, until the server was quick enough to write the rows into the document."""
        self.block("*/page.js")
        self.addCleanup(self.block)

        def open_it():
            self.open_anew(address)
            return self.all("#first")

        self.until("the rows of the document", open_it)

    def test_the_document_has_the_rows_where_the_script_draws_them(self):
        for size in [(1280, 800), (390, 800)]:
            self.size(*size)
            self.open_without_script("#/")
            first = self.js(self.PLACES)
            self.assertIn(self.root[1:], [name for name, _, _ in first])
            self.assertEqual(self.text("#first .tree-row.head"), "NameChildrenSizeVersionOwner")
            self.block()
            self.open_anew("#/")
            self.row(self.root)
            self.until("the first view is gone", lambda: not self.all("#first"))
            self.assertEqual(self.js(self.PLACES)[: len(first)], first)

    def test_the_rows_of_the_document_are_not_shown_elsewhere(self):
        for address in ["#!/ensemble", f"#{self.root}", "#/?tab=access"]:
            self.open_without_script(address)
            self.assertEqual(self.js("return document.getElementById('first').checkVisibility()"), False, address)
        self.block()
        self.open_anew("#!/clusters")
        self.until("the first view is gone", lambda: self.all('[data-view="clusters"]') and not self.all("#first"))

    def test_the_server_is_told_in_order_what_a_stream_follows(self):
        self.visit("#!/jobs")
        found = self.browser.execute_async_script("""
          const done = arguments[0];
          import(new URL("lib/live.js", document.baseURI)).then(async ({ Live }) => {
            const asked = [];
            const post = (address, body) => new Promise((answer) =>
              asked.push({ stream: address, topics: body.topics.join(), answer }));
            const pause = () => new Promise((resolve) => setTimeout(resolve));
            const live = new Live({ post });
            live.receiveHello({ stream: "one" });
            live.topic("trace", () => {});
            live.follow();
            live.topic("log", () => {});
            live.follow();
            await pause();
            const before = asked.length;
            asked[0].answer();
            await pause();
            // Another stream is another matter, and an answer that belongs to the one before changes nothing.
            live.receiveHello({ stream: "two" });
            asked[1].answer();
            live.follow();
            await pause();
            clearTimeout(live.followTimer);
            done([before, asked.map(({ stream, topics }) => `${stream} ${topics}`)]);
          }).catch((error) => done(String(error)));""")
        self.assertEqual(found, [1, ["/streams/one ", "/streams/one log,trace", "/streams/two log,trace"]])

    def test_shows_the_figures_of_a_row(self):
        self.visit(self.path("alpha"))
        row = self.row(self.path("many"))
        self.until("number of children", lambda: f"{self.MANY:,}" in row.text)
        self.until("size and version", lambda: {"14 B", "v0"} <= set(self.row(self.path("alpha")).text.split("\n")))

    def test_an_address_opens_what_is_above_it(self):
        self.visit(self.path("alpha/two"))
        self.row(self.path("alpha/two"))
        self.until_text(".value-text", "value of alpha/two")
        self.assertEqual(self.cursor(), self.path("alpha/two"))

    def test_back_and_forward_go_through_places(self):
        self.visit(self.path("alpha"))
        self.until_text(".value-text", "value of alpha")
        self.press("a row", lambda: self.row(self.path("beta")))
        self.until_text(".value-text", "value of beta")
        self.assertTrue(self.browser.current_url.endswith(encoded(self.path("beta"))))
        self.browser.back()
        self.until_text(".value-text", "value of alpha")
        self.browser.forward()
        self.until_text(".value-text", "value of beta")

    def test_the_keyboard_alone_is_enough(self):
        self.visit(self.path("alpha"))
        self.row(self.path("alpha/one"))
        self.focus_tree()
        self.keys(Keys.ARROW_DOWN)
        self.assertEqual(self.cursor(), self.path("alpha/one"))
        self.keys(Keys.ENTER)
        self.until_text(".value-text", "value of alpha/one")
        self.keys(Keys.ARROW_LEFT)
        self.assertEqual(self.cursor(), self.path("alpha"))
        self.keys(Keys.ARROW_LEFT)
        self.until("closed", lambda: self.path("alpha/one") not in self.rows())
        self.assertEqual(self.row(self.path("alpha")).get_attribute("aria-expanded"), "false")
        self.keys(Keys.ARROW_RIGHT)
        self.row(self.path("alpha/one"))
        self.keys(Keys.HOME)
        self.assertEqual(self.cursor(), "/")

    def test_single_keys_open_what_they_say(self):
        self.visit(self.path("beta"))
        self.until_text(".value-text", "value of beta")
        self.focus_tree()
        for key, title in [
            ("?", "Keys"),
            ("n", f"Create below {self.path('beta')}"),
            (Keys.DELETE, f"Delete {self.path('beta')}?"),
        ]:
            self.keys(key)
            self.until_text("dialog[open] h2", title)
            self.keys(Keys.ESCAPE)
            self.until("closed", lambda: not self.all("dialog[open]"))
        self.keys("e")
        self.one(".editor textarea")
        self.keys(Keys.ESCAPE)
        self.until_text(".value-text", "value of beta")
        self.keys("/")
        self.assertEqual(self.js("return document.activeElement.type"), "search")

    def test_single_keys_can_be_turned_off(self):
        self.visit(self.path("beta"))
        self.until_text(".value-text", "value of beta")
        self.js("localStorage.setItem('keys', 'off')")
        try:
            self.focus_tree()
            self.keys("n")
            time.sleep(0.2)
            self.assertEqual(self.all("dialog[open]"), [])
        finally:
            self.js("localStorage.removeItem('keys')")

    def test_only_seen_rows_are_drawn(self):
        self.visit(self.path("many"))
        self.row(self.path("many/node-000000"))
        self.assertLess(len(self.rows()), 80)
        self.focus_tree()
        self.keys(Keys.END)
        self.until("a row below", lambda: self.path("many") not in self.rows())
        self.assertLess(self.js("return document.querySelectorAll('.tree-row').length"), 80)
        self.go(self.path(f"many/node-{self.MANY - 1:06}"))
        row = self.row(self.path(f"many/node-{self.MANY - 1:06}"))
        self.assertEqual(row.get_attribute("aria-posinset"), str(self.MANY))
        self.assertEqual(row.get_attribute("aria-setsize"), str(self.MANY))

    def test_the_filter_keeps_matches_and_what_leads_to_them(self):
        self.visit(self.path("many"))
        self.row(self.path("many/node-000000"))
        self.focus_tree()
        self.keys("/", "002999")
        self.until(
            "one match", lambda: self.rows()[-1] == self.path("many/node-002999") and self.path("many") in self.rows()
        )
        self.assertNotIn(self.path("many/node-000000"), self.rows())
        self.keys(Keys.ENTER)
        self.until("the cursor on the match", lambda: self.cursor() == self.path("many/node-002999"))
        self.keys("/", Keys.ESCAPE)
        self.until("all rows again", lambda: len(self.rows()) > 10)

    def test_an_open_branch_follows_changes(self):
        self.visit(self.path("gamma"))
        self.row(self.path("gamma"))
        self.api.create(self.path("new-one"), "x")
        row = self.row(self.path("new-one"))
        self.until("shown for a moment", lambda: "added" in row.get_attribute("class"))
        self.api.delete(self.path("new-one"))
        self.until("gone", lambda: self.path("new-one") not in self.rows())

    def test_a_change_of_a_seen_row_is_live(self):
        self.api.create(self.path("live"), "a")
        self.visit(self.path("live"))
        self.until_text(".value-text", "a")
        self.api.set(self.path("live"), "a longer value")
        self.until_text(".value-text", "a longer value")
        self.until("version in the row", lambda: "v1" in self.row(self.path("live")).text)
        self.api.delete(self.path("live"))

    def settle(self):
        """Waits until the page has asked for nothing for half a second: it follows what it shows then."""
        asked, since = -1, time.monotonic()
        while time.monotonic() - since < 0.5:
            now = self.js("return performance.getEntriesByType('resource').length")
            if now != asked:
                asked, since = now, time.monotonic()
            time.sleep(0.05)

    def test_a_tab_that_slept_shows_what_happened_meanwhile(self):
        script = self.browser.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": """
          const Source = window.EventSource;
          window.EventSource = class extends Source {
            constructor(address) {
              super(address);
              window.stream = this;
            }
          };"""},
        )["identifier"]
        try:
            self.visit(self.path("gamma"))
            self.row(self.path("gamma"))
            self.settle()
            self.js("window.stream.close()")  # Without an event, as a connection ends while the machine sleeps.
            self.api.create(self.path("while-asleep"), "x")
            time.sleep(0.5)
            self.assertNotIn(self.path("while-asleep"), self.rows())
            self.js("document.dispatchEvent(new Event('resume'))")
            self.row(self.path("while-asleep"))
            self.api.delete(self.path("while-asleep"))
            self.until("gone", lambda: self.path("while-asleep") not in self.rows())
        finally:
            self.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})

    def test_a_path_is_copied_by_a_click(self):
        self.browser.execute_cdp_cmd(
            "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        )
        self.visit(self.path("alpha"))
        self.row(self.path("alpha")).find_element("css selector", ".copy-path").click()
        self.until_text("#toasts", "The path copied.")
        self.assertEqual(
            self.browser.execute_async_script("navigator.clipboard.readText().then(arguments[0], String)"),
            self.path("alpha"),
        )

    def test_search_finds_names_and_values_below_a_znode(self):
        self.visit(f"#!/search?path={self.root}&name=node-00001*")
        self.until_text(".search-state", "10 matches")
        self.until("the matches", lambda: self.path("many/node-000010") in self.text(".match a"))
        self.go(f"#!/search?path={self.root}/alpha&value=alpha/t")
        self.until_text(".search-state", "1 match ·")
        self.until("the line", lambda: self.text(".match mark") == "alpha/t")
        self.js("document.querySelector('.match a').click()")
        self.until_text(".value-text", "value of alpha/two")
        self.browser.back()
        self.until("the same list again", lambda: self.text(".match a").strip() == self.path("alpha/two"))

    def test_a_wrong_regular_expression_is_said(self):
        self.visit(f"#!/search?path={self.root}&value=(&regex=1")
        self.one(".search .notice.error")
