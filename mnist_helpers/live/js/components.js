// Principal components: sliders that make a digit, and a map of digits to point at.
import { svg } from "./charts.js";
import { button, format, h, percent, slider, tile } from "./core.js";

const SIZE = 100; // the map is drawn in a square of 100 units
const EDGE = 4;
const REACH = 3; // sliders reach three standard deviations to either side, or as far as the digits of the map
const KEYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** The image that belongs to some scores: the mean, plus each component times its score. */
export function rebuild(mean, components, scores) {
  const count = scores.length;
  const data = Float32Array.from(mean.data);
  for (let i = 0; i < data.length; i += 1) for (let k = 0; k < count; k += 1) data[i] += components.data[i * count + k] * scores[k];
  return { shape: mean.shape, data };
}

export default function components(root, { mean, components, spread, share, scores, labels, images, start }) {
  const [n, count] = scores.shape;
  const [height, width] = mean.shape;
  const state = { scores: Array(count).fill(0), digit: null };
  const scoresOf = (i) => [...scores.data.subarray(i * count, (i + 1) * count)];

  // ---- the map: one letter per digit, at its first two scores
  const limits = [0, 1].map((axis) => {
    const all = labels.map((_, i) => scores.data[i * count + axis]);
    return [Math.min(...all), Math.max(...all)];
  });
  const at = (score, axis) => {
    const share = (score - limits[axis][0]) / (limits[axis][1] - limits[axis][0]);
    return EDGE + (axis ? 1 - share : share) * (SIZE - 2 * EDGE); // upwards is up
  };
  const places = labels.map((_, i) => [0, 1].map((axis) => at(scores.data[i * count + axis], axis)));
  const glyphs = labels.map((label, i) => svg("text", { x: places[i][0], y: places[i][1], class: `glyph class-${label}` }, String(label)));
  const ring = svg("circle", { r: 3.4, class: "ring" });
  const here = svg("path", { class: "here" });
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" }, ...glyphs, here, ring);
  const map = h("div", {
    class: "tile acts map", tabindex: 0, role: "application",
    "aria-label": "The map of digits. Point at a digit to see it, or go from one to the next with the arrow keys.",
    onpointermove: point, onpointerdown: point,
    onkeydown: (event) => {
      const way = KEYS[event.key];
      if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      choose(next(way));
    },
  }, drawing);
  map.style.touchAction = "none";

  // ---- the digits
  const original = tile({ label: "the digit" });
  const rebuilt = tile({ label: "what the components make" });
  const name = h("div", { class: "title" });
  const said = h("div", { class: "soft", role: "status" });

  // ---- the sliders, each with a picture of its component
  const sliders = spread.map((deviation, k) => {
    const picture = tile({ label: `component ${k + 1}` });
    const reach = Math.max(REACH * deviation, ...labels.map((_, i) => Math.abs(scores.data[i * count + k])));
    const control = slider({
      label: `${k + 1}`, min: -reach, max: reach, step: "any", value: 0,
      show: (value) => format(value, 1), onchange: (value) => change(k, value),
    });
    control.element.querySelector("input").setAttribute("aria-label", `component ${k + 1}, ${percent(share[k])} of the variance`);
    control.element.querySelector("input").addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (!step) return; // a step of "any" would be a hundredth of the slider
      event.preventDefault();
      const value = Math.max(-reach, Math.min(reach, state.scores[k] + (step * deviation) / 4));
      control.set(value);
      change(k, value);
    });
    const one = { shape: mean.shape, data: mean.data.map((_, i) => components.data[i * count + k]) };
    queueMicrotask(() => picture.paint(one, { signed: true, max: Math.max(...one.data.map(Math.abs)) }));
    return { ...control, row: h("div", { class: "component", title: `${percent(share[k])} of the variance` }, picture.element, control.element) };
  });

  root.append(
    h("div", { class: "components" },
      h("div", {}, h("div", { class: "title" }, "components 1 (to the right) and 2 (upwards)"), map),
      h("div", { class: "beside" },
        h("div", { class: "pair" },
          h("div", {}, name, original.element),
          h("div", {}, h("div", { class: "title" }, `made of ${count} numbers`), rebuilt.element)),
        h("div", { class: "sliders" }, sliders.map((one) => one.row)),
        h("div", { class: "controls" }, button("Mean digit", () => set(null, Array(count).fill(0)), { class: "quiet" }), said))));

  // ---- what happens
  function point(event) {
    if (event.pointerType === "touch" && event.buttons === 0) return;
    const box = map.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
    choose(nearest((place) => Math.hypot(place[0] - x, place[1] - y)));
  }

  function nearest(distance) {
    let [best, least] = [null, Infinity];
    places.forEach((place, i) => {
      const d = distance(place, i);
      if (d < least) [best, least] = [i, d];
    });
    return best;
  }

  /** The nearest digit in the direction of an arrow key; those straight ahead count as nearer. */
  function next(way) {
    const from = state.digit === null ? [at(state.scores[0], 0), at(state.scores[1], 1)] : places[state.digit];
    const found = nearest((place, i) => {
      const ahead = (place[0] - from[0]) * way[0] + (place[1] - from[1]) * way[1];
      const aside = Math.abs((place[0] - from[0]) * way[1]) + Math.abs((place[1] - from[1]) * way[0]);
      return i === state.digit || ahead <= 0 || aside > 2 * ahead ? Infinity : ahead + aside;
    });
    return found ?? state.digit;
  }

  function choose(i) {
    if (i !== null && i !== state.digit) set(i, scoresOf(i));
  }

  function change(k, value) {
    state.scores[k] = value;
    state.digit = null;
    show();
  }

  function set(digit, values) {
    Object.assign(state, { digit, scores: [...values] });
    sliders.forEach((one, k) => one.set(values[k]));
    show();
  }

  function show() {
    const made = rebuild(mean, components, state.scores);
    rebuilt.paint(made);
    const { digit } = state;
    const clear = digit === null;
    const size = height * width;
    original.paint(clear ? mean : { shape: mean.shape, data: images.data.subarray(digit * size, (digit + 1) * size) },
      { max: clear ? 1 : 255, hide: clear ? () => true : null });
    name.textContent = clear ? "no digit" : `a digit: ${labels[digit]}`;
    original.label(clear ? "no digit of the map is chosen" : `the digit chosen on the map, a ${labels[digit]}`);
    ring.setAttribute("visibility", clear ? "hidden" : "visible");
    here.setAttribute("visibility", clear ? "visible" : "hidden");
    const inside = (place) => Math.max(3, Math.min(SIZE - 3, place)); // sliders reach beyond the map
    const [x, y] = clear ? [inside(at(state.scores[0], 0)), inside(at(state.scores[1], 1))] : places[digit];
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    here.setAttribute("d", `M${x - 3} ${y}h6M${x} ${y - 3}v6`);
    const kept = share.reduce((a, b) => a + b, 0);
    said.textContent = clear ? `${count} of ${size} numbers; together they hold ${percent(kept)} of the variance`
      : `${count} numbers in place of ${size} pixels`;
  }

  set(null, Array(count).fill(0));
  choose(start);
}
