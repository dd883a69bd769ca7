// A whole convolutional network on one digit, from pixels to probabilities. Click a map to see what made it.
import { bars } from "./charts.js";
import { button, choice, h, slider, tile } from "./core.js";
import { channel, conv2d, geometry, outputs } from "./layers.js";

export default function networkFigure(root, { network, digits, labels, name }) {
  const count = digits.shape[0];
  const originals = Array.from({ length: count }, (_, i) => ({ shape: [28, 28], data: digits.data.slice(i * 784, (i + 1) * 784).map((level) => level / 255) }));
  const state = { digit: 0, down: 0, right: 0, angle: 0, selected: null, values: [] };

  // ---- the parts: the digit, then a row for each layer
  const input = tile({
    label: "The digit. Drag it, or push it with the arrow keys.",
    onstep: (down, right) => move(state.down + down, state.right + right),
    onpoint: (y, x, kind) => {
      if (kind === "down") state.grip = [y - state.down, x - state.right];
      if (kind === "move") move(Math.round(y - state.grip[0]), Math.round(x - state.grip[1]));
    },
  });
  const turn = slider({ label: "Turn", min: -90, max: 90, value: 0, show: (value) => `${value}\u00b0`.replace("-", "\u2212"), onchange: (value) => { state.angle = value; update(); } });
  const thumbs = originals.map((image, i) => {
    const picture = tile({ label: "" });
    const thumb = h("button", { type: "button", class: "thumb", "aria-label": `show this ${labels[i]}`, onclick: () => show(i) }, picture.element);
    return { image, picture, thumb };
  });
  const chances = bars({ title: "probabilities" });
  const rows = layerRows(network).map((row) => ({ ...row, tiles: null, maps: h("div", { class: "maps" }), detail: h("div", { class: "detail", hidden: true }) }));

  root.append(
    h("div", { class: "network-top" },
      h("div", { class: "network-input" }, h("div", { class: "title" }, "the digit: drag it"), input.element),
      h("div", {}, h("div", { class: "thumbs" }, thumbs.map((one) => one.thumb)), turn.element,
        h("div", { class: "controls" }, button("Put it back", () => show(state.digit), { class: "quiet" }))),
      chances.element),
    ...rows.map((row) => h("section", { class: "layer" }, row.title = h("div", { class: "title" }), row.maps, row.detail)));

  // ---- what happens
  function show(i) {
    Object.assign(state, { digit: i, down: 0, right: 0, angle: 0 });
    turn.set(0);
    thumbs.forEach((one, at) => one.thumb.setAttribute("aria-pressed", at === i));
    update();
  }

  function move(down, right) {
    const limit = (value) => Math.max(-14, Math.min(14, value));
    [state.down, state.right] = [limit(down), limit(right)];
    update();
  }

  function update() {
    const image = turned(originals[state.digit], state.angle, state.down, state.right);
    state.image = { shape: [28, 28, 1], data: image.data };
    state.values = outputs(network, image);
    input.paint(image);
    chances.set([...state.values.at(-1).data]);
    for (const row of rows) {
      const value = state.values[row.index];
      row.tiles ??= build(row, value);
      const flat = value.shape.length === 1;
      const largest = Math.max(...value.data.map(Math.abs)) || 1;
      const signed = value.data.some((one) => one < 0);
      if (flat) row.tiles[0].paint(folded(value), { max: largest, signed });
      else row.tiles.forEach((one, i) => one.paint(channel(value, i), { max: largest, signed }));
    }
    if (state.selected) detail();
  }

  function build(row, value) {
    const [height, width, channels] = value.shape;
    const flat = value.shape.length === 1;
    row.title.textContent = flat ? `${row.text}: ${height} numbers` : `${row.text}: ${channels}\u00a0maps of ${height}\u00a0\u00d7\u00a0${width}`;
    row.maps.classList.toggle("flat", flat);
    row.maps.style.setProperty("--columns", flat ? 1 : channels > 8 ? 8 : channels);
    row.maps.style.setProperty("--wide", flat ? 1 : Math.min(16, channels));
    const tiles = Array.from({ length: flat ? 1 : channels }, (_, i) => tile({ label: flat ? row.text : `map ${i + 1} of the ${row.text}` }));
    row.maps.replaceChildren(...tiles.map((one, i) => flat ? one.element
      : h("button", { type: "button", class: "map", "aria-expanded": "false", "aria-label": `map ${i + 1} of the ${row.text}: see what made it`, onclick: () => select(row, i) }, one.element)));
    return tiles;
  }

  function select(row, i) {
    const same = state.selected?.row === row && state.selected.i === i;
    state.selected = same ? null : { row, i, parts: null };
    for (const one of rows) {
      one.detail.hidden = one !== state.selected?.row;
      [...one.maps.children].forEach((child, at) => child.setAttribute("aria-expanded", one === state.selected?.row && at === i));
    }
    if (!same) detail();
  }

  /** What made the selected map: each map before it times its kernel, added up; or the pool of one map. */
  function detail() {
    const { row, i } = state.selected;
    const layer = network.layers[row.index];
    const before = row.index ? state.values[row.index - 1] : state.image;
    const result = channel(state.values[row.index], i);
    const pooled = layer.class !== "Conv2D";
    const channels = pooled ? [i] : before.shape[2] > 1 ? [...Array(before.shape[2]).keys()] : [0];
    const kernels = pooled ? [] : channels.map((c) => kernelOf(layer.kernel, c, i));
    const parts = state.selected.parts ??= construct(row, channels, pooled, layer, i);
    const largestBefore = Math.max(...before.data.map(Math.abs)) || 1;
    const largestKernel = Math.max(...kernels.flatMap(({ data }) => [...data].map(Math.abs)), 0) || 1;
    const responses = kernels.map((kernel, at) => conv2d(one(before, channels[at]), kernel, null, layer));
    const largest = Math.max(...responses.flatMap(({ data }) => [Math.max(...data.map(Math.abs))]), 0) || 1;
    channels.forEach((c, at) => {
      parts.before[at].paint(channel(before, c), { max: largestBefore, signed: before.data.some((value) => value < 0) });
      if (pooled) return;
      parts.kernels[at].paint({ shape: kernels[at].shape.slice(0, 2), data: kernels[at].data }, { signed: true, max: largestKernel });
      parts.responses[at].paint(channel(responses[at], 0), { signed: true, max: largest });
    });
    parts.result.paint(result, { max: Math.max(...result.data.map(Math.abs)) || 1, signed: result.data.some((value) => value < 0) });
    const [y, x] = parts.at;
    parts.result.mark(y, x);
    const size = pooled ? layer.pool_size : layer.kernel.shape;
    const start = [y, x].map((at, axis) => at * layer.strides[axis] - geometry(before.shape[axis], size[axis], layer.strides[axis], layer.padding).before);
    parts.before.forEach((one) => one.mark(...start, size[0], size[1]));
  }

  function construct(row, channels, pooled, layer, i) {
    const make = (label) => channels.map(() => tile({ label }));
    const point = (y, x) => {
      const [height, width] = state.values[row.index].shape;
      parts.at = [Math.max(0, Math.min(height - 1, Math.floor(y))), Math.max(0, Math.min(width - 1, Math.floor(x)))];
      detail();
    };
    const parts = {
      before: make("a map of the layer before"), kernels: make("kernel"), responses: make("the map before, convolved with the kernel"),
      result: tile({ label: "the map. Point at an entry to see where it looks.", onpoint: point, onstep: (down, right) => point(parts.at[0] + down, parts.at[1] + right) }),
      at: state.values[row.index].shape.slice(0, 2).map((size) => Math.floor(size / 2)),
    };
    const bias = layer.bias ? ` The bias ${layer.bias.data[i].toFixed(2).replace("-", "\u2212")} is added to the sum` : " From the sum";
    const text = pooled ? `Of each ${layer.pool_size.join(" \u00d7 ")} pixels, one number is kept: the ${layer.class.startsWith("Max") ? "largest" : "mean"}.`
      : `Each map before this layer is convolved with a kernel of its own (orange above zero, blue below); then the results are added.${bias}${layer.activation === "relu" ? ", and what is negative becomes 0 (ReLU)." : "."}`;
    row.detail.replaceChildren(
      h("p", { class: "soft" }, text),
      h("div", { class: "made" },
        h("div", { class: "terms" }, channels.map((_, at) => pooled ? h("div", { class: "term" }, parts.before[at].element)
          : h("div", { class: "term" }, parts.before[at].element, h("span", {}, "\u2217"), h("div", { class: "kernel" }, parts.kernels[at].element), h("span", {}, "="), parts.responses[at].element))),
        h("div", { class: "arrow" }, "\u2192"),
        h("div", { class: "result" }, parts.result.element)));
    return parts;
  }

  thumbs.forEach((one) => queueMicrotask(() => one.picture.paint(one.image)));
  show(0);
}

/** The layers worth a row of their own, with a name; the last one is shown as bars. */
function layerRows({ layers }) {
  const names = {
    Conv2D: ({ kernel, activation }) => `convolution ${kernel.shape[0]}\u00d7${kernel.shape[1]}${activation === "relu" ? " with ReLU" : ""}`,
    MaxPooling2D: ({ pool_size: size }) => `max pooling ${size.join("\u00d7")}`,
    AveragePooling2D: ({ pool_size: size }) => `average pooling ${size.join("\u00d7")}`,
    GlobalAveragePooling2D: () => "global average pooling",
    Dense: ({ activation }) => `dense layer${activation === "relu" ? " with ReLU" : ""}`,
  };
  return layers.map((layer, index) => ({ index, text: names[layer.class]?.(layer) })).filter(({ index, text }) => text && index < layers.length - 1);
}

const kernelOf = ({ shape: [height, width, inputs, filters], data }, c, f) => ({
  shape: [height, width, 1, 1],
  data: Float32Array.from({ length: height * width }, (_, at) => data[(at * inputs + c) * filters + f]),
});

const one = (image, c) => { const map = channel(image, c); return { shape: [...map.shape, 1], data: map.data }; };

/** Numbers in a row, or in two where they are many. */
function folded({ data }) {
  const columns = data.length > 60 ? Math.ceil(data.length / 2) : data.length;
  const padded = new Float32Array(columns * Math.ceil(data.length / columns));
  padded.set(data);
  return { shape: [padded.length / columns, columns], data: padded };
}

/** An image turned by degrees (counter-clockwise) around its centre, then moved, with bilinear interpolation. */
export function turned(image, degrees, down, right) {
  const [height, width] = image.shape;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const pixel = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? 0 : image.data[y * width + x]);
  const result = { shape: image.shape, data: new Float32Array(height * width) };
  for (let row = 0; row < height; row += 1) for (let column = 0; column < width; column += 1) {
    const [v, u] = [row - down - (height - 1) / 2, column - right - (width - 1) / 2];
    const [y, x] = [cos * v + sin * u + (height - 1) / 2, cos * u - sin * v + (width - 1) / 2];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [fy, fx] = [y - top, x - left];
    result.data[row * width + column] = (1 - fy) * ((1 - fx) * pixel(top, left) + fx * pixel(top, left + 1))
      + fy * ((1 - fx) * pixel(top + 1, left) + fx * pixel(top + 1, left + 1));
  }
  return result;
}
