// One session: whose it is, what it owns and watches. In a sandbox it can be made to expire.

import { h, replace } from "../lib/dom.js";
import { duration, moment, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { hashOf, viewHash, visible } from "../lib/paths.js";

const MOST_PATHS = 1000;

/** Shows a session in a container; returns what closes it. */
export function mountSession(container, context, session) {
  const { api, live, navigate, status } = context;
  let isClosed = false;
  const content = h("div", { class: "page session" }, h("div",
    { class: "spinner", role: "status", "aria-label": "Loading" }));
  replace(container, content);
  const end = live.on("resync", load);
  load();

  async function load() {
    let found = null;
    let fault = null;
    try {
      found = await api.get(`/sessions/${encodeURIComponent(session)}`);
    } catch (error) {
      fault = error;
    }
    if (isClosed) return;
    replace(content, h("header", null,
      h("a", { class: "button quiet", href: viewHash("clients"), "aria-label": "All clients" }, icon("back")),
      h("h1", null, "Session ", h("code", null, session)),
      h("button", { type: "button", class: "quiet small", "aria-label": "Copy the session's id",
        on: { click: () => status.copyText(session, "Session id") } }, icon("copy")),
      h("span", { class: "grow" }),
      h("button", { type: "button", on: { click: load } }, icon("refresh"), "Reload"),
      found && context.session?.sandbox && h("button", { type: "button", class: "danger", on: { click: expire } },
        "Expire")),
    found ? facts(found) : status.notice(fault.status === 404 ? "info" : "error",
      fault.status === 404 ? "There is no such session: it was closed, or it has expired." : status.errorText(fault)),
    found && paths("Ephemeral znodes that it owns", found.ephemerals, "It owns none."),
    found && paths("Znodes that it watches", found.watches, "It watches none, or the server does not say."));
  }

  async function expire() {
    const refusal = context.refusal();
    if (refusal) return status.toast(refusal, "error");
    try {
      await api.post("/sandbox/expire", { session });
      const action = { label: "All clients", run: () => navigate(viewHash("clients")) };
      status.toast(`Session ${session} has expired.`, "ok", action);
      load();
    } catch (error) {
      status.showError(error);
    }
  }

  return { close() { isClosed = true; end(); } };
}

function facts(session) {
  const entries = {
    Client: session.client ?? "not connected", Server: session.server ?? "–",
    Since: session.since ? moment(session.since) : "–",
    Timeout: session.timeoutMilliseconds === null ? "–" : duration(session.timeoutMilliseconds),
  };
  return h("dl", { class: "tiles" }, Object.entries(entries).map(([name, value]) => h("div", null,
    h("dt", null, name), h("dd", null, value))));
}

function paths(title, all, none) {
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", null, title),
    h("span", { class: "muted" }, all.length)),
    all.length === 0 ? h("p", { class: "card-body muted" }, none)
      : h("ul", { class: "paths" }, all.slice(0, MOST_PATHS).map((path) => h("li", null,
        h("a", { class: "mono", href: hashOf(path) }, visible(path)))),
        all.length > MOST_PATHS && h("li", { class: "muted" },
          `and ${plural(all.length - MOST_PATHS, "more", "more")}`)));
}
