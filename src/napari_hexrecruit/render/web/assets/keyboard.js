// Keyboard shortcuts for the whole page.

import { clamp } from "./base.js";

const TYPED = ["number", "text"];

export function addKeyboard(app, content) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
      return;
    }
    const { tagName, type } = event.target;
    if (tagName === "SELECT" || (tagName === "INPUT" && TYPED.includes(type))) return;
    const pressable = tagName === "BUTTON" || tagName === "A" || type === "checkbox";
    const actions = {
      " ": () => app.clock.toggle(),
      ArrowRight: () => app.clock.step(1),
      ArrowLeft: () => app.clock.step(-1),
      Home: () => app.clock.goTo(0),
      End: () => app.clock.goTo(content.time.n - 1),
      "+": () => app.changeSpeed(-1),
      "=": () => app.changeSpeed(-1),
      "-": () => app.changeSpeed(1),
    };
    const action = actions[event.key];
    if (!action || (event.key === " " && pressable)) return;
    event.preventDefault();
    action();
  });
}

// Return the next speed in a list: way 1 is slower, -1 is faster.
export function nextSpeed(speeds, now, way) {
  const nearest = speeds.reduce((best, one, k) =>
    (Math.abs(Math.log(one / now)) < Math.abs(Math.log(speeds[best] / now)) ? k : best), 0);
  return speeds[clamp(nearest + way, 0, speeds.length - 1)];
}
