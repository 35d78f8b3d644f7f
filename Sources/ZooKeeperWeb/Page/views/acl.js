// Who may do what with a znode: the ACL in words, what you may do yourself, and the ACL to edit.

import { h, replace } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { visible } from "../lib/paths.js";
import { errorText, notice, toast } from "../lib/status.js";
import { AclEditor } from "./acl-edit.js";

export class AccessTab {
  constructor(path, znode, context) {
    this.path = path;
    this.aversion = znode?.stat.aversion ?? null;
    this.context = context;
    this.element = h("div", { class: "access" },
      h("div", { class: "value-wait" }, h("span", { class: "spinner" }), "Loading…"));
    this.load();
  }

  async load() {
    try {
      this.answer = await this.context.api.get("/acl", { path: this.path });
      this.draw();
    } catch (error) {
      replace(this.element, notice("error", errorText(error)), h("div", { class: "row" },
        h("button", { type: "button", on: { click: () => this.load() } }, "Try again")));
    }
  }

  draw() {
    const { acl, explanations, you } = this.answer;
    const refusal = this.context.refusal();
    replace(this.element,
      h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", null, "You")),
        h("ul", { class: "card-body may" }, (you ?? []).map((one) => h("li", null,
          h("span", { class: `badge ${one.allowed ? "ok" : "danger"}` }, icon(one.allowed ? "check" : "close"),
            one.permission),
          h("span", null, one.allowed ? "allowed" : "not allowed",
            h("span", { class: "muted" }, `: ${one.because}`)))))),
      h("section", { class: "card" },
        h("div", { class: "card-head" }, h("h2", null, "Access control list"), h("div", { class: "grow" }),
        h("button", { type: "button", class: "small", disabled: refusal !== null, title: refusal,
          on: { click: () => this.edit() } }, icon("edit"), "Edit the ACL")),
        h("div", { class: "table-scroll" }, h("table", null,
          h("thead", null, h("tr", null, ["Who", "May", "Entry"].map((head) => h("th", { scope: "col" }, head)))),
          h("tbody", null, (explanations ?? acl.map((entry) => ({ entry, who: "",
            may: [...entry.permissions] }))).map(({ entry, who, may }) => h("tr", null,
            h("td", null, who),
            h("td", null, h("span", { class: "row" }, may.map((word) => h("span", { class: "badge" }, word)),
              may.length === 0 && "nothing")),
            h("td", null, h("code", { class: "entry" },
              `${entry.scheme}:${visible(entry.id)}:${entry.permissions}`)))))))),
      h("p", { class: "hint" },
        "The ACL of a znode counts for it alone: its children have their own. Whether a znode may be deleted is in the ACL of its parent."));
  }

  edit() {
    const editor = new AclEditor(this.context, this.answer.acl);
    const recursive = h("input", { type: "checkbox", on: { change: () => this.count(countText, recursive.checked) } });
    const countText = h("small", { class: "hint" });
    const save = h("button",
      { type: "button", class: "primary", on: { click: () => this.save(editor, recursive.checked, save, errors) } },
      "Save the ACL");
    const errors = h("div", { role: "alert" });
    replace(this.element, h("section", { class: "card" },
      h("div", { class: "card-head" }, h("h2", { tabindex: "-1" }, "Edit the ACL")),
      h("div", { class: "card-body stack" }, editor.element,
        h("label", { class: "decode" }, recursive, "set it on all znodes below as well"), countText, errors,
        h("div", { class: "editor-foot" }, h("div", { class: "grow" }),
          h("button", { type: "button", on: { click: () => this.draw() } }, "Cancel"), save))));
    this.element.querySelector("h2").focus();
  }

  async count(element, isWanted) {
    replace(element);
    if (!isWanted) return;
    replace(element, "Counting…");
    try {
      const answer = await this.context.api.get("/subtree", { path: this.path });
      replace(element, `This replaces the ACL of ${plural(answer.count, "znode")}${answer.truncated ? " or more" : ""}.`);
    } catch (error) {
      replace(element, errorText(error));
    }
  }

  async save(editor, recursive, button, errors) {
    replace(errors);
    try {
      const acl = editor.value();
      button.disabled = true;
      const answer = await this.context.api.put("/acl", { acl, recursive },
        { path: this.path, version: this.answer.stat.aversion });
      toast(answer.job ? "The ACLs are being set: see Jobs." : "The ACL is set.", "ok");
      await this.load();
    } catch (error) {
      const hint = error.word === "BadVersion"
        ? " Another client set it meanwhile: load it again, and look at it first." : "";
      replace(errors, notice("error", `${errorText(error)}${hint}`,
        hint && h("button", { type: "button", class: "small", on: { click: () => this.load() } }, "Load again")));
    } finally {
      button.disabled = false;
    }
  }
}
