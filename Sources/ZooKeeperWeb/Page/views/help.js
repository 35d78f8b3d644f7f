// The keys, and the switch that turns single keys off for those whose speech or hands press them by chance.

import { h } from "../lib/dom.js";
import { choice, openDialog } from "../lib/dialog.js";

const groups = [
  ["Everywhere", [["?", "this help"], ["/", "filter the tree"], ["s", "search below the znode"],
    ["Esc", "close, cancel, clear the filter"]]],
  ["Tree", [["↑ ↓", "move"], ["→ ←", "open, close, go to the parent"], ["Enter", "show the znode"],
    ["Home End", "first, last"], ["PgUp PgDn", "a page up, down"]]],
  ["Znode", [["n", "create one below it"], ["e", "edit the value"], ["Del", "delete it"], ["c", "copy the path"],
    ["u", "up to the parent"], ["r", "load again"]]],
  ["Editor", [["Ctrl S", "save"], ["Esc", "cancel"]]],
];

export function openHelp() {
  const keys = choice("checkbox", "Single keys do something", {
    checked: localStorage.getItem("keys") !== "off",
    on: { change: () => localStorage.setItem("keys", keys.input.checked ? "on" : "off") },
  }, "Arrows, Enter and Del in the tree stay as they are.");
  openDialog({
    title: "Keys", closeLabel: "Close",
    body: [h("div", { class: "keys" }, groups.map(([name, entries]) => h("section", null, h("h3", null, name),
      h("dl", null, entries.map(([key, meaning]) => [h("dt", null, key.split(" ").map((one) => h("kbd", null, one))),
        h("dd", null, meaning)]))))),
    keys.element],
  });
}
