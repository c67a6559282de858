// The hexagon of each pixel, computed once per view, so that a frame is one look-up.

import { ROOT_OF_3, numberAt } from "./geometry.js";

// Return the number of the hexagon of each pixel (0 for none); for pixels on an edge, also the
// hexagon beyond it and the share of the first.
export function cover(grid, view, width, height) {
  const own = new Int32Array(width * height);
  const edges = { at: [], other: [], share: [] };
  const { table, radius, origin } = grid;
  const apothem = (radius * ROOT_OF_3) / 2 / view.perPixel;
  const step = view.perPixel / radius;
  for (let row = 0; row < height; row += 1) {
    const y = (view.top - (row + 0.5) * view.perPixel - origin[1]) / radius;
    const fr = (2 * y) / 3;
    const top = fr - table.low.r;
    if (top < -1 || top > table.height) continue;
    let x = (view.left + 0.5 * view.perPixel - origin[0]) / radius;
    for (let column = 0; column < width; column += 1, x += step) {
      const fq = (x * ROOT_OF_3 - y) / 3;
      const fs = -fq - fr;
      let q = Math.round(fq);
      let r = Math.round(fr);
      const s = Math.round(fs);
      const [eq, er, es] = [Math.abs(q - fq), Math.abs(r - fr), Math.abs(s - fs)];
      if (eq > er && eq > es) q = -r - s;
      else if (er > es) r = -q - s;
      const at = row * width + column;
      const here = numberAt(table, q, r);
      own[at] = here;
      const [dq, dr] = [fq - q, fr - r];
      const ds = -dq - dr;
      const [a, b, c] = [dq - ds, dr - dq, ds - dr];
      const most = Math.max(Math.abs(a), Math.abs(b), Math.abs(c));
      const distance = (1 - most) * apothem;
      if (distance >= 0.5) continue;
      let beyond;
      if (most === Math.abs(a)) beyond = numberAt(table, q + Math.sign(a), r);
      else if (most === Math.abs(b)) beyond = numberAt(table, q - Math.sign(b), r + Math.sign(b));
      else beyond = numberAt(table, q, r - Math.sign(c));
      if (beyond === here) continue;
      edges.at.push(at);
      edges.other.push(beyond);
      edges.share.push(0.5 + Math.max(0, distance));
    }
  }
  return {
    own,
    at: Int32Array.from(edges.at),
    other: Int32Array.from(edges.other),
    share: Float32Array.from(edges.share),
  };
}

// Copy the colours of hexagons to pixels, both 0xAABBGGRR.
export function paint(covered, colours, pixels) {
  const { own, at, other, share } = covered;
  for (let k = 0; k < own.length; k += 1) pixels[k] = colours[own[k]];
  for (let k = 0; k < at.length; k += 1) {
    const first = pixels[at[k]];
    const second = colours[other[k]];
    if (first !== second) pixels[at[k]] = mixed(first, second, share[k]);
  }
}

function mixed(first, second, share) {
  if (second === 0) return faded(first, share);
  if (first === 0) return faded(second, 1 - share);
  const rest = 1 - share;
  const red = share * (first & 255) + rest * (second & 255);
  const green = share * ((first >>> 8) & 255) + rest * ((second >>> 8) & 255);
  const blue = share * ((first >>> 16) & 255) + rest * ((second >>> 16) & 255);
  return ((first & 0xff000000) | (blue << 16) | (green << 8) | red) >>> 0;
}

function faded(colour, share) {
  return (((share * (colour >>> 24)) << 24) | (colour & 0xffffff)) >>> 0;
}
