// The tree beside the value of the znode that the address names: the first view of the page.
//
// This file holds the two panes and the keys; views/tree-pane.js has the tree itself, views/value.js the znode.

import { h } from "../lib/dom.js";
import { hashOf, parentOf } from "../lib/paths.js";
import { TreePane } from "./tree-pane.js";
import { ValuePane } from "./value.js";

const narrowest = 20;
const widest = 80;

export function mount(container, context) {
  let place = "/";
  let wantsValue = false;  // On a phone one pane is shown at a time.
  const tree = new TreePane(context, {
    open: (path) => {
      wantsValue = true;
      if (path === place) update({ path, parameters: {} });
      else context.navigate(hashOf(path));
    },
    create: (path) => act("create", path),
    remove: (path) => act("remove", path),
  });
  const value = new ValuePane(context, {
    back: () => {
      split.classList.remove("shows-value");
      tree.focus();
    },
    stat: (path, stat, kind) => tree.setStat(path, stat, kind),
  });
  const split = h("div", { class: "split" }, tree.element, separator(), value.element);
  container.append(split);

  /** Does something to the znode under the cursor, which is shown first if it is another one. */
  function act(what, path) {
    wantsValue = what === "edit";
    if (path !== place) context.navigate(hashOf(path));
    else if (wantsValue) update({ path, parameters: {} });
    value.act(what, path);
  }

  function update(route) {
    place = route.path;
    split.classList.toggle("shows-value", wantsValue || route.path !== "/");
    wantsValue = false;
    tree.select(route.path);
    value.show(route.path, route.parameters);
  }

  function key(event) {
    const path = tree.hasFocus ? tree.cursor : place;
    switch (event.key) {
      case "/":
        split.classList.remove("shows-value");
        tree.focusFilter();
        return true;
      case "n": act("create", path); return true;
      case "e": act("edit", path); return true;
      case "Delete": act("remove", path); return true;
      case "c": context.status.copyText(path, "The path"); return true;
      case "s": context.navigate(`#!/search?${new URLSearchParams({ path })}`); return true;
      case "r": tree.refreshAll(); value.reload(); return true;
      case "u": {
        const parent = parentOf(place);
        if (parent !== null) context.navigate(hashOf(parent));
        return true;
      }
      default: return false;
    }
  }

  function separator() {
    const root = document.documentElement.style;
    let width = parseFloat(root.getPropertyValue("--tree-width"));  // Set by first.js.
    const element = h("div", {
      class: "separator", role: "separator", tabindex: "0", "aria-orientation": "vertical",
        "aria-label": "Width of the tree",
      "aria-valuemin": narrowest, "aria-valuemax": widest, "aria-valuenow": Math.round(width),
      on: {
        keydown: (event) => {
          const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
          if (!step) return;
          event.preventDefault();
          set(width + step);
        },
        pointerdown: (event) => {
          element.setPointerCapture(event.pointerId);
          const bounds = split.getBoundingClientRect();
          const move = (moved) => set((moved.clientX - bounds.left) / bounds.width * 100);
          element.addEventListener("pointermove", move);
          element.addEventListener("lostpointercapture", () => element.removeEventListener("pointermove", move),
            { once: true });
        },
      },
    });
    function set(percent) {
      width = Math.min(widest, Math.max(narrowest, percent));
      element.setAttribute("aria-valuenow", Math.round(width));
      root.setProperty("--tree-width", `${width}%`);
      localStorage.setItem("tree-width", width.toFixed(1));
    }
    return element;
  }

  return { update, key, loaded: () => tree.loaded, hasUnsaved: () => value.hasUnsaved(), unmount() {} };
}
