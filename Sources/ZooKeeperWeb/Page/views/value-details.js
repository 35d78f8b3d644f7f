// The stat of a znode in words: zxids as epoch and transaction, times in the browser's zone, who owns it.

import { h } from "../lib/dom.js";
import { count, duration, moment, plural, size, zxidWords } from "../lib/format.js";
import { viewHash } from "../lib/paths.js";
import { copyText } from "../lib/status.js";

export function showDetails(znode, context) {
  const { stat } = znode;
  const groups = [
    ["Value", [
      ["Length", stat.dataLength === 0 ? (znode.encoding === null ? "no data (null)" : "0 bytes (empty)")
        : `${stat.dataLength < 1024 ? "" : `${size(stat.dataLength)} · `}${plural(stat.dataLength, "byte")}`,
        "dataLength"],
      ["Version", `${stat.version}`, "version: how often the value was set"],
      ["Changed", moment(stat.mtime), "mtime"],
      ["Changed by", zxid(stat.mzxid), "mzxid: the transaction that set the value"],
    ]],
    ["Znode", [
      ["Kind", kindWords(znode), "from ephemeralOwner"],
      ["Created", moment(stat.ctime), "ctime"],
      ["Created by", zxid(stat.czxid), "czxid: the transaction that created it"],
      ["ACL version", `${stat.aversion}`, "aversion: how often the ACL was set"],
    ]],
    ["Children", [
      ["Children", count(stat.numChildren), "numChildren"],
      ["Child version", `${stat.cversion}`, "cversion: changes of the list of children"],
      ["List changed by", zxid(stat.pzxid), "pzxid: the last transaction that added or removed a child"],
    ]],
  ];
  if (znode.owner) {
    groups.splice(1, 0, ["Owner", [
      ["Session", h("a", { href: viewHash(`clients/${znode.owner.session}`), class: "mono" }, znode.owner.session),
        "ephemeralOwner"],
      ["Client", znode.owner.client ?? "unknown: it is not connected, or the servers do not say",
        "the address of the session's client"],
      ["Server", znode.owner.server ?? "–", "the server it is connected to"],
    ]]);
  }
  return h("div", { class: "details" }, groups.map(([name, entries]) => h("section", { class: "card" },
    h("div", { class: "card-head" }, h("h2", null, name)),
    h("dl", { class: "card-body facts" }, entries.map(([term, value, field]) => [
      h("dt", null, term), h("dd", null, value, h("small", { class: "hint" }, field))])))),
  h("div", { class: "row" }, h("button", { type: "button", class: "quiet small", on: {
    click: () => copyText(JSON.stringify({ path: znode.path, kind: znode.kind, stat }, null, 2), "The stat"),
  } }, "Copy as JSON"),
    context.session && h("span", { class: "muted" },
    `Times are in ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`)));
}

function zxid(value) {
  return [h("code", null, value), h("span", { class: "muted" }, ` ${zxidWords(value)}`)];
}

function kindWords(znode) {
  if (znode.kind === "ttl") {
    const owner = znode.stat.ephemeralOwner;
    // The time to live is in the lower five bytes of the owner; the first byte says that it is one.
    const milliseconds = /^0x[0-9a-f]{1,16}$/i.test(owner) ? Number(BigInt(owner) & 0xff_ffff_ffffn) : null;
    return `TTL, ${duration(milliseconds)} without a change`;
  }
  return znode.kind;
}
