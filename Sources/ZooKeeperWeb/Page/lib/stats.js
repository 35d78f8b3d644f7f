// The stats of the rows that are seen: asked for in groups, kept for a while, bounded.

import { childOf, parentOf, nameOf } from "./paths.js";

const mostKept = 4000;
const mostNames = 500;

export class Stats {
  constructor(api, onChange) {
    this.api = api;
    this.onChange = onChange;
    this.known = new Map();  // path → {stat, kind, error, time}
    this.asked = new Set();
    this.wanted = new Set();
    this.timer = null;
  }

  get(path) {
    return this.known.get(path) ?? null;
  }

  set(path, entry) {
    this.known.delete(path);
    this.known.set(path, { ...entry, time: performance.now() });
    for (const old of this.known.keys()) {
      if (this.known.size <= mostKept) break;
      this.known.delete(old);
    }
  }

  /** What is seen now; older wishes that were not asked for yet are dropped. */
  want(paths, { maximumAge = Infinity } = {}) {
    const now = performance.now();
    this.wanted = new Set(paths.filter((path) => {
      const entry = this.known.get(path);
      return !this.asked.has(path) && (!entry || now - entry.time > maximumAge);
    }));
    if (this.wanted.size > 0 && this.timer === null) this.timer = setTimeout(() => this.ask(), 40);
  }

  /** Asks for these again, whatever is known. */
  renew(paths) {
    for (const path of paths) this.wanted.add(path);
    this.timer ??= setTimeout(() => this.ask(), 40);
  }

  forget() {
    this.known.clear();
  }

  async ask() {
    this.timer = null;
    const groups = new Map();
    for (const path of this.wanted) {
      const parent = parentOf(path);
      if (parent === null) continue;
      if (!groups.has(parent)) groups.set(parent, []);
      if (groups.get(parent).length < mostNames) groups.get(parent).push(nameOf(path));
    }
    this.wanted.clear();
    await Promise.all([...groups].map(([parent, names]) => this.askGroup(parent, names)));
  }

  async askGroup(parent, names) {
    const paths = names.map((name) => childOf(parent, name));
    for (const path of paths) this.asked.add(path);
    try {
      const { stats } = await this.api.post("/stats", { path: parent, names });
      const changed = [];
      for (const entry of stats) {
        const path = childOf(parent, entry.name);
        const before = this.known.get(path);
        this.set(path, { stat: entry.stat, kind: entry.kind, error: entry.error });
        if (before?.stat && entry.stat && before.stat.mzxid !== entry.stat.mzxid) changed.push(path);
      }
      this.onChange(changed);
    } catch (error) {
      // The rows stay without figures; they are asked for again when they are seen again.
      if (!error.word) console.error(error);
    } finally {
      for (const path of paths) this.asked.delete(path);
    }
  }
}

let rootAsked = null;  // The root has no row of a parent; the tree and the znode beside it share one request.

/** The stat of one znode, through the endpoint for rows; null if it is not there. */
export async function statOf(api, path) {
  if (path === "/") {
    rootAsked ??= api.get("/znode", { path }).finally(() => { rootAsked = null; });
    return (await rootAsked).stat;
  }
  const answer = await api.post("/stats", { path: parentOf(path), names: [nameOf(path)] });
  return answer.stats[0]?.stat ?? null;
}
