// The entries of an ACL to edit: scheme, id, permissions; and the id of a digest from a user's name and password.

import { h, replace, uniqueID } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { errorText, notice } from "../lib/status.js";

/** The permissions of ZooKeeper, in the order of its letters. */
const permissions = [
  ["c", "create", "create children"], ["d", "delete", "delete children"],
    ["r", "read", "read the value and list the children"],
  ["w", "write", "set the value"], ["a", "admin", "set the ACL"],
];

const schemes = {
  world: "everybody; the id is always anyone",
  auth: "who you are logged in as now; the server writes the identity in its place",
  digest: "user:hash, the hash of a user's name and password",
  ip: "an address, or a network such as 10.0.0.0/8",
  sasl: "the name from Kerberos or DIGEST-MD5",
  x509: "the subject of a client's certificate",
};

const presets = [
  ["Open to all", [{ scheme: "world", id: "anyone", permissions: "cdrwa" }]],
  ["All read, I do the rest",
    [{ scheme: "world", id: "anyone", permissions: "r" }, { scheme: "auth", id: "", permissions: "cdrwa" }]],
  ["Only me", [{ scheme: "auth", id: "", permissions: "cdrwa" }]],
];

export class AclEditor {
  constructor(context, acl) {
    this.context = context;
    this.rows = [];
    this.list = h("div", { class: "acl-rows" });
    this.hasher = h("div");
    this.element = h("div", { class: "stack" },
      h("div", { class: "row", role: "group", "aria-label": "Common ACLs" }, presets.map(([label, entries]) =>
        h("button", { type: "button", class: "small", on: { click: () => this.set(entries) } }, label))),
      this.list,
      h("div", { class: "row" },
        h("button", { type: "button", class: "small",
          on: { click: () => this.add({ scheme: "world", id: "anyone", permissions: "r" }, true) } }, icon("plus"),
          "Entry"),
        h("button", { type: "button", class: "small", on: { click: () => this.openHasher() } }, icon("key"),
          "From user and password")),
      this.hasher);
    this.set(acl);
  }

  set(acl) {
    this.rows = [];
    replace(this.list);
    for (const entry of acl) this.add(entry);
  }

  add(entry, hasFocus = false) {
    const number = uniqueID("entry").replace(/\D/g, "");
    const hint = h("small", { class: "hint", id: `acl-hint-${number}` });
    const scheme = h("select", { "aria-label": "Scheme", on: { change: () => explain(true) } },
      [...new Set([...Object.keys(schemes), entry.scheme])].map((name) => h("option", { value: name }, name)));
    scheme.value = entry.scheme;
    const id = h("input",
      { type: "text", value: entry.id, "aria-label": "Id", "aria-describedby": hint.id, spellcheck: "false",
      autocomplete: "off" });
    const boxes = permissions.map(([letter, word, meaning]) => h("input", {
      type: "checkbox", value: letter, checked: entry.permissions.includes(letter), "aria-label": `${word}: ${meaning}`,
    }));
    const row = { scheme, id, boxes };
    const element = h("fieldset", { class: "acl-row" }, h("legend", { class: "unseen" }, "Entry"),
      h("div", { class: "acl-line" }, scheme, id,
        h("button", { type: "button", class: "quiet", "aria-label": "Remove this entry", on: { click: () => {
          element.remove();
          this.rows.splice(this.rows.indexOf(row), 1);
        } } }, icon("trash"))),
      h("div", { class: "row acl-may" },
        boxes.map((box, index) => h("label", { title: permissions[index][2] }, box, permissions[index][1]))), hint);
    function explain(isChanged) {
      replace(hint, schemes[scheme.value] ?? "");
      id.disabled = scheme.value === "world" || scheme.value === "auth";
      if (isChanged) id.value = scheme.value === "world" ? "anyone" : "";
    }
    explain(false);
    this.rows.push(row);
    this.list.append(element);
    if (hasFocus) scheme.focus();
  }

  /** The ACL as it is in the fields; throws an Error where an entry cannot be meant. */
  value() {
    if (this.rows.length === 0) throw new Error("An ACL has at least one entry.");
    return this.rows.map(({ scheme, id, boxes }) => {
      const letters = boxes.filter((box) => box.checked).map((box) => box.value).join("");
      if (scheme.value !== "auth"
        && id.value.trim() === "") throw new Error(`The entry for ${scheme.value} has no id.`);
      if (letters === "") throw new Error(`The entry ${scheme.value}:${id.value} allows nothing: tick a permission, or remove it.`);
      return { scheme: scheme.value, id: id.value.trim(), permissions: letters };
    });
  }

  openHasher() {
    const user = h("input",
      { type: "text", "aria-label": "User", placeholder: "user", autocomplete: "off", spellcheck: "false" });
    const password = h("input",
      { type: "password", "aria-label": "Password", placeholder: "password", autocomplete: "new-password" });
    const errors = h("div", { role: "alert" });
    const add = async () => {
      try {
        if (user.value === ""
          || user.value.includes(":")) throw new Error("The user's name must not be empty or contain a colon.");
        const { id } = await this.context.api.post("/acl/hash", { user: user.value, password: password.value });
        this.add({ scheme: "digest", id, permissions: "cdrwa" }, true);
        replace(this.hasher);
      } catch (error) {
        replace(errors, notice("error", errorText(error)));
      }
    };
    replace(this.hasher,
      h("div", { class: "acl-line" }, user, password, h("button", { type: "button", on: { click: add } }, "Add")),
      errors);
    user.focus();
  }
}
