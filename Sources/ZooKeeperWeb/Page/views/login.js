// The login, where the page is served to more than this machine.

import { h, replace } from "../lib/dom.js";
import { field } from "../lib/dialog.js";
import { errorText, notice } from "../lib/status.js";

/** Puts the login over the page. `onSuccess` is called when the server has set its cookie. */
export function openLogin(api, session, onSuccess) {
  const methods = session.loginMethods ?? [];
  const token = h("input", { type: "password", autocomplete: "current-password" });
  const user = h("input", { type: "text", autocomplete: "username", spellcheck: "false" });
  const password = h("input", { type: "password", autocomplete: "current-password" });
  const errors = h("div", { role: "alert" });
  const button = h("button", { type: "submit", class: "primary" }, "Log in");
  const hasPassword = methods.includes("password");
  const hasToken = methods.includes("token");
  const form = h("form", { class: "login", on: { submit } },
    h("img", { src: "icon.svg", alt: "" }), h("h1", { id: "login-title" }, "zkcli"),
    h("p", { class: "muted" }, methods.includes("certificate") && !hasPassword && !hasToken
      ? "The server asks for a client certificate: choose one in the browser, and load the page again."
      : "This page asks for a login."),
    hasPassword && [field("User", user), field("Password", password)],
    hasPassword && hasToken && h("p", { class: "or muted" }, "or"),
    hasToken && field("Token", token, "It was printed when the server started."),
    errors, (hasPassword || hasToken) && button);
  const dialog = h("dialog",
    { class: "login-dialog", "aria-labelledby": "login-title", on: { cancel: (event) => event.preventDefault() } },
    form);
  document.body.append(dialog);
  dialog.showModal();
  (hasPassword ? user : token).focus();

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    replace(errors);
    try {
      await api.post("/login",
        token.value !== "" ? { token: token.value.trim() } : { user: user.value, password: password.value });
      dialog.close();
      dialog.remove();
      onSuccess();
    } catch (error) {
      replace(errors, notice("error", errorText(error)));
      password.value = "";
      token.value = "";
    } finally {
      button.disabled = false;
    }
  }
}
