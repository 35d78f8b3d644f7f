"""Names and values are text, whatever is in them; nothing is asked of elsewhere; what is away comes back."""

from browser import BASE, PageTest, Refused, encoded

ODD = [
    "<img src=x onerror=window.hit=1>",
    "<script>window.hit=1",
    "\"'><svg onload=window.hit=1>",
    "a b",
    " edge ",
    "100%",
    "%41",
    "a#b",
    "what?x=1",
    "a&b=c",
    "ünïcødé-日本語",
    "\u202eltr",
    "zero\u200bwidth",
    "back\\slash",
    "#!",
    "!",
    "{{x}}",
    "+",
    "...",
    "a:b@c",
]


class SafetyTest(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ODD:
            cls.api.create(f"{cls.root}/{name}", f"<img src=x onerror=window.hit=1> in {name}")

    def test_names_and_values_are_text(self):
        self.visit(self.root)
        for name in ODD:
            self.row(self.path(name))
        for name in ODD:
            self.go(self.path(name))
            self.until(
                f"the value of {name!r}",
                lambda: self.js("return document.querySelector('.value-pane .here').textContent")
                and self.text(".value-text").startswith("<img src=x onerror=window.hit=1> in ")
                and self.cursor() == self.path(name),
            )
        self.assertIsNone(self.js("return window.hit ?? null"))
        self.assertEqual(
            self.js("return document.querySelectorAll('img[src=x], main script, main svg[onload]').length"), 0
        )

    def test_an_address_with_an_odd_name_opens_it(self):
        for name in ["a#b", "what?x=1", "%41", "100%", "#!", "..."]:
            self.visit(self.path(name))
            self.until(name, lambda: self.text(".value-text").endswith(f" in {name}"))
            self.assertTrue(self.browser.current_url.endswith(encoded(self.path(name))))

    def test_unseen_characters_are_shown(self):
        self.visit(self.root)
        self.assertIn("⟨U+202E⟩ltr", self.row(self.path("\u202eltr")).text)
        self.assertIn("zero⟨U+200B⟩width", self.row(self.path("zero\u200bwidth")).text)
        self.assertIn("␣edge␣", self.row(self.path(" edge ")).text)

    def test_nothing_is_asked_of_elsewhere_and_the_policy_is_kept(self):
        self.browser.get_log("browser")
        self.visit("#/")
        for place in [
            self.root,
            "#!/clusters",
            "#!/jobs",
            "#!/ensemble",
            "#!/clients",
            "#!/recipes",
            "#!/search?path=/&name=zookeeper",
        ]:
            self.go(place)
            self.until("something", lambda: len(self.text("main > .view:not([hidden])")) > 10)
            elsewhere = self.js(
                "return performance.getEntriesByType('resource').map((one) => one.name).filter((one) => !one.startsWith(arguments[0]))",
                BASE,
            )
            self.assertEqual(elsewhere, [])
        complaints = [
            entry["message"]
            for entry in self.browser.get_log("browser")
            if "Content Security Policy" in entry["message"]
            or "Uncaught" in entry["message"]
            or "TypeError" in entry["message"]
        ]
        self.assertEqual(complaints, [])

    def test_paths_that_are_none_are_refused_and_said(self):
        for place in ["#/..", "#/a/../b", "#//a", "#/%00", "#/%2e%2e/x"]:
            self.visit(place)
            self.one(".value-absent .notice")

    def test_a_lost_server_leaves_what_was_shown_and_comes_back(self):
        self.visit(self.path("a b"))
        self.until_text(".value-text", "in a b")
        self.press("[data-act=edit]", lambda: self.one("[data-act=edit]"))
        self.one(".editor textarea").send_keys("typed ")
        self.network(True)
        try:
            self.go(self.path("100%"))
            self.until_text("#banner", "does not answer")
            self.go(self.path("a b"))
            self.until("the text is kept", lambda: "typed" in self.one(".editor textarea").get_attribute("value"))
            self.assertIn(self.path("100%"), self.rows())
        finally:
            self.network(False)
        self.until("back by itself", lambda: self.text("#banner") == "")
        self.assertIn("typed", self.one(".editor textarea").get_attribute("value"))
        self.js("window.onbeforeunload = null")

    def network(self, is_offline):
        self.browser.execute_cdp_cmd("Network.enable", {})
        self.browser.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )


class ReadOnlyTest(PageTest):
    """What may not be changed is not offered. The page learns it from the answers, which are changed on their way."""

    def test_nothing_that_changes_is_offered(self):
        script = self.browser.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": """
          const ask = window.fetch;
          window.fetch = async (...values) => {
            const answer = await ask(...values);
            if (!String(values[0]).startsWith("/api/v1/session")) return answer;
            return new Response(JSON.stringify({...await answer.json(), readOnly: true}), {headers: {"Content-Type": "application/json"}});
          };"""},
        )["identifier"]
        try:
            self.visit(self.root)
            self.until("read-only", lambda: "read-only" in self.text(".cluster"))
            for act, is_offered in [
                ("edit", False),
                ("create", False),
                ("import", False),
                ("remove", False),
                ("copy", True),
                ("export", True),
            ]:
                self.until(act, lambda: self.all(f"[data-act={act}]")[0].is_enabled() == is_offered)
            self.keys("n")
            self.until_text("#toasts", "read-only")
            self.assertEqual(self.all("dialog[open]"), [])
        finally:
            self.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})

    def test_the_api_refuses_without_the_token(self):
        token, self.api.token = self.api.token, None
        try:
            with self.assertRaises(Refused) as refusal:
                self.api.create(self.path("untold"))
        finally:
            self.api.token = token
        self.assertEqual(refusal.exception.status, 403)
        self.assertFalse(self.api.exists(self.path("untold")))


class ProtectedTest(PageTest):
    """A protected cluster wants its name with each change: the server's refusal is put before its answer."""

    def test_a_change_asks_for_the_name_and_is_made_with_it(self):
        self.api.create(self.path("guarded"), "before")
        name = self.api.get("/session")["cluster"]
        script = self.browser.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument",
            {
                "source": """
          const ask = window.fetch;
          window.confirmed = [];
          window.fetch = (address, options = {}) => {
            if (options.method !== "PUT") return ask(address, options);
            const name = options.headers["X-Zkcli-Confirm"];
            window.confirmed.push(name ?? null);
            if (name) return ask(address, options);
            return Promise.resolve(new Response('{"error": "Protected", "message": "the cluster NAME is protected", "hint": null}', {status: 403}));
          };""".replace(
                    "NAME", name
                )
            },
        )["identifier"]
        try:
            self.visit(self.path("guarded"))
            self.click("Edit")
            self.fill(self.one(".editor textarea"), "after")
            self.click("Save")
            self.until_text("dialog[open] h2", f"{name} is protected")
            self.assertFalse(self.all("dialog[open] button.danger")[0].is_enabled())
            self.field(f"Type its name: {name}").send_keys(name)
            self.click("Change it", "dialog[open]")
            self.until("saved", lambda: self.api.value(self.path("guarded")) == "after")
            self.assertEqual(self.js("return window.confirmed"), [None, name])
        finally:
            self.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})


class SessionTest(PageTest):
    """A session that ends while something is edited; it needs a sandbox, which can end one."""

    def test_what_is_typed_outlives_the_session(self):
        if self.api.get("/session")["sandbox"] is None:
            self.skipTest("the server has no sandbox")
        self.api.create(self.path("edited"), "before")
        self.visit(self.path("edited"))
        self.click("Edit")
        self.fill(self.one(".editor textarea"), "after")
        session = next(one["session"] for one in self.api.get("/clusters") if one["current"])
        self.api.request("POST", "/sandbox/expire", body={"session": session})
        self.until_text("#toasts", "The session with the ensemble ended, and a new one was opened.")
        self.until("connected again", lambda: self.text("#banner") == "")
        self.assertEqual(self.one(".editor textarea").get_attribute("value"), "after")
        self.click("Save")
        self.until("saved", lambda: self.api.value(self.path("edited")) == "after")
        self.api.set(self.path("edited"), "by another")
        self.until_text(".value-text", "by another")
