// The clients of all members: a table that can be sorted and filtered, of which only the rows that are seen are drawn.
// `#!/clients/0x…` is the page of one session (sessions.js).

import { debounce, h, replace, setText, stylesheet } from "../lib/dom.js";
import { ago, count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { viewHash } from "../lib/paths.js";
import { mountSession } from "./sessions.js";

const decimal = (value) => (value === null || value === undefined ? "–" : String(Math.round(value * 100) / 100));

/** The columns: key, title, how a client's value is written, and whether it is a number. */
const COLUMNS = [
  ["client", "Client", (c) => c.client, false],
  ["session", "Session", (c) => c.session ?? "–", false],
  ["server", "Server", (c) => c.server, false],
  ["requestRate", "Requests/s", (c) => decimal(c.requestRate), true],
  ["queued", "Waiting", (c) => count(c.queued), true],
  ["averageLatencyMilliseconds", "Latency, ms", (c) => decimal(c.averageLatencyMilliseconds), true],
  ["ephemerals", "Ephemerals", (c) => count(c.ephemerals), true],
  ["watches", "Watches", (c) => count(c.watches), true],
  ["lastOperation", "Last", (c) => c.lastOperation ?? "–", false],
  ["since", "Since", (c) => ago(c.since), false],
];

export async function mount(container, context) {
  await stylesheet(import.meta.url, "./clients.css");
  let name = null;
  let view = null;
  return {
    update(route) {
      const session = route.rest[0] ?? null;
      if (view && session === name) return view.update?.(route);
      view?.close();
      name = session;
      view = session ? mountSession(container, context, session) : new ClientsView(container, context);
      view.update?.(route);
    },
    unmount: () => view?.close(),
    key: (event) => view?.key?.(event) ?? false,
  };
}

class ClientsView {
  #clients = [];
  #isLoaded = false;
  #shown = [];
  #sort = { key: "requestRate", isDescending: true };
  #rows = [];
  #ends = [];
  #first = 0;

  constructor(container, context) {
    this.context = context;
    this.filter = h("input", {
      type: "search", placeholder: "Filter", "aria-label": "Filter clients",
      on: { input: debounce(() => this.#arrange(), 80) },
    });
    this.summary = h("span", { class: "muted", role: "status" });
    this.notes = h("div");
    this.heads = COLUMNS.map(([key, title, , isNumber]) => h("div",
      { role: "columnheader", class: isNumber ? "number" : "", dataset: { key } },
      h("button", { type: "button", class: "sort", on: { click: () => this.#sortBy(key, isNumber) } }, title,
        icon("down"))));
    this.space = h("div", { class: "rows", role: "presentation" });
    this.grid = h("div", { class: "card grid", role: "table", "aria-label": "Clients", tabindex: "0",
      on: { scroll: () => this.#drawRows() } },
      h("div", { role: "row", class: "grid-row head", "aria-rowindex": "1" }, this.heads), this.space);
    replace(container, h("div", { class: "page clients" },
      h("header", null, h("h1", null, "Clients"), this.filter, this.summary), this.notes, this.grid));
    this.observer = new ResizeObserver(() => this.#drawRows());
    this.observer.observe(this.grid);
    this.#ends.push(context.live.topic("clients", (report) => this.#receive(report)),
      context.live.on("resync", () => this.#load()));
    this.#drawHeads();
    this.#load();
  }

  close() {
    this.observer.disconnect();
    for (const end of this.#ends) end();
  }

  key(event) {
    if (event.key !== "/") return false;
    this.filter.focus();
    return true;
  }

  async #load() {
    try {
      this.#receive(await this.context.api.get("/clients"));
    } catch (error) {
      if (!error.isAway) this.context.status.showError(error, "The clients");
    }
  }

  #receive(report) {
    this.#clients = report.clients;
    this.#isLoaded = true;
    const key = JSON.stringify(report.notes);
    if (key !== this.notes.dataset.key) {
      this.notes.dataset.key = key;
      replace(this.notes, report.notes.map((note) => this.context.status.notice(report.complete ? "info" : "warning",
        note)));
    }
    this.#arrange();
  }

  #sortBy(key, isNumber) {
    this.#sort = { key, isDescending: this.#sort.key === key ? !this.#sort.isDescending : isNumber };
    this.#drawHeads();
    this.#arrange();
  }

  #drawHeads() {
    for (const head of this.heads) {
      const isSorted = head.dataset.key === this.#sort.key;
      head.setAttribute("aria-sort", !isSorted ? "none" : this.#sort.isDescending ? "descending" : "ascending");
    }
  }

  #arrange() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { key, isDescending } = this.#sort;
    const sign = isDescending ? -1 : 1;
    this.#shown = this.#clients.filter((one) => {
      const text = `${one.client} ${one.session ?? ""} ${one.server} ${one.lastOperation ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    // What is unknown comes last, in both directions.
    this.#shown.sort((a, b) => (a[key] === b[key] ? (a.client < b.client ? -1 : 1)
      : a[key] === null ? 1 : b[key] === null ? -1 : a[key] < b[key] ? -sign : sign));
    const total = this.#clients.length;
    setText(this.summary,
      words.length > 0 ? `${count(this.#shown.length)} of ${plural(total, "client")}` : plural(total, "client"));
    this.grid.setAttribute("aria-rowcount", String(this.#shown.length + 1));
    this.#drawRows();
  }

  /** Draws the rows that are seen, and some around them. */
  #drawRows() {
    const pixels = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = pixels * parseFloat(getComputedStyle(this.space).getPropertyValue("--row-height"));
    this.space.style.height = `${this.#shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.grid.scrollTop / height) - 8);
    const wanted = Math.min(this.#shown.length - first, Math.ceil(this.grid.clientHeight / height) + 16);
    while (this.#rows.length > Math.max(0, wanted)) this.#rows.pop().element.remove();
    while (this.#rows.length < wanted) {
      const row = newRow();
      this.#rows.push(row);
      this.space.append(row.element);
    }
    this.#rows.forEach((row, index) => {
      const one = this.#shown[first + index];
      row.element.style.transform = `translateY(${(first + index) * height}px)`;
      row.element.setAttribute("aria-rowindex", String(first + index + 2));
      COLUMNS.forEach(([key, , write], column) => {
        setText(key === "session" ? row.link : row.cells[column], write(one));
      });
      if (one.session) row.link.href = viewHash(`clients/${one.session}`);
      else row.link.removeAttribute("href");
    });
    if (this.#shown.length > 0) delete this.space.dataset.empty;
    else if (this.#isLoaded) {
      this.space.dataset.empty = this.#clients.length === 0 ? "There are no clients." : "No client matches.";
    }
  }
}

function newRow() {
  const link = h("a");
  const cells = COLUMNS.map(([key, , , isNumber]) => h("div",
    { role: "cell", class: isNumber ? "number" : key === "since" ? "" : "mono" }, key === "session" && link));
  return { link, cells, element: h("div", { role: "row", class: "grid-row" }, cells) };
}
