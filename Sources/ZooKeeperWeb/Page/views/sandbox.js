// The sandbox: an ensemble that one can break, and what its servers tell each other, as it really happens.
//
// The server's trace goes into a recording (sandbox-recording.js); the playback (sandbox-playback.js) says which moment
// is shown; the state at that moment (sandbox-state.js) and the messages under way are drawn by the stage
// (sandbox-stage.js) and written by the lists (sandbox-lists.js). The panel (sandbox-panel.js) makes the faults.

import { h, isTyping, replace, setText, stylesheet } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { Controls } from "./sandbox-controls.js";
import { Events, Logs, Narration, Phases, Transactions } from "./sandbox-lists.js";
import { Panel } from "./sandbox-panel.js";
import { Playback, SPEEDS } from "./sandbox-playback.js";
import { Recording } from "./sandbox-recording.js";
import { linkFault, LOSS_MILLISECONDS, Stage } from "./sandbox-stage.js";
import { ensemblePhase, Timeline } from "./sandbox-state.js";
import { groupOf, PHASE_TEXTS } from "./sandbox-words.js";

const TEXT_MILLISECONDS = 250;
const DENSITY_MILLISECONDS = 1000;
const SUMMARY_MILLISECONDS = 4000;

export async function mount(container, context) {
  const [status] = await Promise.all([
    context.api.get("/sandbox").catch((error) => {
      if (error.status === 404) return null;
      throw error;
    }),
    stylesheet(import.meta.url, "./sandbox.css"),
  ]);
  if (!status) {
    replace(container, h("div", { class: "page" }, context.status.notice("info",
      "There is no sandbox here. zkcli web --local 5 starts an ensemble of five servers to watch and to break.")));
    return { update() {}, unmount() {} };
  }
  const view = new SandboxView(container, context, status);
  return { update() {}, unmount: () => view.close(), key: (event) => view.key(event) };
}

class SandboxView {
  #ends = [];
  #drawn = { wall: 0, text: 0, density: 0, summary: 0 };
  #isDirty = true;
  #current = null;
  #selected = null;
  #summary = "";

  constructor(container, context, status) {
    Object.assign(this, { container, context, status });
    this.size = status.size;
    this.hidden = new Set();
    this.#record();
    const redraw = () => { this.#isDirty = true; };
    this.controls = new Controls(this.recording, this.playback, this.hidden, {
      redraw, toggle: () => this.#toggle(), step: (direction) => this.#step(direction), live: () => this.#goLive(),
      seek: (time) => this.#seek(time), setSpeed: (speed) => this.#setSpeed(speed),
    });
    this.stage = new Stage(this.size, (selected) => this.select(selected));
    this.stage.onResize = redraw;
    this.phases = new Phases();
    this.narration = new Narration();
    this.transactions = new Transactions(this.size);
    this.events = new Events(this.recording, this.hidden, (index) => this.#show(this.playback.seekIndex(index)));
    this.logs = new Logs(this.size);
    this.panel = new Panel(this.size, {
      post: (word, body) => this.#post(word, body), select: (selected) => this.select(selected),
      refusal: () => context.refusal(),
    });
    this.quorum = h("span", { class: "badge" });
    this.summaryText = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    const { copyText } = context.status;
    replace(container, h("div", { class: "sandbox" },
      h("header", null, h("h1", null, "Sandbox"), this.quorum, h("span", { class: "grow" }),
        h("code", { class: "muted connect" }, status.connectString),
        h("button", { type: "button", class: "quiet small", "aria-label": "Copy the connect string",
          on: { click: () => copyText(this.status.connectString, "Connect string") } }, icon("copy"))),
      this.phases.element,
      h("div", { class: "sandbox-body" },
        h("div", { class: "sandbox-main" },
          h("section", { class: "card", "aria-label": "The ensemble" }, this.stage.element, this.narration.element,
            this.controls.element),
          this.transactions.element), this.panel.element),
      h("div", { class: "sandbox-lists" }, this.events.element, this.logs.element), this.summaryText));
    const { live } = context;
    this.#ends.push(
      live.topic("trace", (batch) => this.#receive(batch)),
      live.topic("sandbox", (value) => this.#receiveStatus(value)),
      live.topic("log", (batch) => this.logs.add(batch.lines, this.recording.endTime)),
      live.on("resync", () => this.#reload()));
    const tick = (wall) => {
      this.frame = requestAnimationFrame(tick);
      this.#tick(wall);
    };
    this.frame = requestAnimationFrame(tick);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.stage.close();
    for (const end of this.#ends) end();
  }

  /** Selects {server}, {link: [a, b]} or, with null, nothing. */
  select(selected) {
    this.#selected = selected;
    this.panel.show(selected);
    this.#isDirty = true;
    this.#drawn.text = 0;
  }

  key(event) {
    if (isTyping(event.target) && event.target.type !== "range" && event.target.type !== "checkbox") return false;
    if (/^[1-9]$/.test(event.key) && Number(event.key) <= this.size) this.select({ server: Number(event.key) });
    else if (event.key === "k") this.#toggle();
    else if (event.key === "l") this.#goLive();
    else if (event.key === "." || event.key === ",") this.#step(event.key === "." ? 1 : -1);
    else if (event.key === "[" || event.key === "]") {
      const place = SPEEDS.findIndex((speed) => Math.abs(speed - this.playback.speed) < 1e-9)
        + (event.key === "[" ? 1 : -1);
      this.#setSpeed(SPEEDS[Math.max(0, Math.min(place, SPEEDS.length - 1))]);
    } else if (event.key === "Escape" && this.#selected) this.select(null);
    else return false;
    return true;
  }

  // What comes.

  #record() {
    this.recording = new Recording();
    this.recording.delay = (from, to) => linkFault(this.status, from, to).delay
      + linkFault(this.status, from, to).jitter;
    this.recording.isPaused = (id) => this.status.members[id - 1]?.state === "paused";
    this.recording.note(this.status.members);
    this.timeline = new Timeline(this.recording, this.size);
    this.playback = new Playback(this.recording);
  }

  #receive({ events, lost }) {
    // Times begin anew when the program was started again: what was recorded is of an ensemble that is gone.
    if (events.length > 0 && events[0].time + 5000 < this.recording.endTime) {
      this.#record();
      for (const part of [this.controls, this.events]) {
        Object.assign(part, { recording: this.recording, playback: this.playback });
      }
    }
    const isFirst = this.recording.endTime === 0;
    this.recording.append(events, lost);
    // What was known before the first event belongs to its time.
    if (isFirst && events.length > 0) {
      for (const event of this.recording.events) {
        if (event.time > 0) break;
        event.time = events[0].time;
      }
    }
    this.playback.noteEdge(performance.now());
    this.timeline.advance();
    this.#drawn.density = Math.min(this.#drawn.density, performance.now() - DENSITY_MILLISECONDS / 2);
  }

  /** Takes what is known of the servers; `since` is when it may have become so at the earliest. */
  #receiveStatus(status, since) {
    const lives = (one) => one.members.map((member) => member.state).join();
    // A single server has no trace: this is all that is known of it.
    const isNews = lives(status) !== lives(this.status) || this.size === 1;
    // What was asked for is done after the answer; a failure comes with a later state.
    if (status.failure && status.failure !== this.status.failure) this.context.status.toast(status.failure, "error");
    this.status = status;
    if (isNews) {
      const index = this.recording.note(status.members, since);
      this.timeline.rewind(index);
      if (this.playback.index > index) this.playback.index += 1;
    }
    this.#isDirty = true;
  }

  async #reload() {
    try {
      const status = await this.context.api.get("/sandbox");
      // The program was started again, with other servers.
      if (status.size !== this.size) location.reload();
      this.#receiveStatus(status);
    } catch (error) {
      if (!error.isAway) this.context.status.showError(error);
    }
  }

  async #post(word, body = {}) {
    const refusal = this.context.refusal();
    if (refusal) return this.context.status.toast(refusal, "error");
    const since = this.playback.edgeTime(performance.now());
    try {
      this.#receiveStatus(await this.context.api.post(`/sandbox/${word}`, body), since || undefined);
    } catch (error) {
      this.context.status.showError(error);
    }
  }

  // What is shown.

  #toggle() {
    if (this.playback.isPaused) {
      this.#current = null;
      this.playback.play();
    } else {
      this.playback.pause();
    }
    this.#isDirty = true;
  }

  #goLive() {
    this.#current = null;
    this.playback.goLive(performance.now());
    this.#isDirty = true;
  }

  #seek(time) {
    this.#current = null;
    this.playback.pause();
    this.playback.seekTime(time);
    this.stage.clearGlows();
    this.#isDirty = true;
  }

  #setSpeed(speed) {
    this.playback.setSpeed(speed);
    this.#isDirty = true;
  }

  #step(direction) {
    this.#show(this.playback.step(direction, (event) => !this.hidden.has(groupOf(event.kind))));
  }

  #show(event) {
    this.#current = event;
    this.stage.clearGlows();
    this.#isDirty = true;
    this.#drawn.text = 0;
  }

  #tick(wall) {
    const { playback } = this;
    const elapsed = Math.min(250, wall - this.#drawn.wall);
    this.#drawn.wall = wall;
    const happened = playback.advance(wall, elapsed);
    if (happened.length > 0) {
      this.#current = null;
      for (const event of happened) this.stage.glow(event, wall);
    }
    if (!playback.isPaused || this.#isDirty || this.stage.isFading(wall)) this.#draw(wall);
    if (wall - this.#drawn.density > DENSITY_MILLISECONDS) {
      this.#drawn.density = wall;
      this.controls.drawDensity();
    }
  }

  #draw(wall) {
    this.#isDirty = false;
    const { playback, recording } = this;
    const state = this.timeline.at(playback.index);
    const lossTime = LOSS_MILLISECONDS * playback.speed;
    this.stage.draw({
      state, status: this.status, wall, lossTime, hidden: this.hidden, selected: this.#selected, current: this.#current,
      time: playback.time, messages: recording.underway(playback.index, playback.time, lossTime),
      delay: recording.delay,
      isSlow: playback.isPaused || playback.speed <= 0.1,
    });
    if (wall - this.#drawn.text < TEXT_MILLISECONDS) {
      this.#isDirty = true;
      return;
    }
    this.#drawn.text = wall;
    this.phases.draw(state);
    this.controls.draw();
    this.panel.draw(this.status, state);
    this.transactions.draw(state);
    this.events.draw(playback.index);
    this.logs.draw(playback.isLive ? Infinity : playback.time);
    this.narration.draw(this.#current ?? this.#notable());
    setText(this.quorum, this.status.hasQuorum ? "has a quorum" : "no quorum");
    this.quorum.className = `badge ${this.status.hasQuorum ? "ok" : "danger"}`;
    if (wall - this.#drawn.summary > SUMMARY_MILLISECONDS || this.#current) this.#summarize(state, wall);
  }

  /** The last event, if possible one that is more than a heartbeat. */
  #notable() {
    let heartbeat = null;
    const first = Math.max(this.recording.first, this.playback.index - 300);
    for (let index = this.playback.index - 1; index >= first; index -= 1) {
      const event = this.recording.at(index);
      if (event.kind === "STATUS" || this.hidden.has(groupOf(event.kind))) continue;
      if (event.kind !== "PING") return event;
      heartbeat ??= event;
    }
    return heartbeat;
  }

  /** Tells those who do not see the picture what has changed, not more often than they can hear it. */
  #summarize(state, wall) {
    const phase = ensemblePhase(state);
    const leader = state.servers.find((server) => server.role === "leading" && server.phase === "broadcast");
    const away = state.servers.filter((server) => server.life !== "running")
      .map((server) => `server ${server.id} is ${server.life}`);
    const text = this.#current ? this.narration.element.textContent
      : [phase && PHASE_TEXTS[phase].title,
        leader && `server ${leader.id} leads in epoch ${leader.epoch ?? "unknown"}`, ...away]
        .filter(Boolean).join(", ");
    if (text === this.#summary) return;
    this.#summary = text;
    this.#drawn.summary = wall;
    setText(this.summaryText, text);
  }
}
