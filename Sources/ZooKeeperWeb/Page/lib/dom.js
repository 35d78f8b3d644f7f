// Builds elements. Text is always set as text: no function here, or anywhere in the page, parses HTML,
// so that a znode named `<script>` is a name like any other.

const forbiddenLink = /^\s*(?!#|\/(?!\/)|blob:|\?)/;

/**
 * Makes an element. `attributes` may hold `class`, `on: {click: …}`, `style: {width: "3px"}` (set by CSSOM, as the
 * page's Content-Security-Policy demands), `dataset`, properties of controls (`value`, `checked`, `disabled`, …) and
 * any attribute by its name; null, undefined and false leave it out. Children are nodes, text, numbers, or lists of
 * them.
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

const properties = new Set(["value", "checked", "disabled", "indeterminate", "selected", "open", "hidden", "readOnly"]);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style") {
      setStyle(element, value);
    } else if (name === "dataset") {
      Object.assign(element.dataset, value);
    } else if (properties.has(name) && name in element) {
      element[name] = value;
    } else if (value !== false) {
      if (name.startsWith("on")) throw new Error(`${name}: listeners are given as functions, in "on"`);
      if (name === "href" && forbiddenLink.test(value)) throw new Error(`${value}: links stay within the page`);
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.style[name] = value;
  }
}

/** Appends children as `h` takes them. */
export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Puts these children in place of those that are there. */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** Sets an element's text if it is another one: an element that does not change is not announced again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Loads a view's style sheet once: `await stylesheet(import.meta.url, "./ensemble.css")`. */
export function stylesheet(base, name) {
  const address = new URL(name, base).href;
  for (const link of document.querySelectorAll("link[rel=stylesheet]")) {
    if (link.href === address) return Promise.resolve();
  }
  return new Promise((resolve) => {
    const link = h("link", { rel: "stylesheet" });
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    link.href = address;
    document.head.append(link);
  });
}

/**
 * Remembers a control, and gives a function that finds it again: itself, or the one that was drawn in its place
 * meanwhile; null if there is none.
 */
export function placeOf(control) {
  const name = (one) => one.id || one.dataset.act || one.getAttribute("aria-label") || one.textContent.trim();
  const ancestors = [];
  for (let one = control.parentElement; one; one = one.parentElement) ancestors.push(one);
  return () => {
    if (control.isConnected) return control;
    const around = ancestors.find((one) => one.isConnected);
    return [...around?.querySelectorAll(control.localName) ?? []].find((one) => name(one) === name(control)) ?? null;
  };
}

let lastID = 0;

/** An id that no other element has, for labels and descriptions. */
export function uniqueID(prefix = "id") {
  lastID += 1;
  return `${prefix}-${lastID}`;
}

/** Whether single keys are for the control that has the focus rather than for the page. */
export function isTyping(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Calls `work` at most once per `milliseconds`, the last time always. */
export function throttle(work, milliseconds) {
  let timer = null;
  let next = 0;
  return () => {
    if (timer !== null) return;
    const wait = Math.max(0, next - performance.now());
    timer = setTimeout(() => {
      timer = null;
      next = performance.now() + milliseconds;
      work();
    }, wait);
  };
}

/** Calls `work` when nothing has asked for it for `milliseconds`. */
export function debounce(work, milliseconds) {
  let timer = null;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}
