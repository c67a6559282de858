// Values to colours, with the same tables and rows as in movies.

import { bytesOf } from "./data.js";
import { clamp } from "./base.js";

const tables = new Map();

// Return the colours of a colormap from low to high, each 0xAABBGGRR with the hexagons' opacity.
export function tableOf(content, name) {
  if (!tables.has(name)) {
    const bytes = bytesOf(content.colormaps[name]);
    const alpha = Math.round(255 * content.opacity);
    const table = new Uint32Array(bytes.length / 3);
    for (let k = 0; k < table.length; k += 1) {
      const [red, green, blue] = bytes.subarray(3 * k, 3 * k + 3);
      table[k] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
    tables.set(name, table);
  }
  return tables.get(name);
}

export function rowOf(value, [low, high], n) {
  return Math.floor(clamp((value - low) * (n / (high - low)), 0, n - 1));
}

export function cssColour(table, row) {
  const packed = table[row];
  return `rgb(${packed & 255} ${(packed >>> 8) & 255} ${(packed >>> 16) & 255})`;
}

// Fill in the colours of all hexagons in a bin, from position 1 on; no value is 0, transparent.
// Return the number of hexagons without a value.
export function coloursAt(values, limits, table, colours) {
  let nMissing = 0;
  for (let hex = 0; hex < values.length; hex += 1) {
    const value = values[hex];
    if (Number.isNaN(value)) nMissing += 1;
    colours[hex + 1] = Number.isNaN(value) ? 0 : table[rowOf(value, limits, table.length)];
  }
  return nMissing;
}
