// What the page says of itself: messages that come and go, the banner that stays while something is away, and the
// text for screen readers.

import { h, replace, setText } from "./dom.js";
import { icon } from "./icons.js";

const toasts = () => document.getElementById("toasts");
const icons = { ok: "check", error: "warning", warning: "warning", info: "info" };

/** Says something for some seconds. `kind`: info, ok, warning, error. `action`: {label, run}. */
export function toast(message, kind = "info", action = null) {
  const element = h("div", { class: `toast ${kind}` },
    icon(icons[kind]), h("span", { class: "toast-text" }, message),
    action && h("button", { class: "link", type: "button", on: { click: () => { close(); action.run(); } } },
      action.label),
    h("button", { class: "quiet small", type: "button", "aria-label": "Close the message",
      on: { click: () => close() } },
      icon("close")));
  const close = () => element.remove();
  let timer = setTimeout(close, kind === "error" ? 12_000 : 5000);
  element.addEventListener("mouseenter", () => clearTimeout(timer));
  element.addEventListener("mouseleave", () => { timer = setTimeout(close, 3000); });
  while (toasts().children.length >= 4) toasts().firstChild.remove();
  toasts().append(element);
  return close;
}

/** Says that something failed, with the hint of the error if it has one. */
export function showError(error, what = null) {
  if (error?.name === "AbortError") return;
  toast(errorText(error, what), "error");
}

/** An error in a sentence or two. */
export function errorText(error, what = null) {
  const hint = error.hint ? ` ${error.hint}` : "";
  return `${what ? `${what}: ` : ""}${error.message}${hint}`;
}

/** A box within a view that says why there is nothing to see, with what may be done. */
export function notice(kind, text, ...more) {
  return h("div", { class: `notice ${kind}` }, icon(icons[kind] ?? "info"), h("div", { class: "notice-text" }, text),
    ...more);
}

let bannerText = "";

/** Shows the banner, or takes it away with null. `kind`: warning or error. */
export function banner(message, kind = "warning", action = null) {
  const element = document.getElementById("banner");
  if (message === null) {
    bannerText = "";
    element.className = "";
    replace(element);
    return;
  }
  element.className = kind;
  if (message === bannerText) return;
  bannerText = message;
  replace(element, icon("warning"), h("span", null, message),
    action && h("button", { type: "button", class: "small", on: { click: action.run } }, action.label));
}

/** Says something to screen readers alone. */
export function announce(message) {
  let element = document.getElementById("announcer");
  if (!element) {
    element = h("div", { id: "announcer", class: "unseen", role: "status", "aria-live": "polite" });
    document.body.append(element);
  }
  setText(element, "");
  setTimeout(() => setText(element, message), 30);
}

/** Copies text and says so. */
export async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyBySelection(text)) {
      toast("The browser does not allow copying here.", "error");
      return;
    }
  }
  toast(`${what} copied.`, "ok");
}

// Outside of a secure context (plain HTTP on another address than loopback) there is no clipboard object.
function copyBySelection(text) {
  const area = h("textarea", { class: "unseen", value: text, "aria-hidden": "true" });
  const focused = document.activeElement;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}
