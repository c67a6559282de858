// The origin of the numbers, and the keyboard shortcuts.

import { byId, make } from "./base.js";

const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one bin back or forward"],
  ["Home, End", "first or last bin"],
  ["+ −", "faster or slower"],
  ["Arrows on a map", "move to a hexagon; with Shift move the map"],
  ["Enter on a map", "select the hexagon; with Shift add it"],
  ["Esc on a map", "clear the selection"],
];

function table(rows) {
  const body = make("tbody", {}, ...rows.map(([label, text]) => make("tr", {},
    Object.assign(make("th", { textContent: label }), { scope: "row" }),
    make("td", { textContent: text }))));
  return make("table", {}, body);
}

function storedText(content, panel) {
  const texts = content.metrics.map((metric, k) => {
    const variable = panel.variables[panel.variableOf[k]];
    if (variable.kind === "counts") return `${metric.label}: exact counts`;
    const step = Number(variable.step.toPrecision(3));
    return `${metric.label}: in steps of ${step} ${metric.units}`.trim();
  });
  return [["Values in this page", texts.join("; ")]];
}

export function addAbout(app) {
  const { content } = app;
  const parts = content.panels.flatMap((panel, k) => [
    ...(content.panels.length > 1
      ? [make("h3", { textContent: panel.title || `Map ${k + 1}` })] : []),
    table([...panel.about, ...storedText(content, panel)]),
  ]);
  byId("about-body").append(
    ...parts,
    make("h3", { textContent: "Keys" }), table(KEYS),
    make("p", { textContent: `Page written by napari-hexrecruit ${content.version}.` }));
  byId("about-open").addEventListener("click", () => byId("about").showModal());
  byId("about-close").addEventListener("click", () => byId("about").close());
}
