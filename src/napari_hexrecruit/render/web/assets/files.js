// Exports: a picture of the frame, a table of the traces, a link to the current view.

import { byId, ink, make } from "./base.js";
import { paintBar } from "./colourbar.js";
import { timeText } from "./clock.js";
import { hashOf } from "./state.js";
import { tracesOf } from "./traces.js";

const PICTURE_MARGIN = 16;
const BAR = 90;

function save(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName(app, ending) {
  const plain = app.content.title.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|-+$/g, "");
  return `${plain.slice(0, 60) || "recruitment"}${ending}`;
}

// Draw the frame on a canvas: title, time, maps and colour bar, at twice the size on the page.
export function pictureOf(app) {
  const scale = 2;
  const frames = app.maps.map((map) => map.figure.getBoundingClientRect());
  const first = { left: Math.min(...frames.map((f) => f.left)), top: Math.min(...frames.map((f) => f.top)) };
  const right = Math.max(...frames.map((f) => f.right)) - first.left;
  const bottom = Math.max(...frames.map((f) => f.bottom)) - first.top;
  const head = 64;
  const [width, height] = [right + BAR + 2 * PICTURE_MARGIN, bottom + head + 2 * PICTURE_MARGIN];
  const canvas = make("canvas", { width: width * scale, height: height * scale });
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = ink("page");
  context.fillRect(0, 0, width, height);
  context.fillStyle = ink("text");
  context.textBaseline = "top";
  context.font = `600 18px ${ink("font")}`;
  context.fillText(app.content.title, PICTURE_MARGIN, PICTURE_MARGIN, width - 2 * PICTURE_MARGIN);
  context.font = `16px ${ink("font")}`;
  context.fillText(timeText(app.content.time, app.store.state.bin), PICTURE_MARGIN, PICTURE_MARGIN + 28);
  app.maps.forEach((map, k) => {
    const box = map.box.getBoundingClientRect();
    const [x, y] = [box.left - first.left + PICTURE_MARGIN, box.top - first.top + head + PICTURE_MARGIN];
    context.font = `600 14px ${ink("font")}`;
    context.fillStyle = ink("text");
    if (app.content.panels[k].title) {
      context.fillText(app.content.panels[k].title, x, frames[k].top - first.top + head + PICTURE_MARGIN);
    }
    for (const layer of map.canvases) context.drawImage(layer, x, y, box.width, box.height);
  });
  const metric = app.content.metrics[app.store.state.metric];
  const bar = { left: right + PICTURE_MARGIN + 14, top: head + PICTURE_MARGIN, width: 20, height: bottom - 8 };
  paintBar(app, context, bar, app.bar.span(), ink("text"), ink("font"));
  context.translate(width - 12, bar.top + bar.height / 2);
  context.rotate(-Math.PI / 2);
  Object.assign(context, { textAlign: "center", textBaseline: "middle" });
  context.font = `13px ${ink("font")}`;
  context.fillText(metric.units ? `${metric.label} (${metric.units})` : metric.label, 0, 0);
  return canvas;
}

export function tableOfTraces(app) {
  const { time } = app.content;
  const lines = tracesOf(app);
  const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = [["time_ms", ...lines.map((line) => line.name)].map(cell).join(",")];
  for (let bin = 0; bin < time.n; bin += 1) {
    const values = lines.map((line) => (Number.isNaN(line.values[bin]) ? "" : line.values[bin]));
    rows.push([Number((time.start + bin * time.step).toPrecision(15)), ...values].join(","));
  }
  return `${rows.join("\n")}\n`;
}

export function linkTo(app) {
  const hash = hashOf(app.store.state, app.content, app.bounds, app.groups);
  return `${location.href.split("#")[0]}${hash}`;
}

export function addFiles(app) {
  byId("save-picture").addEventListener("click", () => {
    const time = timeText(app.content.time, app.store.state.bin).replaceAll(" ", "-");
    pictureOf(app).toBlob((blob) => save(fileName(app, `-${time}.png`), blob), "image/png");
  });
  byId("save-traces").addEventListener("click", () => {
    const blob = new Blob([tableOfTraces(app)], { type: "text/csv" });
    save(fileName(app, "-traces.csv"), blob);
  });
  const inNotebook = location.protocol === "about:";
  byId("copy-link").hidden = inNotebook;
  byId("copy-link").addEventListener("click", async () => {
    const link = linkTo(app);
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      byId("copy-link").textContent = "Copied";
      setTimeout(() => { byId("copy-link").textContent = "Copy link to this moment"; }, 1500);
    } catch {
      byId("link-text").value = link;
      byId("link").showModal();
      byId("link-text").select();
    }
  });
  byId("link-close").addEventListener("click", () => byId("link").close());
}
