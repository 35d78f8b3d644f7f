// What is live: one event stream per tab, which follows the topics and watches that views have asked for.
//
// A stream that breaks is opened again, and every view is told to load afresh what it shows ("resync"): events were
// lost meanwhile. The same after the server dropped some ("lagging"), and after the tab or the machine slept.

const longestWait = 10_000;
const sleepMilliseconds = 90_000;

export class Live {
  constructor(api) {
    this.api = api;
    this.topics = new Map();  // name → number of subscribers
    this.watches = { children: new Map(), data: new Map() };  // path → set of listeners
    this.armed = { children: new Set(), data: new Set() };
    this.listeners = new Map();
    this.source = null;
    this.stream = null;
    this.following = null;  // The stream for which the server is being told what it follows.
    this.isFollowStale = false;
    this.wait = 500;
    this.isOpen = false;
    this.hadStream = false;
    this.followTimer = null;
    this.retryTimer = null;
    this.lastTick = Date.now();
  }

  /** Opens the stream and keeps it open. */
  start() {
    this.open();
    setInterval(() => this.noticeSleep(), 5000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.noticeSleep(); });
    document.addEventListener("resume", () => this.reopen());
    window.addEventListener("online", () => this.reopen());
    window.addEventListener("pagehide", () => this.source?.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.reopen(); });
  }

  /**
   * Listens to an event: `state`, `job`, `ensemble`, `clients`, `sandbox`, `trace`, `log` as the server sends them;
   * `connection` (whether the stream is open) and `resync` are this object's own, `session` (who is served, and what
   * may be changed, is known now) is the page's. Returns what ends it.
   */
  on(name, listener) {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set());
    this.listeners.get(name).add(listener);
    return () => this.listeners.get(name).delete(listener);
  }

  /** Follows a topic while there is a subscriber: `live.topic("ensemble", (value) => …)`. Returns what ends it. */
  topic(name, listener) {
    const off = this.on(name, listener);
    this.topics.set(name, (this.topics.get(name) ?? 0) + 1);
    this.followSoon();
    return once(() => {
      off();
      const left = this.topics.get(name) - 1;
      if (left > 0) this.topics.set(name, left);
      else this.topics.delete(name);
      this.followSoon();
    });
  }

  /**
   * Watches the children of a znode, or its data. The listener is called with the server's `change`, and once with
   * {type: "armed"} when the watch is set: what was loaded before that may be older than the watch.
   */
  children(path, listener) {
    return this.watch("children", path, listener);
  }

  data(path, listener) {
    return this.watch("data", path, listener);
  }

  watch(kind, path, listener) {
    const paths = this.watches[kind];
    if (!paths.has(path)) paths.set(path, new Set());
    paths.get(path).add(listener);
    if (this.armed[kind].has(path)) queueMicrotask(() => listener({ type: "armed", path }));
    this.followSoon();
    return once(() => {
      const set = paths.get(path);
      set?.delete(listener);
      if (set?.size === 0) paths.delete(path);
      this.followSoon();
    });
  }

  open() {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.stream = null;
    const topics = this.topicNames();
    const source = new EventSource(this.api.address("/events", { topics: topics.join(",") || null }));
    this.source = source;
    source.addEventListener("hello", (event) => this.receiveHello(parse(event)));
    source.addEventListener("change", (event) => this.receiveChange(parse(event)));
    source.addEventListener("lagging", (event) => {
      this.emit("lagging", parse(event));
      this.emit("resync");
    });
    for (const name of ["state", "job", "ensemble", "clients", "sandbox", "trace", "log"]) {
      source.addEventListener(name, (event) => this.emit(name, parse(event)));
    }
    source.addEventListener("error", () => this.retry(source));
  }

  receiveHello(hello) {
    this.stream = hello.stream;
    this.wait = 500;
    this.isOpen = true;
    this.armed = { children: new Set(), data: new Set() };
    this.follow();
    this.emit("connection", true);
    if (this.hadStream) this.emit("resync");
    this.hadStream = true;
  }

  receiveChange(change) {
    const parent = change.path === "/" ? null : change.path.slice(0, change.path.lastIndexOf("/")) || "/";
    if (change.type !== "data") {
      this.notify("children", change.path, change);
      if (change.type !== "children" && parent !== null) this.notify("children", parent, change);
    }
    if (change.type !== "children") this.notify("data", change.path, change);
  }

  notify(kind, path, change) {
    for (const listener of [...this.watches[kind].get(path) ?? []]) run(listener, change);
  }

  retry(source) {
    if (source !== this.source) return;
    source.close();
    this.source = null;
    this.stream = null;
    if (this.isOpen) {
      this.isOpen = false;
      this.emit("connection", false);
    } else {
      this.emit("refused");
    }
    this.retryTimer = setTimeout(() => this.open(), this.wait * (0.7 + Math.random() * 0.6));
    this.wait = Math.min(longestWait, this.wait * 2);
  }

  /** Opens a new stream in place of the one that is there, which may be dead without having said so. */
  reopen() {
    this.wait = 500;
    this.open();
  }

  noticeSleep() {
    const now = Date.now();
    const slept = now - this.lastTick > sleepMilliseconds;
    this.lastTick = now;
    if (slept) this.reopen();
  }

  /** Sends the server soon what the stream follows, once for all that changes in this moment. */
  followSoon() {
    clearTimeout(this.followTimer);
    this.followTimer = setTimeout(() => this.follow(), 20);
  }

  /**
   * Sends the server what the stream follows. One request of a stream waits for the one before: the server could take
   * two in any order, and follow what was wanted first.
   */
  async follow() {
    clearTimeout(this.followTimer);
    const stream = this.stream;
    if (stream === null) return;
    if (this.following === stream) {
      this.isFollowStale = true;
      return;
    }
    this.following = stream;
    this.isFollowStale = false;
    const watches = {
      children: [...this.watches.children.keys()].slice(-1000), data: [...this.watches.data.keys()].slice(-100),
    };
    let failure = null;
    try {
      await this.api.post(`/streams/${encodeURIComponent(stream)}`, { topics: this.topicNames(), watches });
    } catch (error) {
      failure = error;
    }
    if (stream !== this.stream) return;
    this.following = null;
    if (failure?.status === 404) this.reopen();
    else if (failure) this.followTimer = setTimeout(() => this.follow(), 2000);
    else this.arm(watches);
    if (!failure && this.isFollowStale) this.follow();
  }

  arm(watches) {
    for (const kind of ["children", "data"]) {
      const before = this.armed[kind];
      this.armed[kind] = new Set(watches[kind]);
      for (const path of watches[kind]) if (!before.has(path)) this.notify(kind, path, { type: "armed", path });
    }
  }

  topicNames() {
    return [...this.topics.keys()].sort();
  }

  emit(name, value) {
    for (const listener of [...this.listeners.get(name) ?? []]) run(listener, value);
  }
}

function parse(event) {
  try {
    return JSON.parse(event.data);
  } catch {
    return {};
  }
}

// One view's fault must not keep an event from the others.
function run(listener, value) {
  try {
    listener(value);
  } catch (error) {
    console.error(error);
  }
}

function once(work) {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
