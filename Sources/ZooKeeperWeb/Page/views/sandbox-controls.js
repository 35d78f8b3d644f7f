// The controls of the playback: live, pause, step, speed, the scrubber over what is recorded, and the legend.

import { h, replace, s, setText, uniqueID } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { SPEEDS } from "./sandbox-playback.js";
import { mark } from "./sandbox-stage.js";
import { GROUPS, groupOf } from "./sandbox-words.js";

const BINS = 150;
const speedText = (speed) => (speed === 1 ? "1×" : `1/${Math.round(1 / speed)}`);

/** Controls for a playback; `actions` has what the keys do as well: toggle, step, setSpeed, live, seek. */
export class Controls {
  #drawnBins = "";
  #isDragging = false;

  constructor(recording, playback, hidden, actions) {
    Object.assign(this, { recording, playback, hidden, actions });
    const button = (label, text, keys, run) => h("button", {
      type: "button", title: `${label} (${keys})`, "aria-label": label, "aria-keyshortcuts": keys, on: { click: run },
    }, text);
    this.liveButton = h("button", {
      type: "button", class: "live", title: "Follow the newest moment (l)", "aria-keyshortcuts": "l",
      on: { click: actions.live },
    }, h("span", { class: "dot" }), "Live");
    this.playButton = button("Pause", "", "k", actions.toggle);
    this.speed = h("input", {
      type: "range", min: "0", max: String(SPEEDS.length - 1), step: "1", value: "0", id: uniqueID("speed"),
      on: { input: () => actions.setSpeed(SPEEDS[SPEEDS.length - 1 - Number(this.speed.value)]) },
    });
    this.speedText = h("output", { for: this.speed.id });
    this.plot = s("svg", { class: "density",
      viewBox: `0 0 ${BINS} 24`, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.scrubber = h("input", {
      type: "range", min: "0", max: "1000", step: "1", value: "1000", "aria-label": "The shown moment",
      on: {
        input: () => {
          this.#isDragging = true;
          const { startTime, endTime } = this.recording;
          actions.seek(startTime + ((endTime - startTime) * Number(this.scrubber.value)) / 1000);
        },
        change: () => { this.#isDragging = false; },
      },
    });
    this.clock = h("output", { class: "clock mono", "aria-label": "Time since the ensemble was started" });
    this.note = h("span", { class: "muted" });
    const quiet = h("input", {
      type: "checkbox", id: uniqueID("quiet"), checked: playback.skipsQuiet,
      on: { change: () => { this.playback.skipsQuiet = quiet.checked; } },
    });
    this.element = h("div", { class: "playback", role: "group", "aria-label": "Playback" },
      h("div", { class: "row" }, this.liveButton,
        button("Back to the event before", "❘◀", ",", () => actions.step(-1)), this.playButton,
        button("On to the next event", "▶❘", ".", () => actions.step(1)),
        h("label", { for: this.speed.id, class: "label" }, "Speed"), this.speed, this.speedText,
        h("span", { class: "choice" }, quiet, h("label", { for: quiet.id }, "Skip quiet times")),
        h("span", { class: "grow" }), this.note, this.clock),
      h("div", { class: "scrub" }, this.plot, this.scrubber), this.#legend());
  }

  #legend() {
    return h("div", { class: "legend", role: "group", "aria-label": "Kinds of messages that are shown" },
      Object.entries(GROUPS).map(([name, group]) => h("button", {
        type: "button", class: "quiet small", "aria-pressed": String(!this.hidden.has(name)),
        title: group.kinds.join(", "),
        on: {
          click: (event) => {
            if (!this.hidden.delete(name)) this.hidden.add(name);
            event.currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(name)));
            this.actions.redraw();
          },
        },
      }, mark(name), group.title)));
  }

  draw() {
    const { playback, recording } = this;
    this.liveButton.setAttribute("aria-pressed", String(playback.isLive));
    const label = playback.isPaused ? "Play" : "Pause";
    if (this.playButton.getAttribute("aria-label") !== label) {
      this.playButton.setAttribute("aria-label", label);
      this.playButton.title = `${label} (k)`;
    }
    setText(this.playButton, playback.isPaused ? "▶" : "❚❚");
    const place = SPEEDS.length - 1 - SPEEDS.findIndex((speed) => Math.abs(speed - playback.speed) < 1e-9);
    if (Number(this.speed.value) !== place) this.speed.value = String(place);
    setText(this.speedText, speedText(playback.speed));
    this.speed.setAttribute("aria-valuetext", speedText(playback.speed));
    const range = recording.endTime - recording.startTime;
    if (!this.#isDragging) {
      this.scrubber.value = range > 0 ? String(Math.round((1000 * (playback.time - recording.startTime)) / range))
        : "1000";
    }
    const text = `${(playback.time / 1000).toFixed(4)} s`;
    setText(this.clock, text);
    this.scrubber.setAttribute("aria-valuetext", text);
    setText(this.note, playback.skipped && !playback.isLive ? `${duration(playback.skipped.milliseconds)} skipped`
      : recording.lost > 0 ? `${recording.lost} events were lost` : "");
  }

  /** Draws how much happened when; to be called now and then. */
  drawDensity() {
    const bins = this.recording.density(BINS);
    const top = Math.max(1, ...bins.map((bin) => Math.sqrt(bin.total)));
    const paths = {};
    bins.forEach((bin, index) => {
      if (bin.total === 0) return;
      // Elections and what follows them are seen among all the heartbeats.
      const kinds = Object.keys(bin.kinds).map((kind) => groupOf(kind) ?? "vote");
      const group = ["vote", "epoch", "sync", "commit", "proposal"].find((name) => kinds.includes(name)) ?? "ping";
      const height = (22 * Math.sqrt(bin.total)) / top + 1;
      paths[group] = `${paths[group] ?? ""}M${index} 24v${-height.toFixed(1)}h.9v${height.toFixed(1)}z`;
    });
    const key = JSON.stringify(paths);
    if (key === this.#drawnBins) return;
    this.#drawnBins = key;
    replace(this.plot, Object.entries(paths).map(([group, d]) => s("path", { class: group, d })));
  }
}
