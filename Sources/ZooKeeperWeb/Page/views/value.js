// One znode: its place, what may be done with it, and its value, stat and ACL on three tabs.

import { bytesOf } from "../lib/bytes.js";
import { h, replace } from "../lib/dom.js";
import { size } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { hashOf, nameOf, parentOf, visible } from "../lib/paths.js";
import { statOf } from "../lib/stats.js";
import { copyText, errorText, notice, showError } from "../lib/status.js";
import { tabs, ValueHead } from "./value-head.js";
import { bestFormat, formatsOf, showValue } from "./value-show.js";

export class ValuePane {
  constructor(context, actions) {
    this.context = context;
    this.actions = actions;
    this.path = null;
    this.znode = null;
    this.fault = null;
    this.tab = "value";
    this.drafts = new Map();  // path → Editor with unsaved text
    this.choice = { format: null, isDecoded: true };
    this.shown = null;
    this.off = null;
    this.head = new ValueHead({
      act: (what) => this.act(what, this.path), back: () => this.actions.back(), openTab: (name) => this.openTab(name),
    });
    this.notes = h("div", { class: "value-notes", "aria-live": "polite" });
    this.body = h("div", { class: "value-body", id: "value-body", role: "tabpanel", "aria-label": "Znode" });
    this.element = h("section", { class: "value-pane", "aria-label": "Znode" }, this.head.element, this.notes,
      this.body);
    context.live.on("resync", () => { if (this.path !== null) this.check(); });
    context.live.on("session", () => {
      if (this.path === null) return;
      if (this.editor || this.tab === "access") this.drawHead();
      else this.draw();
    });
  }

  hasUnsaved() {
    return [...this.drafts.values()].some((editor) => editor.isDirty);
  }

  get editor() {
    return this.drafts.get(this.path) ?? null;
  }

  /** Shows a znode, at the tab that the address names. */
  show(path, parameters) {
    const tab = tabs.some(([name]) => name === parameters.tab) ? parameters.tab : "value";
    if (path === this.path) {
      if (tab === this.tab) return;
      this.tab = tab;
      this.draw();
      return;
    }
    this.path = path;
    this.tab = tab;
    this.znode = null;
    this.fault = null;
    this.choice = { format: null, isDecoded: true };
    this.dropOthers();
    this.off?.();
    this.off = this.context.live.data(path, (change) => this.receive(change));
    this.draw();
    this.reload();
  }

  // An editor in which nothing was changed is forgotten when its znode is left.
  dropOthers() {
    for (const [path, editor] of this.drafts) if (path !== this.path && !editor.isDirty) this.drafts.delete(path);
  }

  async reload() {
    const path = this.path;
    this.loading?.abort();
    this.loading = new AbortController();
    try {
      const znode = await this.context.api.get("/znode", { path }, { signal: this.loading.signal });
      if (path !== this.path) return;
      this.accept(znode);
    } catch (error) {
      if (error.name === "AbortError" || path !== this.path) return;
      this.fail(error);
    }
  }

  accept(znode) {
    const isChanged = this.znode !== null && this.znode.stat.mzxid !== znode.stat.mzxid;
    const isSame = this.znode !== null && !this.fault && JSON.stringify(this.znode.stat) === JSON.stringify(znode.stat);
    this.znode = znode;
    this.fault = null;
    this.actions.stat(znode.path, znode.stat, znode.kind);
    if (isSame && !this.editor) return;
    if (this.editor) {
      this.editor.notice(znode);
      this.drawHead();
    } else {
      this.draw();
      if (isChanged) this.flash();
    }
  }

  fail(error) {
    if (error.isAway && this.znode) return;  // The banner says so; what was shown stays.
    this.fault = error;
    if (error.word === "NoNode" && this.editor) this.editor.noticeDeleted();
    this.draw();
  }

  flash() {
    this.body.classList.remove("flash");
    void this.body.offsetWidth;
    this.body.classList.add("flash");
  }

  receive(change) {
    if (change.type === "armed") {
      if (this.znode || this.fault) this.check();
    } else if (change.type === "deleted") {
      this.fail({ word: "NoNode", message: `${visible(this.path)} was deleted just now.` });
    } else {
      this.reload();
    }
  }

  /** Loads the znode again if it is not the one that is shown. */
  async check() {
    const path = this.path;
    try {
      const stat = await statOf(this.context.api, path);
      if (path !== this.path) return;
      const before = this.znode?.stat;
      if (this.fault || stat?.mzxid !== before?.mzxid || stat?.aversion !== before?.aversion
        || stat?.cversion !== before?.cversion) {
        this.reload();
      }
    } catch (error) {
      if (path === this.path && !error.isAway) this.reload();
    }
  }

  // Drawing.

  draw() {
    this.shown?.destroy();
    this.shown = null;
    this.drawHead();
    this.drawNotes();
    if (this.editor && this.tab === "value") {
      replace(this.body, this.editor.element);
    } else if (!this.znode) {
      replace(this.body, this.fault ? this.absent() : h("div", { class: "value-wait" },
        h("span", { class: "spinner" }), "Loading…"));
    } else {
      this.body.classList.toggle("gone", this.isGone);
      if (this.tab === "value") this.drawValue();
      else this.drawTab();
    }
  }

  get isGone() {
    return this.fault?.word === "NoNode";
  }

  absent() {
    const isMissing = this.fault.word === "NoNode";
    const parent = parentOf(this.path);
    return h("div", { class: "value-absent" }, notice(isMissing ? "warning" : "error",
      isMissing ? `There is no znode ${visible(this.path)}.` : errorText(this.fault)),
    h("div", { class: "row" },
      h("button", { type: "button", on: { click: () => this.reload() } }, icon("refresh"), "Try again"),
      isMissing && parent !== null && h("a", { class: "button", href: hashOf(parent) }, `Go to ${visible(parent)}`),
      this.fault.word === "NoAuth" && h("a", { class: "button", href: hashOf(this.path, { tab: "access" }) },
        icon("key"), "Who may read it?")));
  }

  drawNotes() {
    replace(this.notes,
      this.isGone && this.znode && !this.editor && notice("warning",
        "This znode was deleted. What it was is shown below."),
      this.fault && !this.isGone && this.znode && notice("error", errorText(this.fault)));
  }

  drawHead() {
    // While it is being loaded, it is taken to be there.
    const isThere = this.znode ? !this.isGone : !this.fault;
    this.head.update(this.path, this.znode, { tab: this.tab, refusal: this.context.refusal(), isThere });
    this.body.setAttribute("aria-label", tabs.find(([name]) => name === this.tab)[1]);
  }

  openTab(name) {
    this.context.navigate(hashOf(this.path, name === "value" ? {} : { tab: name }), { replace: true });
  }

  drawValue() {
    const { znode, choice } = this;
    const isDecoded = znode.decoded !== null && choice.isDecoded;
    const value = isDecoded ? znode.decoded : znode;
    const formats = formatsOf(value);
    const format = formats.some(([name]) => name === choice.format) ? choice.format : bestFormat(value);
    this.shown = showValue(value, format);
    const set = (changes) => {
      Object.assign(choice, changes);
      this.draw();
      this.body.querySelector("[aria-checked=true]")?.focus();
    };
    const segments = formats.length > 0 && h("div", { class: "segments", role: "radiogroup", "aria-label": "Format" },
      formats.map(([name, label]) => h("button", {
        type: "button", role: "radio", "aria-checked": String(name === format),
          on: { click: () => set({ format: name }) },
      }, label)));
    replace(this.body, h("div", { class: "value-bar" }, segments,
      znode.decoded && h("label", { class: "decode" }, h("input", {
        type: "checkbox", checked: isDecoded,
          on: { change: (event) => set({ isDecoded: event.target.checked, format: null }) },
      }), `decompressed (${znode.compression})`),
      h("div", { class: "grow" }),
      value.data && h("button",
        { type: "button", class: "quiet small", on: { click: () => this.copyValue(value, format) } }, icon("copy"),
        "Copy"),
      znode.encoding !== null && h("a", {
        class: "button quiet small", download: nameOf(znode.path).replaceAll("/", "_") || "root",
        href: this.context.api.address("/znode/raw", { path: znode.path, decode: isDecoded }),
      }, icon("download"), "Download"),
      h("button", { type: "button", class: "quiet small", disabled: this.context.refusal() !== null,
        title: this.context.refusal() ?? "Put a file in the place of the value", on: { click: () => this.upload() } },
          icon("upload"), "Upload")),
    znode.decodeError && notice("warning",
      `It looks compressed (${znode.compression}) but is not: ${znode.decodeError}`),
    this.shown.element);
  }

  async copyValue(value, format) {
    if (format === "hex") {
      const { toHex } = await import("../lib/bytes.js");
      copyText(toHex(bytesOf(value)), "The value");
    } else if (format === "base64") {
      const { toBase64 } = await import("../lib/bytes.js");
      copyText(toBase64(bytesOf(value)), "The value");
    } else {
      copyText(value.data, "The value");
    }
  }

  // What is not seen at first is loaded when it is asked for.
  async drawTab() {
    const { path, tab } = this;
    const module = await (tab === "details" ? import("./value-details.js") : import("./acl.js"));
    if (path !== this.path || tab !== this.tab || !this.znode) return;
    if (tab === "details") {
      replace(this.body, module.showDetails(this.znode, this.context));
      return;
    }
    if (this.access?.path !== path || this.access.aversion !== this.znode.stat.aversion) {
      this.access = new module.AccessTab(path, this.znode, this.context);
    }
    replace(this.body, this.access.element);
  }

  // Actions.

  async act(what, path) {
    const refusal = this.context.refusal();
    if (refusal && what !== "export" && what !== "copy") {
      this.context.status.toast(refusal, "warning");
      return;
    }
    try {
      if (what === "edit") await this.edit();
      else if (what === "create") (await import("./create.js")).openCreate(path, this.znode, this.context);
      else if (what === "remove") await this.remove(path);
      else (await import("./transfer.js")).open[what](path, this.context);
    } catch (error) {
      showError(error);
    }
  }

  async remove(path) {
    if (path === "/") {
      this.context.status.toast("The root cannot be deleted.", "warning");
      return;
    }
    (await import("./delete.js")).openDelete(path, this.path === path ? this.znode : null, this.context);
  }

  async edit() {
    if (!this.znode || this.znode.path !== this.path) await this.reload();
    if (!this.znode || this.isGone) return;
    const path = this.path;
    const { Editor } = await import("./value-edit.js");
    if (path !== this.path) return;
    if (!this.editor) this.drafts.set(path, this.newEditor(Editor, null));
    if (this.tab !== "value") this.openTab("value");
    this.draw();
    this.editor.focus();
  }

  newEditor(Editor, bytes) {
    const path = this.path;
    return new Editor(this.znode, this.context, {
      bytes,
      close: () => {
        this.drafts.delete(path);
        if (this.path !== path) return;
        this.draw();
        this.element.querySelector("[data-act=edit]")?.focus();
      },
      saved: (stat) => {
        this.drafts.delete(path);
        this.actions.stat(path, stat);
        if (this.path === path) {
          this.fault = null;
          this.draw();
          this.reload();
          this.element.querySelector("[data-act=edit]")?.focus();
        }
      },
    });
  }

  /** A file becomes the text of an editor, so that it is seen before it is saved, with the version that was read. */
  upload() {
    const input = h("input", { type: "file" });
    input.addEventListener("change", async () => {
      const file = input.files[0];
      if (!file) return;
      const most = this.context.session?.limits?.valueBytes ?? 1_048_575;
      if (file.size > most) {
        this.context.status.toast(`${file.name} has ${size(file.size)}; a value has at most ${size(most)}.`, "error");
        return;
      }
      const path = this.path;
      const [bytes, { Editor }] = await Promise.all([file.arrayBuffer(), import("./value-edit.js")]);
      if (path !== this.path) return;
      this.drafts.set(path, this.newEditor(Editor, new Uint8Array(bytes)));
      this.draw();
      this.editor.focus();
    });
    input.click();
  }
}
