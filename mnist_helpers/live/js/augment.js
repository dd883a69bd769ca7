// Rotation, zoom and shift of a digit, and what networks trained with and without augmentation make of it.
import { chart } from "./charts.js";
import { button, format, h, slider, tile } from "./core.js";
import { predict } from "./layers.js";
import { image, opinion, pick } from "./pick.js";

const still = { rotation: 0, tall: 1, wide: 1, down: 0, right: 0 };

/** The matrix that takes a point (x to the right, y down, from the centre, 1) to its new place. Zoom, turn, shift. */
export function matrix({ rotation, tall, wide, down, right }) {
  const [cos, sin] = [Math.cos((rotation * Math.PI) / 180), Math.sin((rotation * Math.PI) / 180)];
  return [[wide * cos, tall * sin, right], [-wide * sin, tall * cos, down], [0, 0, 1]];
}

/** The transformed image. Each new pixel looks up where it came from, and mixes the four old pixels around that place. */
export function transform({ shape: [height, width], data }, settings) {
  const [[a, b, right], [c, d, down]] = matrix(settings);
  const area = a * d - b * c;
  const middle = [(height - 1) / 2, (width - 1) / 2];
  const pixel = (row, column) => (row < 0 || column < 0 || row >= height || column >= width ? 0 : data[row * width + column]);
  const result = new Float32Array(height * width);
  for (let row = 0; row < height; row += 1) for (let column = 0; column < width; column += 1) {
    const [y, x] = [row - middle[0] - down, column - middle[1] - right];
    const fromX = (d * x - b * y) / area + middle[1];
    const fromY = (a * y - c * x) / area + middle[0];
    const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
    const [across, along] = [fromX - left, fromY - top];
    result[row * width + column] =
      (1 - along) * ((1 - across) * pixel(top, left) + across * pixel(top, left + 1)) +
      along * ((1 - across) * pixel(top + 1, left) + across * pixel(top + 1, left + 1));
  }
  return { shape: [height, width], data: result };
}

export default function augment(root, { images, labels, networks, limits, at }) {
  const state = { digit: 0, ...still, waiting: false };
  const [, height, width] = images.shape;

  // ---- the parts
  let grabbed = null;
  const picture = tile({
    label: "The digit, transformed. Drag it, or move it with the arrow keys.",
    onpoint: (y, x, kind) => {
      if (kind === "down") grabbed = [state.down - y, state.right - x];
      change({ down: grabbed[0] + y, right: grabbed[1] + x });
    },
    onstep: (down, right) => change({ down: state.down + down, right: state.right + right }),
  });
  const cells = Array.from({ length: 9 }, () => h("span", { class: "cell" }));
  const formula = h("div", { class: "matrix", role: "img" }, h("div", { class: "cells" }, cells));
  const opinions = networks.map(({ name }) => opinion(name));
  const times = (value) => `\u00d7 ${format(value)}`;
  const pixels = (value) => `${format(value, 1)} px`;
  const controls = {
    rotation: ["Rotation", -90, 90, 1, (value) => `${format(value, 0)}\u00b0`],
    tall: ["Zoom, height", 0.5, 1.6, 0.02, times],
    wide: ["Zoom, width", 0.5, 1.6, 0.02, times],
    down: ["Shift, down", -9, 9, 0.5, pixels],
    right: ["Shift, right", -9, 9, 0.5, pixels],
  };
  const sliders = Object.fromEntries(Object.entries(controls).map(([key, [label, min, max, step, show]]) => {
    const one = slider({ label, min, max, step, value: still[key], show, onchange: (value) => change({ [key]: value }) });
    if (limits) one.element.append(band(limits[key], min, max));
    return [key, one];
  }));
  const said = h("p", { class: "soft", role: "status" });
  const compared = networks.slice(0, 2); // a chart has two colours
  const turning = chart({ title: "probability of the right answer, at every angle", curves: ["a", "b"].slice(0, compared.length), low: 0, high: 1, ticks: [0, 0.5, 1],
    show: (share) => `${100 * share} %`, x: "from \u221290\u00b0 to 90\u00b0" });
  const names = h("div", { class: "soft" }, compared.map(({ name }, i) => h("div", { class: `key ${"ab"[i]}` }, `\u2014 ${name}`)));

  root.append(
    h("div", { class: "augment" },
      h("div", {}, picture.element),
      h("div", { class: "turns" }, Object.values(sliders).map((one) => one.element)),
      h("div", { class: "matrix-beside" },
        h("div", { class: "title" }, "the matrix, measured from the centre"), formula, said,
        h("div", { class: "controls" },
          limits ? button("As in training", draw) : null, button("Reset", () => change(still), { class: "quiet" }))),
      h("div", { class: "opinions" }, opinions.map((one) => one.element)),
      h("div", {}, turning.element, names)),
    h("div", { class: "controls" }, pick({ images, labels, onchange: (digit) => change({ digit }) })));

  /** A line below a slider: how far the augmentation in training went. A slider's thumb is 16 pixels wide. */
  function band([low, high], min, max) {
    const at = (value) => `calc(8px + (100% - 16px) * ${(value - min) / (max - min)})`;
    return h("span", { class: "band", style: `margin-left: ${at(low)}; width: calc((100% - 16px) * ${(high - low) / (max - min)})` });
  }

  // ---- what happens
  function draw() {
    const drawn = Object.keys(still).map((key) => [key, limits[key][0] + Math.random() * (limits[key][1] - limits[key][0])]);
    change(Object.fromEntries(drawn));
  }

  function change(settings) {
    Object.assign(state, settings);
    for (const [key, one] of Object.entries(sliders)) {
      if (!(key in settings)) continue;
      one.set(settings[key]);
      state[key] = one.value; // in its range and on its steps
    }
    sweep(0);
    if (state.waiting) return;
    state.waiting = true; // several changes before the next picture are one
    requestAnimationFrame(() => {
      state.waiting = false;
      show();
    });
  }

  /** Ask the networks about every angle, one at a time, so that the sliders stay quick. */
  let next = null;
  let curves, angles;
  function sweep(step) {
    clearTimeout(next);
    if (step === 0) [curves, angles] = [compared.map(() => []), []];
    else {
      const rotation = 5 * (step - 1) - 90;
      const moved = transform(image(images, state.digit), { ...state, rotation });
      compared.forEach(({ network }, i) => curves[i].push(predict(network, moved)[labels[state.digit]]));
      angles.push(rotation + 90);
    }
    if (step === 37) turning.set(curves, angles);
    else next = setTimeout(sweep, step ? 0 : 120, step + 1);
  }

  function show() {
    const start = performance.now();
    const moved = transform(image(images, state.digit), state);
    picture.paint(moved);
    const numbers = matrix(state).flat();
    cells.forEach((cell, i) => (cell.textContent = format(numbers[i]).replace(/\.00$/, "")));
    formula.setAttribute("aria-label", `the matrix: ${[0, 3, 6].map((row) => numbers.slice(row, row + 3).map((number) => format(number)).join(", ")).join("; ")}`);
    opinions.forEach((one, i) => one.set(predict(networks[i].network, moved), labels[state.digit]));
    if (limits) {
      const inside = Object.keys(still).every((key) => state[key] >= limits[key][0] - 1e-6 && state[key] <= limits[key][1] + 1e-6);
      said.textContent = inside ? "Inside the range that augmentation showed in training (orange lines)." : "Beyond the range that augmentation showed in training (orange lines).";
    }
    root.dataset.milliseconds = (performance.now() - start).toFixed(1);
  }

  change({ ...still, ...at });
}
