// A list of which only the rows that are seen are in the page, however many there are.

import { h } from "./dom.js";

const overscan = 6;
// Browsers end a scrolled area at some 17 to 33 million pixels; a longer list is scrolled in steps.
const tallest = 12_000_000;

/**
 * `count()` says how many rows there are, `key(index)` names one (an element is kept for it while it is seen),
 * `draw(element, index)` fills an element, which may have been another row's. `rowHeight()` is in pixels.
 * `onRange(first, last)` hears what is seen. `head` stays at the top of the scrolled area.
 *
 * The first rows are drawn when the browser has laid out the list. To ask for its size before that would make the
 * browser lay out the whole page at once, and a second time with the rows.
 */
export function virtualList({ count, key, draw, rowHeight, onRange = () => {}, make = () => h("div", {}),
  attributes = {}, head = null }) {
  const content = h("div", { class: "virtual-content", ...attributes });
  const element = h("div", { class: "virtual", tabindex: "-1" }, head, content);
  const viewHeight = () => element.clientHeight - (head?.offsetHeight ?? 0);
  let rows = new Map();  // key → {element, index}
  let frame = null;
  let seen = [0, -1];
  let isLaidOut = false;
  let wantedIndex = null;  // The row to scroll to as soon as the list is laid out.

  function refresh() {
    cancelAnimationFrame(frame);
    frame = null;
    if (!isLaidOut) return;
    const total = count();
    const height = rowHeight();
    const real = total * height;
    const shown = Math.min(real, tallest);
    content.style.height = `${shown}px`;
    const view = viewHeight();
    const top = Math.min(element.scrollTop, Math.max(0, shown - view));
    // In a list that is too tall, the row at the top is found by proportion.
    const realTop = real > tallest ? top / Math.max(1, shown - view) * (real - view) : top;
    const first = Math.max(0, Math.floor(realTop / height) - overscan);
    const last = Math.min(total - 1, Math.ceil((realTop + view) / height) + overscan);
    const next = new Map();
    const free = [];
    const wanted = new Map();
    for (let index = first; index <= last; index += 1) wanted.set(key(index), index);
    for (const [name, row] of rows) {
      if (wanted.has(name)) next.set(name, row);
      else free.push(row.element);
    }
    for (const [name, index] of wanted) {
      let row = next.get(name);
      if (!row) {
        row = { element: free.pop() ?? content.appendChild(make()) };
        next.set(name, row);
      }
      row.index = index;
      row.element.style.transform = `translateY(${index * height - realTop + top}px)`;
      draw(row.element, index);
    }
    for (const one of free) one.remove();
    rows = next;
    seen = [first, last];
    onRange(first, last);
  }

  function refreshSoon() {
    frame ??= requestAnimationFrame(refresh);
  }

  /** Scrolls as little as needed for this row to be seen; to the middle if it is far away. */
  function scrollTo(index) {
    if (!isLaidOut) {
      wantedIndex = index;
      return;
    }
    const height = rowHeight();
    const real = count() * height;
    const view = viewHeight();
    const scale = real > tallest ? (tallest - view) / (real - view) : 1;
    const top = element.scrollTop / scale;
    const at = index * height;
    let target = top;
    if (at < top - view || at > top + view * 2) target = at - view / 2;
    else if (at < top) target = at;
    else if (at + height > top + view) target = at + height - view;
    if (target !== top) {
      content.style.height = `${Math.min(real, tallest)}px`;
      element.scrollTop = Math.max(0, target) * scale;
    }
    refresh();
  }

  element.addEventListener("scroll", refreshSoon, { passive: true });
  const observer = new ResizeObserver(() => {
    if (isLaidOut) {
      refreshSoon();
      return;
    }
    isLaidOut = true;
    if (wantedIndex === null) refresh();
    else scrollTo(wantedIndex);
  });
  observer.observe(element);

  return {
    element, content, refresh, refreshSoon, scrollTo, viewHeight, range: () => seen,
    isLaidOut: () => isLaidOut,
    elementOf: (name) => rows.get(name)?.element ?? null,
    pageSize: () => Math.max(1, Math.floor(viewHeight() / rowHeight()) - 1),
    destroy() {
      observer.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

/** The height of a row in pixels: `--row`, which grows with the text and on a phone. */
export function rowPixels() {
  const style = getComputedStyle(document.documentElement);
  return Math.round(parseFloat(style.fontSize) * (parseFloat(style.getPropertyValue("--row")) || 1.75));
}
