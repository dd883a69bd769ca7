// A digit pushed over a larger canvas, and where networks still read it. All answers were computed in advance.
import { h, tile } from "./core.js";
import { image, opinion, pick } from "./pick.js";

export default function shift(root, { images, labels, size, networks }) {
  const [, height, width] = images.shape;
  const room = [size - height, size - width]; // the corner of the digit goes from 0 to here
  const state = { digit: 0, row: Math.floor(room[0] / 2), column: Math.floor(room[1] / 2) };

  // ---- the parts
  const canvas = tile({
    label: "The canvas. Drag the digit, or push it with the arrow keys.",
    onpoint: (y, x) => moveTo(y - height / 2, x - width / 2),
    onstep: (down, right) => moveTo(state.row + down, state.column + right),
  });
  const systems = networks.map(({ name, probabilities }) => {
    const view = opinion(name);
    const map = tile({
      label: `Where the network "${name}" reads the digit. Point at a place to push the digit there.`,
      onpoint: (y, x) => moveTo(Math.floor(y), Math.floor(x)),
      onstep: (down, right) => moveTo(state.row + down, state.column + right),
    });
    const count = h("div", { class: "soft" });
    return { view, map, count, probabilities, element: h("div", { class: "system shifted" }, view.element, h("div", {}, map.element, count)) };
  });
  const place = h("span", { class: "soft", role: "status" });

  root.append(
    h("div", { class: "shift" },
      h("div", {}, h("div", { class: "title" }, `push the digit over the ${size} \u00d7 ${size} canvas`), canvas.element, place,
        h("div", { class: "controls" }, pick({ images, labels, onchange: choose }))),
      h("div", { class: "opinions" }, systems.map((one) => one.element))),
    h("p", { class: "soft shift-key" }, "Each map has one cell for every place of the digit: ", h("b", { class: "yes" }, "blue"),
      " where the network reads it correctly, ", h("b", { class: "no" }, "orange"), " where it reads something else; the stronger the colour, the surer it is."));

  // ---- what happens
  const at = ({ probabilities }, row, column) => {
    const start = ((state.digit * (room[0] + 1) + row) * (room[1] + 1) + column) * 10;
    return [...probabilities.data.subarray(start, start + 10)];
  };

  function choose(digit) {
    state.digit = digit;
    for (const system of systems) {
      const map = { shape: room.map((steps) => steps + 1), data: new Float32Array((room[0] + 1) * (room[1] + 1)) };
      for (let row = 0; row <= room[0]; row += 1) for (let column = 0; column <= room[1]; column += 1) {
        const probabilities = at(system, row, column);
        const best = probabilities.indexOf(Math.max(...probabilities));
        map.data[row * (room[1] + 1) + column] = best === labels[digit] ? -probabilities[best] : probabilities[best]; // blue below zero
      }
      system.map.paint(map, { signed: true });
      system.count.textContent = `correct at ${map.data.filter((value) => value < 0).length} of ${map.data.length} places`;
    }
    show();
  }

  function moveTo(row, column) {
    state.row = Math.max(0, Math.min(room[0], Math.round(row)));
    state.column = Math.max(0, Math.min(room[1], Math.round(column)));
    show();
  }

  function show() {
    const { row, column, digit } = state;
    const small = image(images, digit);
    const large = { shape: [size, size], data: new Float32Array(size * size) };
    for (let y = 0; y < height; y += 1) large.data.set(small.data.subarray(y * width, (y + 1) * width), (row + y) * size + column);
    canvas.paint(large);
    const [down, right] = [row - Math.floor(room[0] / 2), column - Math.floor(room[1] / 2)];
    const way = (steps, [more, less]) => (steps ? `${Math.abs(steps)} ${steps > 0 ? more : less}` : null);
    const steps = [way(down, ["down", "up"]), way(right, ["to the right", "to the left"])].filter(Boolean);
    place.textContent = steps.length ? `pixels from the centre: ${steps.join(", ")}` : "in the centre";
    for (const system of systems) {
      system.view.set(at(system, row, column), labels[digit]);
      system.map.mark(row, column);
    }
  }

  choose(0);
}
