// Deleting a znode, with all below it after its number was shown. Over 1,000 znodes the name is typed first.

import { h, replace } from "../lib/dom.js";
import { allow, openDialog } from "../lib/dialog.js";
import { count, plural, size } from "../lib/format.js";
import { hashOf, nameOf, parentOf, visible } from "../lib/paths.js";
import { errorText, notice, toast } from "../lib/status.js";
import { typedGuard } from "./guard.js";

const mostUntyped = 1000;

export function openDelete(path, znode, context) {
  const body = h("div", { class: "stack", role: "status" },
    h("div", { class: "value-wait" }, h("span", { class: "spinner" }), "Counting what is below…"));
  const typed = h("div");
  let subtree = null;
  let guard = null;
  const dialog = openDialog({
    title: `Delete ${visible(path)}?`, body: [body, typed], actions: [{ label: "Delete", kind: "danger", run: remove }],
  });
  allow(dialog, "Delete", false);
  load();

  async function load() {
    try {
      subtree = await context.api.get("/subtree", { path });
    } catch (error) {
      replace(body, notice("error", errorText(error)));
      return;
    }
    const below = subtree.count - 1;
    replace(body,
      below === 0 ? h("p", null, "It has no children.")
        : h("p", null, h("strong", { class: "count" }, plural(subtree.count, "znode")),
          ` will be deleted: this one and ${count(below)} below it${subtree.truncated ? ", or more" : ""}.`),
      h("p", { class: "muted" },
        `${size(subtree.dataBytes)} of values${subtree.ephemerals ? `, ${plural(subtree.ephemerals, "ephemeral znode")} of living sessions` : ""}. This cannot be undone; an export beforehand can be imported again.`));
    guard = subtree.count > mostUntyped ? typedGuard("Type the name of the znode", nameOf(path), check) : null;
    replace(typed, guard?.element);
    check();
    if (guard) guard.input.focus();
    else dialog.button("Delete").focus();
  }

  function check() {
    allow(dialog, "Delete", guard === null || guard.isMet());
  }

  async function remove() {
    const parent = parentOf(path);
    try {
      if (subtree.count === 1) {
        const version = znode?.stat.version;
        await context.api.delete("/znode",
          { path, version: version ?? (await context.api.get("/znode", { path })).stat.version });
        toast(`${visible(path)} is deleted.`, "ok");
      } else {
        const confirm = subtree.count > mostUntyped ? nameOf(path) : null;
        await context.api.delete("/znode", { path, recursive: "true", count: subtree.count, confirm });
        toast(`${plural(subtree.count, "znode")} are being deleted: see Jobs.`, "info");
      }
    } catch (error) {
      if (error.status !== 409) throw error;
      dialog.setError(`${errorText(error)} It is counted again.`);
      await load();
      return false;
    }
    context.navigate(hashOf(parent));
    return true;
  }
}
