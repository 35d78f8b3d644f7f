// The editor of a value. It saves with the version that was read: when that is no longer the newest, both texts are
// shown and nothing is written. What was typed stays, whatever happens to the znode, the session or the connection.

import { bytesOf, compress, lineEndsOf, parseBytes, textOf, toBase64, toHex, valueOf } from "../lib/bytes.js";
import { debounce, h, replace, setText, uniqueID } from "../lib/dom.js";
import { ask } from "../lib/dialog.js";
import { plural, size } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { formatJSON, readJSON } from "../lib/json.js";
import { errorText, notice, toast } from "../lib/status.js";
import { conflictView } from "./value-conflict.js";

/** "58 bytes", "1.2 KiB (1,234 bytes)". */
function lengthWords(length) {
  const bytes = plural(length, "byte");
  return length < 1024 ? bytes : `${size(length)} (${bytes})`;
}

export class Editor {
  constructor(znode, context, { bytes, close, saved }) {
    this.context = context;
    this.path = znode.path;
    this.version = znode.stat.version;
    this.acl = znode.acl;
    this.close = close;
    this.saved = saved;
    // What is edited is the decompressed value, where the browser can compress it again.
    this.compression = bytes === null && znode.decoded && znode.compression !== "snappy" ? znode.compression : null;
    const value = bytes ?? bytesOf(this.compression ? znode.decoded : znode);
    this.isNull = value === null;
    this.start(value ?? new Uint8Array());
    this.original = bytes ? null : this.state();
    this.wantsJSON = znode.form === "json" || znode.decoded?.form === "json";
    this.build();
  }

  get isDirty() {
    return this.original === null || this.state() !== this.original;
  }

  state() {
    return `${this.isNull}\u0000${this.format}\u0000${this.area?.value ?? this.text}`;
  }

  start(bytes) {
    const text = textOf(bytes);
    const ends = text === null ? null : lineEndsOf(text);
    this.lineEnds = ends ?? "\n";
    this.canBeText = ends !== null;
    this.format = this.canBeText ? "text" : "hex";
    this.text = this.write(bytes, this.format);
    this.mixed = text !== null && ends === null;
  }

  write(bytes, format) {
    if (format === "hex") return toHex(bytes);
    if (format === "base64") return toBase64(bytes);
    return textOf(bytes).replaceAll("\r\n", "\n");
  }

  /** The bytes of what is in the field; throws an Error that says what is wrong with it. */
  bytes() {
    if (this.isNull) return null;
    if (this.format !== "text") return parseBytes(this.area.value, this.format);
    return new TextEncoder().encode(this.lineEnds === "\n" ? this.area.value : this.area.value.replaceAll("\n",
      this.lineEnds));
  }

  build() {
    const id = uniqueID("editor");
    this.notes = h("div", { class: "editor-notes", role: "status" });
    this.area = h("textarea", {
      id, value: this.text, spellcheck: "false", autocapitalize: "off", autocomplete: "off",
        "aria-label": `The value of ${this.path}`,
      "aria-describedby": `${id}-check`,
        placeholder: this.isNull ? "No data (null). Type to give it a value." : "Empty",
      on: { input: () => this.changed(), keydown: (event) => this.key(event) },
    });
    this.checked = h("div", { class: "editor-check", id: `${id}-check`, role: "status" });
    this.nullBox = h("input",
      { type: "checkbox", checked: this.isNull, on: { change: () => this.setNull(this.nullBox.checked) } });
    this.formats = h("div", { class: "segments", role: "radiogroup", "aria-label": "Write as" },
      [["text", "Text"], ["hex", "Hex"], ["base64", "Base64"]].map(([name, label]) => h("button", {
        type: "button", role: "radio", dataset: { format: name }, on: { click: () => this.setFormat(name) },
      }, label)));
    this.formatButton = h("button", { type: "button", class: "quiet small", on: { click: () => this.formatText() } },
      "Format JSON");
    this.save = h("button", { type: "button", class: "primary", on: { click: () => this.trySave() } }, "Save");
    this.base = h("span", { class: "muted" });
    this.form = h("div", { class: "editor" },
      h("div", { class: "value-bar" }, this.formats, h("label", { class: "decode" }, this.nullBox, "no data (null)"),
        h("div", { class: "grow" }), this.formatButton),
      this.area, this.checked,
      h("div", { class: "editor-foot" }, this.base, h("div", { class: "grow" }),
        h("button", { type: "button", on: { click: () => this.cancel() } }, "Cancel"), this.save));
    this.element = h("div", { class: "editor-frame" }, this.notes, this.form);
    this.checkSoon = debounce(() => this.check(), 150);
    this.draw();
    this.check();
  }

  draw() {
    for (const button of this.formats.children) {
      button.setAttribute("aria-checked", String(button.dataset.format === this.format));
      button.disabled = button.dataset.format === "text" && !this.canBeText;
      if (button.disabled) button.title = "These bytes would not survive a text field.";
    }
    const how = this.compression ? ` It is compressed with ${this.compression} again.` : "";
    setText(this.base, `Based on version ${this.version}.${how}`);
    if (this.mixed && !this.notes.firstChild) {
      replace(this.notes, notice("info",
        "This text has mixed line ends or NUL characters, which a text field would change: it is edited as bytes."));
    }
  }

  focus() {
    this.area.focus();
  }

  changed() {
    if (this.isNull && this.area.value !== "") this.setNull(false);
    this.checkSoon();
  }

  setNull(isNull) {
    this.isNull = isNull;
    this.nullBox.checked = isNull;
    if (isNull) this.area.value = "";
    this.area.placeholder = isNull ? "No data (null). Type to give it a value." : "Empty";
    this.check();
  }

  setFormat(format) {
    if (format === this.format) return;
    try {
      const bytes = this.bytes() ?? new Uint8Array();
      const isText = textOf(bytes) !== null && lineEndsOf(textOf(bytes)) !== null;
      if (format === "text" && !isText) throw new Error("These bytes are not text that a text field keeps as it is.");
      if (format === "text") this.lineEnds = lineEndsOf(textOf(bytes));
      const wasDirty = this.isDirty;
      this.area.value = this.write(bytes, format);
      this.format = format;
      if (!wasDirty) this.original = this.state();
      this.draw();
      this.check();
    } catch (error) {
      this.say("bad", error.message);
    }
  }

  formatText() {
    const formatted = formatJSON(this.area.value);
    if (formatted === null) {
      this.goToFault();
      return;
    }
    this.area.value = formatted;
    this.check();
    this.area.focus();
  }

  goToFault() {
    const { fault } = readJSON(this.area.value);
    if (!fault) return;
    this.area.focus();
    this.area.setSelectionRange(fault.offset, Math.min(this.area.value.length, fault.offset + 1));
  }

  /** Says how large the value is, and whether it is JSON where it looks like it. */
  check() {
    const looksLikeJSON = this.format === "text" && (this.wantsJSON || /^\s*[{[]/.test(this.area.value));
    this.formatButton.hidden = !looksLikeJSON;
    let bytes;
    try {
      bytes = this.bytes();
    } catch (error) {
      this.say("bad", error.message);
      return;
    }
    const most = this.context.session?.limits?.valueBytes ?? 1_048_575;
    const length = bytes === null ? "no data" : bytes.length === 0 ? "empty (0 bytes)" : lengthWords(bytes.length);
    if (bytes !== null && bytes.length > most && !this.compression) {
      this.say("bad", `${length}: a value has at most ${size(most)}.`);
      return;
    }
    const fault = looksLikeJSON && bytes?.length > 0 ? readJSON(this.area.value).fault : null;
    if (fault) this.say("warn", `${length} · not JSON: line ${fault.line}, column ${fault.column}: ${fault.message}`,
      true);
    else this.say("", looksLikeJSON && bytes?.length > 0 ? `${length} · valid JSON` : length);
  }

  say(kind, text, isFault = false) {
    this.checked.className = `editor-check ${kind}`;
    replace(this.checked, h("span", null, text),
      isFault && h("button", { type: "button", class: "link", on: { click: () => this.goToFault() } }, "Show"));
    this.save.disabled = kind === "bad";
    if (kind === "bad") this.area.setAttribute("aria-invalid", "true");
    else this.area.removeAttribute("aria-invalid");
  }

  key(event) {
    if ((event.ctrlKey || event.metaKey) && (event.key === "s" || event.key === "Enter")) {
      event.preventDefault();
      this.trySave();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.cancel();
    }
  }

  async cancel() {
    if (this.isDirty && !await ask({
      title: "Discard what was typed?", text: "The value in ZooKeeper stays as it is.", label: "Discard",
        kind: "danger",
    })) return;
    this.close();
  }

  async trySave() {
    if (this.save.disabled) return;
    this.save.disabled = true;
    try {
      let bytes = this.bytes();
      if (bytes !== null && this.compression) bytes = await compress(bytes, this.compression);
      const answer = await this.context.api.put("/znode", valueOf(bytes), { path: this.path, version: this.version });
      toast(`Saved as version ${answer.stat.version}.`, "ok");
      this.saved(answer.stat);
    } catch (error) {
      this.failed(error);
    } finally {
      this.save.disabled = false;
    }
  }

  failed(error) {
    if (error.word === "BadVersion" && error.document?.current) this.showConflict(error.document.current);
    else if (error.word === "NoNode") this.noticeDeleted();
    else replace(this.notes, notice("error", `${errorText(error, "Not saved")} What you typed is kept.`));
  }

  // What happens meanwhile.

  /** The znode was loaded again. */
  notice(znode) {
    if (znode.stat.version === this.version) {
      if (this.isDeleted) replace(this.notes);
      this.isDeleted = false;
      return;
    }
    this.isDeleted = false;
    replace(this.notes, notice("warning",
      `Another client saved version ${znode.stat.version} while you edit version ${this.version}. Your text is kept.`,
      h("button", { type: "button", class: "small", on: { click: () => this.showConflict(znode) } }, "Compare")));
  }

  noticeDeleted() {
    this.isDeleted = true;
    replace(this.notes, notice("warning", "This znode was deleted while you edit it. Your text is kept.",
      h("button", { type: "button", class: "small", on: { click: () => this.createAgain() } }, icon("plus"),
        "Create it again with this text")));
  }

  async createAgain() {
    try {
      let bytes = this.bytes();
      if (bytes !== null && this.compression) bytes = await compress(bytes, this.compression);
      const answer = await this.context.api.post("/znode", {
        path: this.path, ...valueOf(bytes), kind: "persistent", sequential: false, ttlMilliseconds: null,
          parents: true, acl: this.acl,
      });
      toast("Created again.", "ok");
      this.saved(answer.stat);
    } catch (error) {
      this.failed(error);
    }
  }

  showConflict(current) {
    const mine = this.area.value;
    const view = conflictView({
      mine, current, version: this.version, format: this.format, lineEnds: this.lineEnds,
      theirs: this.theirs(current),
      keep: () => {
        this.version = current.stat.version;
        replace(this.notes, notice("info",
          `Your text is now based on version ${this.version}: saving it replaces that version.`));
        replace(this.element, this.notes, this.form);
        this.draw();
        this.area.focus();
      },
      back: () => {
        replace(this.element, this.notes, this.form);
        this.area.focus();
      },
      discard: () => this.close(),
    });
    replace(this.element, view);
    view.querySelector("h2").focus();
  }

  /** The other value as it would be in this field, or null if it cannot be written so. */
  theirs(current) {
    const value = this.compression && current.decoded ? current.decoded : current;
    const bytes = bytesOf(value);
    if (bytes === null) return "";
    if (this.format === "text" && textOf(bytes) === null) return null;
    return this.write(bytes, this.format);
  }
}
