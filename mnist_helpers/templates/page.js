"use strict";
// One button folds all code, or shows it; without scripts, each cell still folds by itself.
(() => {
  const button = document.getElementById("fold");
  const cells = [...document.querySelectorAll("details.code")];
  const someOpen = () => cells.some((cell) => cell.open);
  const label = () => { button.textContent = someOpen() ? "Hide all code" : "Show all code"; };
  button.hidden = cells.length === 0;
  button.addEventListener("click", () => {
    const open = !someOpen();
    for (const cell of cells) cell.open = open;
    label();
  });
  document.addEventListener("toggle", label, true);
  label();
})();
