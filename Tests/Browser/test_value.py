"""The value: how it is shown, edited, and kept from being overwritten; creating, deleting, copying."""

import gzip
import json
import os
import tempfile

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from browser import PageTest


class ShowTest(PageTest):
    def show(self, name, data):
        self.api.create(self.path(name), data)
        self.visit(self.path(name))

    def test_a_click_is_not_lost_if_the_znode_changes_before_it_ends(self):
        self.api.create(self.path("clicked"), "before")
        self.visit(self.path("clicked"))
        self.until_text(".value-facts", "version 0")
        button = self.one("[data-act=copy]")
        ActionChains(self.browser).click_and_hold(button).perform()
        self.api.set(self.path("clicked"), "after")
        self.until_text(".value-facts", "version 1")
        ActionChains(self.browser).release().perform()
        self.until_text("dialog[open] h2", "Copy")
        self.keys(Keys.ESCAPE)
        self.until("the focus is back", lambda: self.js("return document.activeElement === arguments[0]", button))

    def test_json_is_formatted_without_changing_it(self):
        self.show("json", '{"id":12345678901234567890,"a":1.0,"a":[]}')
        self.until_text(".value-text", '{\n  "id": 12345678901234567890,\n  "a": 1.0,\n  "a": []\n}')

    def test_what_is_almost_json_says_where_it_is_wrong(self):
        self.show("almost", '{"a": 1,\n "b": [1, 2,]\n}')
        self.click("JSON", ".value-bar")
        self.until_text(".notice", "line 2, column 13: A comma before ] is not allowed.")

    def test_null_and_empty_are_told_apart(self):
        self.show("null", None)
        self.until_text(".value-none", "No data (null)")
        self.show("empty", "")
        self.until_text(".value-none", "0 bytes")

    def test_binary_is_shown_as_hex_and_base64(self):
        self.show("binary", bytes([0, 255, 65, 66]))
        self.until_text(".value-text", "00 ff 41 42")
        self.click("Base64", ".value-bar")
        self.until_text(".value-text", "AP9BQg==")

    def test_compressed_values_are_shown_decompressed(self):
        self.show("gzip", gzip.compress(b'{"deep":true}'))
        self.until_text(".value-text", '"deep": true')
        self.press("a field", lambda: self.field("decompressed (gzip)", ".value-bar"))
        self.until_text(".value-text", "1f 8b")

    def test_a_value_of_a_mebibyte_draws_few_lines(self):
        self.show("large", "\n".join(f"line {number:06}" for number in range(80_000)))
        self.until_text(".value-text", "line 000000")
        self.assertLess(len(self.all(".value-line")), 120)
        self.show("long", "z" * 1_000_000)
        self.until_text(".value-text", "zzzz")
        self.assertLess(len(self.all(".value-line")), 120)

    def test_the_stat_is_in_words(self):
        self.show("stat", "abc")
        self.click("Details")
        self.until_text(".details", "epoch")
        self.assertIn("3 bytes", self.text(".details"))

    def test_a_znode_that_is_missing_is_said(self):
        self.visit(self.path("missing"))
        self.until_text(".value-absent", f"There is no znode {self.path('missing')}")

    def test_a_znode_that_may_not_be_read_is_said(self):
        closed = [{"scheme": "digest", "id": "nobody:x1nq8J5GOJVPY6zgzhtTtA9izLc=", "permissions": "cdrwa"}]
        self.api.create(self.path("closed"), "secret", acl=closed)
        self.visit(self.path("closed"))
        self.one(".value-absent .notice.error")
        self.assertNotIn("secret", self.text(".value-pane"))

    def test_the_acl_is_explained_and_edited(self):
        self.show("acl", "x")
        self.click("Access")
        self.until_text(".access", "world:anyone:cdrwa")
        self.click("Edit the ACL")
        for label in ["delete: delete children", "admin: set the ACL"]:
            self.press(f".acl-row input[aria-label='{label}']", lambda: self.one(f".acl-row input[aria-label='{label}']"))
        self.click("Save the ACL")
        self.until(
            "the ACL is set",
            lambda: sorted(self.api.get("/acl", path=self.path("acl"))["acl"][0]["permissions"]) == ["c", "r", "w"],
        )
        self.until_text(".access .entry", "world:anyone:c")


class EditTest(PageTest):
    def edit(self, name, data):
        self.api.create(self.path(name), data)
        self.visit(self.path(name))
        self.click("Edit")
        return self.one(".editor textarea")

    def test_saves_with_the_version_that_was_read(self):
        area = self.edit("plain", "before")
        self.fill(area, "after")
        area.send_keys(Keys.CONTROL, "s")
        self.until("saved", lambda: self.api.value(self.path("plain")) == "after")
        self.until_text(".value-text", "after")

    def test_a_conflict_shows_both_texts_and_overwrites_nothing(self):
        area = self.edit("conflict", "one\ntwo\nthree")
        self.fill(area, "one\nMINE\nthree")
        self.api.set(self.path("conflict"), "one\nTHEIRS\nthree")
        self.until_text(".editor-notes", "Another client saved version 1")
        self.click("Save")
        self.until_text(".conflict", "Not saved: version 1 is there, and you edited version 0")
        self.assertEqual(self.api.value(self.path("conflict")), "one\nTHEIRS\nthree")
        self.assertEqual([self.text(".differs.mine"), self.text(".differs.theirs")], ["MINE", "THEIRS"])
        self.shot("conflict")
        self.click("Edit mine on top of version 1")
        self.click("Save")
        self.until("saved", lambda: self.api.value(self.path("conflict")) == "one\nMINE\nthree")

    def test_a_znode_deleted_meanwhile_leaves_the_text(self):
        area = self.edit("deleted", "before")
        self.fill(area, "typed")
        self.api.delete(self.path("deleted"))
        self.until_text(".editor-notes", "deleted while you edit it")
        self.assertEqual(area.get_attribute("value"), "typed")
        self.click("Create it again with this text")
        self.until(
            "created", lambda: self.api.exists(self.path("deleted")) and self.api.value(self.path("deleted")) == "typed"
        )

    def test_what_was_typed_stays_while_another_view_is_shown(self):
        area = self.edit("kept", "before")
        self.fill(area, "typed")
        self.go("#!/clusters")
        self.one(".clusters")
        self.go("/")
        self.one(".value-none, .value-text")
        self.go(self.path("kept"))
        self.assertEqual(self.one(".editor textarea").get_attribute("value"), "typed")
        self.keys(Keys.ESCAPE)
        self.one(".editor textarea").send_keys(Keys.ESCAPE)
        self.click("Discard", "dialog[open]")
        self.until_text(".value-text", "before")

    def test_line_ends_survive(self):
        area = self.edit("crlf", "a\r\nb\r\n")
        area.send_keys(Keys.CONTROL, Keys.END)
        area.send_keys("c")
        self.click("Save")
        self.until("saved", lambda: self.api.value(self.path("crlf")) == "a\r\nb\r\nc")

    def test_null_stays_null_unless_something_is_typed(self):
        self.edit("null", None)
        self.click("Save")
        self.until("saved", lambda: self.api.get("/znode", path=self.path("null"))["stat"]["version"] == 1)
        self.assertEqual(self.api.get("/znode", path=self.path("null"))["form"], "null")

    def test_a_compressed_value_is_compressed_again(self):
        area = self.edit("gzip", gzip.compress(b"before"))
        self.fill(area, "after")
        self.click("Save")
        self.until("saved", lambda: self.api.get("/znode", path=self.path("gzip"))["stat"]["version"] == 1)
        znode = self.api.get("/znode", path=self.path("gzip"))
        self.assertEqual([znode["compression"], znode["decoded"]["data"]], ["gzip", "after"])


class ChangeTest(PageTest):
    def open(self, path, act):
        self.visit(path)
        self.one(".kind-badge")
        self.press(f"[data-act={act}]", lambda: self.one(f"[data-act={act}]"))
        return self.one("dialog[open]")

    def test_creates_with_parents(self):
        self.open(self.root, "create")
        self.field("Name, or a whole path").send_keys("deep/er")
        self.field("Value").send_keys("made")
        self.press("a field", lambda: self.field("Create missing parents"))
        self.click("Create", "dialog[open] footer")
        self.until_text(".value-text", "made")
        self.assertEqual(self.api.value(self.path("deep/er")), "made")

    def test_creates_ephemeral_ones_and_says_whose_they_are(self):
        dialog = self.open(self.root, "create")
        self.assertIn("Belongs to the session of this page's server", dialog.text)
        self.field("Name, or a whole path").send_keys("fleeting")
        self.press("a field", lambda: self.field("Ephemeral"))
        self.click("Create", "dialog[open] footer")
        self.until("created", lambda: self.api.exists(self.path("fleeting")))
        self.assertEqual(self.api.get("/znode", path=self.path("fleeting"))["kind"], "ephemeral")
        self.until_text(".kind-badge", "ephemeral")

    def test_a_name_that_is_taken_is_said_and_the_dialog_stays(self):
        self.api.create(self.path("taken"))
        self.open(self.root, "create")
        self.field("Name, or a whole path").send_keys("taken", Keys.ENTER)
        self.one("dialog[open] .notice.error")

    def test_deletes_one_znode(self):
        self.api.create(self.path("single"))
        self.open(self.path("single"), "remove")
        self.until_text("dialog[open]", "It has no children.")
        self.click("Delete", "dialog[open] footer")
        self.until("deleted", lambda: not self.api.exists(self.path("single")))

    def test_a_large_subtree_needs_its_name(self):
        self.api.create(self.path("large"))
        self.api.create_many(self.path("large"), [f"n{number}" for number in range(1001)])
        self.open(self.path("large"), "remove")
        self.until_text("dialog[open]", "1,002 znodes")
        button = self.all("dialog[open] footer button.danger")[0]
        self.assertFalse(button.is_enabled())
        self.field("Type the name of the znode: large").send_keys("large")
        self.until("allowed", button.is_enabled)
        button.click()
        self.until("deleted", lambda: not self.api.exists(self.path("large")))

    def test_copies_a_subtree(self):
        self.api.create(self.path("from"), "top")
        self.api.create(self.path("from/below"), "deep")
        self.open(self.path("from"), "copy")
        self.fill(self.field("To the path"), self.path("to"))
        self.click("Start", "dialog[open] footer")
        self.until_text(".job", "done")
        self.until("the copy", lambda: self.api.value(self.path("to/below")) == "deep")

    def test_what_was_exported_is_imported_again(self):
        self.api.create(self.path("out"), "top")
        self.api.create(self.path("out/below"), "deep")
        self.visit(self.path("out"))
        exported = self.browser.execute_async_script(
            """
          fetch(`/api/v1/export?${new URLSearchParams({path: arguments[0], format: "jsonl"})}`).then((answer) => answer.text()).then(arguments[1], String)
        """,
            self.path("out"),
        )
        self.assertTrue(all(json.loads(line) for line in exported.splitlines()))
        self.api.delete(self.path("out/below"))
        self.press("[data-act=import]", lambda: self.one("[data-act=import]"))
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
            file.write(exported)
        try:
            self.field("An export, as JSON lines or tar").send_keys(file.name)
            self.js(
                "const select = document.querySelector('dialog[open] select'); select.value = 'skip'; select.dispatchEvent(new Event('change'))"
            )
            self.click("Start", "dialog[open] footer")
            self.until("imported", lambda: self.api.exists(self.path("out/below")))
        finally:
            os.unlink(file.name)
        self.assertEqual(self.api.value(self.path("out/below")), "deep")
