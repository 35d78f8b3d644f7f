// The tree: a treegrid of the rows that are seen, its filter, its keys, and what is live in it.

import { Branches } from "../lib/branches.js";
import { debounce, h, setText, throttle } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { ancestorsOf, isBelow, nameOf, parentOf, viewHash } from "../lib/paths.js";
import { Stats, statOf } from "../lib/stats.js";
import { rowPixels, virtualList } from "../lib/virtual.js";
import { drawRow, makeRow } from "./tree-row.js";

const flashMilliseconds = 2500;
const mostWatched = 80;

export class TreePane {
  constructor(context, actions) {
    this.context = context;
    this.actions = actions;
    this.branches = new Branches();
    this.stats = new Stats(context.api, (paths) => {
      this.flash(paths, "changed");
      this.list.refreshSoon();
    });
    this.flashes = new Map();  // path → {kind, until}
    this.loads = new Map();  // path of an open branch → {off, timer, cost, isLoading, isAgain}
    this.dataWatches = new Map();
    this.cursor = "/";
    this.selected = "/";
    this.loaded = null;  // Settled when the children of the root are there, or an error instead.
    this.buildElements();
    this.watchSeen = debounce(() => this.watchRows(), 400);
    context.live.on("resync", throttle(() => this.refreshAll(), 1000));
    setInterval(() => this.renewSeen(), 10_000);
  }

  get hasFocus() {
    return this.grid.contains(document.activeElement);
  }

  // The elements.

  buildElements() {
    const heads = ["Name", "Children", "Size", "Version", "Owner"];
    this.list = virtualList({
      count: () => this.branches.count,
      key: (index) => keyOf(this.branches.rowAt(index)),
      make: makeRow,
      draw: (element, index) => drawRow(element, this.branches.rowAt(index), index, this),
      rowHeight: () => rowPixels(),
      onRange: (first, last) => this.see(first, last),
      attributes: { role: "rowgroup" },
      head: h("div", { class: "tree-head", role: "rowgroup" }, h("div", { class: "tree-row head", role: "row" },
        heads.map((head) => h("div", { role: "columnheader", class: `cell ${head.toLowerCase()}` }, head)))),
    });
    this.list.element.addEventListener("click", (event) => this.click(event));
    this.list.element.addEventListener("dblclick", (event) => {
      const row = this.rowOf(event);
      if (row?.path && !event.target.closest("button")) this.toggle(row.path);
    });
    this.grid = this.list.element;
    this.grid.classList.add("tree-grid");
    this.grid.tabIndex = 0;
    this.grid.setAttribute("role", "treegrid");
    this.grid.setAttribute("aria-label", "Znodes");
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.filter = h("input", {
      type: "search", placeholder: "Filter what is open", "aria-label": "Filter the open branches by name",
      spellcheck: "false", autocomplete: "off",
      on: { input: debounce(() => this.applyFilter(), 60), keydown: (event) => this.filterKey(event) },
    });
    this.found = h("span", { class: "tree-found muted", role: "status" });
    const button = (name, label, run) =>
      h("button", { type: "button", class: "quiet", "aria-label": label, title: label, on: { click: run } },
        icon(name));
    this.element = h("section", { class: "tree-pane", "aria-label": "Tree" },
      h("div", { class: "tree-tools" },
        h("div", { class: "filter" }, icon("filter"), this.filter, h("kbd", { "aria-hidden": "true" }, "/")),
          this.found,
        button("search", "Search below this znode (s)", () =>
          this.context.navigate(viewHash("search", { path: this.selected }))),
        button("plus", "Create a znode below this one (n)", () => this.actions.create(this.selected)),
        button("refresh", "Load again (r)", () => this.refreshAll())),
      this.grid);
  }

  focus() {
    this.grid.focus({ preventScroll: true });
  }

  focusFilter() {
    this.filter.focus();
    this.filter.select();
  }

  // Loading.

  start() {
    this.follow(this.branches.root);
    this.loaded = this.load(this.branches.root);
  }

  /** Shows the place of the address: opens what is above it, and puts the cursor there. */
  async select(path) {
    this.selected = path;
    const isMoved = this.cursor !== path;
    this.cursor = path;
    if (!this.loaded) this.start();
    this.list.refresh();
    for (const part of ancestorsOf(path).slice(0, -1)) {
      const branch = part === "/" ? this.branches.root : await this.open(part, { isQuiet: true });
      if (!branch || this.selected !== path) return;
      if (branch.names === null) await this.loads.get(branch.path)?.promise;
      if (this.selected !== path) return;
    }
    if (isMoved && path !== "/" && this.branches.indexOf(path) >= 0) this.openSoon(path);
    const index = this.branches.indexOf(path);
    if (index >= 0) this.list.scrollTo(index);
    else this.list.refresh();
  }

  /** Opens the znode of an address, if it has children: who follows a link wants to see them. */
  async openSoon(path) {
    const stat = this.stats.get(path)?.stat ?? await statOf(this.context.api, path).catch(() => null);
    if (stat?.numChildren > 0 && this.selected === path) this.open(path, { isQuiet: true });
  }

  async open(path, { isQuiet = false } = {}) {
    const there = this.branches.branchAt(path);
    if (there) return there;
    const branch = this.branches.open(path);
    if (!branch) return null;
    this.follow(branch);
    this.list.refresh();
    await this.load(branch);
    if (!isQuiet && branch.names) this.context.status.announce(`${nameOf(path)}: ${plural(branch.names.length, "child", "children")}`);
    return branch;
  }

  close(path) {
    if (path === "/") return;
    for (const branch of this.branches.close(path)) this.unfollow(branch.path);
    if (isBelow(this.cursor, path)) this.cursor = path;
    this.list.refresh();
  }

  toggle(path) {
    if (this.branches.branchAt(path)) this.close(path);
    else this.open(path);
  }

  load(branch) {
    const state = this.loads.get(branch.path);
    if (!state) return Promise.resolve();
    state.promise = this.loadNow(branch, state);
    return state.promise;
  }

  async loadNow(branch, state) {
    clearTimeout(state.timer);
    state.timer = null;
    state.isLoading = true;
    const started = performance.now();
    try {
      const answer = await this.context.api.get("/children", { path: branch.path });
      if (this.loads.get(branch.path) !== state) return;
      this.receive(branch, answer);
    } catch (error) {
      if (this.loads.get(branch.path) !== state) return;
      this.fail(branch, error);
    } finally {
      state.isLoading = false;
      state.cost = performance.now() - started;
      if (state.isAgain) {
        state.isAgain = false;
        this.loadSoon(branch);
      }
    }
  }

  receive(branch, answer) {
    const anchor = this.anchor();
    const change = this.branches.setNames(branch, answer);
    for (const closed of change.closed) this.unfollow(closed.path);
    const prefix = branch.path === "/" ? "/" : `${branch.path}/`;
    this.flash(change.added.slice(0, 500).map((name) => prefix + name), "added");
    if (change.removed.length > 0) this.flash([branch.path], "changed");
    this.setStat(branch.path, answer.stat);
    if (change.removed.some((name) => isBelow(this.cursor, prefix + name))) this.cursor = branch.path;
    if (this.branches.filter) this.showFound();
    this.list.refresh();
    this.restore(anchor);
  }

  fail(branch, error) {
    if (error.word === "NoNode" && branch.parent) {
      this.close(branch.path);
      return;
    }
    if (branch.names === null || !error.isAway) {
      branch.names = branch.names ?? null;
      this.branches.setMessage(branch, { kind: "error", error });
    }
    this.list.refresh();
  }

  /** Loads again, but not more often than a quarter of the time would go into it. */
  loadSoon(branch) {
    const state = this.loads.get(branch.path);
    if (!state || state.timer) return;
    if (state.isLoading) {
      state.isAgain = true;
      return;
    }
    state.timer = setTimeout(() => this.load(branch), Math.max(150, state.cost * 4));
  }

  refreshAll() {
    for (const branch of this.branches.all()) this.loadSoon(branch);
    this.renewSeen();
  }

  // What is live.

  follow(branch) {
    const state = { off: null, timer: null, cost: 0, isLoading: false, isAgain: false, promise: null };
    this.loads.set(branch.path, state);
    state.off = this.context.live.children(branch.path, (change) => {
      if (change.type === "armed") this.check(branch);
      else this.loadSoon(branch);
    });
  }

  unfollow(path) {
    const state = this.loads.get(path);
    if (!state) return;
    state.off();
    clearTimeout(state.timer);
    this.loads.delete(path);
  }

  /** Loads a branch again if it changed before its watch was set. */
  async check(branch) {
    if (branch.names === null) {
      if (branch.message?.kind === "error") this.loadSoon(branch);
      return;
    }
    try {
      const stat = await statOf(this.context.api, branch.path);
      if (stat?.pzxid !== branch.stat?.pzxid) this.loadSoon(branch);
    } catch (error) {
      if (!error.isAway) this.loadSoon(branch);
    }
  }

  see(first, last) {
    const paths = [];
    for (let index = first; index <= last; index += 1) {
      const row = this.branches.rowAt(index);
      if (row.path) paths.push(row.path);
    }
    this.seen = paths;
    this.stats.want(paths);
    this.watchSeen?.();
  }

  /** Watches the data of the rows that are seen, so that their figures and a change of them are live. */
  watchRows() {
    const wanted = new Set(this.seen.slice(0, mostWatched));
    for (const [path, off] of this.dataWatches) {
      if (wanted.has(path)) continue;
      off();
      this.dataWatches.delete(path);
    }
    for (const path of wanted) {
      if (this.dataWatches.has(path)) continue;
      this.dataWatches.set(path, this.context.live.data(path, (change) => {
        if (change.type === "data") this.stats.renew([path]);
      }));
    }
  }

  renewSeen() {
    if (document.hidden || !this.seen || this.element.offsetParent === null) return;
    this.stats.want(this.seen, { maximumAge: 5000 });
  }

  setStat(path, stat, kind = undefined) {
    if (!stat) return;
    const before = this.stats.get(path);
    this.stats.set(path, { stat, kind: kind ?? before?.kind ?? null, error: null });
    this.list.refreshSoon();
  }

  flash(paths, kind) {
    const until = performance.now() + flashMilliseconds;
    for (const path of paths) this.flashes.set(path, { kind, until });
    if (paths.length === 0) return;
    setTimeout(() => {
      const now = performance.now();
      for (const [path, flash] of this.flashes) if (flash.until <= now) this.flashes.delete(path);
      this.list.refreshSoon();
    }, flashMilliseconds + 50);
  }

  // What was at the top stays there when rows come or go above it.

  anchor() {
    const top = this.list.isLaidOut() ? this.list.element.scrollTop : 0;
    if (top === 0) return null;
    const index = Math.floor(top / rowPixels());
    const row = index < this.branches.count ? this.branches.rowAt(index) : null;
    return row?.path ? { path: row.path, index } : null;
  }

  restore(anchor) {
    if (!anchor) return;
    const index = this.branches.indexOf(anchor.path);
    if (index >= 0 && index !== anchor.index) {
      this.list.element.scrollTop += (index - anchor.index) * rowPixels();
      this.list.refresh();
    }
  }

  // The filter.

  applyFilter() {
    const anchor = this.filter.value === "" ? null : this.anchor();
    this.branches.setFilter(this.filter.value.trim());
    this.list.refresh();
    this.restore(anchor);
    if (this.branches.filter === "") {
      const index = this.branches.indexOf(this.cursor);
      if (index >= 0) this.list.scrollTo(index);
    }
    this.showFound();
  }

  showFound() {
    if (this.branches.filter === "") {
      setText(this.found, "");
      return;
    }
    let shown = 0;
    let all = 0;
    for (const branch of this.branches.all()) {
      shown += branch.shown.length;
      all += branch.names?.length ?? 0;
    }
    setText(this.found, `${count(shown)} of ${count(all)}`);
  }

  filterKey(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.filter.value !== "") {
        this.filter.value = "";
        this.applyFilter();
      } else {
        this.focus();
      }
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      this.applyFilter();
      this.focus();
      const match = this.firstMatch();
      if (match >= 0) this.moveTo(match);
    }
  }

  firstMatch() {
    for (let index = 1; index < Math.min(this.branches.count, 10_000); index += 1) {
      const row = this.branches.rowAt(index);
      if (row.path && row.name.toLowerCase().includes(this.branches.filter)) return index;
    }
    return -1;
  }

  // Clicks and keys.

  rowOf(event) {
    const element = event.target.closest(".tree-row");
    return element?.row ?? null;
  }

  click(event) {
    const row = this.rowOf(event);
    if (!row) return;
    this.focus();
    if (row.message) {
      if (row.message.kind === "error") {
        this.branches.setMessage(row.parent, { kind: "loading" });
        this.load(row.parent);
        this.list.refresh();
      }
      return;
    }
    this.cursor = row.path;
    if (event.target.closest(".copy-path")) this.context.status.copyText(row.path, "The path");
    else if (event.target.closest(".twisty")) this.toggle(row.path);
    else this.actions.open(row.path);
    this.list.refresh();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Math.max(0, this.branches.indexOf(this.cursor));
    const row = this.branches.rowAt(at);
    switch (event.key) {
      case "ArrowDown": this.moveTo(at + 1, 1); break;
      case "ArrowUp": this.moveTo(at - 1, -1); break;
      case "PageDown": this.moveTo(at + this.list.pageSize(), 1); break;
      case "PageUp": this.moveTo(at - this.list.pageSize(), -1); break;
      case "Home": this.moveTo(0); break;
      case "End": this.moveTo(this.branches.count - 1, -1); break;
      case "ArrowRight":
        if (row.open) this.moveTo(at + 1, 1);
        else if (this.stats.get(row.path)?.stat?.numChildren !== 0) this.open(row.path);
        break;
      case "ArrowLeft":
        if (row.open && row.path !== "/") this.close(row.path);
        else if (parentOf(row.path) !== null) this.moveTo(this.branches.indexOf(parentOf(row.path)));
        break;
      case "Enter":
      case " ": this.actions.open(row.path); break;
      default: return;
    }
    event.preventDefault();
  }

  /** Moves the cursor to a row, or to the next one in a direction that is a znode's. */
  moveTo(index, step = 1) {
    let at = Math.min(this.branches.count - 1, Math.max(0, index));
    let row = this.branches.rowAt(at);
    while (!row.path && at + step >= 0 && at + step < this.branches.count) {
      at += step;
      row = this.branches.rowAt(at);
    }
    if (!row.path) return;
    this.cursor = row.path;
    this.list.scrollTo(at);
  }
}

function keyOf(row) {
  return row.path ?? `${row.parent.path}\u0000${row.message?.kind}`;
}

