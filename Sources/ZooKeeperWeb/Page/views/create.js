// Creating a znode: below another one, of any kind, with its parents, time to live and ACL.

import { h, replace } from "../lib/dom.js";
import { choice, field, openDialog } from "../lib/dialog.js";
import { childOf, faultOfPath, hashOf, visible } from "../lib/paths.js";
import { toast } from "../lib/status.js";
import { AclEditor } from "./acl-edit.js";

const units = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

export function openCreate(parent, znode, context) {
  const hasOwner = znode?.path === parent && znode.kind === "ephemeral";
  const name = h("input",
    { type: "text", autofocus: true, spellcheck: "false", autocomplete: "off", on: { input: () => showPath() } });
  const result = h("small", { class: "hint", role: "status" });
  const data = h("textarea", { rows: "5", spellcheck: "false" });
  const none = choice("checkbox", "no data (null)", { on: { change: () => { data.disabled = none.input.checked; } } });
  const kinds = [
    choice("radio", "Persistent", { name: "kind", value: "persistent", checked: true }, "Stays until it is deleted."),
    choice("radio", "Ephemeral", { name: "kind", value: "ephemeral" },
      "Belongs to the session of this page's server: it goes when that server stops, or its session expires."),
    choice("radio", "Container", { name: "kind", value: "container" },
      "Is deleted by the ensemble some time after its last child."),
    choice("radio", "TTL", { name: "kind", value: "ttl" },
      "Is deleted when it was unchanged for a time and has no children."),
  ];
  const sequential = choice("checkbox", "Sequential", { on: { change: () => showPath() } },
    "The server appends a number of ten digits to the name.");
  const parents = choice("checkbox", "Create missing parents", {}, "As persistent znodes without data.");
  const ttl = h("input", { type: "number", min: "1", step: "any", value: "10", "aria-label": "Time to live" });
  const unit = h("select", { "aria-label": "Unit of the time to live" },
    Object.keys(units).map((one) => h("option", { value: one }, one)));
  unit.value = "minutes";
  const ttlField = h("fieldset", { hidden: true }, h("legend", null, "Time to live"),
    h("div", { class: "acl-line" }, ttl, unit));
  const access = h("select", null, [["open", "Open to all (world:anyone:cdrwa)"],
    ...znode?.acl && znode.path === parent ? [["parent", `As ${visible(parent)}`]] : [], ["own", "Another one…"]]
    .map(([value, label]) => h("option", { value }, label)));
  const aclPlace = h("div");
  let editor = null;
  access.addEventListener("change", () => {
    editor = access.value === "own" ? new AclEditor(context,
      znode?.acl ?? [{ scheme: "world", id: "anyone", permissions: "cdrwa" }]) : null;
    replace(aclPlace, editor?.element);
  });
  const kind = () => kinds.find((one) => one.input.checked).input.value;
  const update = () => {
    ttlField.hidden = kind() !== "ttl";
    sequential.input.disabled = kind() === "container";
    if (kind() === "container") sequential.input.checked = false;
    showPath();
  };

  const path = () => (name.value.startsWith("/") ? name.value : childOf(parent, name.value));

  function showPath() {
    const fault = name.value === "" && sequential.input.checked ? null : name.value === "" ? null : faultOfPath(path());
    result.className = `hint ${fault ? "bad" : ""}`;
    replace(result, fault
      ?? (name.value === ""
      && !sequential.input.checked ? "" : `${visible(path())}${sequential.input.checked ? "0000000000" : ""}`));
  }

  const dialog = openDialog({
    title: `Create below ${visible(parent)}`,
    body: [
      hasOwner && h("p", { class: "hint bad" }, "An ephemeral znode has no children: the ensemble will refuse."),
      field("Name, or a whole path", name,
        "Slashes make a path below this znode; tick \"Create missing parents\" for it."), result,
      field("Value", data), none.element,
      h("fieldset", null, h("legend", null, "Kind"), kinds.map((one) => one.element)), ttlField,
      h("fieldset", null, h("legend", null, "Options"), sequential.element, parents.element),
      field("ACL", access), aclPlace,
    ],
    actions: [{ label: "Create", kind: "primary", run: create }],
  });
  for (const one of kinds) one.input.addEventListener("change", update);
  update();

  async function create() {
    const fault = sequential.input.checked
      && name.value === "" ? null : name.value === "" ? "Give it a name." : faultOfPath(path());
    if (fault) {
      dialog.setError(fault);
      name.focus();
      return false;
    }
    const milliseconds = Math.round(Number(ttl.value) * units[unit.value]);
    if (kind() === "ttl" && !(milliseconds > 0)) {
      dialog.setError("The time to live is a number above 0.");
      return false;
    }
    const acl = editor ? editor.value() : access.value === "parent" ? znode.acl : null;
    const answer = await context.api.post("/znode", {
      path: path(), data: none.input.checked ? null : data.value, encoding: none.input.checked ? null : "utf8",
        kind: kind(),
      sequential: sequential.input.checked, ttlMilliseconds: kind() === "ttl" ? milliseconds : null,
        parents: parents.input.checked, acl,
    });
    toast(`${visible(answer.created)} is created.`, "ok");
    context.navigate(hashOf(answer.created));
    return true;
  }
}
