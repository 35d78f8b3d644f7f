// Names that must be typed before something is done: a znode's with a large subtree, a protected cluster's.

import { h } from "../lib/dom.js";
import { allow, choice, field, openDialog } from "../lib/dialog.js";
import { visible } from "../lib/paths.js";

const rememberedMilliseconds = 600_000;

/** The field: {element, input, isMet()}. What is typed is compared exactly; `onChange` hears of each key. */
export function typedGuard(label, name, onChange) {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", on: { input: onChange } });
  // A name with characters that cannot be typed may be given as it is shown.
  const isMet = () => input.value === name || input.value === visible(name);
  return { element: field(`${label}: ${visible(name)}`, input), input, isMet };
}

/** Asks for the name of a protected cluster, which the server wants with each change; resolves to whether it was typed. */
export function confirmProtected(name, api) {
  return new Promise((resolve) => {
    let answer = false;
    const guard = typedGuard("Type its name", name, () => allow(dialog, "Change it", guard.isMet()));
    const remember = choice("checkbox", "Do not ask again for ten minutes");
    const dialog = openDialog({
      title: `${name} is protected`,
      body: [h("p", null, "The configuration says that changes of this cluster are confirmed with its name."),
        guard.element, remember.element],
      actions: [{
        label: "Change it", kind: "danger", run: () => {
          answer = true;
          if (remember.input.checked) api.confirmations.set(name, Date.now() + rememberedMilliseconds);
        },
      }],
      onClose: () => resolve(answer),
    });
    allow(dialog, "Change it", false);
  });
}
