// Two people edited one znode: both texts side by side, with the lines in which they differ. Nothing is written here.

import { diffLines } from "../lib/diff.js";
import { h } from "../lib/dom.js";
import { ago, time } from "../lib/format.js";
import { copyText, notice } from "../lib/status.js";
import { visibleLine } from "./value-show.js";

const mostRows = 4000;

/** The view. `keep` bases the text on the current version, `back` goes back as it was, `discard` gives the text up. */
export function conflictView({ mine, theirs, current, version, keep, back, discard }) {
  const now = current.stat.version;
  const rows = theirs === null ? [] : diffLines(mine, theirs);
  const different = rows.filter((row) => !row.isSame).length;
  const shown = rows.slice(0, mostRows);
  const side = (name, label, detail) => h("div", { class: "conflict-side", role: "group", "aria-label": label },
    h("h3", null, label, h("small", { class: "muted" }, detail)),
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, shown.map((row) => h("div", {
      class: row.isSame ? "" : row[name] === null ? "missing" : `differs ${name}`,
    }, row[name] === null ? " " : visibleLine(row[name]) || " "))));
  const view = h("div", { class: "conflict" },
    h("h2", { tabindex: "-1" }, `Not saved: version ${now} is there, and you edited version ${version}`),
    h("p", { class: "muted" }, theirs === null
      ? "The value in ZooKeeper is no longer text, so the two cannot be compared line by line."
      : different === 0 ? "The two texts are the same."
        : `They differ in ${different} line${different === 1 ? "" : "s"}. Nothing was overwritten.`),
    theirs === null ? notice("warning", "Download the value in ZooKeeper before you decide.")
      : h("div", { class: "conflict-sides" }, side("mine", "Your text", `based on version ${version}`),
        side("theirs", "In ZooKeeper", `version ${now}, ${ago(current.stat.mtime)}`)),
    rows.length > mostRows && notice("info", `The first ${mostRows} lines are shown.`),
    h("div", { class: "editor-foot" },
      h("button", { type: "button", on: { click: () => copyText(mine, "Your text") } }, "Copy my text"),
      h("div", { class: "grow" }),
      h("button", { type: "button", on: { click: discard } }, `Take version ${now}`),
      h("button", { type: "button", on: { click: back } }, "Back to my text"),
      h("button", { type: "button", class: "primary", on: { click: keep } }, `Edit mine on top of version ${now}`)));
  view.querySelectorAll(".conflict-side h3 small")[1]?.setAttribute("title", time(current.stat.mtime));
  const panes = [...view.querySelectorAll("pre")];
  for (const pane of panes) {
    pane.addEventListener("scroll", () => {
      for (const other of panes) if (other !== pane
        && other.scrollTop !== pane.scrollTop) other.scrollTop = pane.scrollTop;
    });
  }
  return view;
}
