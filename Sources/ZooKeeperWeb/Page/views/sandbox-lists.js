// What a sandbox's picture says, as text: the phases, the transactions at each server, the events, and the logs.

import { h, replace, setText } from "../lib/dom.js";
import { clockTime } from "../lib/format.js";
import { ensemblePhase, PHASES } from "./sandbox-state.js";
import { mark } from "./sandbox-stage.js";
import { details, groupOf, meaning, PHASE_TEXTS, route } from "./sandbox-words.js";

const EVENT_ROWS = 40;
const TRANSACTION_ROWS = 8;
const LOG_LINES = 300;

/** The four phases, with the servers that are in each, and a sentence about that of the ensemble. */
export class Phases {
  constructor() {
    this.steps = PHASES.map((phase) => ({ phase, servers: h("span", { class: "chips" }) }));
    this.text = h("p", { class: "phase-text" });
    this.element = h("section", { class: "card phases", "aria-label": "Phases" },
      h("ol", null, this.steps.map((step) => (step.element = h("li", null,
        h("strong", null, `${PHASE_TEXTS[step.phase].number} · ${PHASE_TEXTS[step.phase].title}`), step.servers)))), this.text);
  }

  draw(state) {
    const current = ensemblePhase(state);
    for (const { phase, servers, element } of this.steps) {
      if (phase === current) element.setAttribute("aria-current", "step");
      else element.removeAttribute("aria-current");
      const those = state.servers.filter((server) => server.phase === phase && server.life !== "killed");
      const key = those.map((server) => `${server.id}${server.role}`).join();
      if (servers.dataset.key === key) continue;
      servers.dataset.key = key;
      replace(servers, those.map((server) => h("span",
        { class: `chip ${server.role}` }, h("span", { class: "unseen" }, " server "), server.id)));
    }
    if (this.text.dataset.phase === String(current)) return;
    this.text.dataset.phase = String(current);
    const words = PHASE_TEXTS[current];
    replace(this.text, words ? [words.text, " ", h("cite", null, words.paper)] : state.servers.length === 1
      ? "A single server agrees with itself: zkcli --local 3 web starts an ensemble."
      : "No server is known to run.");
  }
}

const STEPS = {
  proposed: ["→", "is on its way"], logged: ["◐", "has it"], acknowledged: ["●", "has it on disk, as the leader knows"],
  committed: ["✔", "has it committed"],
};

/** The last transactions, the newest first, and what became of each at each server. */
export class Transactions {
  constructor(count) {
    this.ids = Array.from({ length: count }, (_, place) => place + 1);
    this.body = h("tbody");
    this.element = h("section", { class: "card transactions" },
      h("div", { class: "card-head" }, h("h2", null, "Transactions"),
        h("span", { class: "muted" },
          Object.values(STEPS).map(([sign, words]) => `${sign} ${words.split(",")[0]}`).join("  "))),
      h("div", { class: "table-scroll" }, h("table", null,
        h("thead", null, h("tr", null, h("th", { scope: "col" }, "zxid"), h("th", { scope: "col" }, "change"),
          this.ids.map((id) => h("th", { scope: "col", class: "step" }, h("span", { class: "unseen" }, "server "),
            id)))), this.body)));
  }

  draw(state) {
    const rows = state.transactions.slice(-TRANSACTION_ROWS).reverse();
    const key = JSON.stringify(rows);
    if (key === this.key) return;
    this.key = key;
    replace(this.body, rows.map((one) => h("tr", null,
      h("th", { scope: "row", class: "mono" }, one.zxid), h("td", { class: "mono change", title: one.detail ?? "" },
        one.detail ?? ""),
      this.ids.map((id) => {
        const [sign, words] = STEPS[one.steps[id]] ?? ["·", "does not have it"];
        return h("td", { class: `step ${one.steps[id] ?? ""}`, title: `Server ${id} ${words}` },
          h("span", { "aria-hidden": "true" }, sign), h("span", { class: "unseen" }, words));
      }))));
    if (rows.length === 0) {
      replace(this.body, h("tr", null, h("td", { colspan: 2 + this.ids.length, class: "muted" },
        "None has been seen yet. The client beside the picture makes some.")));
    }
  }
}

/** The events before the shown moment, the newest first. A click on one shows its moment. */
export class Events {
  constructor(recording, hidden, onSeek) {
    Object.assign(this, { recording, hidden, onSeek });
    this.list = h("ol", { class: "events", tabindex: "0",
      "aria-label": "Events before the shown moment, the newest first" });
    this.element = h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", null, "Events"),
      h("span", { class: "muted" }, "up to the shown moment")), this.list);
  }

  draw(index) {
    const events = [];
    for (let place = index - 1; place >= this.recording.first && place > index - 3000
      && events.length < EVENT_ROWS; place -= 1) {
      const event = this.recording.at(place);
      if (!this.hidden.has(groupOf(event.kind))) events.push(event);
    }
    const key = `${events[0]?.index}-${events.length}-${events.at(-1)?.index}`;
    if (key === this.key) return;
    this.key = key;
    const hadFocus = this.list.contains(document.activeElement) && document.activeElement !== this.list;
    replace(this.list, events.map((event) => {
      const group = groupOf(event.kind);
      return h("li", null, h("button", {
        type: "button", class: "quiet", title: meaning(event).text, on: { click: () => this.onSeek(event.index) },
      }, h("span", { class: "time" }, `${(event.time / 1000).toFixed(4)}`), h("span", { class: "route" }, route(event)),
      group ? mark(group) : h("span", { class: "mark" }), h("strong", null, event.kind),
        h("span", { class: "details" }, details(event))));
    }));
    if (hadFocus) this.list.querySelector("button")?.focus();
  }
}

/** The lines of the servers' logs, the newest first. */
export class Logs {
  #lines = [];
  #isStale = true;

  constructor(count) {
    this.server = null;
    this.list = h("ol", { class: "log", tabindex: "0", "aria-label": "Lines of the log, the newest first" });
    this.buttons = [null, ...Array.from({ length: count }, (_, place) => place + 1)].map((server) => h("button", {
      type: "button", "aria-pressed": String(server === null), dataset: { server: server ?? "" },
      on: { click: () => this.choose(server) },
    }, server === null ? "All" : server));
    this.element = h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", null, "Log"),
      h("div", { class: "segments", role: "group", "aria-label": "Of which server" }, this.buttons)), this.list);
  }

  choose(server) {
    this.server = server;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.server === String(server ?? "")));
    }
    this.#isStale = true;
    this.draw();
  }

  /** Adds lines that have come at a moment of the trace. */
  add(lines, moment) {
    this.#lines.push(...lines.map((line) => ({ ...line, moment })));
    if (this.#lines.length > 2 * LOG_LINES) this.#lines.splice(0, this.#lines.length - LOG_LINES);
    this.#isStale = true;
  }

  /** Shows what was logged before a moment. */
  draw(moment = this.moment ?? Infinity) {
    const shown = this.#lines.filter((line) => (this.server === null || line.server === this.server)
      && line.moment <= moment);
    this.moment = moment;
    if (!this.#isStale && shown.length === this.count) return;
    this.#isStale = false;
    this.count = shown.length;
    replace(this.list, shown.slice(-LOG_LINES).reverse().map((line) => h("li", { class: line.level },
      h("span", { class: "time" }, clockTime(line.time)), h("span", { class: "route" }, line.server),
      h("span", { class: "level" }, line.level), h("span", null, line.message, " ",
        h("span", { class: "muted" },
          Object.entries(line.fields ?? {}).map(([name, value]) => `${name}=${value}`).join(" "))))));
    if (shown.length === 0) replace(this.list, h("li", { class: "muted" },
      "Nothing was logged while this page was open."));
  }
}

/** The sentence about the event at which the playback stands, or that has come last. */
export class Narration {
  constructor() {
    this.text = h("span");
    this.paper = h("cite");
    this.element = h("p", { class: "narration" }, this.text, " ", this.paper);
  }

  draw(event) {
    const words = event ? meaning(event) : { text: "Nothing has happened yet.", paper: null };
    setText(this.text, event ? `${words.text}` : words.text);
    setText(this.paper, words.paper ? `Zab paper, ${words.paper}` : "");
  }
}
