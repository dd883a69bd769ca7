// Bars of probabilities, and curves over time.
import { h } from "./core.js";

/** The probabilities of the ten digits (or of other `labels`) as bars. `.set(probabilities)`. */
export function bars({ title, labels = [..."0123456789"] }) {
  const rows = labels.map((text) => {
    const bar = h("span", { class: "bar" });
    const value = h("span", { class: "value" });
    return { bar, value, element: h("li", {}, h("span", { class: "name" }, text), h("span", { class: "track" }, bar), value) };
  });
  const list = h("ol", { class: "bars", "aria-label": title }, rows.map((row) => row.element));
  const element = h("div", { class: "system" }, h("div", { class: "title" }, title), list);
  function set(shares) {
    const best = shares ? shares.indexOf(Math.max(...shares)) : -1;
    rows.forEach((row, i) => {
      row.bar.style.width = `${100 * (shares?.[i] ?? 0)}%`;
      row.value.textContent = shares ? `${Math.round(100 * shares[i])} %` : "";
      row.element.classList.toggle("best", i === best);
    });
  }
  return { element, set };
}

export const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

/** Curves over time. `curves`: class names, such as ["a", "b"]; `.set([[y, ...], ...], xs, end)` draws one per curve, x from 0 to end. */
export function chart({ title, curves, low, high, ticks, show = String, x = "" }) {
  const [left, right, top, bottom] = [44, 312, 10, 132];
  const y = (value) => bottom - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * (bottom - top);
  const grid = ticks.map((tick) => svg("g", {},
    svg("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: "grid" }),
    svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, show(tick))));
  const lines = curves.map((name) => svg("polyline", { class: `curve ${name}`, points: "" }));
  const end = svg("text", { x: right, y: bottom + 16, "text-anchor": "end" }, x);
  const drawing = svg("svg", { viewBox: "0 0 320 152", role: "img", "aria-label": title }, ...grid, ...lines, end);
  function set(values, xs, end = xs.at(-1) ?? 1) {
    const last = Math.max(1, end);
    lines.forEach((line, i) => line.setAttribute("points",
      values[i].map((value, at) => `${(left + (xs[at] / last) * (right - left)).toFixed(1)},${y(value).toFixed(1)}`).join(" ")));
  }
  return { element: h("div", { class: "chart" }, h("div", { class: "title" }, title), drawing), set, caption: (text) => (end.textContent = text) };
}
