// A 3x3 window on a digit: nine pixels times nine weights, added up, make one entry of the feature map.
import { button, choice, format, h, short, tile } from "./core.js";
import { conv2d, geometry } from "./layers.js";

const SIZE = 3;
const presets = {
  "vertical edges": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  "horizontal edges": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
  outline: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  blur: Array(9).fill(1 / 9),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  random: null,
};

export default function convolve(root, { image, kernel, row, column }) {
  const state = { weights: [...kernel.data], stride: 1, padding: "valid", row, column, timer: null, reached: 0 };
  let shape, map, frame;

  // ---- the parts
  const input = tile({
    label: "The digit. Drag the window, or move it with the arrow keys.",
    onpoint: (y, x) => moveTo(Math.floor((y - SIZE / 2 + 0.5) / state.stride), Math.floor((x - SIZE / 2 + 0.5) / state.stride)),
    onstep: (down, right) => moveTo(state.row + down, state.column + right),
  });
  const output = tile({
    label: "The feature map. Point at an entry to see how it was computed.",
    onpoint: (y, x) => moveTo(Math.floor(y), Math.floor(x)),
    onstep: (down, right) => moveTo(state.row + down, state.column + right),
  });
  const cells = () => Array.from({ length: SIZE * SIZE }, () => h("span", { class: "cell" }));
  const pixels = cells();
  const products = cells();
  const weights = state.weights.map((_, i) => h("input", {
    class: "cell", inputmode: "decimal", "aria-label": `weight in row ${Math.floor(i / SIZE) + 1}, column ${(i % SIZE) + 1}`,
    onfocus: (event) => event.target.select(),
    onchange: (event) => edit(i, Number(event.target.value.replace("\u2212", "-").replace(",", "."))),
    onkeydown: (event) => {
      const step = { ArrowUp: 0.25, ArrowDown: -0.25 }[event.key];
      if (!step) return;
      event.preventDefault();
      edit(i, state.weights[i] + step);
    },
  }));
  const sum = h("output", { class: "sum", "aria-live": "polite" });
  const sizes = h("span", { class: "soft" });
  const grid = (name, children) => h("div", { class: "numbers" }, h("div", { class: "cells" }, children), h("div", { class: "soft" }, name));
  const preset = choice({ label: "Weights", options: Object.keys(presets).map((name) => [name, name]), onchange: choose,
    value: Object.keys(presets).find((name) => presets[name]?.every((weight, i) => weight === state.weights[i])) });
  const play = button("Slide over the whole image", toggle);

  root.append(
    h("div", { class: "convolve" },
      h("div", { class: "from" }, h("div", { class: "title" }, "digit"), input.element),
      h("div", { class: "arithmetic" },
        h("div", { class: "equation" }, grid("pixels", pixels), "\u00d7", grid("weights", weights), "=", grid("products", products)),
        h("div", { class: "total" }, "their sum is ", sum)),
      h("div", { class: "to" }, h("div", { class: "title" }, "feature map"), output.element)),
    h("div", { class: "controls" }, preset.element),
    h("div", { class: "controls" },
      choice({ label: "Stride", options: [[1, "1"], [2, "2"], [3, "3"]], value: 1, onchange: (value) => reshape({ stride: value }) }).element,
      choice({ label: "Padding", options: [["valid", "none"], ["same", "zeros"]], value: "valid", onchange: (value) => reshape({ padding: value }) }).element,
      play, sizes));

  // ---- what happens
  function choose(name) {
    const next = presets[name] ?? Array.from({ length: 9 }, () => Math.round(8 * Math.random() - 4) / 4);
    state.weights = [...next];
    compute();
  }

  function edit(i, value) {
    if (Number.isFinite(value)) state.weights[i] = Math.max(-99, Math.min(99, value));
    preset.set(null);
    compute();
  }

  function reshape(change) {
    const middle = [state.row * state.stride, state.column * state.stride];
    Object.assign(state, change);
    [state.row, state.column] = middle.map((at) => Math.round(at / state.stride));
    state.reached = 0;
    compute();
  }

  function moveTo(y, x, byHand = true) {
    if (byHand) stop();
    state.row = Math.max(0, Math.min(shape[0] - 1, y));
    state.column = Math.max(0, Math.min(shape[1] - 1, x));
    show();
  }

  function toggle() {
    if (state.timer) return stop();
    if (state.reached >= shape[0] * shape[1]) state.reached = 0;
    let at = state.reached;
    play.textContent = "Pause";
    state.timer = setInterval(() => {
      moveTo(Math.floor(at / shape[1]), at % shape[1], false);
      at += 1;
      if (at >= shape[0] * shape[1]) stop();
    }, 12);
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    play.textContent = state.reached >= shape[0] * shape[1] ? "Slide again" : "Slide over the whole image";
  }

  function compute() {
    const box = { shape: [SIZE, SIZE, 1, 1], data: Float32Array.from(state.weights) };
    map = conv2d({ shape: [...image.shape, 1], data: image.data }, box, null, { strides: [state.stride, state.stride], padding: state.padding });
    shape = map.shape.slice(0, 2);
    frame = image.shape.map((size) => geometry(size, SIZE, state.stride, state.padding));
    sizes.textContent = `${image.shape.join(" \u00d7 ")} pixels give ${shape.join(" \u00d7 ")} entries`;
    weights.forEach((cell, i) => {
      cell.value = short(state.weights[i]);
      tint(cell, state.weights[i] / Math.max(1, ...state.weights.map(Math.abs)));
    });
    const [height, width] = image.shape.map((size, axis) => size + frame[axis].total);
    const big = { shape: [height, width], data: new Float32Array(height * width) };
    for (let y = 0; y < image.shape[0]; y += 1)
      big.data.set(image.data.subarray(y * image.shape[1], (y + 1) * image.shape[1]), (y + frame[0].before) * width + frame[1].before);
    input.paint(big, { hide: (y, x) => outside(y - frame[0].before, x - frame[1].before) });
    moveTo(state.row, state.column, false);
    if (!state.timer) stop();
  }

  const outside = (y, x) => y < 0 || x < 0 || y >= image.shape[0] || x >= image.shape[1];

  function show() {
    const [top, left] = [state.row * state.stride, state.column * state.stride];
    state.reached = Math.max(state.reached, state.row * shape[1] + state.column + 1);
    products.forEach((cell, i) => {
      const [y, x] = [top + Math.floor(i / SIZE) - frame[0].before, left + (i % SIZE) - frame[1].before];
      const pixel = outside(y, x) ? 0 : image.data[y * image.shape[1] + x];
      const product = pixel * state.weights[i];
      pixels[i].textContent = short(pixel);
      pixels[i].style.setProperty("--share", `${100 * pixel}%`);
      pixels[i].dataset.kind = pixel > 0.5 ? "ink dark" : "ink";
      cell.textContent = short(product);
      tint(cell, product / Math.max(1, ...state.weights.map(Math.abs)));
    });
    const largest = Math.max(...map.data.map(Math.abs)) || 1;
    output.paint({ shape, data: map.data }, { signed: true, max: largest, hide: (y, x) => y * shape[1] + x >= state.reached });
    input.mark(top, left, SIZE, SIZE);
    output.mark(state.row, state.column);
    const value = map.data[state.row * shape[1] + state.column];
    sum.textContent = format(value);
    sum.dataset.sign = Math.sign(Number(value.toFixed(2)));
  }

  function tint(cell, share) {
    cell.dataset.kind = share < 0 ? "negative" : "positive";
    cell.style.setProperty("--share", `${70 * Math.min(1, Math.abs(share))}%`);
  }

  compute();
}
