// What the servers of a sandbox have told each other: a bounded list of trace events, in which each message that was
// sent is paired with the event of its receipt. No DOM.

/** The most events that are kept; the oldest go first. */
export const EVENT_LIMIT = 30_000;
/** The oldest events go in portions of this many, so that the index of the first is a multiple of it. */
export const PORTION_EVENTS = 1000;
/** A message that has not arrived this long after it was due is lost. */
const PATIENCE_MILLISECONDS = 2500;
/** A receipt can be noted this much before the sending, by another thread. */
const DISORDER_MILLISECONDS = 50;

const ELECTION_KINDS = new Set(["VOTE"]);

/**
 * A message: `{from, to, kind, sent, received, lost}` with the times of its two events. `received` is null until
 * the receipt is known; `lost` means that the message cannot arrive.
 */
function newMessage(event) {
  return { from: event.server, to: event.peer, kind: event.kind, event, sent: event.time, received: null, lost: false };
}

const signature = event =>
  `${event.kind}|${event.zxid ?? ""}|${event.epoch ?? ""}|${event.leader ?? ""}|${event.round ?? ""}`;

/** Messages of a connection arrive in their order; elections have connections of their own. */
const channel = (from, to, kind) => `${from}>${to}${ELECTION_KINDS.has(kind) ? "e" : ""}`;

/** The events, oldest first. An event has an `index` that never changes, and `message` unless it is local. */
export class Recording {
  #limit;
  #waiting = new Map();
  #early = [];
  events = [];
  /** The index of the oldest event that is kept. */
  first = 0;
  /** How many events the server could not deliver. */
  lost = 0;
  /** How long a message between two servers takes at least: `(from, to) => milliseconds`. */
  delay = () => 0;
  /** Whether a server handles no messages at present, so that they wait. */
  isPaused = () => false;

  constructor(limit = EVENT_LIMIT) {
    this.#limit = limit;
  }

  /** One past the index of the newest event. */
  get end() {
    return this.first + this.events.length;
  }
  get startTime() {
    return this.events[0]?.time ?? 0;
  }
  get endTime() {
    return this.events.at(-1)?.time ?? 0;
  }
  at(index) {
    return this.events[index - this.first];
  }

  /** Adds events of the trace, which are in the order of their times. */
  append(events, lost = 0) {
    for (const event of events) this.#add(event);
    if (lost > 0) {
      this.lost += lost;
      this.#waiting.clear();
    }
    this.#sweep();
    this.#trim();
  }

  /**
   * Adds what is known of the servers' processes, at a time, or at that of the newest event. Returns its index: the
   * events after it have moved on by one.
   */
  note(members, time = this.endTime) {
    const event = { time: Math.min(time, this.endTime), kind: "STATUS", direction: "local", server: null, peer: null,
      members };
    const place = this.indexAfter(event.time) - this.first;
    this.events.splice(place, 0, event);
    for (let later = place; later < this.events.length; later += 1) this.events[later].index = this.first + later;
    return this.first + place;
  }

  /** The index of the first event after a time. */
  indexAfter(time) {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events[middle].time <= time) low = middle + 1;
      else high = middle;
    }
    return this.first + low;
  }

  /** The messages that were on their way after the events before `index`, and those lost for less than `afterglow`. */
  underway(index, time, afterglow = 0) {
    const found = [];
    for (let place = index - 1; place >= Math.max(this.first, index - 4000); place -= 1) {
      const { message, direction } = this.at(place);
      if (direction !== "sent" || !message) continue;
      if (message.received === null ? !message.lost || time - message.sent < afterglow : message.received > time) {
        found.push(message);
      }
    }
    return found.reverse();
  }

  /** How many events of each of `count` equal stretches of time, and of which kinds the most. */
  density(count, from = this.startTime, to = this.endTime) {
    const bins = Array.from({ length: count }, () => ({ total: 0, kinds: {} }));
    const width = (to - from) / count || 1;
    for (const event of this.events) {
      if (event.time < from || event.time > to || event.kind === "STATUS") continue;
      const bin = bins[Math.min(count - 1, Math.floor((event.time - from) / width))];
      bin.total += 1;
      bin.kinds[event.kind] = (bin.kinds[event.kind] ?? 0) + 1;
    }
    return bins;
  }

  #add(event) {
    const last = this.events.at(-1);
    if (last && event.time < last.time) event.time = last.time;
    event.index = this.end;
    this.events.push(event);
    if (event.direction === "sent") this.#send(event);
    else if (event.direction === "received") this.#receive(event);
  }

  #send(event) {
    const message = (event.message = newMessage(event));
    const early = this.#early.findIndex(
      other => other.server === event.peer && (other.peer === null || other.peer === event.server)
        && signature(other) === signature(event) && event.time - other.time < DISORDER_MILLISECONDS);
    if (early >= 0) {
      const [receipt] = this.#early.splice(early, 1);
      receipt.message = message;
      message.received = event.time;
      return;
    }
    const key = channel(event.server, event.peer, event.kind);
    if (!this.#waiting.has(key)) this.#waiting.set(key, []);
    this.#waiting.get(key).push(message);
  }

  #receive(event) {
    // A server that has just connected has not said yet who it is.
    const senders = event.peer === null
      ? [...this.#waiting.keys()].filter(key => key.endsWith(`>${event.server}`))
      : [channel(event.peer, event.server, event.kind)];
    for (const key of senders) {
      const queue = this.#waiting.get(key) ?? [];
      const place = queue.findIndex(message => signature(message.event) === signature(event));
      if (place < 0) continue;
      // What was sent before it on the same connection will not arrive any more.
      for (const message of queue.splice(0, place)) message.lost = true;
      const message = queue.shift();
      message.received = event.time;
      message.lost = false;
      event.message = message;
      event.peer ??= message.from;
      return;
    }
    this.#early.push(event);
    if (this.#early.length > 50) this.#early.shift();
  }

  #sweep() {
    const now = this.endTime;
    for (const [key, queue] of this.#waiting) {
      for (const message of queue) {
        const age = now - message.sent;
        if (age < PATIENCE_MILLISECONDS) break;
        if (!this.isPaused(message.to) && age > PATIENCE_MILLISECONDS + 2 * this.delay(message.from, message.to)) {
          message.lost = true;
        }
      }
      // One that comes after all is still found, for a while.
      while (queue.length > 500 || (queue.length > 0 && now - queue[0].sent > 130_000)) queue.shift();
      if (queue.length === 0) this.#waiting.delete(key);
    }
  }

  #trim() {
    if (this.events.length <= this.#limit) return;
    const surplus = this.events.length - Math.floor(this.#limit * 0.9);
    const count = Math.ceil(surplus / PORTION_EVENTS) * PORTION_EVENTS;
    this.events.splice(0, count);
    this.first += count;
  }
}
