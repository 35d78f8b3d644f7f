// What each server of a sandbox is and knows at a moment, derived from the events before it. No DOM.

import { PORTION_EVENTS } from "./sandbox-recording.js";

/** The phases, in their order; `PHASES[0]` is phase 0 of the protocol. */
export const PHASES = ["election", "discovery", "synchronization", "broadcast"];
/** How many transactions are remembered. */
const TRANSACTION_LIMIT = 12;

function newServer(id) {
  return {
    id, life: "running", role: null, phase: null, leader: null, epoch: null, zxid: null, committed: null, vote: null,
    heard: null,
  }
}

/** The state before anything is known. `transactions` has the newest last. */
export function newState(size) {
  return { servers: Array.from({ length: size }, (_, place) => newServer(place + 1)), transactions: [] };
}

/** The epoch of a zxid such as 0x200000003. */
export const epochOf = zxid => parseInt(zxid.slice(2, -8) || "0", 16);

const isAfter = (zxid, other) => other === null || other === undefined || BigInt(zxid) > BigInt(other);

const ROLES = { LOOKING: "looking", FOLLOWING: "following", OBSERVING: "observing", LEADING: "leading" };
const STATUS_ROLES = {
  leader: "leading", follower: "following", observer: "observing", looking: "looking", standalone: "standalone",
};

/** Changes a state by an event. */
export function apply(state, event) {
  if (event.kind === "STATUS") {
    for (const member of event.members) applyStatus(state, member);
    return;
  }
  const server = state.servers[event.server - 1];
  if (!server) return;
  if (event.direction === "local") return applyRole(server, event);
  if (event.direction === "sent") applySent(state, server, event);
  else applyReceived(state, server, event);
}

function applyStatus(state, member) {
  const server = state.servers[member.id - 1];
  if (!server) return;
  server.life = member.state;
  if (member.state === "killed") {
    Object.assign(server, newServer(server.id), { life: "killed", zxid: server.zxid, epoch: server.epoch });
    return;
  }
  // The trace says more, and says it in its order; this is what was before it began.
  if (server.role === null && STATUS_ROLES[member.role]) {
    server.role = STATUS_ROLES[member.role];
    server.phase = server.role === "looking" ? "election" : server.role === "standalone" ? null : "broadcast";
  }
  if (member.zxid && (server.zxid === null || server.role === "standalone")) {
    server.zxid = server.committed = member.zxid;
    server.epoch = epochOf(member.zxid);
  }
}

function applyRole(server, event) {
  server.life = "running";
  server.role = ROLES[event.kind];
  server.phase = event.kind === "LOOKING" ? "election" : "discovery";
  server.leader = event.kind === "LEADING" ? server.id : event.kind === "LOOKING" ? null : server.vote?.leader ?? null;
  if (event.kind === "LOOKING") server.vote = null;
  if (event.zxid) server.zxid = event.zxid;
}

function applySent(state, server, event) {
  switch (event.kind) {
    case "VOTE":
      if (server.role === "looking" || server.role === null) {
        server.role = "looking";
        server.phase = "election";
        server.vote = { leader: event.leader, round: event.round, zxid: event.zxid };
      }
      break;
    case "FOLLOWERINFO": case "OBSERVERINFO":
      server.phase = "discovery";
      server.leader = event.peer;
      break;
    case "DIFF": case "TRUNC": case "SNAP":
      if (server.phase !== "broadcast") server.phase = "synchronization";
      break;
    case "NEWLEADER":
      if (server.phase !== "broadcast") server.phase = "synchronization";
      server.epoch = event.epoch;
      break;
    case "UPTODATE":
      server.phase = "broadcast";
      break;
    case "PROPOSAL": {
      append(server, event.zxid);
      const transaction = transactionOf(state, event);
      transaction.detail ??= event.detail;
      transaction.leader = server.id;
      transaction.steps[server.id] ??= "logged";
      transaction.steps[event.peer] ??= "proposed";
      break;
    }
    case "COMMIT": case "COMMITANDACTIVATE": case "INFORM": case "INFORMANDACTIVATE":
      if (!event.zxid) break;
      server.phase = "broadcast";
      append(server, event.zxid);
      if (isAfter(event.zxid, server.committed)) server.committed = event.zxid;
      transactionOf(state, event).steps[server.id] = "committed";
      break;
  }
}

function applyReceived(state, server, event) {
  switch (event.kind) {
    case "LEADERINFO":
      server.phase = "discovery";
      server.leader = event.peer;
      break;
    case "DIFF": case "TRUNC": case "SNAP":
      server.phase = "synchronization";
      if (event.kind !== "DIFF" && event.zxid) server.zxid = event.zxid;
      break;
    case "NEWLEADER":
      server.phase = "synchronization";
      server.epoch = event.epoch;
      break;
    case "UPTODATE":
      server.phase = "broadcast";
      server.committed = server.zxid;
      break;
    case "PROPOSAL":
      append(server, event.zxid);
      transactionOf(state, event).steps[server.id] = "logged";
      break;
    case "ACK": {
      const transaction = state.transactions.find(other => other.zxid === event.zxid);
      if (transaction && event.peer && transaction.steps[event.peer] !== "committed") {
        transaction.steps[event.peer] = "acknowledged";
      }
      break;
    }
    case "COMMIT": case "COMMITANDACTIVATE": case "INFORM": case "INFORMANDACTIVATE":
      if (!event.zxid) break;
      append(server, event.zxid);
      if (isAfter(event.zxid, server.committed)) server.committed = event.zxid;
      transactionOf(state, event).steps[server.id] = "committed";
      break;
    case "PING":
      server.heard = event.time;
      server.phase ??= "broadcast";
      // The heartbeat of a leader has the zxid that it proposed last, and so its epoch.
      if (server.role === "following" || server.role === "observing") {
        server.leader = event.peer;
        if (event.epoch !== null) server.epoch = Math.max(server.epoch ?? 0, event.epoch);
      }
      break;
  }
}

/** The server's history has this transaction. */
function append(server, zxid) {
  if (!isAfter(zxid, server.zxid)) return;
  server.zxid = zxid;
  server.epoch = Math.max(server.epoch ?? 0, epochOf(zxid));
}

/** What became of a transaction at each server: proposed, logged, acknowledged, committed. */
function transactionOf(state, event) {
  let found = state.transactions.find(other => other.zxid === event.zxid);
  if (!found) {
    found = { zxid: event.zxid, detail: event.detail ?? null, leader: null, steps: {} };
    state.transactions.push(found);
    if (state.transactions.length > TRANSACTION_LIMIT) state.transactions.shift();
  }
  return found;
}

/** The phase of the ensemble: that of the leader which serves, or else that of the server that is furthest. */
export function ensemblePhase(state) {
  const alive = state.servers.filter(server => server.life !== "killed" && server.phase);
  const leaders = alive.filter(server => server.role === "leading");
  const furthest = (leaders.length > 0 ? leaders : alive.filter(server => server.role === "looking"))
    .map(server => PHASES.indexOf(server.phase));
  return furthest.length > 0 ? PHASES[Math.max(...furthest)] : alive[0]?.phase ?? null;
}

/** The state after any number of the events of a recording. */
export class Timeline {
  #recording;
  /** The newest state, from which checkpoints are taken while the events are still there. */
  #head;
  #view = null;
  #checkpoints = [];

  constructor(recording, size) {
    this.#recording = recording;
    this.#head = { index: recording.first, state: newState(size) };
    this.advance();
  }

  /** Takes in what was added to the recording; to be called after each addition. */
  advance() {
    const { end } = this.#recording;
    while (this.#head.index < end) {
      if (this.#head.index % PORTION_EVENTS === 0) this.#checkpoints.push(structuredClone(this.#head));
      this.#step(this.#head);
    }
    while (this.#checkpoints.length > 1 && this.#checkpoints[1].index <= this.#recording.first) {
      this.#checkpoints.shift();
    }
  }

  /** Begins anew at an index, before which nothing has changed. */
  rewind(index) {
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.index <= index);
    this.#head = structuredClone(this.#checkpoints.at(-1));
    this.#view = null;
    if (this.#head.index % PORTION_EVENTS === 0) this.#checkpoints.pop();
    this.advance();
  }

  /** The state after the events before `index`, which the next call may change. */
  at(index) {
    const { first, end } = this.#recording;
    const target = Math.max(first, Math.min(index, end));
    if (target >= this.#head.index) return this.#head.state;
    if (!this.#view || target < this.#view.index || this.#view.index < first) {
      this.#view = structuredClone(this.#checkpoints.findLast(checkpoint => checkpoint.index <= target));
    }
    while (this.#view.index < target) this.#step(this.#view);
    return this.#view.state;
  }

  #step(position) {
    apply(position.state, this.#recording.at(position.index));
    position.index += 1;
  }
}
