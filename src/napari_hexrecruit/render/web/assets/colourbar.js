// The colour bar, with limits to drag, move with keys or type, and the choice of colormap.

import { byId, clamp, ink, make, readable, ticks } from "./base.js";
import { cssColour, rowOf, tableOf } from "./colour.js";

const ROOM = 12;

export function makeColourBar(app) {
  const { content, store } = app;
  const canvas = make("canvas", {});
  const handles = ["Upper", "Lower"].map((name) => makeHandle(name));
  const strip = make("div", { className: "bar" }, canvas, ...handles);
  const inputs = ["Upper", "Lower"].map((name) => {
    const input = make("input", { type: "number", step: "any", id: `${name.toLowerCase()}-limit` });
    input.setAttribute("aria-label", `${name} colour limit`);
    return input;
  });
  const label = make("p", { className: "bar-label" });
  const choice = make("select", { id: "colormap" });
  choice.setAttribute("aria-label", "Colormap");
  choice.append(...Object.keys(content.colormaps).map((name) => make("option", {
    value: name, textContent: name })));
  const reset = make("button", { type: "button", id: "reset-limits", textContent: "Reset" });
  reset.setAttribute("aria-label", "Reset the colour limits");
  byId("colourbar").append(
    make("div", { className: "bar-side" }, inputs[0], strip, inputs[1]), label, choice, reset);

  const limits = () => store.state.limits[store.state.metric];
  function setLimits([low, high]) {
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) return draw();
    return store.set({ limits: store.state.limits.map((old, k) =>
      (k === store.state.metric ? [low, high] : old)) });
  }
  function setLimit(k, value) {
    setLimits(k === 0 ? [limits()[0], value] : [value, limits()[1]]);
  }

  inputs.forEach((input, k) => input.addEventListener("change", () =>
    setLimit(k, input.value === "" ? NaN : Number(input.value))));
  choice.addEventListener("change", () => store.set({ colormaps: store.state.colormaps.map(
    (old, k) => (k === store.state.metric ? choice.value : old)) }));
  reset.addEventListener("click", () => setLimits(content.metrics[store.state.metric].clim));

  // Range of the bar: the initial limits, widened to the current limits and to all values.
  function span() {
    const [low, high] = content.metrics[store.state.metric].clim;
    const [now, then] = limits();
    const most = app.extremes[store.state.metric];
    return [Math.min(low, now, most[0]), Math.max(high, then, most[1])];
  }
  function rowAt(value) {
    const [low, high] = span();
    const tall = canvas.clientHeight - 2 * ROOM;
    return ROOM + tall * (1 - (value - low) / (high - low));
  }
  function valueAtRow(row) {
    const [low, high] = span();
    const tall = canvas.clientHeight - 2 * ROOM;
    return Number((low + (high - low) * clamp(1 - (row - ROOM) / tall, 0, 1)).toPrecision(3));
  }

  function makeHandle(name) {
    const handle = make("div", { className: `handle ${name.toLowerCase()}`, tabIndex: 0 });
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-orientation", "vertical");
    handle.setAttribute("aria-label", `${name} colour limit, drag`);
    const k = name === "Upper" ? 0 : 1;
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      setLimit(k, valueAtRow(event.clientY - canvas.getBoundingClientRect().top));
    });
    handle.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!way) return;
      const [low, high] = span();
      const moved = limits()[1 - k] + (way * (high - low)) / 100;
      setLimit(k, Number(moved.toPrecision(4)));
      event.preventDefault();
      event.stopPropagation();
    });
    return handle;
  }

  function draw() {
    const metric = content.metrics[store.state.metric];
    const density = window.devicePixelRatio || 1;
    Object.assign(canvas, {
      width: Math.max(1, canvas.clientWidth * density),
      height: Math.max(1, canvas.clientHeight * density),
    });
    const context = canvas.getContext("2d");
    context.scale(density, density);
    paintBar(app, context, { left: 0, top: ROOM, width: 20, height: canvas.clientHeight - 2 * ROOM },
      span(), ink("text"), ink("font"));
    label.textContent = metric.units ? `${metric.label} (${metric.units})` : metric.label;
    choice.value = store.state.colormaps[store.state.metric];
    const [low, high] = span();
    handles.forEach((handle, k) => {
      const value = limits()[1 - k];
      handle.style.top = `${rowAt(value)}px`;
      const words = { valuenow: value, valuemin: low, valuemax: high, valuetext: readable(value) };
      for (const [name, text] of Object.entries(words)) handle.setAttribute(`aria-${name}`, text);
      inputs[k].value = String(Number(value.toPrecision(6)));
    });
  }
  return { draw, span };
}

// Draw a bar with ticks to its right, in a box of a drawing context.
export function paintBar(app, context, box, [low, high], colour, font) {
  const { state } = app.store;
  const table = tableOf(app.content, state.colormaps[state.metric]);
  const limits = state.limits[state.metric];
  for (let row = 0; row < box.height; row += 1) {
    const value = low + ((high - low) * (box.height - row - 0.5)) / box.height;
    context.fillStyle = cssColour(table, rowOf(value, limits, table.length));
    context.fillRect(box.left, box.top + row, box.width, 1.5);
  }
  Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: 1 });
  context.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
  context.font = `12px ${font}`;
  Object.assign(context, { textAlign: "left", textBaseline: "middle" });
  for (const value of ticks(low, high, 5)) {
    const y = box.top + box.height * (1 - (value - low) / (high - low));
    context.fillRect(box.left + box.width, Math.round(y), 4, 1);
    context.fillText(readable(value), box.left + box.width + 8, y);
  }
}
