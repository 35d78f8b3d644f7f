// The picture of a sandbox: its servers as a ring, and the messages between them at the shown moment.

import { h, s, setText } from "../lib/dom.js";
import { GROUPS, groupOf } from "./sandbox-words.js";

/** How long a line that a message has passed glows, on the screen. */
const GLOW_MILLISECONDS = 450;
/** How long a lost message is seen, on the screen. */
export const LOSS_MILLISECONDS = 900;
/** The most messages that are drawn on their way at once. */
const MESSAGE_LIMIT = 240;
/** Messages are named as long as they are this few. */
const LABEL_LIMIT = 12;

const SHAPES = {
  diamond: "M0-7 7 0 0 7-7 0Z", triangle: "M0-7 7 6H-7Z", hexagon: "M-3.500-6h7L7 0 3.500 6h-7L-7 0Z",
  bar: "M-8-3H8V3H-8Z",
  square: "M-6-6H6V6H-6Z",
  ring: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M-2.500 0a2.500 2.500 0 1 1 5 0a2.500 2.500 0 1 1-5 0",
  disc: "M-6.500 0a6.500 6.500 0 1 0 13 0a6.500 6.500 0 1 0-13 0", dot: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
};
/** How far from the middle of a link each group has its lane; the commonest is nearest. */
const LANES = { ping: 4, vote: 4, request: 6, epoch: 6, proposal: 8, ack: 10, sync: 10, commit: 12 };

/** The mark of a group of messages, for the legend. */
export function mark(group) {
  return s("svg", { class: `mark ${group}`, viewBox: "-9 -9 18 18", "aria-hidden": "true" },
    s("path", { d: SHAPES[GROUPS[group].shape] }));
}

const ROLE_WORDS = { looking: "looking", following: "follower", observing: "observer", leading: "leader", standalone: "standalone" };

/** What a server is, in a word. */
export function roleWord(server) {
  if (server.life !== "running") return server.life;
  if (server.role === "leading" && server.phase !== "broadcast") return "prospective";
  return ROLE_WORDS[server.role] ?? "starting";
}

/** The ring. `onSelect` is called with {server} or {link: [a, b]}. */
export class Stage {
  #nodes = [];
  #links = new Map();
  #glows = new Map();
  #pools = new Map();
  #used = new Map();
  #size = { width: 640, height: 460 };
  #layers = Object.fromEntries(["links", "glows", "nodes", "messages"].map((name) => [name, s("g", { class: name })]));

  constructor(count, onSelect) {
    this.count = count;
    this.onSelect = onSelect;
    this.isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.svg = s("svg", { class: "ring", role: "group", "aria-label": "The servers, as a ring" },
      this.#layers.links, this.#layers.glows, this.#layers.messages, this.#layers.nodes);
    this.element = h("div", { class: "stage" }, this.svg);
    for (let a = 1; a <= count; a += 1) {
      for (let b = a + 1; b <= count; b += 1) this.#addLink(a, b);
      this.#addNode(a);
    }
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
  }

  /** Lights the line that a message has passed. */
  glow(event, wall) {
    const group = groupOf(event.kind);
    if (event.direction !== "received" || !group || !event.peer) return;
    const key = `${event.peer}>${event.server}>${group}`;
    if (!this.#glows.has(key)) {
      const line = s("line", { class: `glow ${group}` });
      this.#layers.glows.append(line);
      this.#glows.set(key, { line, from: event.peer, to: event.server, group });
      this.#placeGlow(this.#glows.get(key));
    }
    this.#glows.get(key).wall = wall;
  }

  clearGlows() {
    for (const glow of this.#glows.values()) glow.wall = 0;
  }

  /**
   * Draws a moment: `{state, status, messages, time, wall, lossTime, delay, isSlow, hidden, selected, current}`. `status`
   * has the faults by server, `hidden` the groups that are not shown, `current` the event at which the playback stands;
   * `isSlow` says that there is time to read names.
   */
  draw(moment) {
    for (const server of moment.state.servers) this.#drawNode(server, moment);
    for (const [key, link] of this.#links) this.#drawLink(key, link, moment);
    this.#drawGlows(moment);
    this.#drawMessages(moment);
  }

  /** Whether something is still to fade. */
  isFading(wall) {
    return [...this.#glows.values()].some((glow) => glow.wall > wall - GLOW_MILLISECONDS);
  }

  // Nodes.

  #addNode(id) {
    const part = {
      ring: s("circle", { class: "node-ring" }), id: s("text", { class: "node-id" }, id),
      role: s("text", { class: "node-role" }), zxid: s("text", { class: "node-zxid" }),
      vote: s("text", { class: "node-vote" }), focus: s("circle", { class: "node-focus" }),
    };
    const group = s("g", {
      class: "node", role: "button", tabindex: id === 1 ? "0" : "-1", "aria-pressed": "false",
      on: {
        click: () => this.onSelect({ server: id }),
        keydown: (event) => this.#press(event, id),
      },
    }, part.focus, part.ring, part.id, part.role, part.zxid, part.vote);
    this.#layers.nodes.append(group);
    this.#nodes[id] = { group, ...part };
  }

  #press(event, id) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = ((id - 1 + step + this.count) % this.count) + 1;
      this.#nodes[id].group.setAttribute("tabindex", "-1");
      this.#nodes[next].group.setAttribute("tabindex", "0");
      this.#nodes[next].group.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.onSelect({ server: id });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #drawNode(server, { selected }) {
    const node = this.#nodes[server.id];
    const role = roleWord(server);
    const isSelected = selected?.server === server.id;
    const name = `node ${server.life} ${server.life === "running" ? server.role ?? "" : ""} ${server.phase ?? ""}`
      + `${isSelected ? " selected" : ""}`;
    if (node.name !== name) {
      node.group.setAttribute("class", node.name = name);
      node.group.setAttribute("aria-pressed", String(isSelected));
    }
    const isVoting = server.role === "looking" && server.vote?.leader;
    setText(node.role, role);
    setText(node.zxid, server.zxid ?? "");
    setText(node.vote, isVoting ? `votes ${server.vote.leader}`
      : ["discovery", "synchronization"].includes(server.phase) ? server.phase : server.epoch === null ? ""
        : `epoch ${server.epoch}`);
    const label = `Server ${server.id}, ${role}, ${server.phase ?? "no phase"}, epoch ${server.epoch ?? "unknown"}, `
      + `zxid ${server.zxid ?? "unknown"}${isVoting ? `, votes for ${server.vote.leader}` : ""}`;
    if (node.label !== label) node.group.setAttribute("aria-label", node.label = label);
  }

  // Links.

  #addLink(a, b) {
    const link = {
      line: s("line", { class: "link-line" }), hit: s("line", { class: "link-hit" }),
      text: s("text", { class: "link-text" }),
      title: s("title"), a, b,
    };
    link.group = s("g", { class: "link", on: { click: () => this.onSelect({ link: [a, b] }) } },
      link.title, link.line, link.hit, link.text);
    this.#layers.links.append(link.group);
    this.#links.set(`${a}-${b}`, link);
  }

  #drawLink(key, link, { status, selected, state }) {
    const fault = linkFault(status, link.a, link.b);
    const isDown = [link.a, link.b].some((id) => state.servers[id - 1].life === "killed");
    const name = `link${fault.isCut ? " cut" : ""}${fault.text ? " bad" : ""}${isDown ? " down" : ""}`
      + `${selected?.link?.join("-") === key ? " selected" : ""}`;
    if (link.name !== name) link.group.setAttribute("class", link.name = name);
    const text = fault.isCut ? "✕" : fault.text;
    setText(link.text, text);
    setText(link.title, `Between ${link.a} and ${link.b}: ${fault.isCut ? "cut" : fault.text || "no fault"}`);
  }

  // Messages.

  #drawGlows({ wall, hidden }) {
    for (const glow of this.#glows.values()) {
      const age = (wall - glow.wall) / GLOW_MILLISECONDS;
      const opacity = hidden.has(glow.group) || age >= 1 ? 0 : this.isReduced ? 0.8 : 0.9 * (1 - age);
      if (opacity !== glow.opacity) glow.line.style.opacity = glow.opacity = opacity;
    }
  }

  #drawMessages({ messages, time, lossTime, hidden, current, delay, isSlow }) {
    this.#used.clear();
    const shown = messages.filter((message) => !hidden.has(groupOf(message.kind))).slice(-MESSAGE_LIMIT);
    for (const message of shown) {
      if (!this.#nodes[message.to] || !this.#nodes[message.from] || message === current?.message) continue;
      const expected = Math.max(delay(message.from, message.to), lossTime / 3);
      const age = time - message.sent;
      let place;
      let opacity = 1;
      if (message.lost) {
        place = Math.min(0.5, (0.5 * age) / (lossTime / 2));
        opacity = Math.max(0, Math.min(1, 2 - (2 * age) / lossTime));
      } else if (message.received === null) {
        place = Math.min(0.8, (0.8 * age) / expected);
      } else {
        place = age / Math.max(message.received - message.sent, 1e-6);
      }
      this.#put(message, this.isReduced ? 0.5 : place, opacity, isSlow && shown.length <= LABEL_LIMIT,
        message.lost ? "lost" : "");
    }
    if (current?.message) {
      const { message } = current;
      const place = current.direction === "sent" ? 0.12 : 0.88;
      if (this.#nodes[message.to]) this.#put(message, place, 1, true, "current", true);
    }
    for (const [group, pool] of this.#pools) {
      for (let index = this.#used.get(group) ?? 0; index < pool.length; index += 1) {
        if (pool[index].isShown) pool[index].group.style.display = "none";
        pool[index].isShown = false;
      }
    }
  }

  #put(message, place, opacity, isNamed, state, hasLine = false) {
    const group = groupOf(message.kind);
    if (!group) return;
    if (!this.#pools.has(group)) this.#pools.set(group, []);
    const pool = this.#pools.get(group);
    const index = this.#used.get(group) ?? 0;
    this.#used.set(group, index + 1);
    if (!pool[index]) {
      const part = { line: s("line", { class: "message-line" }), path: s("path", { d: SHAPES[GROUPS[group].shape] }),
        text: s("text") };
      part.mark = s("g", null, part.path, part.text);
      part.group = s("g", { class: `message ${group}` }, part.line, part.mark);
      this.#layers.messages.append(part.group);
      pool[index] = part;
    }
    const part = pool[index];
    const [x1, y1, x2, y2] = this.#way(message.from, message.to, group);
    const x = x1 + (x2 - x1) * place;
    const y = y1 + (y2 - y1) * place;
    part.isShown = true;
    part.group.style.display = "";
    part.group.style.opacity = opacity;
    part.group.setAttribute("class", `message ${group} ${state}`);
    part.mark.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    setText(part.text, isNamed ? `${message.kind}${state === "lost" ? " lost" : ""}` : "");
    // The name is on the side of the link's middle, where no server is.
    const length = (Math.hypot(x2 - x1, y2 - y1) || 1) * (place < 0.5 ? 1 : -1);
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    part.text.setAttribute("x", Math.abs(ux) > 0.4 ? 12 * Math.sign(ux) : 0);
    part.text.setAttribute("y", Math.abs(ux) > 0.4 ? 12 * uy : 18 * Math.sign(uy));
    part.text.style.textAnchor = Math.abs(ux) <= 0.4 ? "middle" : ux > 0 ? "start" : "end";
    part.line.style.display = hasLine ? "" : "none";
    if (hasLine) setLine(part.line, x1, y1, x2, y2);
  }

  // Places.

  #resize() {
    const width = Math.max(280, this.element.clientWidth);
    const height = Math.max(320, Math.min(width * 0.85, 520));
    if (width === this.#size.width && height === this.#size.height && this.radius) return;
    this.#size = { width, height };
    // Everything that holds text grows with it.
    this.scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    this.radius = this.scale * Math.max(30, Math.min(40, width / 15 / this.scale, 260 / this.count));
    // Where many servers are near to each other, what they are is read from the panel.
    this.svg.classList.toggle("crowded", width < 62 * this.scale * this.count);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.style.height = `${height}px`;
    for (let id = 1; id <= this.count; id += 1) this.#placeNode(id);
    for (const link of this.#links.values()) {
      const [x1, y1, x2, y2] = this.#between(link.a, link.b, 0);
      setLine(link.line, x1, y1, x2, y2);
      setLine(link.hit, x1, y1, x2, y2);
      // Beside the middle, where lines of other servers cross.
      link.text.setAttribute("x", x1 + (x2 - x1) * 0.42);
      link.text.setAttribute("y", y1 + (y2 - y1) * 0.42 + 4);
    }
    for (const glow of this.#glows.values()) this.#placeGlow(glow);
    this.onResize?.();
  }

  #placeGlow(glow) {
    setLine(glow.line, ...this.#way(glow.from, glow.to, glow.group));
  }

  #center(id) {
    const { width, height } = this.#size;
    const angle = (one) => (2 * Math.PI * (one - 1)) / this.count - Math.PI / 2;
    // The lowest servers are as near to the edge as the highest, with their captions below them.
    const lowest = Math.sin(angle(1 + Math.round(this.count / 2)));
    const top = this.radius + 8;
    const ry = this.count === 1 ? 0 : (height - 36 * this.scale - 8 - this.radius - top) / (1 + lowest);
    const rx = Math.min(width / 2 - this.radius - 24 * this.scale, 1.35 * ry);
    return [width / 2 + rx * Math.cos(angle(id)), this.count === 1 ? height / 2 : top + ry * (1 + Math.sin(angle(id)))];
  }

  #placeNode(id) {
    const node = this.#nodes[id];
    const [x, y] = this.#center(id);
    node.group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    node.ring.setAttribute("r", this.radius);
    node.focus.setAttribute("r", this.radius + 5);
    node.id.setAttribute("y", 2 * this.scale);
    node.role.setAttribute("y", 17 * this.scale);
    node.zxid.setAttribute("y", this.radius + 17 * this.scale);
    node.vote.setAttribute("y", this.radius + 31 * this.scale);
  }

  /** The line from one server to another; each direction and each group of messages has a lane. */
  #way(from, to, group) {
    return this.#between(from, to, LANES[group]);
  }

  #between(from, to, offset) {
    const [ax, ay] = this.#center(from);
    const [bx, by] = this.#center(to);
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const gap = this.radius + 4;
    return [ax + ux * gap - uy * offset, ay + uy * gap + ux * offset, bx - ux * gap - uy * offset,
      by - uy * gap + ux * offset];
  }
}

function setLine(line, x1, y1, x2, y2) {
  for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) line.setAttribute(name, value.toFixed(1));
}

/** What is wrong between two servers: {isCut, text, delay, jitter, drop}. */
export function linkFault(status, a, b) {
  const one = status?.members.find((member) => member.id === a);
  const link = one?.links.find((other) => other.to === b);
  const text = [
    link?.delayMilliseconds
      && `${link.delayMilliseconds}${link.jitterMilliseconds ? ` ± ${link.jitterMilliseconds}` : ""} ms`,
    link?.dropPercent && `${link.dropPercent} % lost`,
  ].filter(Boolean).join(", ");
  return {
    isCut: one?.cutOffFrom.includes(b) ?? false, text, delay: link?.delayMilliseconds ?? 0,
    jitter: link?.jitterMilliseconds ?? 0, drop: link?.dropPercent ?? 0,
  };
}
