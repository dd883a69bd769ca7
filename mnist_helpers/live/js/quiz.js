// A prediction before an experiment: one question, two to four answers, each with its own reply.
import { h } from "./core.js";

let number = 0;

export default function quiz(root, { question, answers, right }) {
  const name = `quiz-${(number += 1)}`;
  const reply = h("p", { class: "reply", role: "status" });
  const options = answers.map(([answer, text], i) => {
    const mark = h("span", { class: "verdict", "aria-hidden": "true" });
    const input = h("input", { type: "radio", name, id: `${name}-${i}`, onclick: () => choose(i) });
    return { mark, text, input, element: h("label", { for: `${name}-${i}` }, input, mark, h("span", {}, code(answer))) };
  });
  root.append(h("fieldset", { class: "quiz" }, h("legend", {}, code(question)), options.map((one) => one.element)), reply);

  function choose(chosen) {
    options.forEach((one, i) => {
      const state = i !== chosen ? "" : right === null ? "chosen" : i === right ? "right" : "wrong";
      one.element.className = state;
      one.mark.textContent = { right: "\u2713", wrong: "\u2717", chosen: "\u2022" }[state] ?? "";
    });
    reply.replaceChildren(...code(options[chosen].text));
    reply.className = `reply ${options[chosen].element.className}`;
  }
}

/** Words between backquotes are code. */
const code = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
