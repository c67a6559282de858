// Traces of the selected hexagons under the maps, with their mean and the population trace.

import { byId, ink, make, plural } from "./base.js";
import { drawPlot, plotBox, traceInk } from "./plot.js";
import { meanOf, traceOf } from "./values.js";

const MOST_COLOURS = 10;

// Return the lines to plot and save: name, short name and values of each.
export function tracesOf(app) {
  const { content, store } = app;
  const { metric } = store.state;
  const several = content.panels.length > 1;
  const hasMean = content.metrics[metric].mean;
  const lines = [];
  content.panels.forEach((panel, number) => {
    const title = several ? `${panel.title || `Map ${number + 1}`}: ` : "";
    const chosen = app.selection.of(number);
    const population = Float64Array.from(panel.population[metric], (one) => one ?? NaN);
    const known = population.some((one) => !Number.isNaN(one));
    if (known) lines.push({ kind: "population", number, name: `${title}population mean`, values: population });
    chosen.forEach((hex, k) => lines.push({
      kind: "hexagon", number, k, of: chosen.length, name: `${title}${panel.hex[hex]}`,
      values: traceOf(content, panel, metric, hex),
    }));
    if (chosen.length > 1 && hasMean) {
      lines.push({
        kind: "mean", number, name: `${title}mean of ${plural(chosen.length, "hexagon")}`,
        values: meanOf(content, panel, metric, chosen),
      });
    }
  });
  return lines;
}

export function makeTraces(app) {
  const { content, store } = app;
  const canvas = byId("plot");
  let lines = [];
  const still = make("canvas", {});

  const dashes = [[], [6, 4], [2, 3], [9, 3, 2, 3]];
  function styled(line) {
    const dash = dashes[line.number % dashes.length];
    if (line.kind === "population") return { ...line, colour: ink("dim"), width: 1.4, dash };
    if (line.kind === "mean") return { ...line, colour: ink("text"), width: 2.4, dash };
    const many = line.of > MOST_COLOURS;
    const colour = many ? "#d1495b" : traceInk(line.k);
    return { ...line, colour, width: many ? 0.8 : 1.5, alpha: many ? 0.35 : 1, dash };
  }

  function size() {
    const density = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    still.width = canvas.width = Math.max(1, Math.round(width * density));
    still.height = canvas.height = Math.max(1, Math.round(height * density));
    return { density, width, height };
  }

  function update() {
    lines = tracesOf(app).map(styled);
    const metric = content.metrics[store.state.metric];
    const n = store.state.selection.reduce((sum, hexes) => sum + hexes.length, 0);
    byId("plot-title").textContent = n ? plural(n, "selected hexagon") : "Population mean";
    canvas.setAttribute("aria-label", `${metric.label} over time: `
      + `${lines.map((line) => line.name).slice(0, 12).join(", ")}`);
    byId("clear").disabled = n === 0;
    byId("hint").hidden = n > 0;
    showLegend();
    redraw();
  }

  function showLegend() {
    const many = lines.filter((line) => line.kind === "hexagon").length > MOST_COLOURS;
    const listed = lines.filter((line) => line.kind !== "hexagon" || !many);
    byId("legend").replaceChildren(...listed.map((line) => {
      const chip = make("span", { className: `chip ${line.dash.length ? "dashed" : ""}` });
      chip.style.borderColor = line.colour;
      return make("li", {}, chip, line.name);
    }));
  }

  function redraw() {
    const { density, width, height } = size();
    const context = still.getContext("2d");
    context.scale(density, density);
    const metric = content.metrics[store.state.metric];
    const label = metric.units || metric.label;
    const order = [...lines].sort((a, b) => rank(a) - rank(b));
    drawPlot(context, plotBox(width, height), content.time, order, content.marks, label,
      metric.fitted);
    drawCursor();
  }

  function drawCursor() {
    const context = canvas.getContext("2d");
    const density = window.devicePixelRatio || 1;
    const box = plotBox(canvas.width / density, canvas.height / density);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(still, 0, 0);
    const { time } = content;
    const total = (time.n - 1) * time.step + time.bin;
    const x = box.left + (box.width * (store.state.bin * time.step + time.bin / 2)) / total;
    context.fillStyle = ink("accent");
    context.fillRect((x - 0.75) * density, box.top * density, 1.5 * density, box.height * density);
  }

  function binAt(event) {
    const frame = canvas.getBoundingClientRect();
    const box = plotBox(canvas.clientWidth, canvas.clientHeight);
    const { time } = content;
    const total = (time.n - 1) * time.step + time.bin;
    const at = ((event.clientX - frame.left - box.left) / box.width) * (total / time.step);
    return Math.min(time.n - 1, Math.max(0, Math.floor(at)));
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    app.clock.goTo(binAt(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) app.clock.goTo(binAt(event));
  });
  return { update, redraw, drawCursor };
}

function rank(line) {
  return { hexagon: 0, population: 1, mean: 2 }[line.kind];
}
