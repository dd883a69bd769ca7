"use strict";
// One slide at a time; the address holds its number. Without scripts all slides stand one below the other.
(() => {
  const slides = [...document.querySelectorAll("section.slide")];
  const place = document.getElementById("place");
  let current = 0;

  const show = (number) => {
    current = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, index) => slide.classList.toggle("current", index === current));
    slides[current].scrollTop = 0;
    place.textContent = `${current + 1} / ${slides.length}`;
  };
  const go = (number) => {
    show(number);
    history.replaceState(null, "", `#${current + 1}`);
  };
  // An address names a slide by its number, or something on it by its id.
  const follow = () => {
    const number = /^#(\d+)$/.exec(location.hash);
    const target = document.querySelector(":target");
    if (number) show(number[1] - 1);
    else show(target ? slides.indexOf(target.closest("section.slide")) : 0);
  };
  const steps = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1, Home: -Infinity, End: Infinity };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("button, summary, a")) return;
    if (event.key === "f") document.documentElement.requestFullscreen();
    if (!(event.key in steps)) return;
    event.preventDefault();
    go(current + steps[event.key]);
  });
  document.getElementById("back").addEventListener("click", () => go(current - 1));
  document.getElementById("on").addEventListener("click", () => go(current + 1));
  let start = null;
  document.addEventListener("touchstart", (event) => { start = event.touches[0]; }, { passive: true });
  document.addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    const far = start ? end.clientX - start.clientX : 0;
    if (Math.abs(far) > 80 && Math.abs(end.clientY - start.clientY) < 50) go(current - Math.sign(far));
  });
  window.addEventListener("hashchange", follow);
  document.body.classList.add("live");
  document.querySelector("nav").hidden = slides.length === 0;
  if (slides.length) follow();
})();
