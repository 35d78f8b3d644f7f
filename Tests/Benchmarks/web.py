#!/usr/bin/env python3
"""Measures the page in Chromium and its event streams, and prints their bars; web.sh starts the servers.

    web.py ZKCLI SERVER URL PROCESS RUNS COUNT

PROCESS is the number of the page's process; /bench/many has COUNT children.
"""
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

zkcli, server, url, process, runs, count = sys.argv[1:4] + [int(text) for text in sys.argv[4:7]]
missed = False
STREAMS, CHANGES_A_SECOND, SECONDS = 200, 50, 10

# What the page's script cannot tell: `firstRow` is when the first row that the script has drawn is painted, by the
# browser's own timing (Element Timing), `rowShown` when a row of a path is in a frame that is shown. Both count from the
# start of the navigation. `rowsBefore` are the rows that the document had before the script ran.
NOTE_ROWS = """
const rowOf = (path) =>
  [...document.querySelectorAll(".tree-row")].find((one) => one.row?.path?.startsWith(path));
window.rowsBefore = 0;
window.firstRow = new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntries().find((entry) => entry.identifier === "row");
    if (paint) resolve(paint.renderTime || paint.startTime);
  }).observe({ type: "element", buffered: true });
  new MutationObserver((_, observer) => {
    window.rowsBefore = Math.max(window.rowsBefore, document.querySelectorAll("#first .text").length);
    const row = rowOf("/bench");
    if (!row) return;
    observer.disconnect();
    for (const part of row.querySelectorAll("*")) part.setAttribute("elementtiming", "row");
  }).observe(document, { childList: true, subtree: true });
});
window.rowShown = (path) => new Promise((resolve) => {
  const look = () => {
    if (rowOf(path)) requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    else requestAnimationFrame(look);
  };
  look();
});
"""


def bar(name, value, limit, unit):
    global missed
    is_met = value <= limit
    missed = missed or not is_met
    print(f"{name:<62} {value:8.2f} {unit:<3} <= {limit:6.2f}  {'ok' if is_met else 'MISSED'}", flush=True)


def ask(method, endpoint, body=None, token=None):
    """The document that the API answers with."""
    request = urllib.request.Request(f"{url}api/v1{endpoint}", method=method, data=body and json.dumps(body).encode())
    if token:
        request.add_header("X-Zkcli-Token", token)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read() or b"{}")


def cpu_seconds():
    """The processor time of the page's process."""
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mebibytes(field):
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":")) / 1024


def browse():
    """The times in the browser."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1280,800", "--enable-precise-memory-info"]:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_ROWS})
    # The first start of everything is no one's measure.
    browser.get(url)
    paints, rows, opened, heap = [], [], [], 0
    for _ in range(runs):
        browser.execute_cdp_cmd("Network.clearBrowserCache", {})
        browser.get("about:blank")
        browser.get(url)
        first, request, paint, before = browser.execute_async_script("""
          const done = arguments[0];
          const painted = new Promise((resolve) => new PerformanceObserver((list) => {
            const paint = list.getEntriesByName("first-contentful-paint")[0];
            if (paint) resolve(paint.startTime);
          }).observe({ type: "paint", buffered: true }));
          Promise.all([window.firstRow, painted]).then(([time, paint]) =>
            done([time, performance.getEntriesByType("navigation")[0].requestStart, paint, window.rowsBefore]));""")
        if before == 0:
            sys.exit("web.py: the document had no rows of the tree: its first paint is not the tree's")
        paints.append(paint - request)
        rows.append(first - request)
    for _ in range(runs):
        browser.get("about:blank")
        browser.get(f"{url}#/bench/one")
        browser.execute_async_script("window.rowShown('/bench/one').then(arguments[0])")
        opened.append(browser.execute_async_script("""
          const done = arguments[0], start = performance.now();
          location.hash = "#/bench/many";
          window.rowShown("/bench/many/").then((time) => done(time - start));"""))
        heap = browser.execute_script("return performance.memory.usedJSHeapSize") / (1 << 20)
    browser.quit()
    bar("first paint, with the tree, after the request", statistics.median(paints), 150, "ms")
    print(f"{'(the same rows, drawn by the script)':<62} {statistics.median(rows):8.2f} ms", flush=True)
    bar(f"first rows of {count} children", statistics.median(opened), 1000, "ms")
    bar("memory of the page's script then", heap, 64, "MiB")


def stream():
    """The processor time for streams that follow one znode while it changes."""
    place = urllib.parse.urlsplit(url).netloc
    token = ask("GET", "/session")["token"]
    waiting, selector = [], selectors.DefaultSelector()
    for _ in range(STREAMS):
        connection = socket.create_connection(tuple(place.rsplit(":", 1)))
        connection.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        waiting.append(connection)
    for connection in waiting:
        text = b""
        while b'"stream":"' not in text:
            text += connection.recv(4096)
        number = text.split(b'"stream":"')[1].split(b'"')[0].decode()
        ask("POST", f"/streams/{number}", {"topics": [], "watches": {"data": ["/bench/one"]}}, token)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
    writer = subprocess.Popen([zkcli, "-s", server], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    events, written = 0, 0
    start, before = time.monotonic(), cpu_seconds()
    while (elapsed := time.monotonic() - start) < SECONDS:
        while written < elapsed * CHANGES_A_SECOND:
            writer.stdin.write(b"set /bench/one v\n")
            written += 1
        writer.stdin.flush()
        for key, _ in selector.select(0.01):
            events += key.fileobj.recv(1 << 16).count(b"event: change")
    used = cpu_seconds() - before
    writer.stdin.close()
    writer.wait()
    print(f"{STREAMS} streams got {events} events of {written} changes in {SECONDS} s")
    bar(f"{STREAMS} streams at {CHANGES_A_SECOND} changes a second: part of a core", used / SECONDS * 100, 10, "%")
    for connection in waiting:
        connection.close()
    if events < STREAMS * written / 4:
        sys.exit("the streams did not get the changes")


browse()
stream()
bar("memory of the page's process", memory_mebibytes("VmRSS"), 64, "MiB")
print(f"{'at most':<62} {memory_mebibytes('VmHWM'):8.2f} MiB")
sys.exit(1 if missed else 0)
