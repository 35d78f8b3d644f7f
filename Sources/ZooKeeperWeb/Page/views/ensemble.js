// The ensemble: its members with small plots that move, what `health` finds, and the configuration.

import { h, replace, setText, stylesheet } from "../lib/dom.js";
import { count, duration, plural, size, zxidWords } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { sparkline } from "../lib/plots.js";

/** Health asks every server several questions: not each second. */
const HEALTH_MILLISECONDS = 10_000;

const milliseconds = (value) => `${Math.round(value * 100) / 100} ms`;
const rate = (value) => `${Math.round(value * 10) / 10}/s`;
const offset = (value) => `${value < 0 ? "−" : "+"}${duration(Math.abs(value))}`;
const dash = (value, write = count) => (value === null || value === undefined ? "–" : write(value));

/** The columns of figures: title, what is shown of a member, the smaller text under it, and what it means. */
const COLUMNS = [
  ["Sessions", (m) => dash(m.sessions), (m) => m.connections !== null && plural(m.connections, "connection"),
    "Sessions of clients, as this member counts them"],
  ["Watches", (m) => dash(m.watches), () => "", "Watches that this member keeps"],
  ["Znodes", (m) => dash(m.znodes), (m) => m.dataBytes !== null && size(m.dataBytes),
    "Znodes in the tree, and its approximate size"],
  ["Waiting", (m) => dash(m.outstanding), () => "", "Requests that wait (outstanding)"],
  ["Descriptors", (m) => dash(m.openDescriptors), (m) => m.maximumDescriptors !== null
    && `of ${count(m.maximumDescriptors)}`, "Open file descriptors, of how many at most"],
  ["Uptime", (m) => dash(m.uptimeMilliseconds, duration), (m) => m.version,
    "Time since it was started, and its version"],
  ["Clock", (m) => dash(m.clockOffsetMilliseconds, offset), () => "", "How far its clock is ahead of this machine's"],
];

const STATES = { serving: "ok", notServing: "warn", unreachable: "danger" };
const STATE_WORDS = { serving: "serving", notServing: "not serving", unreachable: "unreachable" };

export async function mount(container, context) {
  await stylesheet(import.meta.url, "./ensemble.css");
  const view = new EnsembleView(container, context);
  return { update() {}, unmount: () => view.close() };
}

class EnsembleView {
  #rows = new Map();
  #ends = [];
  #zxids = new Map();

  constructor(container, context) {
    this.context = context;
    this.verdict = h("span", { class: "badge" });
    this.facts = h("dl", { class: "tiles" });
    this.body = h("tbody");
    this.findings = h("section", { class: "card" });
    this.configuration = h("section", { class: "card", hidden: true });
    replace(container, h("div", { class: "page ensemble" },
      h("header", null, h("h1", null, "Ensemble"), this.verdict), this.facts,
      h("section", { class: "card" }, h("div", { class: "table-scroll", tabindex: "0", role: "region",
        "aria-label": "Members" },
        h("table", { class: "members" }, h("thead", null, h("tr", null,
          ["Member", "Zxid", "Requests a second", "Latency"].map((title) => h("th", { scope: "col" }, title)),
          COLUMNS.map(([title, , , meaning]) => h("th", { scope: "col", class: "number", title: meaning }, title)))),
            this.body))),
      this.findings, this.configuration));
    const { live } = context;
    this.#ends.push(live.topic("ensemble", (report) => this.#draw(report)), live.on("resync", () => this.#load()));
    this.#load();
    this.timer = setInterval(() => { if (!document.hidden) this.#loadHealth(); }, HEALTH_MILLISECONDS);
  }

  close() {
    clearInterval(this.timer);
    for (const end of this.#ends) end();
  }

  async #load() {
    this.#loadHealth();
    this.#loadConfiguration();
    try {
      this.#draw(await this.context.api.get("/ensemble"));
    } catch (error) {
      if (!error.isAway) this.context.status.showError(error, "The ensemble");
    }
  }

  #draw(report) {
    if (report.cluster && this.cluster && report.cluster !== this.cluster) return;
    this.cluster = report.cluster;
    const serving = report.members.filter((member) => member.state === "serving").length;
    const left = report.failuresLeft;
    const tiles = {
      Quorum: [report.hasQuorum ? "yes" : "no", report.hasQuorum ? "ok" : "danger"],
      Serving: [`${serving} of ${report.members.length}`, serving === report.members.length ? "" : "warn"],
      "Failures to spare": [dash(left), left === 0 && report.members.length > 1 ? "warn" : ""],
      Leader: [report.members.find((member) => ["leader", "standalone"].includes(member.role))?.address ?? "–", ""],
      "Newest zxid": [report.newestZxid ?? "–", "", report.newestZxid ? zxidWords(report.newestZxid) : ""],
    };
    replace(this.facts, Object.entries(tiles).map(([name, [value, kind, title]]) =>
      h("div", null, h("dt", null, name), h("dd", { class: kind, title }, value))));
    if (report.verdict) this.#drawVerdict(report.verdict);
    const states = report.members.map((member) => `${member.state}${member.role}`).join();
    if (this.states && states !== this.states) this.#loadHealth();
    this.states = states;
    const addresses = new Set(report.members.map((member) => member.address));
    for (const [address, row] of this.#rows) {
      if (addresses.has(address)) continue;
      row.element.remove();
      this.#rows.delete(address);
    }
    for (const member of report.members) {
      if (!this.#rows.has(member.address)) {
        const row = newRow(member);
        this.#rows.set(member.address, row);
        this.body.append(row.element);
      }
      this.#drawMember(this.#rows.get(member.address), member, new Date(report.time).getTime());
    }
  }

  #drawMember(row, member, time) {
    setText(row.role, member.state === "serving" ? member.role ?? "unknown role" : STATE_WORDS[member.state]);
    row.role.className = `badge ${member.role === "leader" ? "accent" : member.state === "serving" ? "" : STATES[member.state]}`;
    row.element.className = member.state;
    setText(row.reason, member.reason ?? (member.id !== null ? `server.${member.id}` : ""));
    setText(row.zxid, member.zxid ?? "–");
    row.zxid.title = member.zxid ? zxidWords(member.zxid) : "";
    setText(row.lag, member.lag > 0 ? `${plural(member.lag, "transaction")} behind` : member.zxid ? "up to date" : "");
    row.lag.className = member.lag > 0 ? "sub warn" : "sub muted";
    row.progress.push(this.#progress(member, time));
    row.requests.push(member.receivedRate);
    setText(row.requestText, dash(member.receivedRate, rate));
    setText(row.sentText, dash(member.sentRate, (value) => `${rate(value)} sent`));
    row.latency.push(member.latency?.avg ?? null);
    setText(row.latencyText, dash(member.latency?.avg, milliseconds));
    setText(row.latencyMost, member.latency ? `at most ${milliseconds(member.latency.max)}` : "");
    COLUMNS.forEach(([, write, writeMore], index) => {
      setText(row.cells[index][0], write(member));
      setText(row.cells[index][1], writeMore(member) || "");
    });
  }

  /** Transactions a second, between this report and the last. */
  #progress(member, time) {
    const last = this.#zxids.get(member.address);
    if (member.zxid === null) return null;
    const zxid = BigInt(member.zxid);
    this.#zxids.set(member.address, { zxid, time });
    if (!last || time <= last.time || zxid >> 32n !== last.zxid >> 32n) return last ? 0 : null;
    return (Number(zxid - last.zxid) * 1000) / (time - last.time);
  }

  #drawVerdict(verdict) {
    setText(this.verdict, verdict);
    this.verdict.className = `badge ${{ healthy: "ok", degraded: "warn", down: "danger" }[verdict] ?? ""}`;
  }

  async #loadHealth() {
    let health;
    try {
      health = await this.context.api.get("/health");
    } catch (error) {
      if (error.isAway) return;
      replace(this.findings, h("div", { class: "card-body" }, this.context.status.notice("error", error.message)));
      return;
    }
    this.#drawVerdict(health.verdict);
    const order = ["fault", "warning", "note"];
    const findings = [...health.findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
    const key = JSON.stringify([health.summary, findings]);
    if (key === this.findings.dataset.key) return;
    this.findings.dataset.key = key;
    replace(this.findings, h("div", { class: "card-head" }, h("h2", null, "Health"),
      h("span", { class: "muted" }, health.summary)),
      findings.length === 0 ? h("p", { class: "card-body muted" }, "Nothing is wrong.")
        : h("ul", { class: "findings" }, findings.map((finding) => h("li", { class: finding.severity },
          h("span", { class: `badge ${{ fault: "danger", warning: "warn" }[finding.severity] ?? ""}` }, finding.severity),
          h("div", null, finding.server && h("strong", null, `${finding.server}: `), finding.message,
            finding.hint && h("div", { class: "muted" }, finding.hint))))));
  }

  async #loadConfiguration() {
    let configuration;
    try {
      configuration = await this.context.api.get("/configuration");
    } catch {
      this.configuration.hidden = true;
      return;
    }
    const { copyText } = this.context.status;
    this.configuration.hidden = false;
    replace(this.configuration,
      h("div", { class: "card-head" }, h("h2", null, "Configuration"),
        configuration.version && h("span", { class: "muted" }, `version ${configuration.version}`),
        h("span", { class: "grow" }),
        h("button", { type: "button", class: "small", on: { click: () => copyText(configuration.connectString,
          "Connect string") } },
          icon("copy"), "Connect string")),
      h("pre", { class: "card-body configuration", tabindex: "0", "aria-label": "Configuration" }, configuration.text));
  }
}

/** A member's row; its plots keep what they have seen. */
function newRow(member) {
  const row = {
    role: h("span", { class: "badge" }), reason: h("div", { class: "sub muted" }), zxid: h("div", { class: "mono" }),
    lag: h("div"),
    requestText: h("span"), sentText: h("div", { class: "sub muted" }), latencyText: h("span"),
    latencyMost: h("div", { class: "sub muted" }),
    progress: sparkline(`${member.address}: transactions a second`, { format: rate }),
    requests: sparkline(`${member.address}: requests a second`, { format: rate }),
    latency: sparkline(`${member.address}: latency`, { format: milliseconds }),
    cells: COLUMNS.map(() => [h("div"), h("div", { class: "sub muted" })]),
  };
  const plotted = (plot, text, sub) => h("td", null, h("div", { class: "plotted" }, plot.element,
    h("div", null, text, sub)));
  row.element = h("tr", null,
    h("th", { scope: "row" }, h("div", { class: "member" }, h("span", { class: "mono" }, member.address), row.role),
      row.reason),
    plotted(row.progress, row.zxid, row.lag), plotted(row.requests, row.requestText, row.sentText),
    plotted(row.latency, row.latencyText, row.latencyMost),
    row.cells.map((cell) => h("td", { class: "number" }, cell)));
  return row;
}
