// The recipes that are found in the tree: locks, elections, barriers, queues and the like, shown as what they are.

import { h, replace, setText, stylesheet } from "../lib/dom.js";
import { ago, count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { hashOf, viewHash, visible } from "../lib/paths.js";

/** The title of each kind, of its holders and of those that wait, and the text for a recipe that has neither. */
const KINDS = {
  lock: ["Lock", "Holder", "Waiting", "No client holds it."],
  sharedLock: ["Shared lock", "Holders", "Waiting", "No client holds it."],
  election: ["Election", "Leader", "Candidates", "There is no leader."],
  semaphore: ["Semaphore", "Leases", "Waiting", "All leases are free."],
  barrier: ["Barrier", "", "", "It is set: clients wait until this znode is deleted."],
  doubleBarrier: ["Double barrier", "Participants", "Waiting", "All participants have left."],
  queue: ["Queue", "Taken items", "Items", "It is empty."],
  group: ["Group", "Members", "Waiting", "It has no members."],
  counter: ["Counter", "", "", ""],
};
const MOST_PARTICIPANTS = 10;

export async function mount(container, context) {
  await stylesheet(import.meta.url, "./recipes.css");
  const { api, live, navigate, status } = context;
  let path = "/";
  let request = null;
  const input = h("input", { type: "text", class: "mono", "aria-label": "Below which znode", spellcheck: "false" });
  const summary = h("p", { class: "muted", role: "status" });
  const list = h("div", { class: "recipes" });
  replace(container, h("div", { class: "page" },
    h("header", null, h("h1", null, "Recipes"),
      h("form", {
        class: "row",
        on: {
          submit: (event) => {
            event.preventDefault();
            const hash = viewHash("recipes", { path: input.value || "/" });
            if (location.hash === hash) load();
            else navigate(hash);
          },
        },
      }, h("label", { class: "label below" }, "below", input),
        h("button", { type: "submit" }, icon("refresh"), "Look"))), summary, list));

  async function load() {
    request?.abort();
    const mine = (request = new AbortController());
    setText(summary, "Looking…");
    let answer;
    try {
      answer = await api.get("/recipes", { path }, { signal: mine.signal });
    } catch (error) {
      if (mine.signal.aborted) return;
      setText(summary, "");
      replace(list, status.notice("error", status.errorText(error)));
      return;
    }
    setText(summary, `${plural(answer.found.length, "recipe")} found among ${plural(answer.visited, "znode")}`
      + `${answer.truncated ? ", where the search ended: look below a smaller part of the tree" : ""}`);
    replace(list, answer.found.map(card));
    if (answer.found.length === 0) {
      replace(list, h("p", { class: "empty" },
        "There are no znodes that look like a lock, an election, a barrier, a queue, a group or a counter."));
    }
  }

  const end = live.on("resync", load);
  return {
    update(route) {
      path = route.parameters.path || "/";
      input.value = path;
      load();
    },
    unmount() {
      request?.abort();
      end();
    },
  };
}

function card(recipe) {
  const [title, holds, waits, none] = KINDS[recipe.kind] ?? [recipe.kind, "Holders", "Waiting", ""];
  const people = recipe.holders.length + recipe.waiting.length;
  return h("section", { class: "card recipe", dataset: { kind: recipe.kind } },
    h("div", { class: "card-head" }, h("span", { class: "badge violet" }, title),
      h("a", { class: "mono path", href: hashOf(recipe.path) }, visible(recipe.path)),
      h("span", { class: "grow" }), recipe.by && h("span", { class: "muted" }, `as ${recipe.by} makes them`)),
    h("div", { class: "card-body" },
      recipe.title && recipe.title.toLowerCase() !== title.toLowerCase() && h("p", { class: "muted" }, recipe.title),
      recipe.value !== null && h("p", { class: "value mono" }, visible(String(recipe.value))),
      recipe.count !== null && ["queue", "semaphore"].includes(recipe.kind)
        && h("p", null, plural(recipe.count, recipe.kind === "queue" ? "item" : "lease")),
      recipe.holders.length > 0 && participants(holds, recipe.holders, "holds"),
      recipe.waiting.length > 0 && participants(recipe.kind === "queue" ? "Items, the next first"
        : `${waits}, the next first`, recipe.waiting, "waits"),
      people === 0 && none && h("p", { class: "muted" }, none)));
}

function participants(title, all, kind) {
  return h("div", null, h("h3", null, title), h("ol", { class: `participants ${kind}` },
    all.slice(0, MOST_PARTICIPANTS).map((one) => h("li", null,
      h("a", { class: "mono", href: hashOf(one.path), title: one.path },
        visible(one.path.slice(one.path.lastIndexOf("/") + 1))),
      one.encoding === "utf8" && one.data && h("span", { class: "data" }, visible(one.data.slice(0, 80))),
      h("span", { class: "muted who" }, one.session && one.session !== "0x0"
        && h("a", { class: "mono", href: viewHash(`clients/${one.session}`) }, one.session),
        one.client && ` ${one.client}`), one.since && h("span", { class: "muted since" }, ago(one.since)))),
    all.length > MOST_PARTICIPANTS && h("li", { class: "muted" },
      `and ${count(all.length - MOST_PARTICIPANTS)} more`)));
}
