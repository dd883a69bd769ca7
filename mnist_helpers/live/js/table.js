// A table whose rows are sorted by a click on a column head; once more turns the order round. Empty cells come last.
import { h } from "./core.js";

export default function table(root, { caption, columns, rows }) {
  const lines = rows.map((cells) => ({ cells, element: line(cells) }));
  const body = h("tbody", {}, lines.map((one) => one.element));
  const said = h("p", { class: "voice", role: "status" });
  const heads = columns.map(({ name, numeric }, column) =>
    h("th", { scope: "col", class: numeric && "number", "aria-sort": "none" },
      h("button", { type: "button", onclick: () => sort(column) }, name, h("span", { class: "way", "aria-hidden": "true" }))));
  root.append(h("div", { class: "sortable", tabindex: 0, role: "group", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), body)), said);

  function line(cells) {
    return h("tr", {}, cells.map(({ text }, column) =>
      h(column ? "td" : "th", { scope: column ? null : "row", class: columns[column].numeric && "number" }, text)));
  }

  function sort(column) {
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head, i) => {
      head.setAttribute("aria-sort", i !== column ? "none" : down ? "descending" : "ascending");
      head.querySelector(".way").textContent = i !== column ? "" : down ? " \u25be" : " \u25b4";
    });
    body.append(...order(lines.map((one) => one.cells[column].key), down).map((i) => lines[i].element));
    said.textContent = `Sorted by ${columns[column].name}, ${down ? "descending" : "ascending"}.`;
  }
}

/** The places of the keys (numbers or texts, null for an empty cell) in their order; equal ones as they came. */
export function order(keys, down) {
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en")) * (down ? -1 : 1);
  const isEmpty = (i) => keys[i] === null;
  return keys.map((_, i) => i).sort((i, j) => isEmpty(i) - isEmpty(j) || (isEmpty(i) ? 0 : compare(keys[i], keys[j])));
}
