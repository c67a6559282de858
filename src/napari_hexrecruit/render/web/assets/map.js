// One map: image below, hexagons, lines above, and its control by mouse, touch and keys.

import { byId, clamp, ink, make, plural, readable } from "./base.js";
import { coloursAt, tableOf } from "./colour.js";
import { cornersOf, hexAt, isInside, numberAt, rimOf, viewOn } from "./geometry.js";
import { cover, paint } from "./raster.js";
import { clusterAt, valueAt } from "./values.js";
import { traceInk } from "./plot.js";

const MOST_DENSITY = 2;
const FOOT = 28;

export function makeMap(app, number) {
  const { content, store } = app;
  const panel = content.panels[number];
  const grid = app.grids[number];
  const canvases = ["below", "hexagons", "above"].map((name) =>
    make("canvas", { className: name }));
  const [below, hexagons, above] = canvases;
  const name = panel.title || (content.panels.length > 1 ? `Map ${number + 1}` : "Map");
  const box = make("div", { className: "map-box", tabIndex: 0 }, ...canvases);
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", `${name}: ${grid.n} hexagons. Arrow keys move to a hexagon, `
    + "Enter selects it.");
  const figure = make("figure", {}, box);
  if (panel.title) figure.prepend(make("figcaption", { textContent: panel.title }));

  const values = new Float64Array(grid.n);
  const colours = new Uint32Array(grid.n + 1);
  const rim = rimOf(grid);
  const hasClusters = panel.variables.some((one) => one.kind === "outlined");
  let view = null;
  let covered = null;
  let image = null;
  let pixels = null;
  let missing = "";
  let outlined = "";

  // Recompute everything that depends on the size of the map and on the visible part.
  function resize() {
    const density = Math.min(MOST_DENSITY, window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(box.clientWidth * density));
    const height = Math.max(1, Math.round(box.clientHeight * density));
    for (const canvas of canvases) Object.assign(canvas, { width, height });
    view = { ...viewOn(app.bounds, store.state.view, [width, height], FOOT * density), density };
    covered = cover(grid, view, width, height);
    image = hexagons.getContext("2d").createImageData(width, height);
    pixels = new Uint32Array(image.data.buffer);
    drawBelow();
    drawFrame(true);
  }

  function drawFrame(always = false) {
    if (!covered) return;
    const { state } = store;
    for (let hex = 0; hex < values.length; hex += 1) {
      values[hex] = valueAt(content, panel, state.metric, state.bin, hex);
    }
    const table = tableOf(content, state.colormaps[state.metric]);
    coloursAt(values, state.limits[state.metric], table, colours);
    paint(covered, colours, pixels);
    hexagons.getContext("2d").putImageData(image, 0, 0);
    const lacking = numbersOf((hex) => Number(colours[hex + 1] === 0));
    const marked = hasClusters ? numbersOf((hex) => clusterAt(panel, state.bin, hex)) : "";
    if (always || lacking !== missing || marked !== outlined) {
      [missing, outlined] = [lacking, marked];
      drawAbove();
    }
  }

  function numbersOf(numberOf) {
    let numbers = "";
    for (let hex = 0; hex < grid.n; hex += 1) numbers += `${numberOf(hex)},`;
    return numbers;
  }

  function drawBelow() {
    const context = below.getContext("2d");
    context.clearRect(0, 0, below.width, below.height);
    if (!app.under) return;
    const [left, right, bottom, top] = content.under.extent;
    const [x0, y0] = view.toPixel(left, top);
    const [x1, y1] = view.toPixel(right, bottom);
    context.imageSmoothingQuality = "high";
    context.drawImage(app.under, x0, y0, x1 - x0, y1 - y0);
  }

  function trace(context, points, closes) {
    let draws = false;
    for (const point of points) {
      if (point) {
        const [x, y] = view.toPixel(point[0], point[1]);
        if (draws) context.lineTo(x, y);
        else context.moveTo(x, y);
      }
      draws = point !== null;
    }
    if (closes) context.closePath();
  }

  function outline(context, hexes, colour, width, scale) {
    context.beginPath();
    for (const hex of hexes) trace(context, cornersOf(grid, hex, scale), true);
    stroke(context, colour, width);
  }

  function stroke(context, colour, width) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width * view.density });
    context.stroke();
  }

  function drawAbove() {
    const context = above.getContext("2d");
    Object.assign(context, { lineJoin: "round", lineCap: "round" });
    context.clearRect(0, 0, above.width, above.height);
    const empty = [];
    for (let hex = 0; hex < grid.n; hex += 1) if (colours[hex + 1] === 0) empty.push(hex);
    outline(context, empty, ink("empty"), 1, 1);
    context.beginPath();
    for (const edge of rim) trace(context, edge, false);
    stroke(context, ink("rim"), 1);
    for (const [colour, width] of [["#262626", 2.6], ["#ffffff", 1.3]]) {
      context.beginPath();
      for (const line of content.outlines) trace(context, line, false);
      stroke(context, colour, width);
    }
    drawOutlined(context);
    drawLabels(context);
    drawSelection(context);
    if (content.panels[0] === panel) drawScaleBar(context);
  }

  function drawOutlined(context) {
    if (!hasClusters) return;
    const edges = rimOf(grid, (hex) => clusterAt(panel, store.state.bin, hex));
    for (const [colour, width] of [["#ffffff", 4], ["#111111", 2]]) {
      context.beginPath();
      for (const edge of edges) trace(context, edge, false);
      stroke(context, colour, width);
    }
  }

  function drawLabels(context) {
    const size = 12 * view.density;
    context.font = `600 ${size}px ${ink("font")}`;
    Object.assign(context, { textAlign: "center", textBaseline: "middle" });
    for (const { x, y, text } of content.labels) {
      const [column, row] = view.toPixel(x, y);
      Object.assign(context, { strokeStyle: "#262626", lineWidth: size / 4 });
      context.strokeText(text, column, row);
      context.fillStyle = "#ffffff";
      context.fillText(text, column, row);
    }
  }

  function drawSelection(context) {
    const chosen = app.selection.of(number);
    const many = chosen.length > 10;
    chosen.forEach((hex, k) => {
      outline(context, [hex], "#ffffff", 4, 0.92);
      outline(context, [hex], many ? "#d1495b" : traceInk(k), 2.2, 0.92);
    });
    const { hover } = store.state;
    if (hover && app.selection.groupOf(hover.panel) === app.selection.groupOf(number)) {
      outline(context, [hover.hex], "#ffffff", 3.4, 1);
      outline(context, [hover.hex], "#1c1c1c", 1.6, 1);
    }
  }

  function drawScaleBar(context) {
    if (!panel.isLength) return;
    const wanted = 0.22 * above.width * view.perPixel;
    const power = 10 ** Math.floor(Math.log10(wanted));
    const length = [5, 2, 1].find((one) => one * power <= wanted) * power;
    const { density } = view;
    const [left, bottom] = [4 * density, above.height - 4 * density];
    context.fillStyle = ink("text");
    context.fillRect(left, bottom - 3 * density, length / view.perPixel, 3 * density);
    context.font = `${12 * density}px ${ink("font")}`;
    Object.assign(context, { textAlign: "left", textBaseline: "bottom" });
    const text = length < 1000 ? `${readable(length)} µm` : `${readable(length / 1000)} mm`;
    context.fillText(text, left, bottom - 6 * density);
  }

  const place = (event) => {
    const frame = box.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  const flat = ([x, y]) => view.toFlat(x * view.density, y * view.density);
  const under = (event) => hexAt(grid, ...flat(place(event)));

  addPointers({ app, number, box, grid, above, place, flat, under, view: () => view, drawAbove });
  addKeys(app, number, box, grid);
  return {
    figure, box, number, canvases, resize, drawFrame, drawAbove,
    below: () => view,
  };
}

function addPointers(map) {
  const { app, number, box, grid, place, flat, under } = map;
  const { store } = app;
  const fingers = new Map();
  let drag = null;

  box.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, place(event));
    if (event.button !== 0) return;
    drag = { from: place(event), view: store.state.view, moved: false, path: [flat(place(event))] };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (fingers.size === 2 && fingers.has(event.pointerId)) {
      pinch(event.pointerId, at);
      return;
    }
    if (drag) dragTo(event, at);
    else hoverAt(app, number, under(event), event);
  });
  box.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (drag && !drag.moved) app.selection.pick(number, under(event), event.shiftKey);
    else if (drag && store.state.lasso) takeLasso(event.shiftKey);
    drag = null;
  });
  box.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    drag = null;
  });
  box.addEventListener("pointerleave", () => hoverAt(app, number, -1, null));
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== box) return;
    event.preventDefault();
    app.zoom(Math.exp(-event.deltaY / 400), flat(place(event)));
  }, { passive: false });

  function dragTo(event, at) {
    const far = Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > 4;
    drag.moved = drag.moved || far;
    if (!drag.moved) return;
    if (store.state.lasso) {
      drag.path.push(flat(at));
      drawLasso();
    } else if (event.pointerType === "mouse" || drag.view.zoom > 1.001) {
      const scale = map.view().perPixel * map.view().density;
      store.set({ view: { ...drag.view,
        x: drag.view.x - (at[0] - drag.from[0]) * scale,
        y: drag.view.y + (at[1] - drag.from[1]) * scale } });
    }
  }

  function pinch(id, at) {
    const before = [...fingers.values()];
    fingers.set(id, at);
    const after = [...fingers.values()];
    const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    app.zoom(apart(after) / Math.max(1, apart(before)), flat(at));
    if (drag) drag.moved = true;
  }

  function drawLasso() {
    map.drawAbove();
    const context = map.above.getContext("2d");
    context.beginPath();
    for (const [x, y] of drag.path) context.lineTo(...map.view().toPixel(x, y));
    context.setLineDash([6, 4]);
    Object.assign(context, { strokeStyle: ink("text"), lineWidth: 2 });
    context.stroke();
    context.setLineDash([]);
  }

  function takeLasso(adds) {
    const inside = [];
    for (let hex = 0; hex < grid.n; hex += 1) {
      if (isInside([grid.x[hex], grid.y[hex]], drag.path)) inside.push(hex);
    }
    app.selection.take(number, inside, adds);
    map.drawAbove();
  }
}

function addKeys(app, number, box, grid) {
  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  box.addEventListener("keydown", (event) => {
    const { hover } = app.store.state;
    const here = hover && hover.panel === number ? hover.hex : -1;
    if (event.key in steps && event.shiftKey) pan(steps[event.key]);
    else if (event.key in steps) hoverAt(app, number, next(here, steps[event.key]), null);
    else if (event.key === "Enter") app.selection.pick(number, here, event.shiftKey);
    else if (event.key === "Escape") app.selection.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("blur", () => hoverAt(app, number, -1, null));

  function pan([right, up]) {
    const { view } = app.store.state;
    const far = (app.bounds.right - app.bounds.left) / 10 / view.zoom;
    app.store.set({ view: { ...view, x: view.x + right * far, y: view.y + up * far } });
  }

  // Return the neighbour in a direction; up and down alternate left and right to go straight.
  function next(hex, [right, up]) {
    if (hex < 0) return middle();
    const aside = up * (grid.r[hex] % 2 === 0 ? 1 : 0);
    const ways = up ? [[-aside * 1, up], [up > 0 ? -1 : 1, up], [0, up]] : [[right, 0]];
    for (const [dq, dr] of ways) {
      const found = numberAt(grid.table, grid.q[hex] + dq, grid.r[hex] + dr);
      if (found > 0) return found - 1;
    }
    return hex;
  }

  function middle() {
    const { x, y } = app.store.state.view;
    let best = 0;
    const far = (hex) => Math.hypot(grid.x[hex] - x, grid.y[hex] - y);
    for (let hex = 1; hex < grid.n; hex += 1) if (far(hex) < far(best)) best = hex;
    return best;
  }
}

function hoverAt(app, panel, hex, event) {
  const { hover } = app.store.state;
  const same = hover ? hover.panel === panel && hover.hex === hex : hex < 0;
  if (!same) app.store.set({ hover: hex < 0 ? null : { panel, hex } });
  const tip = byId("tip");
  tip.hidden = hex < 0 || !event;
  if (!tip.hidden) {
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${clamp(event.clientX + 14, 0, Math.max(0, room))}px`;
    tip.style.top = `${event.clientY + 16}px`;
  }
}

// Describe the hexagon at the mouse or the keyboard focus.
export function hoverText(app) {
  const { content, store } = app;
  const { hover, metric, bin } = store.state;
  if (!hover) return "";
  const group = app.groups[app.selection.groupOf(hover.panel)];
  const texts = group.map((number) => {
    const panel = content.panels[number];
    const value = valueAt(content, panel, metric, bin, hover.hex);
    const title = group.length > 1 ? `${panel.title || `Map ${number + 1}`}: ` : "";
    const units = content.metrics[metric].units;
    const shown = Number.isNaN(value) ? "no value" : `${readable(value)} ${units}`.trim();
    const neurons = panel.neurons[hover.hex];
    return `${title}${shown}, ${plural(neurons, "neuron")}`;
  });
  return `${content.panels[hover.panel].hex[hover.hex]}  ${texts.join("; ")}`;
}
