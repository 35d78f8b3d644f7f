// One row of the tree: its elements are made once, and filled again for another znode when they scroll out of sight.

import { h, replace, setText, uniqueID } from "../lib/dom.js";
import { count, moment, size } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { visible } from "../lib/paths.js";
import { errorText } from "../lib/status.js";

/** The kinds of znodes: icon, name, what it means. */
export const kinds = {
  persistent: { icon: "file", label: "persistent", meaning: "stays until it is deleted" },
  ephemeral: { icon: "bolt", label: "ephemeral", meaning: "goes with the session that owns it" },
  container: { icon: "box", label: "container", meaning: "is deleted by the server some time after its last child" },
  ttl: { icon: "clock", label: "TTL",
    meaning: "is deleted when it was not changed for its time to live and has no children" },
};

export function makeRow() {
  const cell = (name) => h("div", { role: "gridcell", class: `cell ${name}` });
  const parts = {
    twisty: h("span", { class: "twisty" }, icon("chevron")), kind: h("span", { class: "kind" }),
      text: h("span", { class: "text" }),
    copy: h("button", { type: "button", class: "copy-path quiet", tabindex: "-1", title: "Copy the path (c)" },
      icon("copy")),
  };
  const cells = [cell("name"), cell("children"), cell("size"), cell("version"), cell("owner")];
  cells[0].append(parts.twisty, parts.kind, parts.text, parts.copy);
  const element = h("div", { class: "tree-row", role: "row", id: uniqueID("row") }, cells);
  element.parts = { ...parts, cells };
  return element;
}

/** Fills a row; `pane` knows the cursor, the stats and what has just changed. */
export function drawRow(element, row, index, pane) {
  element.row = row;
  const { cells } = element.parts;
  element.style.setProperty("--level", row.level);
  element.setAttribute("aria-level", row.level + 1);
  element.setAttribute("aria-rowindex", index + 2);
  if (index === 0) pane.grid.setAttribute("aria-rowcount", pane.branches.count + 1);
  if (row.message) {
    drawMessage(element, row);
    return;
  }
  const entry = pane.stats.get(row.path);
  const stat = entry?.stat ?? null;
  const isCursor = row.path === pane.cursor;
  const isSelected = row.path === pane.selected;
  const flash = pane.flashes.get(row.path)?.kind;
  element.className = `tree-row${isSelected ? " selected" : ""}${isCursor ? " cursor" : ""}${flash ? ` ${flash}` : ""}`;
  element.setAttribute("aria-selected", isSelected);
  element.setAttribute("aria-setsize", row.size);
  element.setAttribute("aria-posinset", row.position + 1);
  if (isCursor) pane.grid.setAttribute("aria-activedescendant", element.id);
  drawName(element, row, entry);
  setText(cells[1], stat ? (stat.numChildren === 0 ? "" : count(stat.numChildren)) : "");
  setText(cells[2], stat ? (stat.dataLength === 0 ? "" : size(stat.dataLength)) : "");
  setText(cells[3], stat ? `v${stat.version}` : entry?.error ? "–" : "");
  cells[3].title = stat ? `Changed ${moment(stat.mtime)}` : entry?.error ?? "";
  const owner = entry?.kind === "ephemeral" ? stat?.ephemeralOwner ?? "" : "";
  setText(cells[4], owner);
  cells[4].title = owner ? `The session that owns it: ${owner}` : "";
}

function drawName(element, row, entry) {
  const { twisty, kind, text, copy } = element.parts;
  const stat = entry?.stat ?? null;
  const isLeaf = stat?.numChildren === 0 && !row.open;
  twisty.className = `twisty${row.open ? " open" : ""}${isLeaf ? " leaf" : ""}`;
  if (isLeaf) element.removeAttribute("aria-expanded");
  else element.setAttribute("aria-expanded", row.open !== null);
  const isFolder = (entry?.kind ?? "persistent") === "persistent" && (row.open || (stat?.numChildren ?? 0) > 0);
  const known = kinds[entry?.kind] ?? kinds.persistent;
  const name = isFolder ? "folder" : known.icon;
  if (kind.dataset.icon !== name) {
    kind.dataset.icon = name;
    replace(kind, icon(name));
  }
  kind.className = `kind ${entry?.kind ?? ""}`;
  kind.title = entry ? `${known.label}: ${known.meaning}` : "";
  const shown = visible(row.name);
  setText(text, shown);
  text.title = shown === row.name ? "" : "Characters that would be unseen are shown by their numbers.";
  copy.hidden = false;
  copy.setAttribute("aria-label", `Copy the path ${visible(row.path)}`);
  const label = entry?.kind && entry.kind !== "persistent" ? `${shown}, ${known.label}` : shown;
  element.parts.cells[0].setAttribute("aria-label", label);
}

function drawMessage(element, row) {
  const { cells, twisty, kind, text, copy } = element.parts;
  const message = row.message;
  element.className = `tree-row message ${message?.kind ?? ""}`;
  for (const name of ["aria-selected", "aria-expanded", "aria-setsize", "aria-posinset"]) element.removeAttribute(name);
  twisty.className = "twisty leaf";
  kind.className = "kind";
  kind.title = "";
  kind.dataset.icon = "";
  replace(kind, message?.kind === "loading" ? h("span",
    { class: "spinner" }) : icon(message?.kind === "error" ? "warning" : "info"));
  const words = {
    loading: "Loading…",
    error: `${errorText(message?.error ?? {})} Click to try again.`,
    truncated: `The first ${count(message?.shown)} of ${count(message?.total)} children. Search below finds the others.`,
  };
  setText(text, words[message?.kind] ?? "");
  text.title = message?.kind === "loading" ? "" : text.textContent;
  copy.hidden = true;
  cells[0].removeAttribute("aria-label");
  for (const cell of cells.slice(1)) {
    setText(cell, "");
    cell.title = "";
  }
}
