// A plot of traces over time: lines, axes, marks, cursor.

import { ink, readable, ticks } from "./base.js";

// Colours that are visible on light and dark backgrounds.
const INKS = ["#d9536a", "#1795ab", "#d99a1c", "#9b6bc7", "#4a9e5c", "#c9722f", "#5f85d8",
  "#c25fa9", "#8d8d35", "#2fa393"];
const MARGIN = { left: 52, right: 24, top: 10, bottom: 38 };

export function traceInk(k) {
  return INKS[k % INKS.length];
}

export function plotBox(width, height) {
  return {
    left: MARGIN.left,
    top: MARGIN.top,
    width: Math.max(1, width - MARGIN.left - MARGIN.right),
    height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
  };
}

// Draw everything except the cursor. Lines have values, a colour, a width and a dash.
export function drawPlot(context, box, time, lines, marks, label, fitted) {
  const span = spanOf(lines, fitted);
  const { low } = span;
  const end = time.start + (time.n - 1) * time.step + time.bin;
  const x = (ms) => box.left + (box.width * (ms - time.start)) / (end - time.start);
  const y = (value) => box.top + box.height * (1 - (value - low) / (span.high - low));
  drawMarks(context, box, marks, x);
  drawAxes(context, box, { x, y, span, start: time.start, end, from: time.from }, label);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  for (const line of lines) drawLine(context, box, line, time, x, y);
  context.restore();
}

// Return the range of the axis. It includes 0, unless the quantity need not begin there, like a
// voltage, and all values are below 0.
function spanOf(lines, fitted) {
  const top = Math.max(...lines.map((line) => extreme(line.values, Math.max, -Infinity)));
  const away = fitted && Number.isFinite(top) && top < 0;
  const most = away ? top : Math.max(1e-9, top);
  const first = away ? Infinity : 0;
  const least = Math.min(...lines.map((line) => extreme(line.values, Math.min, first)), first);
  const air = 0.05 * (most - least || 1);
  return { low: away ? least - air : least, high: most + air };
}

function extreme(values, choose, start) {
  let found = start;
  for (const value of values) if (Number.isFinite(value)) found = choose(found, value);
  return found;
}

function drawMarks(context, box, marks, x) {
  context.fillStyle = ink("mark");
  for (const mark of marks) {
    const left = Math.max(box.left, x(mark.start));
    const right = Math.min(box.left + box.width, x(mark.stop));
    if (right > left) context.fillRect(left, box.top, Math.max(1, right - left), box.height);
  }
}

function drawAxes(context, box, { x, y, span, start, end, from }, label) {
  Object.assign(context, { fillStyle: ink("dim"), strokeStyle: ink("line"), lineWidth: 1 });
  context.font = `12px ${ink("font")}`;
  context.beginPath();
  Object.assign(context, { textAlign: "right", textBaseline: "middle" });
  for (const value of ticks(span.low, span.high, 4)) {
    context.moveTo(box.left, Math.round(y(value)) + 0.5);
    context.lineTo(box.left + box.width, Math.round(y(value)) + 0.5);
    context.fillText(readable(value), box.left - 6, y(value));
  }
  Object.assign(context, { textAlign: "center", textBaseline: "top" });
  for (const ms of ticks(start, end, Math.max(2, Math.min(10, box.width / 90)))) {
    context.fillText(readable(ms), x(ms), box.top + box.height + 5);
  }
  context.stroke();
  context.textAlign = "right";
  const since = from ? `Time since ${from} (ms)` : "Time (ms)";
  context.fillText(since, box.left + box.width, box.top + box.height + 21);
  context.save();
  context.translate(11, box.top + box.height / 2);
  context.rotate(-Math.PI / 2);
  Object.assign(context, { textAlign: "center", textBaseline: "middle" });
  context.fillText(label, 0, 0);
  context.restore();
}

// If a pixel covers several bins, draw only their smallest and largest value.
function drawLine(context, box, line, time, x, y) {
  const { values } = line;
  const perPixel = Math.max(1, Math.floor(values.length / (2 * box.width)));
  context.beginPath();
  let draws = false;
  for (let first = 0; first < values.length; first += perPixel) {
    const part = values.subarray(first, first + perPixel);
    const known = part.filter(Number.isFinite);
    const found = perPixel === 1 ? known : [Math.min(...known), Math.max(...known)];
    if (known.length === 0) draws = false;
    else {
      for (const value of found) {
        const at = [x(time.start + first * time.step + time.bin / 2), y(value)];
        if (draws) context.lineTo(...at);
        else context.moveTo(...at);
        draws = true;
      }
    }
  }
  Object.assign(context, { strokeStyle: line.colour, lineWidth: line.width, lineJoin: "round" });
  context.globalAlpha = line.alpha ?? 1;
  context.setLineDash(line.dash ?? []);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
