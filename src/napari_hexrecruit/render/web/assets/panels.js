// The controls around the maps: their contents and their actions.

import { byId, make, readable } from "./base.js";
import { activeMarks, timeText } from "./clock.js";
import { nextSpeed } from "./keyboard.js";
import { hoverText } from "./map.js";
import { wholeView } from "./geometry.js";

const DILATIONS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const THEMES = ["", "light", "dark"];

export function addControls(app) {
  const { content, store, clock } = app;
  const { time } = content;
  const speeds = [...new Set([...DILATIONS, store.state.dilation])].sort((a, b) => a - b);
  byId("speed").append(...speeds.map((one) => make("option", {
    value: one, textContent: `${readable(one)} s per s of simulation` })));
  byId("metric").append(...content.metrics.map((metric, k) => make("option", {
    value: k, textContent: metric.label })));
  byId("metric-field").hidden = content.metrics.length < 2;
  byId("time").max = time.n - 1;
  addMarkLane(content);

  const on = (id, event, action) => byId(id).addEventListener(event, action);
  on("play", "click", () => clock.toggle());
  on("back", "click", () => clock.step(-1));
  on("forward", "click", () => clock.step(1));
  on("loop", "change", (event) => store.set({ loop: event.target.checked }));
  on("speed", "change", (event) => store.set({ dilation: Number(event.target.value) }));
  on("time", "input", (event) => clock.goTo(Number(event.target.value)));
  on("metric", "change", (event) => store.set({ metric: Number(event.target.value) }));
  on("lasso", "click", () => store.set({ lasso: !store.state.lasso }));
  on("zoom-in", "click", () => app.zoom(1.5));
  on("zoom-out", "click", () => app.zoom(1 / 1.5));
  on("zoom-fit", "click", () => store.set({ view: wholeView(app.bounds) }));
  on("clear", "click", () => app.selection.clear());
  on("theme", "click", () => store.set({
    theme: THEMES[(THEMES.indexOf(store.state.theme) + 1) % THEMES.length] }));
  app.changeSpeed = (way) => store.set({ dilation: nextSpeed(speeds, store.state.dilation, way) });
}

function addMarkLane({ marks, time }) {
  const total = (time.n - 1) * time.step + time.bin;
  const lane = byId("mark-lane");
  lane.hidden = marks.length === 0;
  for (const mark of marks) {
    const left = Math.max(0, (mark.start - time.start) / total);
    const right = Math.min(1, (mark.stop - time.start) / total);
    if (right > left) {
      const bar = make("span", { title: `${mark.label} ${mark.start} to ${mark.stop} ms`.trim() });
      bar.style.left = `${100 * left}%`;
      bar.style.width = `${100 * (right - left)}%`;
      lane.append(bar);
    }
  }
}

export function showTime(app) {
  const { content, store } = app;
  const { bin } = store.state;
  const text = timeText(content.time, bin);
  byId("stamp").textContent = text;
  byId("time").value = bin;
  byId("time").setAttribute("aria-valuetext", text);
  const active = activeMarks(content.marks, content.time, bin).map((mark) => mark.label);
  byId("active-marks").textContent = [...new Set(active)].join(", ");
  showHover(app);
}

export function showHover(app) {
  const text = hoverText(app);
  byId("tip").textContent = text;
  if (!app.store.state.playing) byId("readout").textContent = text;
}

export function showControls(app) {
  const { state } = app.store;
  byId("play").textContent = state.playing ? "Pause" : "Play";
  byId("loop").checked = state.loop;
  byId("speed").value = String(state.dilation);
  byId("metric").value = String(state.metric);
  byId("lasso").setAttribute("aria-pressed", String(state.lasso));
  byId("theme").textContent = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" }[
    state.theme];
  document.documentElement.dataset.theme = state.theme;
}
