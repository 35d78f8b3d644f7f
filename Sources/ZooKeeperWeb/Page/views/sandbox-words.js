// What the events and phases of the protocol mean, in a sentence each, with the section of the paper: F. Junqueira,
// B. Reed, M. Serafini, "Zab: High-performance broadcast for primary-backup systems", DSN 2011. No DOM.

/** The kinds of messages, as they are drawn and can be hidden: each has a colour and a shape of its own. */
export const GROUPS = {
  vote: { title: "Votes", shape: "diamond", kinds: ["VOTE"] },
  epoch: { title: "Epochs", shape: "triangle", kinds: ["FOLLOWERINFO", "OBSERVERINFO", "LEADERINFO", "ACKEPOCH"] },
  sync: { title: "Synchronization", shape: "hexagon", kinds: ["DIFF", "TRUNC", "SNAP", "NEWLEADER", "UPTODATE"] },
  request: { title: "Requests", shape: "bar", kinds: ["REQUEST", "REVALIDATE", "SYNC", "UNKNOWN"] },
  proposal: { title: "Proposals", shape: "square", kinds: ["PROPOSAL", "INFORM", "INFORMANDACTIVATE"] },
  ack: { title: "Acknowledgements", shape: "ring", kinds: ["ACK"] },
  commit: { title: "Commits", shape: "disc", kinds: ["COMMIT", "COMMITANDACTIVATE"] },
  ping: { title: "Heartbeats", shape: "dot", kinds: ["PING"] },
};

const groups = new Map(Object.entries(GROUPS).flatMap(([name, group]) => group.kinds.map((kind) => [kind, name])));

/** The group of a kind of message; null for an unknown kind. */
export const groupOf = (kind) => groups.get(kind) ?? null;

/** Each phase: its number in the protocol, one sentence, and where the paper has it. */
export const PHASE_TEXTS = {
  election: {
    title: "Election", number: 0,
    text: "Each server votes for the newest history it knows of; when a quorum votes for one server, that one is the"
      + " prospective leader.",
    paper: "Zab paper, section IV (the leader oracle) and section V",
  },
  discovery: {
    title: "Discovery", number: 1,
    text: "The prospective leader learns the latest epoch that a quorum has promised to follow and proposes a later one;"
      + " who accepts it will follow no earlier leader.",
    paper: "Zab paper, section IV, phase 1",
  },
  synchronization: {
    title: "Synchronization", number: 2,
    text: "The leader gives its history to each follower; once a quorum has it on disk, the epoch is established and"
      + " that history is committed.",
    paper: "Zab paper, section IV, phase 2",
  },
  broadcast: {
    title: "Broadcast", number: 3,
    text: "The leader proposes each change in the order of its zxid, and commits it once a quorum has it on disk.",
    paper: "Zab paper, section IV, phase 3",
  },
};

const ELECTION = "sections IV and V";
const PHASE = (number) => `section IV, phase ${number}`;

/** What a message is for, and the paper's section; `a` sends it to `b`. */
const MEANINGS = {
  VOTE: (e, a, b) => [
    e.detail && e.detail !== "looking"
      ? `${a} tells ${b} that it has elected ${name(e.leader)}.`
      : e.leader === null ? `${a} has no vote, and asks ${b} for its own.`
      : e.leader === e.from ? `${a} votes for itself, and tells ${b}.`
      : `${a} votes for ${name(e.leader)}, the newest history it knows of, and tells ${b}.`, ELECTION],
  FOLLOWERINFO: (e, a, b) => [`${a} tells ${b} the last epoch that it has promised to follow (CEPOCH).`, PHASE(1)],
  OBSERVERINFO: (e, a, b) => [`${a}, which has no vote, introduces itself to ${b}.`, PHASE(1)],
  LEADERINFO: (e, a, b) => [`${a} proposes epoch ${e.epoch} to ${b} (NEWEPOCH).`, PHASE(1)],
  ACKEPOCH: (e, a, b) => [`${a} promises ${b} to follow no earlier epoch, and says where its history ends (ACK-E).`,
    PHASE(1)],
  DIFF: (e, a, b) => [`${a} sends ${b} the transactions that it lacks.`, PHASE(2)],
  TRUNC: (e, a, b) => [`${a} has ${b} cut off the transactions that were never committed.`, PHASE(2)],
  SNAP: (e, a, b) => [`${a} sends ${b} its whole tree.`, PHASE(2)],
  NEWLEADER: (e, a, b) => [`${a} has sent ${b} all that epoch ${e.epoch} begins with.`, PHASE(2)],
  UPTODATE: (e, a, b) => [`A quorum has the history of the epoch: ${a} lets ${b} serve clients.`, PHASE(2)],
  REQUEST: (e, a, b) => [`${a} passes a client's request on to ${b}, which leads.`, "section V"],
  PROPOSAL: (e, a, b) => [`${a} proposes a transaction to ${b}.`, PHASE(3)],
  ACK: (e, a, b) => [counterOf(e.zxid) === 0
    ? `${a} has the history of epoch ${e.epoch} on disk, and tells ${b}.`
    : `${a} has the transaction on disk, and tells ${b}.`, PHASE(counterOf(e.zxid) === 0 ? 2 : 3)],
  COMMIT: (e, a, b) => [`A quorum has the transaction on disk: ${a} has ${b} apply it.`, PHASE(3)],
  INFORM: (e, a, b) => [`${a} sends a committed transaction to ${b}, which observes.`, null],
  COMMITANDACTIVATE: (e, a, b) => [`A quorum has accepted a change of the ensemble: ${a} has ${b} apply it.`, null],
  INFORMANDACTIVATE: (e, a, b) => [`${a} sends a change of the ensemble to ${b}, which observes.`, null],
  PING: (e, a, b) => [`${a} shows ${b} that it is alive.`, "section V"],
  REVALIDATE: (e, a, b) => [`${a} and ${b} speak of a session that has come from another server.`, null],
  SYNC: (e, a, b) => [`${a} and ${b} speak of a client's sync.`, null],
};

const ROLE_TEXTS = {
  LOOKING: ["looks for a leader.", ELECTION],
  FOLLOWING: ["has found a quorum for another server, and follows it.", PHASE(1)],
  OBSERVING: ["observes the leader.", null],
  LEADING: ["has a quorum of votes, and is the prospective leader.", PHASE(1)],
};

const name = (server) => (server === null || server === undefined ? "a server" : `server ${server}`);

const counterOf = (zxid) => (zxid ? parseInt(zxid.slice(-8).replace(/^0x/, ""), 16) : null);

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What an event means: {text, paper}; the paper's section is null where the paper has nothing about it. */
export function meaning(event) {
  if (event.kind === "STATUS") {
    const away = event.members.filter((member) => member.state !== "running");
    const text = away.length === 0 ? "All servers run."
      : `${away.map((member) => `Server ${member.id} is ${member.state}`).join("; ")}.`;
    return { text, paper: null };
  }
  if (event.direction === "local") {
    const [text, paper] = ROLE_TEXTS[event.kind] ?? ["changes its role.", null];
    return { text: `Server ${event.server} ${text}`, paper };
  }
  const isSent = event.direction === "sent";
  const from = isSent ? event.server : event.peer;
  const to = isSent ? event.peer : event.server;
  const [text, paper] = MEANINGS[event.kind]?.({ ...event, from }, name(from), name(to))
    ?? [`${name(from)} sends ${name(to)} a message of another kind.`, null];
  return { text: capital(text), paper };
}

/** An event as a line of the list, such as `2 → 1  PROPOSAL`. */
export function route(event) {
  if (event.direction === "local") return event.server === null ? "" : `${event.server}`;
  const other = event.peer ?? "?";
  return event.direction === "sent" ? `${event.server} → ${other}` : `${event.server} ← ${other}`;
}

/** What is said of an event beside its kind. */
export function details(event) {
  if (event.kind === "STATUS") return meaning(event).text;
  return [
    event.leader !== null && event.leader !== undefined && `for ${event.leader}`,
    event.kind === "VOTE" && event.round !== null && event.round !== undefined && `round ${event.round}`,
    event.zxid ?? (event.epoch !== null && event.epoch !== undefined && `epoch ${event.epoch}`),
    event.detail,
  ].filter(Boolean).join(" · ");
}
