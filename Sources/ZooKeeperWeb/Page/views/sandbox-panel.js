// What can be done to a sandbox: to the server or the link that is selected, to its network, and the client that writes.

import { h, placeOf, replace, setText, uniqueID } from "../lib/dom.js";
import { count, duration } from "../lib/format.js";
import { linkFault, roleWord } from "./sandbox-stage.js";

const LARGEST_DELAY = 60_000;
const TEN_YEARS = 315_360_000_000;

function number(label, unit, value, attributes = {}) {
  const input = h("input", { type: "number", id: uniqueID("number"), value: String(value), min: "0", step: "1",
    ...attributes });
  return { input, element: h("div", { class: "field" }, h("label", { for: input.id }, `${label}, ${unit}`), input) };
}

/** Reads a number. Where the text is not a number, or is out of bounds, marks the control and returns null. */
function read({ input }) {
  const isValid = input.value !== "" && input.checkValidity();
  input.setAttribute("aria-invalid", String(!isValid));
  if (!isValid) input.focus();
  return isValid ? Number(input.value) : null;
}

const button = (label, run, kind = "") => h("button", { type: "button", class: kind, on: { click: run } }, label);

/**
 * The panel. `post(word, body)` does something and shows the answer; `select` selects a server, a link or nothing.
 * `refusal()` says why nothing may be done, or null.
 */
export class Panel {
  #selected = null;
  #key = "";

  constructor(size, { post, select, refusal }) {
    Object.assign(this, { size, post, select, refusal });
    this.ids = Array.from({ length: size }, (_, place) => place + 1);
    this.inspector = h("section", { class: "card inspector", "aria-label": "What is selected" });
    this.element = h("div", { class: "panel" }, this.inspector, this.#writerCard(), this.#networkCard());
  }

  show(selected) {
    this.#selected = selected;
    this.#key = "";
  }

  draw(status, state) {
    if (!status) return;
    const selected = this.#selected;
    // Zxids and counts change all the time, and are not on the cards.
    const key = JSON.stringify([selected, status.members.map((one) => [
      one.state, one.cutOffFrom, one.links, one.diskDelayMilliseconds, one.clockOffsetMilliseconds,
    ])]);
    // Fields that are being edited stay.
    if (key !== this.#key && !(this.#key !== "" && this.inspector.contains(document.activeElement)
      && document.activeElement.matches("input"))) {
      const focused = this.inspector.contains(document.activeElement) ? placeOf(document.activeElement) : null;
      this.#key = key;
      if (selected?.server) this.#serverCard(status, selected.server);
      else if (selected?.link) this.#linkCard(status, ...selected.link);
      else this.#emptyCard();
      if (focused) (focused() ?? this.inspector.querySelector("button"))?.focus();
    }
    if (selected?.server) this.#facts(state.servers[selected.server - 1]);
    this.#drawWriter(status.writer);
  }

  #head(title, badge = null) {
    return h("div", { class: "card-head" }, h("h2", null, title), badge, h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet small", "aria-label": "Select nothing",
        on: { click: () => this.select(null) } }, "✕"));
  }

  #emptyCard() {
    replace(this.inspector, h("div", { class: "card-head" }, h("h2", null, "Servers")), h("div", { class: "card-body" },
      h("p", { class: "muted" }, "Choose a server, or the line between two, to stop it or make it slow."),
      h("div", { class: "row" },
        this.ids.map((id) => button(`Server ${id}`, () => this.select({ server: id }), "small")))));
  }

  #serverCard(status, id) {
    const member = status.members.find((one) => one.id === id);
    this.badge = h("span", { class: "badge" });
    this.factList = h("dl", { class: "facts" });
    const disk = number("Slow disk", "ms", member.diskDelayMilliseconds, { max: LARGEST_DELAY });
    const clock = number("Clock ahead", "ms", member.clockOffsetMilliseconds, { min: -TEN_YEARS, max: TEN_YEARS });
    const others = this.ids.filter((other) => other !== id);
    const act = (word) => () => this.post(word, { server: id });
    replace(this.inspector, this.#head(`Server ${id}`, this.badge), h("div", { class: "card-body" },
      h("h3", null, "At the shown moment"), this.factList,
      h("h3", null, "Now"), h("div", { class: "row" },
        member.state === "killed" ? button("Restart", act("restart"), "primary")
          : button("Kill", act("kill"), "danger"),
        member.state === "paused" ? button("Resume", act("resume"), "primary")
          : member.state === "running" && button("Pause", act("pause")),
        this.size > 1 && (member.cutOffFrom.length === others.length ? button("Heal", () => this.post("heal"))
          : button("Cut off", () => this.post("partition", { groups: [[id], others] })))),
      this.#form("Set", [disk, clock], async ([diskDelay, clockOffset]) => {
        if (diskDelay !== member.diskDelayMilliseconds) {
          await this.post("slow-disk", { server: id, milliseconds: diskDelay });
        }
        if (clockOffset !== member.clockOffsetMilliseconds) {
          await this.post("clock", { server: id, milliseconds: clockOffset });
        }
      }),
      others.length > 0 && h("h3", null, "Links"),
      h("ul", { class: "links" }, others.map((other) => {
        const fault = linkFault(status, id, other);
        return h("li", null, button(`to ${other}`, () => this.select({ link: [Math.min(id, other), Math.max(id, other)] }), "small"),
          h("span", { class: fault.isCut || fault.text ? "bad" : "muted" },
            fault.isCut ? "cut" : fault.text || "no fault"));
      }))));
  }

  #facts(server) {
    const role = roleWord(server);
    const facts = {
      phase: server.phase ?? "–", epoch: server.epoch ?? "–", "last zxid": server.zxid ?? "–",
      committed: server.committed ?? "–",
      ...(server.vote ? { vote: `${server.vote.leader ?? "none"}, round ${server.vote.round ?? "–"}` }
        : { leader: server.leader === server.id ? "itself" : server.leader ?? "–" }),
    };
    setText(this.badge, role);
    this.badge.className = `badge ${{ leader: "accent", killed: "danger", paused: "warn", looking: "violet" }[role] ?? ""}`;
    if (this.factList.children.length === 0 || this.factList.dataset.keys !== Object.keys(facts).join()) {
      this.factList.dataset.keys = Object.keys(facts).join();
      replace(this.factList, Object.keys(facts).map((name) => [h("dt", null, name), h("dd", { class: "mono" })]));
    }
    const values = this.factList.querySelectorAll("dd");
    Object.values(facts).forEach((value, index) => setText(values[index], String(value)));
  }

  #linkCard(status, a, b) {
    const fault = linkFault(status, a, b);
    const delay = number("Delay", "ms", fault.delay, { max: LARGEST_DELAY });
    const jitter = number("Jitter", "ms", fault.jitter, { max: LARGEST_DELAY });
    const drop = number("Loss", "%", fault.drop, { max: 100, step: "any" });
    replace(this.inspector,
      this.#head(`Between ${a} and ${b}`, fault.isCut && h("span", { class: "badge danger" }, "cut")),
      h("div", { class: "card-body" },
        h("p", { class: "muted" }, "In both directions. A message that is lost breaks the connection, as TCP would."),
        this.#form("Set", [delay, jitter, drop], async ([milliseconds, jitterMilliseconds, percent]) => {
          await this.post("delay", { from: a, to: b, milliseconds, jitterMilliseconds });
          if (percent !== fault.drop) await this.post("drop", { from: a, to: b, percent });
        }),
        h("div", { class: "row" },
          [a, b].map((id) => button(`Server ${id}`, () => this.select({ server: id }), "small")))));
  }

  #form(label, fields, run) {
    return h("form", {
      class: "numbers", novalidate: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          const values = fields.map(read);
          if (!values.includes(null)) run(values);
        },
      },
    }, fields.map((field) => field.element), h("button", { type: "submit" }, label));
  }

  // The client that writes.

  #writerCard() {
    this.rate = number("Writes", "a second", 5, { min: "1", max: "100" });
    this.writing = button("Start writing", () => {
      const perSecond = read(this.rate);
      if (perSecond !== null) this.post("writer", { enabled: this.writing.dataset.on !== "true", perSecond });
    }, "primary");
    this.rate.input.addEventListener("change", () => {
      const perSecond = read(this.rate);
      if (perSecond !== null && this.writing.dataset.on === "true") this.post("writer", { enabled: true, perSecond });
    });
    this.written = h("dl", { class: "facts" },
      ["acknowledged", "failed", "longest gap"].map((name) => [h("dt", null, name), h("dd")]));
    return h("section", { class: "card", "aria-label": "A client that writes" },
      h("div", { class: "card-head" }, h("h2", null, "A client that writes")),
      h("div", { class: "card-body" }, h("div", { class: "numbers" }, this.rate.element, this.writing), this.written));
  }

  #drawWriter(writer) {
    setText(this.writing, writer.enabled ? "Stop writing" : "Start writing");
    this.writing.className = writer.enabled ? "" : "primary";
    this.writing.dataset.on = String(writer.enabled);
    if (writer.enabled && document.activeElement !== this.rate.input) this.rate.input.value = String(writer.perSecond);
    const values = this.written.querySelectorAll("dd");
    setText(values[0], count(writer.acknowledged));
    setText(values[1], count(writer.failed));
    setText(values[2], duration(writer.longestGapMilliseconds));
  }

  // The network.

  #networkCard() {
    if (this.size < 2) return null;
    const names = ["A", "B", "C"].slice(0, Math.min(3, this.size));
    // What is offered at first cuts off a minority.
    const usual = (id) => (id <= Math.floor((this.size - 1) / 2) ? "B" : "A");
    this.groups = this.ids.map((id) => {
      const name = uniqueID("group");
      return {
        id, element: h("div", { class: "group-row", role: "radiogroup", "aria-label": `Group of server ${id}` },
          h("span", null, `Server ${id}`), names.map((group) => h("label", null,
            h("input", { type: "radio", name, value: group, checked: group === usual(id) }), group))),
      };
    });
    return h("section", { class: "card", "aria-label": "Network" },
      h("div", { class: "card-head" }, h("h2", null, "Network"),
      h("span", { class: "grow" }), button("Heal", () => this.post("heal"), "small")),
    h("div", { class: "card-body" }, h("p", { class: "muted" }, "Servers reach only those of their own group."),
      this.groups.map((group) => group.element), button("Partition", () => this.#partition())));
  }

  #partition() {
    const groups = {};
    for (const { id, element } of this.groups) (groups[element.querySelector("input:checked").value] ??= []).push(id);
    this.post("partition", { groups: Object.values(groups) });
  }
}
