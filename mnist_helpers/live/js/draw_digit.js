// Draw a digit: how it is brought into MNIST's form, what several systems read, and which pixels speak for the answer.
import { bars } from "./charts.js";
import { button, choice, dragging, h, percent, slider, tile } from "./core.js";
import { bounds, CANVAS, FRAME, pen, preprocess, shrink } from "./drawing.js";
import { predict, scores } from "./layers.js";

const [PATCH, STRIDE] = [4, 2]; // of the occlusion map
const [PAUSE, MEASURED] = [150, 10]; // milliseconds: before it is begun, and per frame

export default function drawDigit(root, { systems: all, examples, radius }, host) {
  const systems = all.filter(({ network }) => network || host); // a page computes what layers.js knows
  const ink = { shape: [CANVAS, CANVAS], data: new Float32Array(CANVAS * CANVAS) };
  const state = { strokes: [], radius, prepared: true, cursor: [CANVAS / 2, CANVAS / 2], down: false, shown: -1, image: null, ticket: 0, chosen: systems.length - 1 };

  // ---- the parts
  const sheet = tile({ label: "Draw a digit here. With the keyboard: arrow keys move the pen, the space bar lifts it and puts it down.", class: "sheet", onstep: step });
  const hint = h("div", { class: "hint" }, "draw a digit");
  sheet.element.append(hint);
  dragging(sheet.element, (x, y, kind) => {
    if (kind !== "up") draw([x * CANVAS, y * CANVAS], kind === "down");
    else changed();
  });
  sheet.element.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has other plans with these keys
    state.down = !state.down;
    if (state.down) draw(state.cursor, true);
    say(state.down ? "pen down" : "pen up");
    changed();
  });
  const steps = ["cut out the ink", "shrink into 20\u00d720", "centre in 28\u00d728"].map((title) => {
    const picture = tile({ label: title });
    return { picture, element: h("div", { class: "step" }, picture.element, h("div", { class: "soft" }, title)) };
  });
  const charts = systems.map(({ name }) => bars({ title: name }));
  const map = tile({ label: "Which parts of the digit speak for the answer" });
  const explained = h("p", { class: "soft" });
  const voice = h("div", { class: "voice", role: "status" });
  const say = (text) => (voice.textContent = text);

  root.append(
    h("div", { class: "draw" },
      h("div", { class: "pad" }, sheet.element,
        h("div", { class: "controls" },
          button("Clear", clear), button("Undo", undo, { class: "quiet" }), button("An example", example, { class: "quiet" })),
        h("div", { class: "controls" },
          slider({ label: "Pen", min: 2, max: 10, step: 0.5, value: radius, show: (value) => `${2 * value} pixels wide`, onchange: (value) => (state.radius = value) }).element)),
      h("div", { class: "seen" },
        h("div", { class: "title" }, "What the networks get to see"),
        h("div", { class: "steps" }, steps.map((one) => one.element)),
        choice({ label: "The drawing is", options: [[true, "prepared like MNIST"], [false, "just shrunk"]], value: true, onchange: (value) => { state.prepared = value; changed(); } }).element),
      h("div", { class: "systems" }, charts.map((one) => one.element)),
      h("div", { class: "why" },
        h("div", { class: "title" }, "What speaks for the answer"),
        h("div", { class: "reasons" }, map.element,
          h("div", {},
            systems.length > 1 ? choice({ label: "according to", options: systems.map(({ name }, i) => [i, name]), value: state.chosen, onchange: (i) => { state.chosen = i; explain(); } }).element : null,
            explained)))),
    voice);

  // ---- drawing
  function draw(point, first) {
    if (first) state.strokes.push({ radius: state.radius, points: [] });
    const { points } = state.strokes.at(-1);
    pen(ink, points.at(-1) ?? point, point, state.radius);
    points.push(point);
    state.cursor = point;
    changed();
  }

  function step(down, right) {
    const limit = (value) => Math.max(0, Math.min(CANVAS, value));
    state.cursor = [limit(state.cursor[0] + 4 * right), limit(state.cursor[1] + 4 * down)];
    if (state.down) draw(state.cursor, false);
    else changed();
  }

  function redraw() {
    ink.data.fill(0);
    for (const stroke of state.strokes)
      stroke.points.forEach((point, i) => pen(ink, stroke.points[Math.max(0, i - 1)], point, stroke.radius));
    changed();
  }

  function clear() {
    state.strokes = [];
    state.down = false;
    redraw();
  }

  function undo() {
    state.strokes.pop();
    redraw();
  }

  function example() {
    state.shown = (state.shown + 1) % examples.length;
    state.strokes = examples[state.shown].map((points) => ({ radius: state.radius, points }));
    redraw();
  }

  // ---- what comes of it: at most once per frame
  let due = 0;
  let asking = null;
  function changed() {
    due ||= requestAnimationFrame(() => {
      due = 0;
      show();
    });
  }

  function show() {
    sheet.paint(ink);
    hint.hidden = state.strokes.length > 0;
    if (sheet.element.matches(":focus-visible")) sheet.mark(state.cursor[1] - 3, state.cursor[0] - 3, 6, 6);
    else sheet.mark(null);
    const { cut, box, image, top, left } = preprocess(ink);
    state.image = state.prepared ? image : shrink(ink);
    const blank = { shape: [FRAME, FRAME], data: new Float32Array(FRAME * FRAME) };
    steps[0].picture.paint(square(cut) ?? blank);
    steps[1].picture.paint(square(box) ?? blank);
    steps[2].picture.paint(state.image);
    if (box && state.prepared) steps[2].picture.mark(top, left, ...box.shape);
    else steps[2].picture.mark(null);
    for (const one of steps.slice(0, 2)) one.element.classList.toggle("off", !state.prepared);
    read(Boolean(bounds(ink)));
  }

  async function read(any) {
    const ticket = (state.ticket += 1);
    if (host) await asking; // one question at a time; meanwhile the pen may go on
    if (ticket !== state.ticket) return;
    if (host) asking = host.ask({ image: any ? [...state.image.data] : null });
    const asked = await asking;
    if (ticket !== state.ticket) return;
    state.answers = systems.map(({ name, network }) => (!any ? null : asked?.[name] ?? (network && predict(network, state.image))));
    charts.forEach((one, i) => one.set(state.answers[i]));
    explain(any);
    if (!any) say(voice.textContent && "nothing drawn");
    else if (!state.down) say(systems.map(({ name }, i) => state.answers[i] && `${name}: ${best(state.answers[i])}`).filter(Boolean).join(", "));
  }

  const best = (shares) => shares.indexOf(Math.max(...shares));

  /** The logarithm of an answer's odds, from the sums before the softmax (or from the logarithms of probabilities):
   *  unlike a probability, it still moves when the answer is certain. */
  function odds(sums, answer) {
    const others = sums.filter((_, i) => i !== answer);
    const top = Math.max(...others);
    return sums[answer] - top - Math.log(others.reduce((sum, one) => sum + Math.exp(one - top), 0));
  }
  const logarithms = (shares) => shares.map((share) => Math.log(share + 1e-38));

  // ---- the occlusion map: a patch of paper is laid over the digit, everywhere in turn
  async function explain() {
    const { name, network } = systems[state.chosen];
    const shares = state.answers?.[state.chosen];
    if (!shares) {
      map.paint({ shape: [FRAME, FRAME], data: new Float32Array(FRAME * FRAME) });
      explained.textContent = "Once there is a digit, a small patch is laid over it, everywhere in turn.";
      return;
    }
    const [ticket, image, answer] = [state.ticket, state.image, best(shares)];
    const chosen = state.chosen;
    const current = () => ticket === state.ticket && chosen === state.chosen;
    await new Promise((resolved) => setTimeout(resolved, PAUSE));
    if (!current()) return;
    const places = occluded(image);
    const fromKernel = host && !network
      ? await host.ask({ image: [...image.data], covered: { name, places: places.map(({ y, x }) => [y, x]), patch: PATCH } }) : null;
    if (!current()) return;
    const whole = odds(fromKernel ? logarithms(shares) : scores(network, image), answer);
    const sums = new Float32Array(FRAME * FRAME);
    const counts = new Float32Array(FRAME * FRAME);
    explained.textContent = `${name} reads a ${answer} (${percent(shares[answer])}). A small patch is laid over the digit, everywhere in turn \u2026`;
    let last = performance.now();
    for (const [i, { y, x, covered }] of places.entries()) {
      const rest = odds(fromKernel ? logarithms(fromKernel.shares[i]) : scores(network, covered()), answer);
      for (let v = y; v < y + PATCH; v += 1) for (let u = x; u < x + PATCH; u += 1) {
        sums[v * FRAME + u] += whole - rest;
        counts[v * FRAME + u] += 1;
      }
      if (performance.now() - last < MEASURED) continue;
      await new Promise(requestAnimationFrame);
      if (!current()) return;
      last = performance.now();
    }
    if (!current()) return;
    const drop = { shape: image.shape, data: sums.map((sum, i) => (counts[i] ? sum / counts[i] : 0)) };
    const largest = Math.max(...drop.data.map(Math.abs));
    map.paint(drop, { signed: true, max: Math.max(largest, 0.1), under: image });
    const factor = Math.exp(Math.max(0, ...drop.data));
    explained.textContent = `${name} reads a ${answer} (${percent(shares[answer])}). Orange: cover this, and the odds of a ${answer} fall, by up to a factor of ${factor < 10 ? factor.toFixed(1) : factor < 1000 ? Math.round(factor) : "a thousand and more"}. Blue: cover this, and they rise.`;
  }

  /** Where a patch meets ink, and the image with the patch on it. */
  function occluded(image) {
    const places = [];
    for (let y = 0; y <= FRAME - PATCH; y += STRIDE) for (let x = 0; x <= FRAME - PATCH; x += STRIDE) {
      let any = false;
      const covered = () => {
        const data = Float32Array.from(image.data);
        for (let v = y; v < y + PATCH; v += 1) data.fill(0, v * FRAME + x, v * FRAME + x + PATCH);
        return { shape: image.shape, data };
      };
      for (let v = y; v < y + PATCH && !any; v += 1) any = image.data.subarray(v * FRAME + x, v * FRAME + x + PATCH).some((value) => value > 0);
      if (any) places.push({ y, x, covered });
    }
    return places;
  }

  /** An array in the middle of a square, so that tall digits stay tall. */
  function square(array) {
    if (!array) return null;
    const [height, width] = array.shape;
    const side = Math.max(height, width);
    const result = { shape: [side, side], data: new Float32Array(side * side) };
    const [top, left] = [Math.floor((side - height) / 2), Math.floor((side - width) / 2)];
    for (let y = 0; y < height; y += 1) result.data.set(array.data.subarray(y * width, (y + 1) * width), (y + top) * side + left);
    return result;
  }

  example();
  show();
}
