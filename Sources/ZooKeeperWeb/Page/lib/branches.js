// The open branches of the tree as one list of rows, without an element for each: a znode with 100,000 children costs
// its names and nothing more.
//
//     /                 row 0: the root, always open
//     ├ app             row 1: closed
//     ├ many            row 2: open, `rows` = 100,000
//     │ ├ node-000000   row 3
//     ⋮

import { ancestorsOf, childOf, nameOf, parentOf } from "./paths.js";

/** An open znode. A row of text (`message`) is in the place of its children until they are there, or if they cannot be. */
class Branch {
  constructor(path, parent) {
    this.path = path;
    this.parent = parent;
    this.level = parent ? parent.level + 1 : 0;
    this.names = null;
    this.shown = [];
    this.open = new Map();  // name → branch
    this.order = [];  // [position in shown, branch], by position
    this.rows = 0;
    this.message = { kind: "loading" };
    this.stat = null;
    this.total = null;
  }
}

export class Branches {
  constructor() {
    this.root = new Branch("/", null);
    this.filter = "";
    this.arrange(this.root);
  }

  /** How many rows there are. */
  get count() {
    return 1 + this.root.rows;
  }

  /** The open branch of a path, or null. */
  branchAt(path) {
    let branch = this.root;
    for (const part of ancestorsOf(path).slice(1)) {
      branch = branch.open.get(nameOf(part));
      if (!branch) return null;
    }
    return branch;
  }

  /** All open branches, from the root. */
  *all(branch = this.root) {
    yield branch;
    for (const child of branch.open.values()) yield* this.all(child);
  }

  /** The row at an index: {path, name, level, open: branch or null, parent, position, size} or {message, parent, level}. */
  rowAt(index) {
    if (index === 0) return { path: "/", name: "/", level: 0, open: this.root, parent: null, position: 0, size: 1 };
    let branch = this.root;
    let rest = index - 1;
    for (;;) {
      let offset = 0;
      let inner = null;
      for (const [position, child] of branch.order) {
        const own = position + offset;
        if (rest <= own) break;
        if (rest <= own + child.rows) {
          inner = child;
          rest -= own + 1;
          break;
        }
        offset += child.rows;
      }
      if (inner) {
        branch = inner;
        continue;
      }
      const position = rest - offset;
      if (position >= branch.shown.length) return { message: branch.message, parent: branch, level: branch.level + 1 };
      const name = branch.shown[position];
      return {
        path: childOf(branch.path, name), name, level: branch.level + 1, open: branch.open.get(name) ?? null,
        parent: branch, position, size: branch.shown.length,
      };
    }
  }

  /** The index of a path's row, or -1 where it is not shown. Linear in the children of its ancestors. */
  indexOf(path) {
    if (path === "/") return 0;
    let branch = this.root;
    let index = 0;
    const parts = ancestorsOf(path).slice(1);
    for (const [depth, part] of parts.entries()) {
      const name = nameOf(part);
      const position = branch.shown.indexOf(name);
      if (position < 0) return -1;
      index += 1 + position;
      for (const [before, child] of branch.order) {
        if (before >= position) break;
        index += child.rows;
      }
      if (depth === parts.length - 1) return index;
      branch = branch.open.get(name);
      if (!branch) return -1;
    }
    return -1;
  }

  /** Opens a znode whose parent is open; its names come by `setNames`. */
  open(path) {
    const parent = this.branchAt(parentOf(path));
    if (!parent) return null;
    const name = nameOf(path);
    const there = parent.open.get(name);
    if (there) return there;
    const branch = new Branch(path, parent);
    parent.open.set(name, branch);
    this.arrange(branch);
    this.arrangeUp(parent);
    return branch;
  }

  /** Closes a znode and all below it; its names are forgotten. */
  close(path) {
    const branch = this.branchAt(path);
    if (!branch || !branch.parent) return [];
    branch.parent.open.delete(nameOf(path));
    this.arrangeUp(branch.parent);
    return [...this.all(branch)];
  }

  /** Sets the children that were loaded. Returns what is new and what is gone, and the branches that went with it. */
  setNames(branch, { children, total, truncated, stat }) {
    const before = branch.names;
    branch.names = children;
    branch.total = total;
    branch.stat = stat;
    branch.message = truncated ? { kind: "truncated", shown: children.length, total } : null;
    const change = { added: [], removed: [], closed: [] };
    if (before) {
      const now = new Set(children);
      const old = new Set(before);
      change.added = children.filter((name) => !old.has(name));
      change.removed = before.filter((name) => !now.has(name));
      for (const name of change.removed) {
        const child = branch.open.get(name);
        if (!child) continue;
        change.closed.push(...this.all(child));
        branch.open.delete(name);
      }
    }
    this.arrangeUp(branch);
    return change;
  }

  setMessage(branch, message) {
    branch.message = message;
    this.arrangeUp(branch);
  }

  /** Shows only names which contain the text, and what leads to them. */
  setFilter(text) {
    this.filter = text.toLowerCase();
    this.arrangeAll(this.root);
  }

  arrangeAll(branch) {
    for (const child of branch.open.values()) this.arrangeAll(child);
    this.arrange(branch);
  }

  arrangeUp(branch) {
    for (let one = branch; one; one = one.parent) this.arrange(one);
  }

  arrange(branch) {
    const names = branch.names ?? [];
    branch.shown = this.filter === "" ? names : names.filter((name) =>
      name.toLowerCase().includes(this.filter) || (branch.open.get(name)?.shown.length ?? 0) > 0);
    branch.order = [];
    if (branch.open.size > 0) {
      const positions = positionsOf(branch.shown, branch.open);
      branch.order = positions.sort((one, other) => one[0] - other[0]);
    }
    branch.rows = branch.shown.length + (branch.message ? 1 : 0)
      + branch.order.reduce((sum, [, child]) => sum + child.rows, 0);
  }
}

function positionsOf(names, open) {
  if (open.size < 8) {
    return [...open].map(([name, branch]) => [names.indexOf(name), branch]).filter(([position]) => position >= 0);
  }
  const found = [];
  names.forEach((name, position) => {
    const branch = open.get(name);
    if (branch) found.push([position, branch]);
  });
  return found;
}
