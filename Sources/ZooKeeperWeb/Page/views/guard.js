// A field in which a name must be typed before something is done.

import { h } from "../lib/dom.js";
import { field } from "../lib/dialog.js";
import { visible } from "../lib/paths.js";

/** The field: {element, input, isMet()}. What is typed is compared exactly; `onChange` hears of each key. */
export function typedGuard(label, name, onChange) {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", on: { input: onChange } });
  // A name with characters that cannot be typed may be given as it is shown.
  const isMet = () => input.value === name || input.value === visible(name);
  return { element: field(`${label}: ${visible(name)}`, input), input, isMet };
}
