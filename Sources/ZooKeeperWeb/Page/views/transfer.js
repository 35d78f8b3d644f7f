// Copying, moving, exporting and importing a subtree. The work itself is a job of the server (views/jobs.js).

import { h, replace } from "../lib/dom.js";
import { choice, field, openDialog, select } from "../lib/dialog.js";
import { plural, size } from "../lib/format.js";
import { faultOfPath, isBelow, nameOf, viewHash, visible } from "../lib/paths.js";
import { errorText, toast } from "../lib/status.js";

const conflicts = [
  ["fail", "stop there, and say so"], ["skip", "leave what is there"], ["overwrite", "replace the value that is there"],
];

/** What the toolbar of a znode opens. */
export const open = { copy: openCopy, export: openExport, import: openImport };

/** "1,234 znodes, 5 MiB", once they are counted. */
function counted(path, context) {
  const element = h("p", { class: "hint", role: "status" }, "Counting…");
  context.api.get("/subtree", { path }).then(
    (answer) => replace(element,
      `${plural(answer.count, "znode")}${answer.truncated ? " or more" : ""}, ${size(answer.dataBytes)} of values`,
      answer.ephemerals > 0 && `; ${plural(answer.ephemerals, "ephemeral znode")} among them`),
    (error) => replace(element, errorText(error)));
  return element;
}

function started(job, context, isDryRun) {
  toast(isDryRun ? "The dry run has started." : "It has started.", "info", {
    label: "Show", run: () => context.navigate(viewHash("jobs", { job: job.id })),
  });
  context.navigate(viewHash("jobs", { job: job.id }));
}

async function openCopy(path, context) {
  const clusters = await context.api.get("/clusters").catch(() => []);
  const here = context.api.cluster ?? context.session?.cluster;
  const to = h("input",
    { type: "text", value: path === "/" ? "/copy" : `${path}-copy`, autofocus: true, spellcheck: "false",
    autocomplete: "off" });
  const cluster = select(clusters.map((one) => [one.name,
    `${one.name}${one.name === here ? " (this one)" : ""}${one.readOnly ? ", read-only" : ""}${one.protected ? ", protected" : ""}`]), here);
  const move = choice("checkbox", "Move: delete the original after all was copied",
    { disabled: path === "/" || context.refusal() !== null });
  const dryRun = choice("checkbox", "Dry run: only count what would be done");
  const conflict = select(conflicts, "fail");
  const dialog = openDialog({
    title: `Copy ${visible(path)}`,
    body: [counted(path, context), field("To the path", to), clusters.length > 1 && field("In the cluster", cluster),
      field("Where a znode is there already", conflict), move.element, dryRun.element],
    actions: [{ label: "Start", kind: "primary", run }],
  });
  const target = () => clusters.find((one) => one.name === (clusters.length > 1 ? cluster.value : here))
    ?? context.cluster;

  async function run() {
    const isElsewhere = target() && target().name !== here;
    const fault = faultOfPath(to.value)
      ?? (!isElsewhere && isBelow(to.value, path) ? "A znode cannot be copied into itself." : null)
      ?? (target()?.readOnly ? `The cluster ${target().name} is read-only.` : null);
    if (fault) {
      dialog.setError(fault);
      return false;
    }
    const { job } = await context.api.post("/copy", {
      from: path, to: to.value, toCluster: isElsewhere ? target().name : null, move: move.input.checked,
      conflict: conflict.value, dryRun: dryRun.input.checked,
    });
    started(job, context, dryRun.input.checked);
    return true;
  }
}

function openExport(path, context) {
  const format = select([["jsonl", "JSON lines: one line for each znode; can be imported again"],
    ["tar", "tar: a file for each value"]], "jsonl", { autofocus: true });
  openDialog({
    title: `Export ${visible(path)}`,
    body: [counted(path, context), field("Format", format),
      h("p", { class: "hint" },
        "Ephemeral znodes are in it as they are now. Values that may not be read are left out and named.")],
    actions: [{
      label: "Download", kind: "primary", run: () => {
        const link = h("a", {
          href: context.api.address("/export", { path, format: format.value }),
          download: `${(path === "/" ? "root" : nameOf(path)).replace(/[^\p{L}\p{N}._-]/gu, "_")}.${format.value}`,
        });
        document.body.append(link);
        link.click();
        link.remove();
      },
    }],
  });
}

function openImport(path, context) {
  const most = context.session?.limits?.uploadBytes ?? null;
  const file = h("input", { type: "file", accept: ".jsonl,.json,.ndjson,.tar", autofocus: true });
  const conflict = select(conflicts, "fail");
  const dryRun = choice("checkbox", "Dry run: only count what would be done");
  const dialog = openDialog({
    title: `Import below ${visible(path)}`,
    body: [field("An export, as JSON lines or tar", file, most && `At most ${size(most)}.`),
      field("Where a znode is there already", conflict), dryRun.element],
    actions: [{ label: "Start", kind: "primary", run }],
  });

  async function run() {
    const chosen = file.files[0];
    const fault = !chosen ? "Choose a file." : most !== null
      && chosen.size > most ? `The file has ${size(chosen.size)}: at most ${size(most)} are taken.` : null;
    if (fault) {
      dialog.setError(fault);
      return false;
    }
    const { job } = await context.api.post("/import", chosen,
      { path, conflict: conflict.value, dryRun: dryRun.input.checked },
      { contentType: /\.tar$/i.test(chosen.name) ? "application/x-tar" : "application/jsonl" });
    started(job, context, dryRun.input.checked);
    return true;
  }
}
