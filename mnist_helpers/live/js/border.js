// A support vector machine among points: its border, margin and support vectors, while C and gamma change.
import { svg } from "./charts.js";
import { choice, css, colours, h, mix, onTheme, percent, slider } from "./core.js";

const SIZE = 100; // the picture is drawn in a square of 100 units
const LEVELS = [-1, 0, 1];

/** The line where a grid has some value, as an SVG path: marching squares. The first row of the grid is the lowest. */
export function contour({ shape: [rows, columns], data }, level) {
  const place = (row, column) => [(column / (columns - 1)) * SIZE, SIZE - (row / (rows - 1)) * SIZE];
  const parts = [];
  for (let row = 0; row < rows - 1; row += 1) for (let column = 0; column < columns - 1; column += 1) {
    const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
    const values = corners.map(([r, c]) => data[r * columns + c] - level);
    const crossings = [];
    values.forEach((value, i) => {
      const j = (i + 1) % 4;
      if (value > 0 === values[j] > 0) return;
      const [from, to] = [place(...corners[i]), place(...corners[j])];
      const share = value / (value - values[j]);
      crossings.push(from.map((start, axis) => (start + (to[axis] - start) * share).toFixed(2)).join(" "));
    });
    for (let i = 0; i + 1 < crossings.length; i += 2) parts.push(`M${crossings[i]}L${crossings[i + 1]}`);
  }
  return parts.join("");
}

export default function border(root, data, host) {
  const { points, signs, names, box, c, gamma, grids, fits } = data;
  const state = { c: data.at[0], gamma: data.at[1], straight: false, asked: 0, asking: false, fit: null };
  const [rows, columns] = grids.shape.slice(2);
  const [left, right, bottom, top] = box;
  const places = signs.map((_, i) => [
    ((points.data[2 * i] - left) / (right - left)) * SIZE, SIZE - ((points.data[2 * i + 1] - bottom) / (top - bottom)) * SIZE]);

  // ---- the parts: the field of decision values, three lines, the points
  const canvas = h("canvas", { width: columns, height: rows });
  const lines = LEVELS.map((level) => svg("path", { class: level ? "margin" : "line" }));
  const rings = places.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 2.6, class: "support" }));
  const marks = places.map(([x, y], i) => (signs[i] > 0
    ? svg("circle", { cx: x, cy: y, r: 1.4, class: "point positive" })
    : svg("rect", { x: x - 1.25, y: y - 1.25, width: 2.5, height: 2.5, class: "point negative" })));
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" }, ...lines, ...rings, ...marks);
  const field = h("div", { class: "tile field", role: "img" }, canvas, drawing);
  const number = () => h("strong", { class: "count" });
  const [support, correct, gap] = [number(), number(), number()];
  const said = h("p", { class: "soft", role: "status" });

  // ---- controls: on a page one step per fit; with a kernel, any value in between
  const between = host ? 0.05 : 1;
  const value = (list, at) => {
    const i = Math.min(list.length - 2, Math.floor(at));
    return list[i] * (list[i + 1] / list[i]) ** (at - i);
  };
  const shown = (list) => (at) => String(Number(value(list, at).toPrecision(2)));
  const control = (label, list, key) => slider({ label, min: 0, max: list.length - 1, step: between, value: state[key], show: shown(list),
    onchange: (at) => change({ [key]: at }) });
  const sliders = { c: control("C: how much a point on the wrong side costs", c, "c"), gamma: control("gamma: how quickly a point's influence fades", gamma, "gamma") };
  const shape = choice({ label: "Border", options: [[false, "curved (RBF)"], [true, "straight (linear)"]], value: false,
    onchange: (straight) => change({ straight }) });
  const legend = (kind, text) => h("li", {}, svgOf(kind), text);
  const svgOf = (kind) => svg("svg", { viewBox: "-4 -4 8 8", width: 18, height: 18, "aria-hidden": "true" }, {
    positive: () => svg("circle", { r: 2, class: "point positive" }), negative: () => svg("rect", { x: -1.9, y: -1.9, width: 3.8, height: 3.8, class: "point negative" }),
    support: () => svg("circle", { r: 3, class: "support" }), line: () => svg("path", { d: "M-4 0H4", class: "line" }), margin: () => svg("path", { d: "M-4 0H4", class: "margin" }),
  }[kind]());

  root.append(
    h("div", { class: "svm" },
      field,
      h("div", { class: "beside" },
        shape.element, sliders.c.element, sliders.gamma.element,
        h("div", { class: "counts" },
          h("div", {}, support, h("span", { class: "soft" }, "support vectors")),
          h("div", {}, correct, h("span", { class: "soft" }, "on the right side")),
          h("div", {}, gap, h("span", { class: "soft" }, "inside the margin or beyond the border"))),
        said,
        h("ul", { class: "legend soft" }, legend("negative", names[0]), legend("positive", names[1]),
          legend("line", "border"), legend("margin", "margin"), legend("support", "support vector")))));

  // ---- what happens
  function change(settings) {
    Object.assign(state, settings);
    sliders.gamma.element.querySelector("input").disabled = state.straight;
    sliders.gamma.element.classList.toggle("off", state.straight);
    const whole = Number.isInteger(state.c) && (state.straight || Number.isInteger(state.gamma));
    if (whole) state.asked += 1; // what the kernel still answers is out of date
    if (whole) show(stored());
    else ask();
  }

  function stored() {
    const column = state.straight ? gamma.length : state.gamma;
    const size = rows * columns;
    const start = (state.c * grids.shape[1] + column) * size;
    return { ...fits[state.c][column], grid: grids.data.subarray(start, start + size) };
  }

  /** Ask the kernel, one question at a time; only the last one counts. */
  async function ask() {
    const number = (state.asked += 1);
    if (state.asking) return;
    state.asking = true;
    const answer = await host.ask({ c: value(c, state.c), gamma: state.straight ? null : value(gamma, state.gamma) });
    state.asking = false;
    if (number === state.asked) show(answer);
    else if (!Number.isInteger(state.c) || !Number.isInteger(state.gamma)) ask();
  }

  function show(fit) {
    state.fit = fit;
    const grid = { shape: [rows, columns], data: Float32Array.from(fit.grid, (number) => number / 100) };
    LEVELS.forEach((level, i) => lines[i].setAttribute("d", contour(grid, level)));
    const chosen = new Set(fit.support);
    rings.forEach((ring, i) => ring.setAttribute("visibility", chosen.has(i) ? "visible" : "hidden"));
    support.textContent = fit.support.length;
    correct.textContent = percent(fit.right);
    gap.textContent = fit.inside;
    said.textContent = fit.right === 1 && fit.support.length > 0.6 * signs.length ? "Every point is an island: the border has memorised them." : "";
    field.setAttribute("aria-label", `The border among ${signs.length} points, with ${fit.support.length} support vectors; ${percent(fit.right)} of the points are on the right side.`);
    paint(grid);
  }

  function paint(grid) {
    const { paper, positive, negative } = colours(field);
    const image = new ImageData(columns, rows);
    grid.data.forEach((number, i) => {
      const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
      const colour = mix(paper, number > 0 ? positive : negative, 0.08 + 0.3 * Math.min(1, Math.abs(number) / 1.25));
      image.data.set([...colour.map(Math.round), 255], at);
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.style.background = css(paper);
  }

  onTheme(root, () => state.fit && show(state.fit));
  change({});
}
