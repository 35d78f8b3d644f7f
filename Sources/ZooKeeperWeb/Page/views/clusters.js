// The clusters of the configuration file: which one is shown, and to choose another.

import { h, replace } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { errorText, notice } from "../lib/status.js";

const states = { connected: ["connected", "ok"], connecting: ["connecting", "warn"],
  closed: ["not connected", "danger"], unused: ["not used yet", ""] };

export function mount(container, { api, live, session }) {
  const list = h("ul", { class: "clusters" });
  container.append(h("div", { class: "page" }, h("header", null, h("h1", null, "Clusters")),
    h("p", { class: "lead" },
      "Those that the configuration file names. A connection is made when a cluster is first shown."), list));
  const offs = [live.on("state", load), live.on("resync", load)];
  load();

  async function load() {
    try {
      const clusters = await api.get("/clusters");
      replace(list, clusters.map(clusterCard));
    } catch (error) {
      replace(list, h("li", null, notice("error", errorText(error))));
    }
  }

  function clusterCard(cluster) {
    const isShown = cluster.name === (api.cluster ?? session?.cluster);
    const [word, kind] = states[cluster.state] ?? [cluster.state, ""];
    const address = `/?${new URLSearchParams({ cluster: cluster.name })}`;
    return h("li", { class: `card cluster-card${cluster.protected ? " protected" : ""}${isShown ? " shown" : ""}` },
      h("div", { class: "card-head" }, h("span", { class: `dot ${cluster.state}`, "aria-hidden": "true" }),
        h("h2", null, cluster.name), isShown && h("span", { class: "badge accent" }, "shown"),
        h("div", { class: "grow" }),
          cluster.protected && h("span", { class: "badge danger" }, icon("warning"), "protected"),
        cluster.readOnly && h("span", { class: "badge" }, icon("lock"), "read-only")),
      h("div", { class: "card-body stack" },
        h("code", { class: "servers" },
          // A long list breaks between two servers.
          cluster.servers.split(",").flatMap((one, index) => (index === 0 ? [one] : [",", h("wbr"), one]))),
        h("div", { class: "row" }, h("span", { class: `badge ${kind}` }, word),
          cluster.server && h("span", { class: "muted" }, `at ${cluster.server}`),
          cluster.session && h("span", { class: "muted mono" }, cluster.session)),
        h("div", { class: "muted" },
          cluster.identities?.length
          ? `Logged in as ${cluster.identities.map((one) => `${one.scheme}:${one.user}`).join(", ")}`
          : "No identity is known."),
        h("div", { class: "row" },
          isShown ? h("a", { class: "button", href: "#/" }, "To the tree") : h("a", { class: "button", href: address },
          "Show this cluster"))));
  }

  return { update() {}, unmount() { for (const off of offs) off(); } };
}
