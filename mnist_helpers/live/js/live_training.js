// A small dense network learns in the browser: the loss falls, the hidden units' weights turn from noise into strokes.
import { chart } from "./charts.js";
import { button, choice, h, percent, slider, tile } from "./core.js";

const [PIXELS, CLASSES, BATCH, FRAME_TIME, EVERY] = [784, 10, 32, 14, 8]; // milliseconds per frame, steps per point

/** Random numbers from a seed (mulberry32), so that the same run comes again. */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** 784 pixels - hidden units (ReLU) - 10 probabilities (softmax), trained by stochastic gradient descent. */
export function network(units, random) {
  const uniform = (inputs, outputs, share) => {
    const limit = share * Math.sqrt(6 / (inputs + outputs)); // Glorot and Bengio's
    return Float64Array.from({ length: inputs * outputs }, () => (2 * random() - 1) * limit);
  };
  const [first, second] = [uniform(PIXELS, units, 0.6), uniform(units, CLASSES, 1)]; // less noise, so that strokes show
  const [firstBias, secondBias] = [new Float64Array(units), new Float64Array(CLASSES)];
  const [hidden, shares, back] = [new Float64Array(units), new Float64Array(CLASSES), new Float64Array(units)];

  /** The probabilities of one image. */
  function forward(image) {
    hidden.set(firstBias);
    for (let p = 0; p < PIXELS; p += 1) {
      if (image[p] === 0) continue;
      for (let u = 0; u < units; u += 1) hidden[u] += image[p] * first[p * units + u];
    }
    shares.set(secondBias);
    for (let u = 0; u < units; u += 1) {
      hidden[u] = Math.max(0, hidden[u]);
      for (let c = 0; c < CLASSES; c += 1) shares[c] += hidden[u] * second[u * CLASSES + c];
    }
    const top = Math.max(...shares);
    let sum = 0;
    for (let c = 0; c < CLASSES; c += 1) sum += shares[c] = Math.exp(shares[c] - top);
    for (let c = 0; c < CLASSES; c += 1) shares[c] /= sum;
    return shares;
  }

  /** One step of training on a batch; returns its mean loss before the step. */
  function train(images, labels, rate) {
    const [g1, g2] = [new Float64Array(first.length), new Float64Array(second.length)];
    const [b1, b2] = [new Float64Array(units), new Float64Array(CLASSES)];
    let loss = 0;
    images.forEach((image, i) => {
      forward(image);
      loss -= Math.log(Math.max(shares[labels[i]], 1e-12)) / images.length;
      shares[labels[i]] -= 1; // now the gradient of the loss at the ten sums
      for (let u = 0; u < units; u += 1) {
        back[u] = 0;
        for (let c = 0; c < CLASSES; c += 1) {
          back[u] += second[u * CLASSES + c] * shares[c];
          g2[u * CLASSES + c] += hidden[u] * shares[c];
        }
        if (hidden[u] === 0) back[u] = 0; // the slope of ReLU
        b1[u] += back[u];
      }
      for (let c = 0; c < CLASSES; c += 1) b2[c] += shares[c];
      for (let p = 0; p < PIXELS; p += 1) {
        if (image[p] === 0) continue;
        for (let u = 0; u < units; u += 1) g1[p * units + u] += image[p] * back[u];
      }
    });
    const scale = rate / images.length;
    for (const [weights, gradient] of [[first, g1], [second, g2], [firstBias, b1], [secondBias, b2]])
      for (let i = 0; i < weights.length; i += 1) weights[i] -= scale * gradient[i];
    return loss;
  }

  /** The weights of one hidden unit as an image. */
  const picture = (unit) => ({ shape: [28, 28], data: Float32Array.from({ length: PIXELS }, (_, p) => first[p * units + unit]) });
  return { forward, train, picture, first, second };
}

export default function liveTraining(root, { images, labels, unseen, unseenLabels, rate, units }) {
  const rows = ({ data }) => Array.from({ length: data.length / PIXELS }, (_, i) => data.subarray(i * PIXELS, (i + 1) * PIXELS).map((level) => level / 15));
  const training = { images: rows(images), labels: [...labels.data] };
  const test = { images: rows(unseen), labels: [...unseenLabels.data] };
  const state = { rate, units, running: false };
  let net, order, random, history, tiles, batchLosses;

  // ---- the parts
  const play = button("Start", () => (state.running ? pause() : start()));
  const clock = h("span", { class: "soft", role: "status" });
  const loss = chart({ title: "Loss on the training digits", curves: ["a"], low: 0, high: 2.5, ticks: [0, 1, 2], x: "steps" });
  const accuracy = chart({ title: "Accuracy", curves: ["a", "b"], low: 0, high: 1, ticks: [0, 0.5, 1], show: (value) => `${100 * value} %`, x: "steps" });
  const figures = h("div", { class: "figures" });
  const wall = h("div", { class: "wall" });
  const samples = test.images.slice(0, 12).map((data, i) => {
    const picture = tile({ label: `an unseen ${test.labels[i]}` });
    const answer = h("div", { class: "answer" });
    return { data, picture, answer, element: h("div", {}, picture.element, answer) };
  });
  root.append(
    h("div", { class: "controls first" }, play, button("Reset", reset, { class: "quiet" }), clock),
    h("div", { class: "controls" },
      slider({ label: "Learning rate", min: -3, max: 1, step: 0.25, value: Math.log10(rate), show: (value) => String(Number((10 ** value).toPrecision(2))), onchange: (value) => (state.rate = 10 ** value) }).element,
      choice({ label: "Hidden units (a new start)", options: [4, 8, 16, 32, 64].map((n) => [n, String(n)]), value: units, onchange: (n) => { state.units = n; reset(); } }).element),
    h("div", { class: "training" }, loss.element, h("div", {}, accuracy.element, figures)),
    h("div", { class: "title" }, "Weights of the hidden units, one picture each: orange counts for it, blue against it"), wall,
    h("div", { class: "title" }, "Digits it has never seen, and what it reads"), h("div", { class: "samples" }, samples.map((one) => one.element)));

  // ---- training
  function reset() {
    pause();
    random = generator(1);
    net = network(state.units, random);
    order = [];
    batchLosses = [];
    history = { steps: 0, xs: [], losses: [], seen: [], unseen: [] };
    tiles = Array.from({ length: state.units }, (_, u) => tile({ label: `weights of hidden unit ${u + 1}` }));
    wall.replaceChildren(...tiles.map((one) => one.element));
    wall.style.setProperty("--columns", state.units > 16 ? 16 : 8);
    measure();
    show();
  }

  function start() {
    state.running = true;
    play.textContent = "Pause";
    requestAnimationFrame(go);
  }

  function pause() {
    state.running = false;
    play.textContent = history?.steps ? "Go on" : "Start";
  }

  function go() {
    if (!state.running || !root.isConnected) return;
    const end = performance.now() + FRAME_TIME;
    do step(); while (performance.now() < end);
    show();
    if (history.steps >= 200 * Math.ceil(training.images.length / BATCH)) pause(); // 200 epochs are enough
    else requestAnimationFrame(go);
  }

  function step() {
    if (order.length < BATCH) { // a new epoch: all digits in a new order
      order = training.images.map((_, i) => i);
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
    }
    const batch = order.splice(-BATCH);
    batchLosses.push(net.train(batch.map((i) => training.images[i]), batch.map((i) => training.labels[i]), state.rate));
    history.steps += 1;
    if (history.steps % EVERY === 0) measure();
  }

  const best = (image) => { const shares = net.forward(image); return shares.indexOf(Math.max(...shares)); };
  const share = ({ images: all, labels: truth }, n) => all.slice(0, n).filter((image, i) => best(image) === truth[i]).length / Math.min(n, all.length);

  function measure() {
    if (history.steps > 400 && history.steps % (8 * EVERY)) return; // later on, fewer points
    const recent = batchLosses.splice(0);
    history.xs.push(history.steps);
    history.losses.push(recent.length ? recent.reduce((a, b) => a + b, 0) / recent.length : Math.log(CLASSES));
    history.seen.push(share(training, 300));
    history.unseen.push(share(test, Infinity));
  }

  // ---- showing
  function show() {
    const epochs = (history.steps * BATCH) / training.images.length;
    clock.textContent = `${epochs.toFixed(1)} epochs, ${history.steps} steps`;
    loss.set([history.losses], history.xs);
    accuracy.set([history.seen, history.unseen], history.xs);
    for (const one of [loss, accuracy]) one.caption(`${history.steps} steps`);
    figures.replaceChildren(
      h("span", { class: "key a" }, `training digits ${percent(history.seen.at(-1))}`),
      h("span", { class: "key b" }, `unseen digits ${percent(history.unseen.at(-1))}`));
    const pictures = tiles.map((_, u) => net.picture(u));
    const largest = Math.max(0.25, ...pictures.map(({ data }) => Math.max(...data.map(Math.abs)))) * 0.8;
    tiles.forEach((one, u) => one.paint(pictures[u], { signed: true, max: Number.isFinite(largest) ? largest : 1 }));
    samples.forEach((one, i) => {
      one.picture.paint({ shape: [28, 28], data: one.data });
      const shares = net.forward(one.data);
      const answer = shares.indexOf(Math.max(...shares));
      one.answer.textContent = answer === test.labels[i] ? `${answer}` : `${answer}?`.replace("-1?", "\u2013");
      one.element.className = answer === test.labels[i] ? "right" : "wrong";
    });
  }

  reset();
}
