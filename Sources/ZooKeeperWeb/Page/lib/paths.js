// Paths of znodes: their parts, their form in the address bar, and how odd names are shown.

/** The parent of a path; null for the root. */
export function parentOf(path) {
  if (path === "/") return null;
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}

/** The last name of a path; `/` for the root. */
export function nameOf(path) {
  return path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}

/** The path of a child. */
export function childOf(path, name) {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

/** The path and all above it, from the root. */
export function ancestorsOf(path) {
  const all = ["/"];
  if (path === "/") return all;
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) all.push(path.slice(0, end));
  all.push(path);
  return all;
}

/** Whether `path` is `above` or lies below it. */
export function isBelow(path, above) {
  return path === above || above === "/" || path.startsWith(`${above}/`);
}

/** What is wrong with a path that a user typed, or null. ZooKeeper's own rules. */
export function faultOfPath(path) {
  if (!path.startsWith("/")) return "A path starts with /.";
  if (path === "/") return null;
  if (path.endsWith("/")) return "A path does not end with /.";
  for (const name of path.slice(1).split("/")) {
    const fault = faultOfName(name);
    if (fault) return fault;
  }
  return null;
}

/** What is wrong with one name of a path, or null. */
export function faultOfName(name) {
  if (name === "") return "A name must not be empty.";
  if (name === "." || name === "..") return `The name must not be "${name}".`;
  if (/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(name.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""))) {
    return "ZooKeeper allows no control characters in names.";
  }
  return null;
}

/** The address of a znode: `#/app/config`, each name percent-encoded, with parameters if there are some. */
export function hashOf(path, parameters) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  const place = path.split("/").map(encodeName).join("/");
  return `#${place}${query ? `?${query}` : ""}`;
}

function encodeName(name) {
  try {
    // `.` and `..` are no names, but a browser would take them for steps.
    return encodeURIComponent(name);
  } catch {
    return encodeURIComponent(name.toWellFormed?.() ?? "");
  }
}

/**
 * What an address says: {view: "tree", path, parameters} for `#/app/config?tab=acl`, and
 * {view: "ensemble", path: null, parameters} for `#!/ensemble?member=1`.
 */
export function routeOf(hash) {
  const text = hash.replace(/^#/, "");
  const [place, query = ""] = splitOnce(text, "?");
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if (place.startsWith("!/")) return { view: place.slice(2), path: null, parameters };
  let path = decode(place) || "/";
  if (!path.startsWith("/")) path = `/${path}`;
  if (path.length > 1) path = path.replace(/\/+$/, "") || "/";
  return { view: "tree", path, parameters };
}

/** The address of a view other than the tree. */
export function viewHash(view, parameters) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  return `#!/${view}${query ? `?${query}` : ""}`;
}

function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;  // A bare % that a user typed.
  }
}

// Characters that would be unseen, or would turn the text around them: control characters, marks of direction,
// zero-width ones, soft hyphens, odd spaces, lone surrogates.
const unseen = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u061c\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff"
    + "\\ufff9-\\ufffb]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]", "g");

/** A name as it is shown: what would be unseen, or would reorder the line, as ⟨U+202E⟩; spaces at the ends as ␣. */
export function visible(name) {
  return name
    .replace(unseen, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`)
    .replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length));
}
