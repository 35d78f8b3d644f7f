"""The ensemble: members with moving plots, verdicts, configuration; members that are away stay to be seen."""

import time

from browser import PageTest, Refused


class EnsembleTest(PageTest):
    def members(self):
        """What the table says of each member, by address: [role or state, what is below the address]."""
        return self.js("""return Object.fromEntries([...document.querySelectorAll(".members tbody tr")].map((row) => [
          row.querySelector(".member .mono").textContent, [row.querySelector(".badge").textContent, row.querySelector("th .sub").textContent]]))""")

    def test_shows_each_member_with_its_role_and_zxid(self):
        self.visit("#!/ensemble")
        report = self.api.get("/ensemble")
        self.until("all members", lambda: set(self.members()) == {member["address"] for member in report["members"]})
        for member in report["members"]:
            if member["state"] == "serving" and member["role"]:
                self.until(f"role of {member['address']}", lambda: self.members()[member["address"]][0] == member["role"])
        self.assertIn("0x", self.text(".members tbody"))
        self.shot("ensemble")

    def test_its_plots_move(self):
        self.visit("#!/ensemble")
        points = lambda: self.js("return Math.max(0, ...[...document.querySelectorAll('.members .plot-line')].map((one) => (one.getAttribute('d') ?? '').split('L').length))")
        self.until("a first point", lambda: points() >= 1)
        before = points()
        self.until("another point", lambda: points() > before)
        self.assertIn("requests a second", self.js("return [...document.querySelectorAll('.members .plot')].map((one) => one.getAttribute('aria-label')).join()"))

    def test_shows_what_health_finds(self):
        self.visit("#!/ensemble")
        health = self.api.get("/health")
        self.until_text(".ensemble > header .badge", health["verdict"])
        self.until_text("main", "Health")
        for finding in health["findings"]:
            if finding["check"] in ("rootACL", "margin"):
                self.until_text(".findings", finding["message"])

    def test_shows_the_configuration(self):
        try:
            self.api.get("/configuration")
        except Refused as error:
            self.skipTest(f"there is none before 3.5: {error}")
        self.visit("#!/ensemble")
        self.until_text(".configuration", "server.1=")

    def test_a_member_that_is_away_stays(self):
        session = self.api.get("/session")
        if not session["sandbox"] or session["sandbox"]["size"] < 3:
            self.skipTest("there is no sandbox")
        victim = next(one for one in self.api.get("/sandbox")["members"] if one["role"] == "follower")
        self.visit("#!/ensemble")
        self.until("the member", lambda: self.members()[victim["address"]][0] == "follower")
        self.api.request("POST", "/sandbox/kill", body={"server": victim["id"]})
        try:
            self.until("that it is unreachable", lambda: self.members()[victim["address"]][0] == "unreachable")
            self.assertNotEqual(self.members()[victim["address"]][1], "")
            self.shot("ensemble-unreachable")
        finally:
            self.api.request("POST", "/sandbox/restart", body={"server": victim["id"]})
        self.until("that it is back", lambda: self.members()[victim["address"]][0] == "follower")
