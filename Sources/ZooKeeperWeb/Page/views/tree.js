// The tree. (Under construction until the next commit.)
import { h } from "../lib/dom.js";
export function mount(container) {
  container.append(h("p", null, "…"));
  return { update() {}, unmount() {}, hasUnsaved: () => false };
}
