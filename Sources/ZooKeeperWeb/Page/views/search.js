// Search below a znode, by name (a glob) and in values (text or a regular expression), while it goes on. What was found
// is kept, so that going back from a match shows the same list again.

import { h, replace, setText, throttle } from "../lib/dom.js";
import { choice, field } from "../lib/dialog.js";
import { count, plural, size } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { faultOfPath, hashOf, viewHash, visible } from "../lib/paths.js";
import { notice } from "../lib/status.js";
import { rowPixels, virtualList } from "../lib/virtual.js";
import { visibleLine } from "./value-show.js";

const mostMatches = 10_000;
const kept = { key: null, matches: [], state: null, top: 0 };  // The last search.

export function mount(container, { api, navigate }) {
  const input = (attributes) => h("input", { type: "text", spellcheck: "false", autocomplete: "off", ...attributes });
  const path = input({ value: "/" });
  const name = input({ placeholder: "*config*" });
  const value = input({ placeholder: "jdbc:" });
  const regex = choice("checkbox", "regular expression");
  const ignoreCase = choice("checkbox", "ignore case");
  const go = h("button", { type: "submit", class: "primary" }, icon("search"), "Search");
  const stop = h("button", { type: "button", hidden: true, on: { click: () => end("stopped") } }, icon("stop"), "Stop");
  const progress = h("p", { class: "search-state", role: "status" });
  const note = h("div", { role: "alert" });
  const list = virtualList({
    count: () => kept.matches.length, key: (index) => index, rowHeight: () => rowPixels() * 1.6, draw: drawMatch,
      make: makeMatch,
    attributes: { role: "list" },
  });
  list.element.setAttribute("aria-label", "What was found");
  let source = null;
  const drawSoon = throttle(() => {
    list.refresh();
    drawState();
  }, 100);

  container.append(h("div", { class: "search" },
    h("form", { class: "search-form", role: "search", on: { submit: (event) => {
      event.preventDefault();
      start();
    } } },
    h("header", { class: "row" }, h("h1", null, "Search")),
    h("div", { class: "search-fields" }, field("Below", path), field("Name", name, "* and ? stand for any characters"),
      field("Value", value)),
    h("div", { class: "row" }, regex.element, ignoreCase.element, h("div", { class: "grow" }), stop, go)), note,
      progress, list.element));

  function parameters() {
    const all = { path: path.value || "/", name: name.value, value: value.value, regex: regex.input.checked ? "1" : "",
      ignoreCase: ignoreCase.input.checked ? "1" : "" };
    return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== ""));
  }

  function start() {
    const fault = faultOfPath(path.value || "/")
      ?? (name.value === "" && value.value === "" ? "Say what the name or the value should contain." : null);
    replace(note, fault && notice("warning", fault));
    if (fault) return;
    const wanted = parameters();
    kept.key = null;
    const hash = viewHash("search", wanted);
    if (hash === location.hash) run(wanted);
    else navigate(hash);
  }

  function run(wanted) {
    source?.close();
    Object.assign(kept, { key: JSON.stringify(wanted), matches: [],
      state: { visited: 0, matches: 0, failures: 0, truncated: false, isRunning: true }, top: 0 });
    replace(note);
    list.element.scrollTop = 0;
    source = new EventSource(api.address("/search", { ...wanted, limit: mostMatches }));
    const mine = source;
    const parse = (event) => JSON.parse(event.data);
    source.addEventListener("progress", (event) => {
      kept.state.visited = parse(event).visited;
      drawSoon();
    });
    source.addEventListener("match", (event) => {
      kept.matches.push(parse(event));
      drawSoon();
    });
    source.addEventListener("end", (event) => {
      Object.assign(kept.state, parse(event));
      end(null);
    });
    source.addEventListener("error", () => { if (mine === source) failed(wanted); });
    drawSoon();
  }

  // An event stream does not say why it was refused; the same request, asked for once, does.
  async function failed(wanted) {
    end("broken");
    try {
      const giveUp = new AbortController();
      const response = await fetch(api.address("/search", { ...wanted, limit: 1 }), { signal: giveUp.signal });
      if (!response.ok) await api.answer(response);
      giveUp.abort();
    } catch (error) {
      replace(note, notice("error", `${error.message}${error.hint ? ` ${error.hint}` : ""}`));
    }
  }

  function end(reason) {
    source?.close();
    source = null;
    if (kept.state) Object.assign(kept.state, { isRunning: false, reason });
    drawSoon();
  }

  function drawState() {
    const state = kept.state;
    stop.hidden = !state?.isRunning;
    if (!state) return;
    const found = plural(kept.matches.length, "match", "matches");
    const looked = `${plural(state.visited, "znode")} looked at`;
    const words = { stopped: "stopped", broken: "the search broke off" };
    setText(progress, [state.isRunning ? `Searching: ${found}` : found, looked, words[state.reason],
      state.truncated && `only the first ${count(kept.matches.length)} are shown`,
      state.failures > 0 && `${plural(state.failures, "znode")} could not be read`].filter(Boolean).join(" · "));
    progress.classList.toggle("running", state.isRunning);
  }

  function makeMatch() {
    return h("div", { class: "match", role: "listitem" }, h("a", {}), h("span", { class: "match-line mono" }),
      h("span", { class: "match-size muted" }));
  }

  function drawMatch(element, index) {
    const match = kept.matches[index];
    const [link, line, length] = element.children;
    if (!match) return;
    link.href = hashOf(match.path);
    setText(link, visible(match.path));
    replace(line, match.line && [h("span", { class: "muted" }, `${match.line.number}: `),
      marked(visibleLine(match.line.text))]);
    setText(length, match.stat ? size(match.stat.dataLength) : "");
  }

  function marked(text) {
    const pattern = value.value;
    if (pattern === "" || regex.input.checked) return text;
    const at = ignoreCase.input.checked ? text.toLowerCase().indexOf(pattern.toLowerCase()) : text.indexOf(pattern);
    if (at < 0) return text;
    return [text.slice(0, at), h("mark", null, text.slice(at, at + pattern.length)), text.slice(at + pattern.length)];
  }

  return {
    update(route) {
      const wanted = route.parameters;
      path.value = wanted.path ?? "/";
      name.value = wanted.name ?? "";
      value.value = wanted.value ?? "";
      regex.input.checked = Boolean(wanted.regex);
      ignoreCase.input.checked = Boolean(wanted.ignoreCase);
      const isComplete = name.value !== "" || value.value !== "";
      if (isComplete && kept.key === JSON.stringify(parameters())) {
        list.refresh();
        list.element.scrollTop = kept.top;
        drawState();
      } else if (isComplete) {
        run(parameters());
      } else {
        name.focus();
      }
    },
    unmount() {
      kept.top = list.element.scrollTop;
      if (kept.state?.isRunning) kept.key = null;
      source?.close();
      list.destroy();
    },
  };
}
