// The head of a znode: its place, its facts, what may be done with it, and the tabs.
//
// Its controls are made once, and only their state changes. If they were made anew with every change of the znode, a
// click that begins before a change and ends after it would be lost, and so would the focus.

import { h, replace, setText } from "../lib/dom.js";
import { ago, size, time } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { ancestorsOf, hashOf, nameOf, visible } from "../lib/paths.js";
import { copyText } from "../lib/status.js";
import { kinds } from "./tree-row.js";

export const tabs = [["value", "Value"], ["details", "Details"], ["access", "Access"]];

/** What can be done. `isWrite`: not where nothing may be changed; `needsZnode`: not if there is no znode. */
const tools = [
  { act: "edit", icon: "edit", label: "Edit", key: "e", isWrite: true, needsZnode: true },
  { act: "create", icon: "plus", label: "Create", key: "n", isWrite: true },
  { act: "copy", icon: "copy", label: "Copy or move", needsZnode: true },
  { act: "export", icon: "download", label: "Export", needsZnode: true },
  { act: "import", icon: "upload", label: "Import", isWrite: true },
  { act: "remove", icon: "trash", label: "Delete", key: "Del", isWrite: true, needsZnode: true },
];

export class ValueHead {
  /** `actions`: act(what) does what a tool says, back() goes to the tree, openTab(name) shows a tab. */
  constructor({ act, back, openTab }) {
    this.openTab = openTab;
    this.path = null;
    this.changed = null;  // The element with the time of the last change, and that time.
    this.crumbs = h("h1", { class: "crumbs" });
    this.facts = h("div", { class: "value-facts" });
    this.tools = tools.map((tool) => ({ ...tool, button: h("button",
      { type: "button", class: "quiet", dataset: { act: tool.act }, on: { click: () => act(tool.act) } },
      icon(tool.icon), tool.label) }));
    this.tabs = tabs.map(([name, label]) => [name, h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "value-body",
      on: { click: () => openTab(name) },
    }, label)]);
    this.element = h("header", { class: "value-head" },
      h("div", { class: "value-place" },
        h("button", { type: "button", class: "quiet to-tree", "aria-label": "Back to the tree", on: { click: back } },
          icon("back")),
        this.crumbs,
        h("button", { type: "button", class: "quiet", "aria-label": "Copy the path", title: "Copy the path (c)",
          on: { click: () => copyText(this.path, "The path") } }, icon("copy"))),
      this.facts,
      h("div", { class: "value-tools", role: "toolbar", "aria-label": "What can be done" },
        this.tools.map((tool) => tool.button)),
      h("div", { class: "tabs", role: "tablist", "aria-label": "Znode",
        on: { keydown: (event) => this.tabKey(event) } }, this.tabs.map(([, button]) => button)));
    setInterval(() => this.drawTime(), 10_000);
  }

  /**
   * Shows a znode as it is now. `znode` is null while it is not known, and what it was once it is deleted; `refusal`
   * says why nothing may be changed, or is null.
   */
  update(path, znode, { tab, refusal, isThere }) {
    if (path !== this.path) {
      this.path = path;
      this.drawCrumbs();
    }
    this.drawFacts(znode);
    for (const tool of this.tools) {
      const isRefused = tool.isWrite && refusal !== null;
      tool.button.disabled = isRefused || (tool.needsZnode === true && !isThere);
      tool.button.title = isRefused ? refusal : tool.key ? `${tool.label} (${tool.key})` : tool.label;
      tool.button.hidden = tool.act === "remove" && path === "/";
    }
    this.tab = tab;
    for (const [name, button] of this.tabs) {
      button.setAttribute("aria-selected", String(name === tab));
      button.tabIndex = name === tab ? 0 : -1;
    }
  }

  drawCrumbs() {
    const parts = ancestorsOf(this.path);
    replace(this.crumbs, parts.map((part, index) => [
      index > 1 && h("span", { class: "slash", "aria-hidden": "true" }, "/"),
      index < parts.length - 1 ? h("a", { href: hashOf(part) }, visible(nameOf(part)))
        : h("span", { class: "here" }, visible(nameOf(part)))]));
  }

  drawFacts(znode) {
    const kind = znode && kinds[znode.kind];
    const stat = znode?.stat;
    this.changed = stat ? { element: h("span", { class: "muted", title: time(stat.mtime) }), mtime: stat.mtime } : null;
    this.drawTime();
    replace(this.facts,
      kind && h("span", { class: `badge kind-badge ${znode.kind}`, title: kind.meaning }, icon(kind.icon), kind.label),
      stat && [h("span", { class: "badge" }, `version ${stat.version}`),
        h("span", { class: "badge" }, size(stat.dataLength)),
        znode.compression && h("span", { class: "badge teal" }, znode.compression), this.changed.element]);
  }

  drawTime() {
    if (this.changed) setText(this.changed.element, `changed ${ago(this.changed.mtime)}`);
  }

  tabKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(([name]) => name === this.tab);
    const [name, button] = this.tabs[(at + step + tabs.length) % tabs.length];
    this.openTab(name);
    button.focus();
  }
}
