// The current state, its listeners, and its form as the hash of the address.

import { clamp } from "./base.js";
import { metricIndex } from "./values.js";
import { wholeView } from "./geometry.js";

export function makeStore(initial) {
  const listeners = [];
  const state = { ...initial };
  return {
    state,
    onChange: (listener) => listeners.push(listener),
    set(changes) {
      const changed = new Set();
      for (const [name, value] of Object.entries(changes)) {
        if (state[name] !== value) changed.add(name);
        state[name] = value;
      }
      if (changed.size > 0) listeners.forEach((listener) => listener(changed));
    },
  };
}

export function firstState(content, bounds, groups) {
  return {
    bin: 0,
    playing: false,
    loop: true,
    dilation: content.dilation ?? 50 / content.time.step,
    metric: 0,
    limits: content.metrics.map((metric) => metric.clim),
    colormaps: content.metrics.map((metric) => metric.colormap),
    selection: groups.map(() => []),
    view: wholeView(bounds),
    theme: "",
    hover: null,
    lasso: false,
  };
}

export function hashOf(state, content, bounds, groups) {
  const parts = new URLSearchParams();
  const { time } = content;
  parts.set("t", (time.start + state.bin * time.step).toFixed(time.decimals));
  parts.set("metric", content.metrics[state.metric].name);
  parts.set("clim", state.limits[state.metric].join(","));
  parts.set("colormap", state.colormaps[state.metric]);
  const whole = wholeView(bounds);
  if (["x", "y", "zoom"].some((name) => state.view[name] !== whole[name])) {
    parts.set("view", [state.view.x, state.view.y, state.view.zoom].map(shortened).join(","));
  }
  groups.forEach((group, k) => {
    const names = state.selection[k].map((hex) => content.panels[group[0]].hex[hex]);
    if (names.length > 0) parts.set(`selected${k || ""}`, names.join(","));
  });
  if (state.theme) parts.set("theme", state.theme);
  return `#${parts}`;
}

function shortened(value) {
  return Number(value.toPrecision(7));
}

// Return the state in a hash; invalid parts are ignored.
export function stateOf(hash, content, groups) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const { time } = content;
  const found = {};
  const at = Number(parts.get("t") ?? NaN);
  if (Number.isFinite(at)) {
    found.bin = clamp(Math.floor((at - time.start) / time.step + 1e-6), 0, time.n - 1);
  }
  const metric = Math.max(0, metricIndex(content, parts.get("metric")));
  if (parts.has("metric")) found.metric = metric;
  const limits = numbers(parts.get("clim"), 2);
  if (limits && limits[0] < limits[1]) {
    found.limits = content.metrics.map((one, k) => (k === metric ? limits : one.clim));
  }
  if (Object.hasOwn(content.colormaps, parts.get("colormap") ?? "")) {
    found.colormaps = content.metrics.map((one, k) =>
      k === metric ? parts.get("colormap") : one.colormap);
  }
  const view = numbers(parts.get("view"), 3);
  if (view && view[2] > 0) found.view = { x: view[0], y: view[1], zoom: view[2] };
  if (groups.some((_, k) => parts.has(`selected${k || ""}`))) {
    found.selection = groups.map((group, k) => {
      const names = (parts.get(`selected${k || ""}`) ?? "").split(",");
      const known = names.map((name) => content.panels[group[0]].hex.indexOf(name));
      return [...new Set(known.filter((hex) => hex >= 0))];
    });
  }
  if (["light", "dark"].includes(parts.get("theme"))) found.theme = parts.get("theme");
  return found;
}

function numbers(text, n) {
  const found = (text ?? "").split(",").map(Number);
  return text && found.length === n && found.every(Number.isFinite) ? found : null;
}
