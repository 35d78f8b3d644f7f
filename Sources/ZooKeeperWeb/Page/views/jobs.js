// The jobs: what copies, moves, imports and large deletions are doing, and what failed in them.

import { h, replace } from "../lib/dom.js";
import { count, duration, plural, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { hashOf, visible } from "../lib/paths.js";
import { errorText, notice, showError } from "../lib/status.js";

const verbs = { delete: "Delete", copy: "Copy", move: "Move", import: "Import", acl: "Set ACLs" };
const badges = { running: "accent", done: "ok", failed: "danger", stopped: "warn" };

export function mount(container, { api, live }) {
  const list = h("ul", { class: "jobs" });
  const cards = new Map();  // id → element
  let chosen = null;
  container.append(h("div", { class: "page" }, h("header", null, h("h1", null, "Jobs")),
    h("p", { class: "lead" },
      "Work on whole subtrees. It goes on when this page is closed, and is forgotten when the server ends."), list));
  const offs = [live.on("job", (job) => put(job)), live.on("resync", () => load())];
  load();

  async function load() {
    try {
      const jobs = await api.get("/jobs");
      cards.clear();
      replace(list);
      for (const job of [...jobs].sort((one, other) => one.started.localeCompare(other.started))) put(job);
      if (jobs.length === 0) replace(list, h("li", { class: "empty" }, "No jobs yet."));
      cards.get(chosen)?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      replace(list, h("li", null, notice("error", errorText(error))));
    }
  }

  function put(job) {
    const card = jobCard(job, stop);
    card.classList.toggle("chosen", job.id === chosen);
    const before = cards.get(job.id);
    cards.set(job.id, card);
    if (before) {
      const hadFocus = before.contains(document.activeElement);
      const wasOpen = before.querySelector("details")?.open;
      before.replaceWith(card);
      if (wasOpen) card.querySelector("details").open = true;
      if (hadFocus) card.querySelector("button, a")?.focus();
    } else {
      list.querySelector(".empty")?.remove();
      list.prepend(card);
    }
  }

  async function stop(job) {
    try {
      put(await api.delete(`/jobs/${encodeURIComponent(job.id)}`));
    } catch (error) {
      showError(error);
    }
  }

  return {
    update(route) {
      chosen = route.parameters.job ?? null;
      for (const [id, card] of cards) card.classList.toggle("chosen", id === chosen);
    },
    unmount() { for (const off of offs) off(); },
  };
}

function jobCard(job, stop) {
  const isRunning = job.state === "running";
  const share = job.total ? Math.min(1, job.done / job.total) : null;
  const bar = h("i", { style: { width: isRunning
    && share === null ? "" : `${(share ?? (isRunning ? 0 : 1)) * 100}%` } });
  const counts = Object.entries(job.counts ?? {}).filter(([, number]) => number > 0);
  const ran = (job.ended ? new Date(job.ended) : new Date()) - new Date(job.started);
  return h("li", { class: "card job", dataset: { job: job.id } },
    h("div", { class: "job-head" },
      h("span", { class: `badge ${badges[job.state] ?? ""}` }, job.state),
      h("strong", null, verbs[job.kind] ?? job.kind),
        h("a", { class: "mono", href: hashOf(job.path) }, visible(job.path)),
      job.to && [icon("move"), h("a", { class: "mono", href: hashOf(job.to) }, visible(job.to))],
      h("div", { class: "grow" }),
        h("span", { class: "muted nowrap", title: `Started ${time(job.started)}` }, duration(Math.max(0, ran))),
      isRunning && h("button", { type: "button", class: "small", on: { click: () => stop(job) } }, icon("stop"),
        "Stop")),
    h("div", {
      class: `progress ${isRunning ? (share === null ? "unknown" : "") : job.state}`, role: "progressbar",
        "aria-label": `${verbs[job.kind] ?? job.kind} ${job.path}`,
      "aria-valuemin": "0", "aria-valuemax": job.total, "aria-valuenow": job.total === null ? null : job.done,
    }, bar),
    h("div", { class: "job-counts" },
      h("span", null, `${count(job.done)}${job.total === null ? "" : ` of ${count(job.total)}`} znodes`),
      counts.map(([word, number]) => h("span", { class: `badge ${word === "failed" ? "danger" : ""}` },
        `${count(number)} ${word}`))),
    job.message && notice(job.state === "failed" ? "error" : "info", job.message),
    job.failureCount > 0 && h("details", null, h("summary", null, plural(job.failureCount, "failure")),
      h("ul", { class: "failures" },
        job.failures.map((one) => h("li", null, h("a", { class: "mono", href: hashOf(one.path) }, visible(one.path)),
        ` ${one.message}`)),
        job.failureCount > job.failures.length && h("li", { class: "muted" },
          `and ${count(job.failureCount - job.failures.length)} more`))));
}
