// Dialogs, on the browser's own <dialog>: it keeps the focus inside, Escape closes it, and the focus goes back to
// where it was, also if that was drawn anew meanwhile.

import { h, placeOf, replace, uniqueID } from "./dom.js";
import { icon } from "./icons.js";
import { errorText, notice } from "./status.js";

/**
 * Opens a dialog. `body`: nodes. `actions`: [{label, kind: "primary"|"danger"|"", run(dialog)}]; `run` may be async,
 * its error is shown in the dialog, and the dialog closes unless it returns false. The first primary (or dangerous)
 * action is also what Enter does. Returns {element, form, close, setError, setBusy, button(label)}.
 */
export function openDialog({ title, body, actions = [], wide = false, onClose = null, closeLabel = "Cancel",
  mayClose = null }) {
  const heading = uniqueID("dialog");
  const errors = h("div", { class: "dialog-error", role: "alert" });
  const buttons = actions.map((action) => h("button", {
    type: action.kind ? "submit" : "button", class: action.kind ?? "", dataset: { label: action.label },
    on: action.kind ? {} : { click: () => perform(action) },
  }, action.label));
  const form = h("form", { method: "dialog", on: { submit } },
    h("header", null, h("h2", { id: heading }, title),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => tryClose() } },
        icon("close"))),
    h("div", { class: "dialog-body" }, body), errors,
    h("footer", null, h("button", { type: "button", on: { click: () => tryClose() } }, closeLabel), ...buttons));
  const element = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": heading }, form);
  const opener = placeOf(document.activeElement);
  let isBusy = false;

  const dialog = { element, form, close, setError, setBusy,
    button: (label) => buttons.find((one) => one.dataset.label === label) };

  function submit(event) {
    event.preventDefault();
    const action = actions.find((one) => one.kind && event.submitter?.dataset.label === one.label)
      ?? actions.find((one) => one.kind);
    if (action) perform(action);
  }

  async function perform(action) {
    if (isBusy) return;
    setError(null);
    setBusy(true);
    try {
      if (await action.run(dialog) !== false) close();
    } catch (error) {
      if (error.name !== "AbortError") setError(error);
      if (!error.word) console.error(error);
    } finally {
      setBusy(false);
    }
  }

  function setError(error) {
    replace(errors, error && notice("error", typeof error === "string" ? error : errorText(error)));
  }

  function setBusy(busy) {
    isBusy = busy;
    for (const button of buttons) button.disabled = busy || button.dataset.forbidden === "true";
    element.classList.toggle("busy", busy);
  }

  function tryClose() {
    if (!mayClose || mayClose()) close();
  }

  function close() {
    if (element.open) element.close();
  }

  element.addEventListener("cancel", (event) => {
    if (mayClose && !mayClose()) event.preventDefault();
  });
  element.addEventListener("close", () => {
    element.remove();
    opener()?.focus();
    onClose?.();
  });
  document.body.append(element);
  element.showModal();
  (form.querySelector("[autofocus]") ?? form.querySelector(".dialog-body :is(input, select, textarea, button)")
    ?? buttons[0])?.focus();
  return dialog;
}

/** Forbids or allows an action's button, with the reason as its description. */
export function allow(dialog, label, isAllowed) {
  const button = dialog.button(label);
  button.dataset.forbidden = String(!isAllowed);
  button.disabled = !isAllowed;
}

/** Asks one question; resolves to whether it was answered with `label`. */
export function ask({ title, text, label, kind = "primary" }) {
  return new Promise((resolve) => {
    let answer = false;
    openDialog({
      title, body: h("p", null, text), actions: [{ label, kind, run: () => { answer = true; } }],
        onClose: () => resolve(answer),
    });
  });
}

/** A control with its label, and a hint under it. */
export function field(label, control, hint = null) {
  const id = control.id || uniqueID("field");
  control.id = id;
  const hintElement = hint && h("small", { class: "hint", id: `${id}-hint` }, hint);
  if (hintElement) control.setAttribute("aria-describedby", hintElement.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), control, hintElement);
}

/** A box to tick, or a radio button, with its label beside it. */
export function choice(type, label, attributes = {}, hint = null) {
  const id = uniqueID("choice");
  const input = h("input", { type, id, ...attributes });
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  const element = h("div", { class: "choice" }, input, h("label", { for: id }, label),
    hint && h("small", { class: "hint", id: `${id}-hint` }, hint));
  return { element, input };
}

/** A <select> of [value, label] pairs. */
export function select(options, value, attributes = {}) {
  const element = h("select", attributes, options.map(([one, label]) => h("option", { value: one }, label)));
  element.value = value;
  return element;
}
