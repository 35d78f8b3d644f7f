// The frame of the page: who is served, what the address says, which view is shown, keys that count everywhere.
//
// Addresses: `#/app/config` is a znode in the tree (`?tab=acl` and the like after it); `#!/ensemble`, `#!/clients`,
// `#!/recipes`, `#!/sandbox`, `#!/search`, `#!/clusters`, `#!/jobs` are the other views, with parameters after `?`
// and more names after another `/`. The cluster is in the page's own query: `/?cluster=prod#/app`.
//
// A view is a module which exports `mount(container, context)` and returns, or promises,
// `{ update(route), unmount(), key(event) }`; `key` is optional and says whether it took the key. `update` is called
// after `mount`, and whenever the address changes within the view. A route is {view, rest, path, parameters}: the
// view's name, the names after it, the znode's path (tree only), and the parameters as an object of text.
//
// The context: `api` (lib/api.js), `live` (lib/live.js), `navigate(hash, {replace})`, `session` (GET /session),
// `cluster` (this cluster's entry of GET /clusters, or null), `refusal()` (why nothing may be changed here, or null),
// and `status` (lib/status.js: toast, showError, banner, copyText, announce).

import { Api } from "./lib/api.js";
import { h, isTyping, replace, stylesheet } from "./lib/dom.js";
import { icon } from "./lib/icons.js";
import { Live } from "./lib/live.js";
import { hashOf, routeOf, viewHash } from "./lib/paths.js";
import * as status from "./lib/status.js";
import * as tree from "./views/tree.js";

const views = {
  tree: { title: "Tree", icon: "tree", load: () => Promise.resolve(tree) },
  ensemble: { title: "Ensemble", icon: "ensemble", load: () => import("./views/ensemble.js") },
  clients: { title: "Clients", icon: "clients", load: () => import("./views/clients.js") },
  recipes: { title: "Recipes", icon: "recipes", load: () => import("./views/recipes.js") },
  sandbox: { title: "Sandbox", icon: "sandbox", load: () => import("./views/sandbox.js") },
  search: { title: "Search", load: () => import("./views/search.js") },
  jobs: { title: "Jobs", load: () => import("./views/jobs.js") },
  clusters: { title: "Clusters", load: () => import("./views/clusters.js") },
};

const api = new Api();
const live = new Live(api);
const main = document.getElementById("main");
const header = document.getElementById("header");

const context = {
  api, live, navigate, status, session: null, cluster: null,
  refusal() {
    if (this.session?.readOnly) return "This page was started read-only.";
    if (this.cluster?.readOnly) return `The configuration says that ${this.cluster.name} is read-only.`;
    return null;
  },
};

let current = null;  // {name, container, view}
let treePlace = null;  // {container, view, hash}: the tree stays as it was while another view is shown.
let turn = 0;
let runningJobs = new Set();
let ensembleState = null;
let lastSession = null;
let isServerAway = false;

function navigate(hash, { replace: isReplacing = false } = {}) {
  if (hash === location.hash) return;
  if (isReplacing) {
    history.replaceState(null, "", hash);
    show();
  } else {
    location.hash = hash;
  }
}

/** Shows what the address says. */
async function show() {
  const route = routeOf(location.hash);
  const [name, ...rest] = route.view.split("/").map(safeDecode);
  route.view = name;
  route.rest = rest;
  const entry = views[name];
  turn += 1;
  const mine = turn;
  if (name === "tree") treeHash = location.hash || "#/";
  drawNavigation(name);
  if (current?.name !== name) {
    leave();
    const container = name === "tree" && treePlace ? treePlace.container : h("div",
      { class: "view", dataset: { view: name } });
    container.hidden = false;
    if (!container.isConnected) main.append(container);
    current = { name, container, view: null };
    const mine = current;
    try {
      if (!entry) throw new Error(`There is no view named ${name}.`);
      const view = name === "tree" && treePlace ? treePlace.view : await (await entry.load()).mount(container, context);
      if (current !== mine && name !== "tree") {
        view.unmount();
        return;
      }
      mine.view = view;
      if (name === "tree") treePlace = { container, view };
    } catch (error) {
      if (!error.word) console.error(error);
      document.getElementById("first")?.remove();
      replace(container, h("div", { class: "page" },
        status.notice("error", status.errorText(error, "This view cannot be shown"))));
      return;
    }
  }
  if (mine !== turn || !current.view) return;
  document.title = `${name === "tree" ? route.path : entry.title} · ${context.session?.cluster ?? "ZooKeeper"}`;
  current.view.update(route);
  leaveFirstView(current.view);
}

/** Takes away the rows that came with the document (FirstView.swift), in the frame that has those of the view. */
async function leaveFirstView(view) {
  const first = document.getElementById("first");
  if (!first) return;
  await view.loaded?.();
  requestAnimationFrame(() => first.remove());
}

let treeHash = "#/";

function leave() {
  if (!current) return;
  if (current.name === "tree" && treePlace) {
    current.container.hidden = true;
  } else {
    current.view?.unmount();
    current.container.remove();
  }
  current = null;
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The header.

const clusterLink = h("a", { href: viewHash("clusters") });
const navigation = h("nav", { "aria-label": "Views" });
const jobsCount = h("span");
const logOutPlace = h("span");

function buildHeader() {
  replace(header,
    h("a", { class: "brand", href: "#/", "aria-label": "zkcli: the root of the tree" },
      h("img", { loading: "lazy", src: "icon.svg", alt: "" }), h("span", null, "zkcli")),
    h("div", { class: "cluster" }, clusterLink), navigation, h("div", { class: "grow" }),
    h("a", { class: "button quiet", href: viewHash("jobs"), title: "Jobs" }, icon("jobs"),
      h("span", { class: "unseen" }, "Jobs"), jobsCount),
    themeButton(),
    h("button", { type: "button", class: "quiet", "aria-label": "Keys and help", title: "Keys and help (?)",
      on: { click: help } }, icon("help")),
    logOutPlace);
}

/** Writes into the header what has changed; its controls stay the same ones, and keep the focus. */
function drawHeader() {
  const session = context.session;
  const name = api.cluster ?? session?.cluster ?? "ZooKeeper";
  document.documentElement.classList.toggle("is-protected", context.cluster?.protected === true);
  const notes = [context.cluster?.protected && "protected", context.refusal() && "read-only"].filter(Boolean);
  const words = { connected: "connected", connecting: "connecting", closed: "not connected" };
  const state = isServerAway ? "closed" : ensembleState?.state ?? context.cluster?.state ?? "connecting";
  clusterLink.title = [name, words[state] ?? state, ensembleState?.server && `at ${ensembleState.server}`,
    ...notes].filter(Boolean).join(", ");
  replace(clusterLink, h("span", { class: `dot ${state}`, role: "img", "aria-label": words[state] ?? state }),
    h("span", { class: "name" }, name),
    notes.length > 0 && h("span", { class: "badge danger" }, notes.join(", ")), icon("down"));
  replace(jobsCount, runningJobs.size > 0 && h("span", { class: "counter" }, runningJobs.size,
    h("span", { class: "unseen" }, " running")));
  const leave = `Log out ${session?.user ?? ""}`.trim();
  replace(logOutPlace, session?.loginRequired && session.loggedIn
    && h("button", { type: "button", class: "quiet", "aria-label": leave, title: leave, on: { click: logOut } },
      icon("logout")));
  drawNavigation(routeOf(location.hash).view.split("/")[0]);
}

function drawNavigation(name) {
  const shown = ["tree", "ensemble", "clients", "recipes", ...context.session?.sandbox ? ["sandbox"] : []];
  if (navigation.children.length !== shown.length) {
    replace(navigation, shown.map((one) => h("a", { dataset: { view: one } }, icon(views[one].icon),
      views[one].title)));
  }
  const active = name === "search" ? "tree" : name;
  for (const link of navigation.children) {
    const { view } = link.dataset;
    link.href = view === "tree" ? treeHash : viewHash(view);
    if (view === active) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function themeButton() {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const now = () => root.dataset.theme ?? "system";
  const words = { system: "as the system", light: "light", dark: "dark" };
  const icons = { system: "contrast", light: "sun", dark: "moon" };
  const button = h("button", { type: "button", class: "quiet", id: "theme", on: { click: next } });
  const draw = () => {
    replace(button, icon(icons[now()]));
    button.title = `Colours: ${words[now()]}`;
    button.setAttribute("aria-label", `Colours: ${words[now()]}. Change them`);
  };
  function next() {
    const theme = order[(order.indexOf(now()) + 1) % order.length];
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    // The server writes the choice into the page (PageFiles.swift). Cookies hold for all ports of a host, so that the
    // choice also counts for the next sandbox.
    const year = 365 * 24 * 60 * 60;
    document.cookie = `theme=${theme}; Path=/; SameSite=Strict; Max-Age=${theme === "system" ? 0 : year}`;
    draw();
    status.announce(`Colours: ${words[theme]}`);
  }
  draw();
  return button;
}

// Keys that count everywhere. Single keys can be turned off, in the help (WCAG 2.1.4).

async function help() {
  const module = await import("./views/help.js");
  module.openHelp();
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key.length === 1 && event.key !== " " && localStorage.getItem("keys") === "off") return;
  if (event.key === "?") {
    event.preventDefault();
    help();
  } else if (current?.view?.key?.(event)) {
    event.preventDefault();
  } else if (event.key === "/" && current?.name !== "tree") {
    event.preventDefault();
    navigate(treeHash);
    setTimeout(() => treePlace?.view.key?.(event), 50);
  }
});

// What is away, and its return.

function drawState() {
  const state = ensembleState?.state;
  const isAway = isServerAway || (state !== undefined && state !== "connected");
  document.documentElement.classList.toggle("away", isAway);
  if (isServerAway) {
    status.banner("The server of this page does not answer. What you see may be old; it is tried again.", "error",
      { label: "Try now", run: () => live.reopen() });
  } else if (isAway) {
    status.banner(state === "connecting"
      ? "The connection to the ensemble was lost. What you see may be old; it is tried again."
      : "The session ended. A new one is opened; ephemeral znodes of this page are gone.");
  } else {
    status.banner(null);
  }
  drawHeader();
}

live.on("connection", (isOpen) => {
  isServerAway = !isOpen;
  drawState();
});
live.on("refused", async () => {
  isServerAway = true;
  drawState();
  try {
    await loadSession();
  } catch { /* Still away: the stream is tried again by itself. */ }
});
live.on("state", (value) => {
  const wasAway = ensembleState && ensembleState.state !== "connected";
  if (value.session) {
    if (lastSession && lastSession !== value.session) {
      status.toast("The session with the ensemble ended, and a new one was opened. Ephemeral znodes made on this page are gone.", "warning");
    }
    lastSession = value.session;
  }
  ensembleState = value;
  drawState();
  if (wasAway && value.state === "connected") live.emit("resync");
});
live.on("resync", () => {
  loadSession().catch(() => {});
  loadJobs();
});
live.on("job", (job) => {
  const wasRunning = runningJobs.has(job.id);
  if (job.state === "running") runningJobs.add(job.id);
  else runningJobs.delete(job.id);
  if (wasRunning !== (job.state === "running")) drawHeader();
  if (job.state === "running" || !wasRunning || !api.startedJobs.has(job.id)) return;
  const words = { done: `The ${job.kind} of ${job.path} is done.`,
    failed: `The ${job.kind} of ${job.path} failed: ${job.message ?? "see its failures"}`,
    stopped: `The ${job.kind} of ${job.path} was stopped.` };
  status.toast(words[job.state] ?? job.state, { done: "ok", failed: "error" }[job.state] ?? "info",
    { label: "Show", run: () => navigate(viewHash("jobs", { job: job.id })) });
});

async function loadJobs() {
  try {
    const jobs = await api.get("/jobs");
    runningJobs = new Set(jobs.filter((job) => job.state === "running").map((job) => job.id));
    drawHeader();
  } catch { /* Shown by the banner. */ }
}

// Start.

async function loadSession() {
  const session = await api.get("/session");
  const before = context.session;
  context.session = session;
  api.token = session.token;
  if (session.loginRequired && !session.loggedIn) {
    await logIn(session);
    return;
  }
  if (before && before.version !== session.version) status.toast("The server is another version now: load the page again.", "warning");
  context.cluster = (await api.get("/clusters").catch(() => [])).find((one) => one.name === (api.cluster
    ?? session.cluster)) ?? null;
  drawHeader();
  live.emit("session");
}

let isLoggingIn = false;

async function logIn(session) {
  if (isLoggingIn) return;
  isLoggingIn = true;
  const { openLogin } = await import("./views/login.js");
  await stylesheet(import.meta.url, "./views/login.css");
  openLogin(api, session, () => location.reload());
}

async function logOut() {
  await api.post("/logout").catch(status.showError);
  location.reload();
}

api.onProtected = async (name) => (await import("./views/guard.js")).confirmProtected(name, api);
api.onAway = () => { if (live.isOpen) live.reopen(); };
api.onLoginNeeded = () => loadSession().catch(() => {});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", show);
addEventListener("beforeunload", (event) => {
  if (treePlace?.view.hasUnsaved()) event.preventDefault();
});

/**
 * Asks for what the first view shows before anything is built, and waits for it a moment: then the first paint has it,
 * and the browser does not lay out and paint a page without it. The root is asked for whatever is shown, because the
 * browser has asked for it already (Site.swift), and would give an answer that is not taken to a later question.
 */
async function start() {
  const session = loadSession().finally(() => api.isReady()).then(() => null, (error) => error);
  const route = routeOf(location.hash);
  const isTree = route.view === "tree";
  const paths = new Set(["/", isTree ? route.path : "/"]);
  const answers = [api.askAhead("/children", { path: "/" })];
  for (const path of paths) answers.push(api.askAhead("/znode", { path }));
  if (isTree) await Promise.race([Promise.all(answers), new Promise((resolve) => setTimeout(resolve, 50))]);
  buildHeader();
  drawHeader();
  show().finally(() => api.forgetEarly());
  const failure = await session;
  // Not before: where there is a fragment, the browser lays out even a page that has nothing yet, to look for it.
  if (!location.hash) history.replaceState(null, "", hashOf("/"));
  if (failure) {
    isServerAway = true;
    drawState();
    if (!failure.word) console.error(failure);
  }
  live.start();
  if (!failure) loadJobs();
}

start();
