// A value as text, JSON, hex or base64. Few lines are simply shown; many are drawn as they are seen.

import { bytesOf, hexLine, toBase64 } from "../lib/bytes.js";
import { h, replace } from "../lib/dom.js";
import { size } from "../lib/format.js";
import { jsonLines, readJSON } from "../lib/json.js";
import { visible } from "../lib/paths.js";
import { notice } from "../lib/status.js";
import { virtualList } from "../lib/virtual.js";

const mostLines = 2000;
const mostCharacters = 200_000;
const longestLine = 4000;
const linePixels = () => Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 1.25);

/** The formats that make sense for a value: [[name, label]]. */
export function formatsOf(value) {
  if (value.encoding === null || value.form === "empty") return [];
  const formats = [["hex", "Hex"], ["base64", "Base64"]];
  if (value.encoding === "utf8") formats.unshift(["text", "Text"], ["json", "JSON"]);
  return formats;
}

/** The format in which a value is shown first. */
export function bestFormat(value) {
  if (value.form === "json") return "json";
  return value.encoding === "utf8" ? "text" : "hex";
}

/** The element that shows a value, and what to call when it is taken away. */
export function showValue(value, format) {
  if (value.encoding === null
    || value.form === "null") return plainNotice("No data (null): this znode was created without a value.");
  if (value.form === "empty") return plainNotice("Empty: the value has a length of 0 bytes. That is not the same as null.");
  if (format === "json") return showJSON(value.data);
  if (format === "text") return showLines(textLines(value.data), "Value as text");
  const bytes = bytesOf(value);
  if (format === "base64") return showLines(textLines(toBase64(bytes).replace(/.{76}/g, "$&\n")), "Value as base64");
  return showLines({
    count: Math.ceil(bytes.length / 16),
    characters: bytes.length * 5,
    line: (index) => hexLine(bytes,
      index).map((part, column) => h("span", { class: ["hex-offset", "hex-bytes", "hex-text"][column] }, part)),
  }, "Value as hexadecimal bytes", "hex");
}

function plainNotice(text) {
  return { element: h("div", { class: "value-none" }, notice("info", text)), destroy() {} };
}

function textLines(text) {
  const lines = [];
  for (const line of text.split("\n")) {
    if (line.length <= longestLine) lines.push(line);
    else for (let start = 0; start < line.length; start += longestLine) lines.push(line.slice(start,
      start + longestLine));
  }
  return { count: lines.length, characters: text.length, line: (index) => visibleLine(lines[index]) };
}

/** A line with what would be unseen made visible; tabs and spaces stay what they are. */
export function visibleLine(line) {
  return line.replace(/[^\t\u0020-\u007e]+/g, (part) => visible(part).replaceAll("⟨U+000D⟩", "␍"));
}

function showJSON(text) {
  const { tokens, fault } = readJSON(text);
  if (fault) {
    const shown = showLines(textLines(text), "Value as text");
    const words = `Not JSON: line ${fault.line}, column ${fault.column}: ${fault.message}`;
    return { element: h("div", { class: "value-json" }, notice("warning", words), shown.element),
      destroy: shown.destroy };
  }
  const lines = jsonLines(tokens);
  return showLines({
    count: lines.length,
    characters: text.length,
    line: (index) => lines[index].map(([kind, part]) => (kind === "mark" ? part
      : h("span", { class: `json-${kind}` },
        visibleLine(part.length > longestLine * 5 ? `${part.slice(0, longestLine)}… (${size(part.length)})` : part)))),
  }, "Value as formatted JSON");
}

function showLines(lines, label, className = "") {
  if (lines.count <= mostLines && lines.characters <= mostCharacters) {
    const element = h("pre", { class: `value-text ${className}`, tabindex: "0", role: "region", "aria-label": label },
      Array.from({ length: lines.count }, (_, index) => [lines.line(index), index < lines.count - 1 && "\n"]));
    return { element, destroy() {} };
  }
  const list = virtualList({
    count: () => lines.count,
    key: (index) => index,
    make: () => h("div", { class: "value-line" }),
    draw: (element, index) => {
      if (element.line === index) return;
      element.line = index;
      replace(element, lines.line(index));
    },
    rowHeight: linePixels,
  });
  list.element.classList.add("value-text", "many");
  if (className) list.element.classList.add(className);
  list.element.tabIndex = 0;
  list.element.setAttribute("role", "region");
  list.element.setAttribute("aria-label", label);
  return { element: list.element, destroy: () => list.destroy() };
}
