// Which moment of a recording is shown: live, slowed down, paused, stepped. No DOM: time is handed in.

/** The speeds that can be chosen; 1 is as fast as it happened. */
export const SPEEDS = [1, 1 / 3, 1 / 10, 1 / 30, 1 / 100, 1 / 300, 1 / 1000];

/** How far the picture is behind the newest event while it is live, so that most receipts are known. */
const LIVE_LAG_MILLISECONDS = 250;
/** Where nothing moves for longer than this on the screen, it is skipped. */
const QUIET_MILLISECONDS = 700;
/** How long before the next event a skip ends, on the screen. */
const LEAD_MILLISECONDS = 150;

/** `index` is the number of the events that have happened at the shown moment, `time` is that moment. */
export class Playback {
  #recording
  /** The newest moment: the time of the newest batch, and when it came. */
  #edge = { time: 0, wall: 0 };
  speed = 1;
  isPaused = false;
  /** Whether the newest moment is followed. */
  isLive = true;
  skipsQuiet = true;
  index = 0;
  time = 0;
  /** How much was skipped by the last skip, and when; for the page to say so. */
  skipped = null;

  constructor(recording) {
    this.#recording = recording;
  }

  /** Notes that all events up to the newest of the recording have come. */
  noteEdge(wall) {
    const time = this.#recording.endTime;
    // The earliest estimate of what the servers' clock shows is kept: batches come late, never early.
    if (time - wall > this.#edge.time - this.#edge.wall || this.#edge.wall === 0) this.#edge = { time, wall };
  }

  edgeTime(wall) {
    return this.#edge.wall === 0 ? 0 : this.#edge.time + wall - this.#edge.wall;
  }

  /** Moves on by what has passed on the screen since the last call. Returns the events that happened meanwhile. */
  advance(wall, elapsed) {
    const before = Math.max(this.index, this.#recording.first);
    if (this.index < this.#recording.first) {
      this.index = this.#recording.first;
      this.time = Math.max(this.time, this.#recording.startTime);
    }
    const edge = this.edgeTime(wall) - LIVE_LAG_MILLISECONDS;
    if (this.#edge.wall === 0) {
      // No message has come yet: what is known of the servers is all there is.
      this.index = this.#recording.end;
      return [];
    }
    if (this.isPaused) return [];
    if (this.isLive) {
      this.time = Math.max(this.time, edge);
    } else {
      this.#skip();
      this.time = Math.min(this.time + elapsed * this.speed, Math.max(this.time, edge));
    }
    this.index = Math.max(this.index, this.#recording.indexAfter(this.time));
    const events = [];
    for (let index = Math.max(before, this.index - 2000); index < this.index; index += 1) {
      events.push(this.#recording.at(index));
    }
    return events;
  }

  /** Goes over a time in which no message moves and no event happens. */
  #skip() {
    if (!this.skipsQuiet) return;
    const next = this.#recording.at(this.index);
    if (!next) return;
    const quiet = next.time - this.time;
    if (quiet < QUIET_MILLISECONDS * this.speed) return;
    const target = next.time - LEAD_MILLISECONDS * this.speed;
    if (this.#recording.underway(this.index, this.time).some((message) => !message.lost && message.received !== null)) {
      // Something is on its way, to be seen: only the rest of its way, when nothing else happens, may be quick.
      if (quiet < 20 * QUIET_MILLISECONDS * this.speed) return;
    }
    this.skipped = { milliseconds: target - this.time };
    this.time = target;
  }

  setSpeed(speed) {
    this.speed = speed;
    if (speed < 1) this.isLive = false;
  }

  pause() {
    this.isPaused = true;
    this.isLive = false;
  }

  play() {
    this.isPaused = false;
  }

  /** Shows the newest moment, and follows it. */
  goLive(wall) {
    this.isLive = true;
    this.isPaused = false;
    this.speed = 1;
    this.seekTime(this.edgeTime(wall) - LIVE_LAG_MILLISECONDS, true);
  }

  /** Shows a moment. */
  seekTime(time, isLive = false) {
    this.isLive = isLive;
    this.time = Math.max(this.#recording.startTime, Math.min(time, Math.max(this.#recording.endTime, this.time)));
    this.index = this.#recording.indexAfter(this.time);
  }

  /** Shows the moment at which an event has just happened, and stops there. */
  seekIndex(index) {
    const event = this.#recording.at(Math.max(this.#recording.first, Math.min(index, this.#recording.end - 1)));
    if (!event) return null;
    this.pause();
    this.index = event.index + 1;
    this.time = event.time;
    return event;
  }

  /** Goes to the next event that is wanted, or to the one before; stops there. Returns it. */
  step(direction, isWanted = () => true) {
    let index = direction > 0 ? this.index : this.index - 2;
    for (; index >= this.#recording.first && index < this.#recording.end; index += direction) {
      if (isWanted(this.#recording.at(index))) return this.seekIndex(index);
    }
    this.pause();
    return null;
  }
}
