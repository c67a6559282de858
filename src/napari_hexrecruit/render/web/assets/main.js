// Read the contents of the page, assemble its parts, and keep them up to date.

import { byId, make } from "./base.js";
import { addAbout } from "./about.js";
import { makeClock } from "./clock.js";
import { makeColourBar } from "./colourbar.js";
import { bytesOf, readBlocks } from "./data.js";
import { addFiles, linkTo, tableOfTraces } from "./files.js";
import { gridOf } from "./geometry.js";
import { addKeyboard } from "./keyboard.js";
import { makeMap } from "./map.js";
import { addControls, showControls, showHover, showTime } from "./panels.js";
import { groupsOf, makeSelection } from "./selection.js";
import { firstState, makeStore, stateOf } from "./state.js";
import { makeTraces } from "./traces.js";
import { valueOf } from "./values.js";

function tell(text) {
  byId("message").textContent = text;
  byId("message").hidden = false;
}

function joined(grids) {
  return {
    left: Math.min(...grids.map((grid) => grid.bounds.left)),
    right: Math.max(...grids.map((grid) => grid.bounds.right)),
    bottom: Math.min(...grids.map((grid) => grid.bounds.bottom)),
    top: Math.max(...grids.map((grid) => grid.bounds.top)),
  };
}

function makeApp(content) {
  const grids = content.panels.map(gridOf);
  const bounds = joined(grids);
  const groups = groupsOf(content);
  const first = { ...firstState(content, bounds, groups), ...stateOf(location.hash, content, groups) };
  const store = makeStore(first);
  const app = { content, grids, bounds, groups, store, under: null };
  app.extremes = content.metrics.map((metric) => metric.clim);
  app.selection = makeSelection(store, groups);
  app.clock = makeClock(content.time, store);
  app.zoom = (factor, at) => {
    const { view } = store.state;
    const zoom = Math.min(200, Math.max(0.5, view.zoom * factor));
    const share = view.zoom / zoom;
    const [x, y] = at ?? [view.x, view.y];
    store.set({ view: { x: x + (view.x - x) * share, y: y + (view.y - y) * share, zoom } });
  };
  return app;
}

function showTitles(content) {
  byId("title").textContent = content.title;
  const abouts = content.panels.map((panel) => new Map(panel.about));
  const alike = ["Population", "Filter", "Radius", "Bin"].filter((label) =>
    abouts.every((about) => about.get(label) === abouts[0].get(label)));
  byId("subtitle").textContent = alike.map((label) => `${label} ${abouts[0].get(label)}`).join(" · ");
}

function addMaps(app) {
  app.maps = app.content.panels.map((_, number) => makeMap(app, number));
  const aspect = (app.bounds.right - app.bounds.left) / (app.bounds.top - app.bounds.bottom);
  byId("maps").style.setProperty("--aspect", aspect.toFixed(4));
  byId("maps").style.setProperty("--columns", Math.min(app.maps.length, aspect > 2 ? 1 : 3));
  byId("maps").append(...app.maps.map((map) => map.figure));
  document.body.append(make("div", { id: "tip", hidden: true }));
}

function connect(app, traces) {
  const { store } = app;
  const size = () => app.maps.forEach((map) => map.resize());
  const all = () => {
    size();
    app.bar.draw();
    traces.redraw();
  };
  const frame = () => app.maps.forEach((map) => map.drawFrame());
  const above = () => app.maps.forEach((map) => map.drawAbove());
  store.onChange((changed) => {
    const has = (...names) => names.some((name) => changed.has(name));
    if (has("theme")) showControls(app);
    if (has("view")) size();
    else if (has("bin", "metric", "limits", "colormaps")) frame();
    if (has("selection", "hover")) above();
    if (has("metric", "limits", "colormaps")) app.bar.draw();
    if (has("metric", "selection")) traces.update();
    if (has("bin")) traces.drawCursor();
    if (has("bin", "metric")) showTime(app);
    if (has("hover", "playing")) showHover(app);
    if (has("playing", "loop", "dilation", "metric", "lasso")) showControls(app);
    if (has("theme")) {
      traces.update();
      all();
    }
  });
  new ResizeObserver(all).observe(byId("maps"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    traces.update();
    all();
  });
  // Print in the light theme, because paper is light.
  const inTheme = (theme) => {
    document.documentElement.dataset.theme = theme;
    traces.update();
    all();
  };
  addEventListener("beforeprint", () => inTheme("light"));
  addEventListener("afterprint", () => inTheme(store.state.theme));
  addEventListener("hashchange", () =>
    store.set(stateOf(location.hash, app.content, app.groups)));
}

// Find the smallest and largest value of each metric; the colour bar includes them.
function findExtremes(app) {
  const { content } = app;
  app.extremes = content.metrics.map((_, metric) => {
    let [low, high] = [Infinity, -Infinity];
    for (const panel of content.panels) {
      const n = panel.hex.length;
      for (const block of panel.variables[panel.variableOf[metric]].blocks) {
        for (let hex = 0; hex < n; hex += 1) {
          let [least, most] = [Infinity, 0];
          for (let k = hex; k < block.length; k += n) {
            if (block[k] !== 0 && block[k] < least) least = block[k];
            if (block[k] > most) most = block[k];
          }
          const finite = [least, most].map((code) =>
            valueOf(content, panel, metric, Number.isFinite(code) ? code : 0, hex));
          if (Number.isFinite(finite[0])) low = Math.min(low, finite[0]);
          if (Number.isFinite(finite[1])) high = Math.max(high, finite[1]);
        }
      }
    }
    return low <= high ? [low, high] : content.metrics[metric].clim;
  });
}

function warnings(app) {
  const { content } = app;
  const none = content.panels.every((panel) => panel.population[0].every((one) => one === null));
  if (none) tell("No hexagon has a value: each has fewer neurons than a percentage needs.");
  else if (new Set(content.panels.map((panel) => panel.radius)).size > 1) {
    tell("These maps have hexagons of different radius: each has a selection of its own.");
  }
}

async function readUnder(app) {
  if (!app.content.under) return;
  const { kind, data } = app.content.under;
  app.under = await createImageBitmap(new Blob([bytesOf(data)], { type: kind }));
}

async function start() {
  const content = JSON.parse(byId("content").textContent);
  showTitles(content);
  if (!("DecompressionStream" in window)) {
    tell("This browser is too old for this page, it lacks DecompressionStream: open the page in "
      + "Chrome 80, Edge 80, Firefox 113, Safari 16.4 or newer.");
    return;
  }
  const app = makeApp(content);
  document.documentElement.dataset.theme = app.store.state.theme;
  byId("main").hidden = false;
  addMaps(app);
  app.bar = makeColourBar(app);
  const traces = makeTraces(app);
  addControls(app);
  addFiles(app);
  addAbout(app);
  addKeyboard(app, content);
  await readUnder(app);
  connect(app, traces);
  await readBlocks(content, app.store.state.bin, (done, total) => {
    app.maps.forEach((map) => map.drawFrame(true));
    document.documentElement.dataset.ready = done === total ? "all" : "first";
  });
  findExtremes(app);
  showControls(app);
  showTime(app);
  app.bar.draw();
  traces.update();
  warnings(app);
  // For pages that embed this one, and for tests.
  globalThis.hexrecruit = Object.freeze({
    content,
    state: app.store.state,
    set: app.store.set,
    link: () => linkTo(app),
    traces: () => tableOfTraces(app),
  });
  document.documentElement.dataset.ready = "done";
}

start();
