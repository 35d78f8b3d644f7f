// Small plots that move: the last values of a figure, as a line of SVG.

import { s } from "./dom.js";

const width = 120;
const height = 28;

/**
 * A sparkline of the last `capacity` values; `push` adds one (null leaves a gap). `label` names it for screen readers,
 * which hear the last value as well. `format` writes a value.
 */
export function sparkline(label, { capacity = 60, format = String, minimum = 0 } = {}) {
  const area = s("path", { class: "plot-area" });
  const line = s("path", { class: "plot-line" });
  const dot = s("circle", { class: "plot-dot", r: "2" });
  const title = s("title", null, label);
  const element = s("svg", {
    class: "plot", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label,
  }, title, area, line, dot);
  const values = [];

  function push(value) {
    values.push(value === undefined || !Number.isFinite(value) ? null : value);
    if (values.length > capacity) values.shift();
    draw();
  }

  function draw() {
    const known = values.filter((value) => value !== null);
    const last = values.at(-1) ?? null;
    if (known.length === 0) return;
    const top = Math.max(...known, minimum + 1e-9);
    const bottom = Math.min(...known, minimum);
    const range = top - bottom || 1;
    const x = (index) => (width - 4) * (capacity - values.length + index) / (capacity - 1) + 2;
    const y = (value) => height - 3 - (height - 6) * (value - bottom) / range;
    const parts = segments(values).map((segment) => segment.map(([index, value]) => [x(index), y(value)]));
    line.setAttribute("d", parts.map(lineOf).join(""));
    area.setAttribute("d", parts.map((points) =>
      `${lineOf(points)}L${round(points.at(-1)[0])} ${height}L${round(points[0][0])} ${height}Z`).join(""));
    dot.style.visibility = last === null ? "hidden" : "visible";
    if (last !== null) {
      dot.setAttribute("cx", round(x(values.length - 1)));
      dot.setAttribute("cy", round(y(last)));
    }
    const text = `${label}: ${last === null ? "unknown" : format(last)}, at most ${format(top)}`;
    title.textContent = text;
    element.setAttribute("aria-label", text);
  }

  return { element, push, values };
}

function segments(values) {
  const all = [];
  let current = null;
  values.forEach((value, index) => {
    if (value === null) {
      current = null;
    } else {
      if (current === null) all.push(current = []);
      current.push([index, value]);
    }
  });
  return all;
}

function lineOf(points) {
  return `M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
