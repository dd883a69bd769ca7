// A ball in a valley, moved by gradient descent with momentum: what a learning rate does.
import { chart, svg } from "./charts.js";
import { button, dragging, format, h, slider } from "./core.js";

const [WIDTH, HEIGHT] = [10, 4]; // the part of the plane that is shown reaches so far from the minimum
const [LOW, HIGH] = [-6, 2]; // powers of ten in the chart of the loss
const FAR = 1e9; // numbers of a path that diverges stop here
const KEYS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** The places of the ball: Keras's SGD, velocity = momentum * velocity - rate * gradient; place += velocity. */
export function descend({ rate, momentum, curvatures, start, steps }) {
  const path = [[...start]];
  const velocity = [0, 0];
  for (let step = 0; step < steps; step += 1) {
    path.push(path.at(-1).map((place, axis) => {
      velocity[axis] = momentum * velocity[axis] - rate * curvatures[axis] * place;
      return Math.max(-FAR, Math.min(FAR, place + velocity[axis]));
    }));
  }
  return path;
}

/** What becomes of it: the loss at the end as a share of the loss at the start, put into words. */
function verdict(losses, limit, rate) {
  const share = losses.at(-1) / losses[0];
  if (rate >= limit || share >= 1) return ["diverges", "The steps are too long: each one lands higher up on the other side."];
  if (share > 0.01) return ["crawls", "Still on its way when the steps are used up."];
  const there = losses.findLastIndex((loss) => loss > 0.01 * losses[0]) + 1;
  const turns = losses.filter((loss, i) => i && loss > losses[i - 1]).length;
  return ["arrives", `After ${there} steps less than 1 % of the loss is left${turns > 2 ? ", though not without overshooting" : ""}.`];
}

export default function valley(root, data) {
  const { curvatures, steps } = data;
  const state = { rate: data.rate, momentum: data.momentum, start: [...data.start], step: steps, timer: null };
  let path, losses;
  const near = (value, size) => Math.max(-3 * size, Math.min(3 * size, value)).toFixed(3); // SVG draws no line to 1e9
  const rounded = (value) => Number(value.toPrecision(2));
  const shown = (value) => String(rounded(value));

  // ---- the parts: the plane with lines of equal loss, the path, and the ball
  const lines = [0.12, 0.25, 0.4, 0.55, 0.7, 0.85, 1, 1.15].map((share, i, all) => {
    const radius = share * WIDTH;
    return svg("ellipse", { cx: 0, cy: 0, rx: radius, ry: radius * Math.sqrt(curvatures[0] / curvatures[1]), class: "level", style: `--share: ${100 * (1 - i / all.length)}%` });
  }).reverse();
  const trail = svg("polyline", { class: "trail" });
  const dots = svg("g", { class: "dots" });
  const ball = svg("circle", { r: 0.26, class: "ball" });
  const cross = svg("path", { d: "M-.22 0H.22M0 -.22V.22", class: "minimum" });
  const plane = svg("svg", { viewBox: `${-WIDTH} ${-HEIGHT} ${2 * WIDTH} ${2 * HEIGHT}`, "aria-hidden": "true" }, ...lines, cross, trail, dots, ball);
  const place = h("div", {
    class: "tile acts plane", tabindex: 0, role: "application", "aria-label": "The valley from above. Drag to choose where the ball starts, or use the arrow keys.",
    onkeydown: (event) => {
      const move = KEYS[event.key];
      if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      begin(state.start[0] + 0.5 * move[0], state.start[1] + 0.5 * move[1]);
    },
  }, plane);
  dragging(place, (x, y) => begin((2 * x - 1) * WIDTH, (1 - 2 * y) * HEIGHT));
  const loss = chart({ title: "loss, from step to step", curves: ["a"], low: LOW, high: HIGH, ticks: [-6, -4, -2, 0, 2], x: `step ${steps}`,
    show: (power) => (power === 0 ? "start" : { 2: "\u00d7 100", "-2": "\u00f7 100", "-4": "\u00f7 10\u2074", "-6": "\u00f7 10\u2076" }[power]) });
  const word = h("strong", {});
  const said = h("p", { class: "said", role: "status" });
  const play = button("Let it roll", toggle);
  // the slider of the rate is logarithmic, from crawling to divergence
  const top = (2.6 * 2) / Math.max(...curvatures);
  const [low, high] = [Math.log10(top / 400), Math.log10(top)];
  const rate = slider({ label: "Learning rate", min: 0, max: 200, value: Math.round((200 * (Math.log10(state.rate) - low)) / (high - low)),
    show: (at) => shown(10 ** (low + (at / 200) * (high - low))), onchange: (at) => change({ rate: rounded(10 ** (low + (at / 200) * (high - low))) }) });
  const momentum = slider({ label: "Momentum", min: 0, max: 0.98, step: 0.02, value: state.momentum,
    show: (value) => format(value), onchange: (value) => change({ momentum: value }) });

  root.append(
    h("div", { class: "valley" },
      h("div", {}, h("div", { class: "title" }, "a valley from above: steep across, flat along"), place),
      h("div", { class: "outcome" }, loss.element, said)),
    h("div", { class: "controls" }, rate.element, momentum.element, play));

  // ---- what happens
  function change(settings) {
    stop();
    Object.assign(state, settings, { step: steps });
    compute();
  }

  function begin(x, y) {
    change({ start: [Math.max(-WIDTH, Math.min(WIDTH, x)), Math.max(-HEIGHT, Math.min(HEIGHT, y))] });
  }

  function toggle() {
    if (state.timer) return stop();
    state.step = 0;
    play.textContent = "Stop";
    state.timer = setInterval(() => {
      show();
      if (state.step >= steps) stop();
      else state.step += 1;
    }, 90);
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    state.step = steps;
    play.textContent = "Let it roll";
    if (path) show();
  }

  function compute() {
    path = descend({ ...state, curvatures, steps });
    losses = path.map((at) => at.reduce((sum, value, axis) => sum + (curvatures[axis] * value * value) / 2, 0));
    const limit = (2 * (1 + state.momentum)) / Math.max(...curvatures);
    const [name, text] = verdict(losses, limit, state.rate);
    place.dataset.verdict = name;
    word.textContent = `It ${name}. `;
    said.replaceChildren(word, text, h("span", { class: "soft" }, ` With this momentum, the limit is a rate of ${shown(limit)}.`));
    show();
  }

  function show() {
    const part = path.slice(0, state.step + 1);
    const lost = part.findIndex(([x, y]) => Math.abs(x) > 3 * WIDTH || Math.abs(y) > 3 * HEIGHT);
    trail.setAttribute("points", part.slice(0, lost < 0 ? part.length : lost + 1).map(([x, y]) => `${near(x, WIDTH)},${near(-y, HEIGHT)}`).join(" "));
    dots.replaceChildren(...part.filter(([x, y]) => Math.abs(x) < 2 * WIDTH && Math.abs(y) < 2 * HEIGHT)
      .map(([x, y]) => svg("circle", { cx: x, cy: -y, r: 0.1 })));
    const [x, y] = part.at(-1);
    ball.setAttribute("cx", near(x, WIDTH));
    ball.setAttribute("cy", near(-y, HEIGHT));
    const powers = losses.slice(0, part.length).map((value) => Math.log10(Math.max(1e-12, value / Math.max(1e-12, losses[0]))));
    const outside = powers.findIndex((power) => power < LOW || power > HIGH);
    const seen = outside < 0 ? powers : powers.slice(0, outside + 1); // the curve leaves the chart
    loss.set([seen], [...seen.keys()], steps);
  }

  compute();
}
