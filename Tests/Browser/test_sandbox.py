"""The sandbox: what its servers tell each other, as it happens; the playback; the faults."""

import unittest

from selenium.webdriver.common.keys import Keys

from browser import PageTest
from test_accessibility import CONTRAST, TARGETS

# Runs a test of the modules without a page: `work` gets them, and returns what is compared.
MODULES = """
const done = arguments[0];
const load = (name) => import(new URL(`views/sandbox-${name}.js`, document.baseURI));
Promise.all(["recording", "state", "playback", "words"].map(load)).then(([recording, state, playback, words]) => {
  const event = (time, server, peer, direction, kind, more = {}) => (
    { time, server, peer, direction, kind, zxid: null, epoch: null, leader: null, round: null, detail: null, ...more });
  const modules = { ...recording, ...state, ...playback, ...words, event };
  done((%s)(modules));
}).catch((error) => done(`${error}: ${error.stack}`));
"""


class SandboxModelTest(PageTest):
    def run_modules(self, work):
        if self.js("return document.body?.dataset.model") is None:
            self.visit("#!/jobs")
            self.js("document.body.dataset.model = 'yes'")
        return self.browser.execute_async_script(MODULES % work)

    def test_pairs_what_is_sent_with_what_is_received(self):
        found = self.run_modules("""({ Recording, event }) => {
          const recording = new Recording();
          recording.append([
            event(1, 1, 2, "sent", "PING"), event(2, 1, 2, "sent", "ACK", { zxid: "0x1" }), event(3, 2, 1, "received", "PING"),
            event(4, 2, 1, "sent", "PING"), event(5, 2, 1, "received", "ACK", { zxid: "0x1" }), event(6, 3, 2, "sent", "FOLLOWERINFO", { epoch: 1 }),
            // The leader does not know yet who that is; and a receipt can be noted before the sending.
            event(7, 2, null, "received", "FOLLOWERINFO", { epoch: 1 }), event(8, 3, 2, "received", "LEADERINFO", { epoch: 2 }),
            event(8.1, 2, 3, "sent", "LEADERINFO", { epoch: 2 }),
          ]);
          return recording.events.filter((one) => one.direction === "sent").map(({ message }) => [message.from, message.to, message.sent, message.received]);
        }""")
        self.assertEqual(found, [[1, 2, 1, 3], [1, 2, 2, 5], [2, 1, 4, None], [3, 2, 6, 7], [2, 3, 8.1, 8.1]])

    def test_a_message_that_a_later_one_overtakes_is_lost_and_an_old_one_too(self):
        found = self.run_modules("""({ Recording, event }) => {
          const recording = new Recording();
          recording.append([event(1, 1, 2, "sent", "PROPOSAL", { zxid: "0x1" }), event(2, 1, 2, "sent", "COMMIT", { zxid: "0x1" }),
            event(3, 2, 1, "received", "COMMIT", { zxid: "0x1" }), event(4, 1, 3, "sent", "PING"), event(5, 1, 4, "sent", "PING")]);
          const early = recording.events.map((one) => one.message?.lost);
          recording.isPaused = (id) => id === 4;
          recording.append([event(9000, 2, 1, "sent", "PING")]);
          const late = recording.events.map((one) => one.message?.lost);
          // One that was thought lost and comes after all was not.
          recording.append([event(9001, 3, 1, "received", "PING")]);
          return [early, late, recording.at(3).message.lost];
        }""")
        self.assertEqual(found, [[True, False, False, False, False], [True, False, False, True, False, False], False])

    def test_memory_is_bounded_and_any_moment_can_be_shown(self):
        found = self.run_modules("""({ Recording, Timeline, event }) => {
          const recording = new Recording(5000);
          recording.note([1, 2].map((id) => ({ id, state: "running", role: id === 1 ? "leader" : "follower", zxid: "0x100000000" })));
          const timeline = new Timeline(recording, 2);
          for (let number = 1; number <= 20000; number += 1) {
            const zxid = `0x${(0x100000000 + number).toString(16)}`;
            recording.append([event(number, 1, 2, "sent", "PROPOSAL", { zxid, epoch: 1 }), event(number + 0.5, 2, 1, "received", "PROPOSAL", { zxid, epoch: 1 })]);
            timeline.advance();
          }
          const at = (index) => timeline.at(index).servers.map((server) => `${server.role} ${server.zxid}`).join();
          const middle = recording.first + 1501;
          const forward = [at(middle), at(middle + 1), at(recording.end)];
          return [recording.events.length <= 5000, recording.at(recording.first).index === recording.first, forward,
            JSON.stringify(forward) === JSON.stringify([at(middle), at(middle + 1), at(recording.end)])];
        }""")
        self.assertEqual(found[:2], [True, True])
        self.assertEqual(found[2][2], "leading 0x100004e20,following 0x100004e20")
        self.assertNotEqual(found[2][0], found[2][1])
        self.assertTrue(found[3])

    def test_a_new_leader_goes_through_the_phases(self):
        found = self.run_modules("""({ Recording, Timeline, ensemblePhase, event }) => {
          const recording = new Recording();
          const timeline = new Timeline(recording, 3);
          const all = [
            event(1, 1, null, "local", "LOOKING", { zxid: "0x100000002" }), event(1, 2, null, "local", "LOOKING", { zxid: "0x100000002" }),
            event(2, 1, 2, "sent", "VOTE", { leader: 2, round: 3, zxid: "0x100000002", detail: "looking" }),
            event(3, 2, null, "local", "LEADING", { zxid: "0x100000002" }), event(3, 1, null, "local", "FOLLOWING", { zxid: "0x100000002" }),
            event(4, 1, 2, "sent", "FOLLOWERINFO", { epoch: 1 }), event(5, 2, 1, "sent", "LEADERINFO", { epoch: 2 }),
            event(6, 2, 1, "sent", "DIFF", { zxid: "0x100000002" }), event(6, 2, 1, "sent", "NEWLEADER", { zxid: "0x200000000", epoch: 2 }),
            event(7, 1, 2, "received", "DIFF", { zxid: "0x100000002" }), event(7, 1, 2, "received", "NEWLEADER", { zxid: "0x200000000", epoch: 2 }),
            event(8, 2, 1, "sent", "UPTODATE"), event(9, 1, 2, "received", "UPTODATE"),
            event(10, 2, 1, "sent", "PROPOSAL", { zxid: "0x200000001", epoch: 2, detail: "setData /a" }),
            event(11, 1, 2, "received", "PROPOSAL", { zxid: "0x200000001", epoch: 2 }), event(12, 1, 2, "sent", "ACK", { zxid: "0x200000001" }),
            event(13, 2, 1, "received", "ACK", { zxid: "0x200000001" }), event(14, 2, 1, "sent", "COMMIT", { zxid: "0x200000001" }),
            event(15, 1, 2, "received", "COMMIT", { zxid: "0x200000001" }),
          ];
          recording.append(all);
          timeline.advance();
          const at = (count) => { const state = timeline.at(count); return [ensemblePhase(state), ...state.servers.slice(0, 2).map((one) => one.phase)]; };
          const vote = { ...timeline.at(3).servers[0].vote };
          const steps = (count) => ({ ...timeline.at(count).transactions[0]?.steps });
          return { phases: [2, 5, 8, 11, 13].map(at), vote, steps: [14, 15, 17, 19].map(steps), epoch: timeline.at(19).servers[0].epoch };
        }""")
        self.assertEqual(found["phases"], [
            ["election", "election", "election"], ["discovery", "discovery", "discovery"], ["synchronization", "discovery", "synchronization"],
            ["synchronization", "synchronization", "synchronization"], ["broadcast", "broadcast", "broadcast"]])
        self.assertEqual(found["vote"], {"leader": 2, "round": 3, "zxid": "0x100000002"})
        self.assertEqual(found["steps"], [
            {"2": "logged", "1": "proposed"}, {"2": "logged", "1": "logged"}, {"2": "logged", "1": "acknowledged"},
            {"2": "committed", "1": "committed"}])
        self.assertEqual(found["epoch"], 2)

    def test_a_kill_is_placed_where_it_happened(self):
        found = self.run_modules("""({ Recording, Timeline, event }) => {
          const recording = new Recording();
          const timeline = new Timeline(recording, 2);
          recording.append([event(10, 1, 2, "sent", "PING"), event(20, 2, null, "local", "LOOKING", { zxid: "0x1" })]);
          timeline.advance();
          timeline.rewind(recording.note([{ id: 1, state: "killed", role: null, zxid: null }], 15));
          return [recording.events.map((one) => [one.index, one.kind]), timeline.at(1).servers[0].life, timeline.at(2).servers[0].life, timeline.at(3).servers[1].role];
        }""")
        self.assertEqual(found, [[[0, "PING"], [1, "STATUS"], [2, "LOOKING"]], "running", "killed", "looking"])

    def test_the_playback_slows_steps_and_skips(self):
        found = self.run_modules("""({ Recording, Playback, event }) => {
          const recording = new Recording();
          recording.append([event(0, 1, 2, "sent", "PING"), event(10, 2, 1, "received", "PING"), event(5000, 1, 2, "sent", "PING"), event(5010, 2, 1, "received", "PING")]);
          const playback = new Playback(recording);
          playback.noteEdge(1000);
          playback.seekTime(0);
          playback.setSpeed(1 / 10);
          playback.advance(1000, 50);
          const slow = playback.time;
          for (let wall = 1050; wall < 1300; wall += 50) playback.advance(wall, 50);
          const skipped = playback.time;
          const stepped = playback.step(1).time;
          const same = playback.advance(9000, 7000).length;
          const back = playback.step(-1).time;
          const none = playback.step(1, (one) => one.kind === "VOTE");
          return { slow, skipped: skipped > 4900 && skipped < 5001, stepped, same, back, none, isPaused: playback.isPaused };
        }""")
        self.assertEqual(found, {"slow": 5, "skipped": True, "stepped": 5000, "same": 0, "back": 10, "none": None, "isPaused": True})

    def test_every_kind_of_message_has_a_meaning(self):
        found = self.run_modules("""({ GROUPS, meaning, PHASE_TEXTS, event }) => {
          const kinds = Object.values(GROUPS).flatMap((group) => group.kinds).filter((kind) => kind !== "UNKNOWN");
          const texts = kinds.map((kind) => meaning(event(1, 1, 2, "sent", kind, { zxid: "0x200000001", epoch: 2, leader: 3 })).text);
          return [texts.filter((text) => !/^[A-Z].*[.]$/.test(text) || text.includes("undefined") || text.includes("another kind")),
            meaning(event(1, 2, 1, "received", "ACK", { zxid: "0x200000000", epoch: 2 })), Object.values(PHASE_TEXTS).map((one) => one.paper)];
        }""")
        self.assertEqual(found[0], [])
        self.assertEqual(found[1], {"text": "Server 1 has the history of epoch 2 on disk, and tells server 2.", "paper": "section IV, phase 2"})
        self.assertEqual(found[2][1:], [f"Zab paper, section IV, phase {number}" for number in (1, 2, 3)])


class SandboxTest(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sandbox = cls.api.get("/session")["sandbox"]
        if not sandbox or sandbox["size"] < 3:
            raise unittest.SkipTest("there is no sandbox")
        cls.size_of_ensemble = sandbox["size"]

    def setUp(self):
        super().setUp()
        self.restore()
        self.addCleanup(self.restore)
        self.visit("#!/sandbox")
        self.until("a leader", lambda: self.ids("leader"))

    def restore(self):
        """Ends all faults."""
        sandbox = self.api.get("/sandbox")
        if any(member["cutOffFrom"] or member["links"] for member in sandbox["members"]):
            self.act("heal")
        if sandbox["writer"]["enabled"]:
            self.act("writer", enabled=False, perSecond=5)
        for member in sandbox["members"]:
            if member["state"] != "running":
                self.act({"killed": "restart", "paused": "resume"}[member["state"]], server=member["id"])
        self.until("that all serve", lambda: sorted(one["role"] or "" for one in self.api.get("/sandbox")["members"])
                   == ["follower"] * (self.size_of_ensemble - 1) + ["leader"])

    def act(self, word, **body):
        return self.api.request("POST", f"/sandbox/{word}", body=body)

    def ids(self, role):
        """The servers that the picture shows in a role."""
        return self.js("""return [...document.querySelectorAll(".node")].map((node, place) => [place + 1, node.getAttribute("aria-label") ?? ""])
          .filter(([, label]) => label.includes(`, ${arguments[0]},`)).map(([id]) => id)""", role)

    def events(self):
        return self.js("return [...document.querySelectorAll('.events li')].map((one) => one.innerText.replace(/\\s+/g, ' '))")

    def test_shows_the_ring_and_what_passes(self):
        self.assertEqual(len(self.all(".node")), self.size_of_ensemble)
        self.assertEqual(len(self.ids("leader")), 1)
        self.until("heartbeats", lambda: any("PING" in one for one in self.events()))
        self.until("a line that glows", lambda: self.js("return [...document.querySelectorAll('.glow.ping')].some((one) => Number(one.style.opacity) > 0)"))
        self.click("Start writing")
        self.until("a transaction that all have", lambda: self.js(
            "return [...document.querySelectorAll('.transactions tbody tr')].some((row) => row.querySelectorAll('td.committed').length === arguments[0])", self.size_of_ensemble))
        self.until("what was acknowledged", lambda: int(self.js("return document.querySelectorAll('.panel .facts dd')[0].textContent.replace(',', '')")) > 0)
        self.shot("sandbox")
        self.size(390, 844)
        self.until("that it fits a phone", lambda: self.js(
            "const view = document.querySelector('.view'); return view.scrollWidth <= view.clientWidth && document.documentElement.scrollWidth <= 390"))
        self.shot("sandbox-phone")

    def test_can_be_paused_and_stepped_by_keys(self):
        self.until("events", lambda: len(self.events()) > 6)
        self.keys("k")
        self.button("Play")
        frozen = self.events()
        self.keys(",")
        self.until("one event less", lambda: self.events()[0] == frozen[1])
        self.keys(",")
        self.until("two events less", lambda: self.events()[0] == frozen[2])
        self.assertTrue(self.js("return document.querySelector('.message.current') !== null"))
        self.keys(".")
        self.until("one more again", lambda: self.events()[0] == frozen[1])
        self.assertNotEqual(self.text(".narration").strip(), "")
        self.shot("sandbox-stepped")
        self.keys("[", "[")
        self.until_text(".playback output", "1/10")
        self.js("const one = document.querySelector('.scrub input'); one.value = '0'; one.dispatchEvent(new Event('input')); one.dispatchEvent(new Event('change'))")
        self.until("fewer events", lambda: len(self.events()) < len(frozen) or self.events()[0] != frozen[0])
        self.keys("l")
        self.until("live again", lambda: self.js("return document.querySelector('.live').getAttribute('aria-pressed')") == "true")

    def test_a_killed_leader_is_replaced(self):
        leader = self.ids("leader")[0]
        self.keys(str(leader))
        self.click("Kill", ".inspector")
        self.until("that it is killed", lambda: self.ids("killed") == [leader])
        self.until("another leader", lambda: self.ids("leader") and self.ids("leader") != [leader])
        self.until("votes in the scrubber", lambda: self.all(".density .vote"))
        # What happened can be looked at again, without what is frequent.
        for group in ["Heartbeats", "Commits", "Proposals", "Acknowledgements", "Requests"]:
            self.click(group)
        self.keys("k")
        self.assertIs(self.browser.execute_async_script("""
          const [back, done] = arguments;
          let left = 2000;
          const step = () => {
            const isLooking = [...document.querySelectorAll(".node")].some((node) => node.getAttribute("aria-label").includes(", looking,"));
            if (isLooking && document.querySelector(".narration").textContent.includes("votes for")) return done(true);
            if ((left -= 1) === 0) return done(false);
            back.click();
            requestAnimationFrame(() => requestAnimationFrame(step));
          };
          step();""", self.button("Back to the event before")), True)
        self.assertIn("Zab paper, sections IV and V", self.text(".narration"))
        self.shot("sandbox-election")
        self.keys("l")
        # The facts change their height with the shown moment, and the button below them its place.
        self.until_text(".inspector .badge", "killed")
        self.click("Restart", ".inspector")
        self.until("that it follows", lambda: leader in self.ids("follower"))

    def test_a_partition_is_drawn_and_healed(self):
        self.keys("1")
        self.click("Cut off", ".inspector")
        self.until("links that are cut", lambda: len(self.all(".link.cut")) == self.size_of_ensemble - 1)
        self.shot("sandbox-partition")
        self.click("Heal", ".inspector")
        self.until("no link that is cut", lambda: len(self.all(".link.cut")) == 0)

    def test_a_link_is_chosen_by_the_keyboard_and_made_slow(self):
        self.js("document.querySelector('.node').focus()")
        self.keys(Keys.ARROW_RIGHT, Keys.ENTER)
        self.until_text(".inspector h2", "Server 2")
        self.keys(Keys.ESCAPE)
        self.until_text(".inspector h2", "Servers")
        self.keys("1")
        self.click("to 2", ".inspector")
        self.until_text(".inspector h2", "Between 1 and 2")
        self.assertEqual([self.js(CONTRAST), self.js(TARGETS)], [[], []])
        self.fill(self.one(".inspector input"), "20")
        self.click("Set", ".inspector")
        self.until_text(".link.bad", "20 ms")
        # The card is made anew for the link's new state; what is typed into it stays.
        self.until("the field", lambda: self.fill(self.one(".inspector input"), "999999") is None)
        self.click("Set", ".inspector")
        self.assertEqual(self.one(".inspector input").get_attribute("aria-invalid"), "true")

    def test_a_paused_server_is_shown(self):
        follower = self.ids("follower")[0]
        self.keys(str(follower))
        self.click("Pause", ".inspector")
        self.until("that it is paused", lambda: self.ids("paused") == [follower])
        self.click("Resume", ".inspector")
        self.until("that it runs", lambda: self.ids("paused") == [])
