// A row of small digits, of which one is chosen; and what a network says of a digit.
import { bars } from "./charts.js";
import { h, tile } from "./core.js";

/** One image of an array of shape [n, height, width]. */
export function image({ shape: [, height, width], data }, i) {
  return { shape: [height, width], data: data.subarray(i * height * width, (i + 1) * height * width) };
}

let groups = 0;

/** Choose one of the images; `onchange(index)`. */
export function pick({ images, labels, onchange }) {
  const name = `mnist-live-pick-${(groups += 1)}`;
  const choices = labels.map((label, i) => {
    const picture = tile({ label: `a ${label}` });
    queueMicrotask(() => picture.paint(image(images, i)));
    const input = h("input", { type: "radio", name, checked: i === 0, "aria-label": `digit ${i + 1}, a ${label}`, onclick: () => onchange(i) });
    return h("label", {}, input, h("span", {}, picture.element));
  });
  return h("fieldset", { class: "choice pick" }, h("legend", {}, "Digit"), h("div", {}, choices));
}

/** Bars with a sentence: what a network answers, and whether that is right. `.set(probabilities, label)`. */
export function opinion(title) {
  const chart = bars({ title });
  const answer = h("div", { class: "opinion", role: "status" });
  chart.element.append(answer);
  function set(probabilities, label) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    chart.set(probabilities);
    answer.textContent = `reads a ${best}: ${best === label ? "correct" : "wrong"}`;
    answer.dataset.right = best === label;
  }
  return { element: chart.element, answer, set };
}
