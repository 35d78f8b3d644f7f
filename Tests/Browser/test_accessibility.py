"""WCAG 2.2 AA, as far as a program can see it: names, contrast, focus, roles, sizes of targets, narrow pages."""

import json
import time

from selenium.webdriver.common.keys import Keys

from browser import PageTest

VIEWS = ["#!/clusters", "#!/jobs", "#!/search?path=/&name=zookeeper", "#!/ensemble", "#!/clients", "#!/recipes"]

# Contrast of each text with the grounds below it, as the browser has computed them.
CONTRAST = r"""
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map();
function rgba(text) {
  if (!known.has(text)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    known.set(text, [r, g, b, a / 255]);
  }
  return known.get(text);
}
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
function ground(element) {
  const layers = [];
  for (let one = element; one; one = one.parentElement) {
    const colour = rgba(getComputedStyle(one).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
}
function luminance(colour) {
  const [r, g, b] = colour.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const faults = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
  if (element.closest("svg, :disabled, [aria-disabled=true], noscript, .unseen, .skip, [inert]")) continue;
  const style = getComputedStyle(element);
  const below = ground(element);
  const colour = over(rgba(style.color), below);
  const [light, dark] = [luminance(colour), luminance(below)].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const pixels = parseFloat(style.fontSize);
  const isLarge = pixels >= 24 || (pixels >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) faults.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${node.data.trim().slice(0, 40)}`);
}
return faults;
"""

# Controls smaller than 24 by 24 pixels, but for links within text and boxes that have a label beside them.
TARGETS = r"""
return [...document.querySelectorAll("button, select, [role=tab], a.button, nav a, summary")].filter((one) => {
  if (!one.checkVisibility() || one.closest("[inert]")) return false;
  const { width, height } = one.getBoundingClientRect();
  return width < 23.5 || height < 23.5;
}).map((one) => `${one.outerHTML.slice(0, 100)} ${JSON.stringify(one.getBoundingClientRect())}`);
"""

NAMED = {
    "button",
    "link",
    "textbox",
    "searchbox",
    "checkbox",
    "radio",
    "combobox",
    "listbox",
    "tab",
    "tablist",
    "dialog",
    "image",
    "img",
    "progressbar",
    "slider",
    "spinbutton",
    "switch",
    "treegrid",
    "radiogroup",
    "toolbar",
    "navigation",
    "region",
    "gridcell-control",
    "columnheader",
    "splitter",
    "alertdialog",
    "menuitem",
    "option",
}


class AccessibilityTest(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api.create(cls.root + "/value", json.dumps({"a": [1, "two", None, True]}))
        cls.api.create(cls.root + "/plain", "text")
        cls.api.create(cls.root + "/ephemeral", "", kind="ephemeral")

    def tearDown(self):
        self.colours("light")

    # All that is checked of a state of the page.

    def check(self, name):
        self.assertEqual(self.unnamed(), [], f"{name}: controls without a name")
        self.assertEqual(self.js(CONTRAST), [], f"{name}: too little contrast")
        self.assertEqual(self.js(TARGETS), [], f"{name}: targets that are too small")
        identifiers = self.js("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
        self.assertEqual(
            sorted({one for one in identifiers if identifiers.count(one) > 1}), [], f"{name}: ids that come twice"
        )
        missing = self.js(
            """return [...document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls], [aria-activedescendant], label[for]")]
          .flatMap((one) => ["aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant", "for"].map((name) => one.getAttribute(name)))
          .filter((id) => id && id.split(" ").some((part) => !document.getElementById(part)))"""
        )
        self.assertEqual(missing, [], f"{name}: references to what is not there")
        self.shot(f"{name}".replace("/", "-").replace("#", "").replace("!", "").split("?")[0].strip("-") or "root")

    def unnamed(self):
        nodes = self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        faults = []
        for node in nodes:
            role = node.get("role", {}).get("value")
            name = node.get("name", {}).get("value", "")
            if node.get("ignored") or role not in NAMED or name.strip():
                continue
            faults.append(f"{role} {json.dumps(node.get('properties', []))[:120]} {self.markup(node)}")
        return faults

    def markup(self, node):
        try:
            return self.browser.execute_cdp_cmd("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})[
                "outerHTML"
            ][:160]
        except Exception:
            return ""

    # The views.

    def test_the_tree_and_each_tab_in_light_and_dark(self):
        for scheme in ["light", "dark"]:
            self.colours(scheme)
            self.visit(self.path("value"))
            self.until_text(".value-text", '"two"')
            self.row(self.path("plain"))
            self.check(f"value-{scheme}")
            self.click("Details")
            self.until_text(".details", "epoch")
            self.check(f"details-{scheme}")
            self.click("Access")
            self.until_text(".access", "world:anyone")
            self.check(f"access-{scheme}")
            self.click("Edit the ACL")
            self.one(".acl-row")
            self.check(f"acl-{scheme}")
            self.click("Edit", ".value-tools")
            self.one(".editor textarea")
            self.check(f"edit-{scheme}")

    def test_each_other_view_in_light_and_dark(self):
        for scheme in ["light", "dark"]:
            self.colours(scheme)
            self.visit("#/")
            self.row("/zookeeper")
            for view in VIEWS:
                self.go(view)
                name = view.split("/")[1].split("?")[0]
                self.until(
                    view,
                    lambda: len(self.text(f"[data-view={name}]")) > 10
                    and not self.all(f"[data-view={name}] .value-wait"),
                )
                self.check(f"{name}-{scheme}")

    def test_the_dialogs(self):
        self.visit(self.path("plain"))
        self.one(".kind-badge")
        for act in ["create", "copy", "export", "import", "remove"]:
            self.press(f"[data-act={act}]", lambda: self.one(f"[data-act={act}]"))
            dialog = self.one("dialog[open]")
            self.until("counted", lambda: "Counting" not in dialog.text)
            self.check(f"dialog-{act}")
            self.until(
                "the focus in the dialog",
                lambda: self.js("return document.querySelector('dialog[open]').contains(document.activeElement)"),
            )
            self.keys(Keys.ESCAPE)
            self.until("closed", lambda: not self.all("dialog[open]"))
            self.until("the focus is back", lambda: self.js("return document.activeElement.dataset.act") == act)
        self.js("document.activeElement.blur()")
        self.keys("?")
        self.until_text("dialog[open] h2", "Keys")
        self.check("dialog-help")

    def test_the_focus_comes_back_to_a_button_that_was_drawn_anew(self):
        self.visit(self.path("plain"))
        self.one(".kind-badge")
        self.press("copy", lambda: self.one("[data-act=copy]"))
        self.one("dialog[open]")
        before = self.text(".value-facts")
        self.api.set(self.path("plain"), "changed")
        self.until("the change is shown", lambda: self.text(".value-facts") != before)
        self.keys(Keys.ESCAPE)
        self.until("closed", lambda: not self.all("dialog[open]"))
        self.until("the focus is back", lambda: self.js("return document.activeElement.dataset.act") == "copy")

    def test_the_focus_goes_through_the_page_and_is_seen(self):
        self.visit(self.path("value"))
        self.until_text(".value-text", '"two"')
        self.until("the cursor of the tree", self.cursor)
        self.js("document.activeElement.blur()")
        seen = []
        for _ in range(60):
            self.keys(Keys.TAB)
            look = """const one = document.activeElement;
              if (!one || one === document.body) return null;
              one.dataset.seen ??= Math.random();
              const style = getComputedStyle(one.matches("[role=treegrid]") ? one.querySelector(".tree-row.cursor") : one);
              const box = one.getBoundingClientRect();
              return {key: one.dataset.seen, name: `${one.tagName} ${one.className} ${one.getAttribute("aria-label") ?? one.textContent.slice(0, 20)}`,
                isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none",
                isInside: box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight}"""
            place = self.js(look)
            if place and not (place["isSeen"] and place["isInside"]):
                time.sleep(0.15)  # The focus may be drawn a frame later.
                place = self.js(look)
            if place is None or any(place["key"] == one["key"] for one in seen):
                break
            seen.append(place)
        names = [one["name"] for one in seen]
        self.assertTrue(names[0].startswith("A skip"), names)
        self.assertEqual([one for one in seen if not one["isSeen"] or not one["isInside"]], [])
        for wanted in ["INPUT", "tree-grid", "separator", "quiet", "value-text"]:
            self.assertTrue(any(wanted in name for name in names), f"{wanted} is not among {names}")

    def test_the_tree_is_a_treegrid(self):
        self.visit(self.path("value"))
        row = self.row(self.path("value"))
        grid = self.one("[role=treegrid]")
        self.assertEqual(grid.get_attribute("aria-activedescendant"), row.get_attribute("id"))
        self.assertEqual(row.get_attribute("aria-level"), "3")
        self.assertEqual(row.get_attribute("aria-selected"), "true")
        self.assertEqual(self.row(self.root).get_attribute("aria-expanded"), "true")
        self.assertEqual(self.js("return document.querySelectorAll('[role=columnheader]').length"), 5)
        self.assertEqual(
            self.js("return [document.documentElement.lang, document.querySelectorAll('main').length]"), ["en", 1]
        )

    def test_nothing_is_cut_off_on_a_phone_or_at_400_percent(self):
        for width, height in [(640, 400), (390, 844), (320, 568)]:
            self.size(width, height)
            self.visit("#/")
            self.row("/zookeeper")
            for place in [self.path("value"), self.path("value") + "?tab=details", "#/", *VIEWS]:
                self.go(place if place.startswith("#") else "#" + place)
                self.until(
                    place, lambda: len(self.text("main > .view:not([hidden])")) > 20 and not self.all(".value-wait")
                )
                overflow = self.js(
                    """return [document.scrollingElement.scrollWidth - innerWidth,
                  ...[...document.querySelectorAll("main > .view:not([hidden])")].map((one) => one.scrollWidth - one.clientWidth)]"""
                )
                self.assertTrue(all(one <= 0 for one in overflow), f"{place} at {width}: {overflow}")
                self.shot(
                    f"narrow-{width}-{place.split('/')[-1].split('?')[0] or 'root'}{'-details' if 'tab=' in place else ''}"
                )

    def test_a_phone_shows_one_pane_and_goes_back(self):
        self.size(390, 844)
        self.visit("#/")
        self.press("a row", lambda: self.row(self.root))
        self.until(
            "the znode alone",
            lambda: not self.all(".tree-pane")[0].is_displayed() and self.all(".value-pane")[0].is_displayed(),
        )
        self.click("Back to the tree")
        self.until(
            "the tree alone",
            lambda: self.all(".tree-pane")[0].is_displayed() and not self.all(".value-pane")[0].is_displayed(),
        )

    def test_the_colours_can_be_chosen(self):
        self.visit("#/")
        self.row("/zookeeper")
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = self.js(ground)
        button = self.one("#theme")
        button.click()
        self.assertEqual(self.js(ground), light)
        button.click()
        dark = self.js(ground)
        self.assertNotEqual(dark, light)
        self.visit("#/")
        self.assertEqual(self.js(ground), dark)
        self.press("#theme", lambda: self.one("#theme"))
        self.assertEqual(self.js("return document.cookie"), "")
