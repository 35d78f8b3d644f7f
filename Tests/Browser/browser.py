"""The browser, and the API, as the tests of the page use them.

ZKCLI_WEB_URL   the address of a running `zkcli web`, such as http://127.0.0.1:9090/
ZKCLI_SERVER    a server of its ensemble, host:port: to prepare many znodes faster than through the API (optional)
ZKCLI_SHOTS     a directory for a picture of each view (optional)

One browser serves all tests of a process. Each test has its znodes below one root that is deleted at the end.
"""

import atexit
import base64
import json
import os
import shutil
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

BASE = os.environ.get("ZKCLI_WEB_URL", "").rstrip("/") + "/"
SERVER = os.environ.get("ZKCLI_SERVER")
SHOTS = os.environ.get("ZKCLI_SHOTS")
PATIENCE = float(os.environ.get("ZKCLI_PATIENCE", "10"))
OPEN = [{"scheme": "world", "id": "anyone", "permissions": "cdrwa"}]


class Refused(Exception):
    """An answer of the API that is an error."""

    def __init__(self, status, document):
        super().__init__(f"{status}: {document}")
        self.status = status
        self.document = document


class Api:
    """Requests to the API, as the page makes them."""

    def __init__(self):
        self.token = None
        self.token = self.get("/session")["token"]

    def request(self, method, endpoint, parameters=None, body=None):
        query = urllib.parse.urlencode({key: value for key, value in (parameters or {}).items() if value is not None})
        request = urllib.request.Request(f"{BASE}api/v1{endpoint}{'?' + query if query else ''}", method=method)
        if self.token and method != "GET":
            request.add_header("X-Zkcli-Token", self.token)
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        elif method != "GET":
            data = b""
        try:
            with urllib.request.urlopen(request, data, timeout=90) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                document = json.loads(text)
            except ValueError:
                document = {"message": text.decode(errors="replace")}
            raise Refused(error.code, document) from None

    def get(self, endpoint, **parameters):
        return self.request("GET", endpoint, parameters)

    def create(self, path, data="", kind="persistent", acl=None, parents=False):
        """Creates a znode; `data` is text, bytes or None."""
        if isinstance(data, bytes):
            value = {"data": base64.b64encode(data).decode(), "encoding": "base64"}
        else:
            value = {"data": data, "encoding": None if data is None else "utf8"}
        body = {
            "path": path,
            **value,
            "kind": kind,
            "sequential": False,
            "ttlMilliseconds": None,
            "parents": parents,
            "acl": acl,
        }
        return self.request("POST", "/znode", body=body)

    def set(self, path, text):
        version = self.get("/znode", path=path)["stat"]["version"]
        return self.request("PUT", "/znode", {"path": path, "version": version}, {"data": text, "encoding": "utf8"})

    def value(self, path):
        return self.get("/znode", path=path)["data"]

    def exists(self, path):
        try:
            self.get("/znode", path=path)
            return True
        except Refused as error:
            if error.status == 404:
                return False
            raise

    def delete(self, path):
        version = self.get("/znode", path=path)["stat"]["version"]
        return self.request("DELETE", "/znode", {"path": path, "version": version})

    def delete_tree(self, path):
        count = self.get("/subtree", path=path)["count"]
        name = path.rsplit("/", 1)[1]
        return self.request("DELETE", "/znode", {"path": path, "recursive": "true", "count": count, "confirm": name})

    def create_many(self, parent, names):
        """Creates many children, through a server of the ensemble where one is known."""
        if SERVER:
            from kazoo.client import KazooClient

            client = KazooClient(hosts=SERVER)
            client.start(timeout=15)
            try:
                for start in range(0, len(names), 500):
                    transaction = client.transaction()
                    for name in names[start : start + 500]:
                        transaction.create(f"{parent}/{name}", b"x")
                    for result in transaction.commit():
                        if isinstance(result, Exception):
                            raise result
            finally:
                client.stop()
                client.close()
            return
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self.create(f"{parent}/{name}", "x"), names))


_driver = None


def driver():
    """The browser of this process."""
    global _driver
    if _driver is None:
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("ZKCLI_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,800",
            "--force-prefers-reduced-motion",
            "--disable-background-networking",
        ]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(
            os.environ.get("ZKCLI_CHROMEDRIVER") or shutil.which("chromedriver") or "/usr/bin/chromedriver"
        )
        _driver = webdriver.Chrome(options=options, service=service)
        # On a busy machine a second of the page's can take several.
        _driver.set_script_timeout(120)
        atexit.register(_driver.quit)
    return _driver


def encoded(path):
    """The address of a znode, with each name percent-encoded."""
    return "#" + "/".join(urllib.parse.quote(name, safe="") for name in path.split("/"))


@unittest.skipUnless(os.environ.get("ZKCLI_WEB_URL"), "ZKCLI_WEB_URL is not set")
class PageTest(unittest.TestCase):
    """A test of the page, with a browser, and a root for its znodes."""

    visits = 0

    @classmethod
    def setUpClass(cls):
        cls.api = Api()
        cls.browser = driver()
        cls.root = f"/page-{uuid.uuid4().hex[:8]}"
        cls.api.create(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.browser.get("about:blank")
        cls.api.delete_tree(cls.root)

    def setUp(self):
        self.size()

    # Places.

    def visit(self, address):
        """Opens a place of the page afresh: an address such as `#/app`, or the path of a znode."""
        PageTest.visits += 1  # Another query: without one, a browser only moves within the page that is open.
        self.browser.get(f"{BASE}?visit={self.visits}{encoded(address) if address.startswith('/') else address}")

    def open_anew(self, address):
        """Opens a place of the page as `visit` does, under the address that `zkcli web` prints."""
        self.browser.get("about:blank")
        self.browser.get(f"{BASE}{address}")

    def go(self, address):
        """Goes to a place within the page that is open."""
        place = encoded(address) if address.startswith("/") else address
        self.browser.execute_script("location.hash = arguments[0]", place)

    def path(self, name):
        return f"{self.root}/{name}"

    def size(self, width=1280, height=800):
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def colours(self, scheme):
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {
                "features": [
                    {"name": "prefers-color-scheme", "value": scheme},
                    {"name": "prefers-reduced-motion", "value": "reduce"},
                ]
            },
        )

    # Waiting.

    def until(self, what, condition):
        """Waits until the condition gives something true, and gives that."""
        end = time.monotonic() + PATIENCE
        last = None
        while time.monotonic() < end:
            try:
                value = condition()
                if value:
                    return value
            except Exception as error:  # An element that went meanwhile is looked for again.
                last = error
            time.sleep(0.03)
        focused = self.js("return document.activeElement?.outerHTML.slice(0, 200)")
        self.fail(
            f"{what}: not within {PATIENCE} s{f' ({last})' if last else ''}; the focus is on {focused}; "
            f"the page says: {self.text('body')[:600]}"
        )

    def until_text(self, selector, text):
        return self.until(f"{text!r} in {selector}", lambda: text in self.text(selector))

    # What is there.

    def js(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def text(self, selector):
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent).join('\\n')", selector
        )

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.until(selector, lambda: next((one for one in self.all(selector) if one.is_displayed()), None))

    def button(self, label, within="body"):
        """A button or link by what is written on it, or by its name."""
        script = """return [...document.querySelectorAll(arguments[1])].flatMap((one) => [...one.querySelectorAll("button, a, [role=tab], summary")])
          .find((one) => one.checkVisibility() && !one.disabled && (one.textContent.trim() === arguments[0] || one.getAttribute("aria-label") === arguments[0]))"""
        return self.until(f"button {label!r}", lambda: self.js(script, label, within))

    def press(self, what, find):
        """Clicks on what `find` gives, found again as long as the page draws it anew, moves it, or covers it: the browser
        clicks on a place, and what was there may have gone elsewhere between the look and the click."""

        def click():
            element = find()
            self.js(
                """window.isPressed = false;
                arguments[0].addEventListener("click", () => { window.isPressed = true; }, { once: true, capture: true });""",
                element,
            )
            element.click()
            # A page that was left by the click does not know.
            return self.js("return window.isPressed !== false")

        self.until(f"click on {what!r}", click)

    def click(self, label, within="body"):
        self.press(label, lambda: self.button(label, within))

    def field(self, label, within="dialog[open]"):
        script = """const label = [...document.querySelectorAll(`${arguments[1]} label`)].find((one) => one.textContent.trim() === arguments[0]);
          return label && (label.htmlFor ? document.getElementById(label.htmlFor) : label.querySelector("input"))"""
        return self.until(f"field {label!r}", lambda: self.js(script, label, within))

    def rows(self):
        """The names of the rows that are drawn, from the top."""
        return self.js(
            """return [...document.querySelectorAll(".virtual-content > .tree-row")].filter((row) => row.row?.path)
          .sort((one, other) => one.getAttribute("aria-rowindex") - other.getAttribute("aria-rowindex")).map((row) => row.row.path)"""
        )

    def row(self, path):
        return self.until(
            f"row {path!r}",
            lambda: self.js(
                "return [...document.querySelectorAll('.virtual-content > .tree-row')].find((row) => row.row?.path === arguments[0])",
                path,
            ),
        )

    def cursor(self):
        return self.js("""const id = document.querySelector("[role=treegrid]").getAttribute("aria-activedescendant");
          return document.getElementById(id)?.row?.path ?? null""")

    def keys(self, *keys):
        """Presses keys, wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def focus_tree(self):
        self.until("the cursor of the tree", self.cursor)
        self.js("document.querySelector('[role=treegrid]').focus()")

    def fill(self, element, text):
        element.send_keys(Keys.CONTROL, "a")
        element.send_keys(Keys.DELETE)
        element.send_keys(text)

    def shot(self, name):
        if SHOTS:
            os.makedirs(SHOTS, exist_ok=True)
            self.browser.save_screenshot(os.path.join(SHOTS, f"{name}.png"))
