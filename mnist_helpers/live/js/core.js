// What all live figures share: elements, controls, pictures of arrays, the theme, and how a figure starts.
// An array is { shape: [height, width, ...], data: Float32Array }, in row-major order, as in NumPy.

// ---------------------------------------------------------------- elements

/** Make an element: h("p", { class: "note", onclick: f }, "text", child). A null attribute or child is left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text for a number: a true minus sign, no "-0.00". */
export function format(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "\u2212");
}

/** Text for a small cell: at most two digits, no zero before the point: ".76", "\u2212.5", "1". */
export const short = (value) => format(value).replace(/\.?0+$/, "").replace(/^(\u2212?)0\./, "$1.") || "0";

export const percent = (share) => (share > 0.999 && share < 1 ? ">\u00a099.9\u00a0%" : `${(100 * share).toFixed(1)}\u00a0%`);

export function button(text, onclick, attributes) {
  return h("button", { type: "button", onclick, ...attributes }, text);
}

/** A labelled slider. `show` turns the value into the text beside it. Has `.value` and `.set(value)`. */
export function slider({ label, min, max, step = 1, value, show = String, onchange }) {
  const output = h("output", {}, show(value));
  const input = h("input", { type: "range", min, max, step, value, "aria-label": label, "aria-valuetext": show(value) });
  const set = (next) => {
    input.value = next;
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    set(input.value);
    onchange(Number(input.value));
  });
  const element = h("label", { class: "slider" }, h("span", {}, label, " ", output), input);
  return { element, set, get value() { return Number(input.value); } };
}

let groups = 0;

/** One of a few options as a row of buttons; `options` is [[value, text], ...]. Has `.set(value)`; null chooses none. */
export function choice({ label, options, value, onchange }) {
  const name = `mnist-live-${(groups += 1)}`;
  const inputs = options.map(([option]) =>
    h("input", { type: "radio", name, value: option, checked: option === value, onclick: () => onchange(option) })); // a click, too, on the one that is chosen
  const labels = options.map(([, text], i) => h("label", {}, inputs[i], h("span", {}, text)));
  const element = h("fieldset", { class: "choice" }, h("legend", {}, label), h("div", {}, labels));
  return { element, set: (next) => inputs.forEach((input, i) => (input.checked = options[i][0] === next)) };
}

// ---------------------------------------------------------------- theme

const names = ["paper", "ink", "text", "soft", "line", "positive", "negative", "accent"];

/** The theme's colours as [red, green, blue], read from style.css. */
export function colours(element) {
  const style = getComputedStyle(element.closest(".mnist-live") ?? element);
  return Object.fromEntries(names.map((name) => [name, parse(style.getPropertyValue(`--${name}`).trim())]));
}

const parse = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16) || 0);
export const css = (rgb) => `rgb(${rgb.map(Math.round).join(" ")})`;
export const mix = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);

/** Is the page dark? The page's own switch first (Sphinx's themes, JupyterLab), then the system's setting. */
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "dark" || chosen === "light") return chosen === "dark";
  if (document.body.dataset.jpThemeLight) return document.body.dataset.jpThemeLight === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Keep `root` in the page's scheme; tell those who paint on canvases when it changes ("themechange"). */
function followTheme(root) {
  const apply = () => {
    const scheme = isDark() ? "dark" : "light";
    if (root.dataset.scheme === scheme) return;
    root.dataset.scheme = scheme;
    root.dispatchEvent(new Event("themechange"));
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  const observer = new MutationObserver(apply);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
}

// ---------------------------------------------------------------- pictures of arrays

/**
 * A picture of a 2-D array, one cell per entry, that can be pointed at.
 *
 *   paint(array, { signed, max, hide, under })  ink on paper from 0 to max, or two colours around zero from -max to max;
 *                                        hide(row, column) leaves a cell empty; `under` is a second array,
 *                                        of ink, that shows through
 *   mark(row, column, height, width)     a frame around some cells
 *
 * `onpoint(row, column, kind)` is called with fractional cells while a pointer is down (kind "down", "move"), and
 * `onstep(rows, columns)` for arrow keys. Without either, the picture is only looked at.
 */
export function tile({ label, onpoint, onstep, class: name = "" }) {
  const canvas = h("canvas", { width: 1, height: 1 });
  const frame = h("div", { class: "frame", hidden: true });
  const acts = Boolean(onpoint || onstep);
  const element = h("div", {
    class: `tile ${acts ? "acts" : ""} ${name}`, role: onstep ? "application" : "img", "aria-label": label,
    tabindex: onstep ? 0 : null,
  }, canvas, frame);
  let last = null;
  if (onpoint) dragging(element, (x, y, kind) => onpoint(y * canvas.height, x * canvas.width, kind));
  if (onstep) element.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys (other pages, other cells) stay out of it
    onstep(...step);
  });

  function paint(array, { signed = false, max = 1, hide = null, under = null } = {}) {
    last = [array, { signed, max, hide, under }];
    const [height, width] = array.shape;
    const { paper, ink, positive, negative } = colours(element);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    element.style.aspectRatio = `${width} / ${height}`;
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) {
      if (hide?.(Math.floor(i / width), i % width)) continue;
      const value = Math.max(-1, Math.min(1, array.data[i] / (max || 1)));
      const full = !signed ? ink : value > 0 ? positive : negative;
      const share = signed ? Math.abs(value) : Math.max(0, value);
      const ground = under ? mix(paper, ink, 0.28 * under.data[i]) : paper;
      for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = ground[c] + (full[c] - ground[c]) * share;
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  function mark(row, column, height = 1, width = 1) {
    frame.hidden = row === null;
    const place = { top: row / canvas.height, left: column / canvas.width, height: height / canvas.height, width: width / canvas.width };
    for (const [side, share] of Object.entries(place)) frame.style[side] = `${100 * share}%`;
  }

  onTheme(element, () => last && paint(...last));
  return { element, canvas, paint, mark, label: (text) => element.setAttribute("aria-label", text) };
}

/** Call `then` when the scheme of the figure that holds `element` changes. */
export function onTheme(element, then) {
  queueMicrotask(() => element.closest(".mnist-live")?.addEventListener("themechange", then));
}

/** Follow one pointer (mouse, pen, finger) over `element`: `move(x, y, kind)` with x and y from 0 to 1. */
export function dragging(element, move) {
  let pointer = null;
  const tell = (event, kind) => {
    const box = element.getBoundingClientRect();
    move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, kind);
  };
  element.style.touchAction = "none";
  element.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    element.setPointerCapture(pointer);
    tell(event, "down");
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    for (const one of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) tell(one, "move");
  });
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    tell(event, "up");
  });
}

// ---------------------------------------------------------------- start

const types = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array };

/** The array that Python packed: whole numbers or floats, compressed, perhaps with one scale for each last index. */
async function unpack({ dtype, shape, zlib, scale }) {
  const bytes = Uint8Array.from(atob(zlib), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = new types[dtype](await new Response(stream).arrayBuffer());
  const data = Float32Array.from(raw);
  if (scale) for (let i = 0; i < data.length; i += 1) data[i] = Math.fround(raw[i] * Math.fround(scale[i % scale.length]));
  return { shape, data };
}

const unpacked = new Map(); // assets that several figures of the page use are unpacked once

/** Replace every packed array in `value`, and every { asset: key } by what it names. */
export async function resolve(value, assets) {
  if (value === null || typeof value !== "object") return value;
  if ("zlib" in value) return unpack(value);
  if ("asset" in value) {
    const key = value.asset;
    if (!unpacked.has(key)) unpacked.set(key, resolve(assets?.[key] ?? onPage(key), assets));
    return unpacked.get(key);
  }
  if (Array.isArray(value)) return Promise.all(value.map((one) => resolve(one, assets)));
  const pairs = Object.entries(value).map(async ([name, one]) => [name, await resolve(one, assets)]);
  return Object.fromEntries(await Promise.all(pairs));
}

const onPage = (key) => JSON.parse(document.querySelector(`script[data-mnist-live="${key}"]`).textContent);

/** Build the figure in `root`, in place of the picture. `host` asks the kernel; it is null on a page. */
export async function mount(root, figure, spec, host = null, assets = null) {
  const data = await resolve(spec.data, assets);
  const body = h("div", { class: "live-body" });
  const picture = [...root.childNodes];
  root.append(body);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", spec.label);
  root.addEventListener("keydown", (event) => { // in JupyterLab, arrow keys on a slider would choose another cell
    if (!event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) event.stopPropagation();
  });
  followTheme(root);
  picture.forEach((node) => node.remove());
  try {
    figure(body, data, host);
  } catch (error) {
    root.replaceChildren(...picture); // a figure that fails leaves the picture
    throw error;
  }
  root.dataset.ready = "";
}

/** On a page: start every figure that waits for its module. Several outputs of one page may call this. */
export function start(modules) {
  for (const root of document.querySelectorAll(".mnist-live[data-figure]:not([data-started])")) {
    const module = modules[root.dataset.figure];
    if (!module) continue;
    root.dataset.started = "";
    mount(root, module.default, onPage(root.dataset.spec)).catch((error) => console.error("live figure:", error));
  }
}

/** In JupyterLab, through anywidget: the kernel answers what `host.ask` asks. */
export async function attach({ model, el }, figure) {
  const waiting = new Map();
  let number = 0;
  model.on("msg:custom", ({ id, answer }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  const ask = (question) => new Promise((resolved) => {
    waiting.set((number += 1), resolved);
    model.send({ id: number, question });
  });
  const root = h("div", { class: "mnist-live" });
  el.append(root);
  const spec = model.get("spec");
  await mount(root, figure, spec, { ask }, spec.assets);
}
