// Hexagons in flat space, and flat space on a canvas.

export const ROOT_OF_3 = Math.sqrt(3);
const MOST_CELLS = 1 << 24;

// Centres, corners and look-up of the hexagons of a panel; y points up.
export function gridOf(panel) {
  const { radius, origin } = panel;
  const n = panel.i.length;
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  const q = new Int32Array(n);
  const r = new Int32Array(n);
  for (let k = 0; k < n; k += 1) {
    x[k] = (ROOT_OF_3 * radius * (panel.i[k] + panel.j[k])) / 2 + origin[0];
    y[k] = (radius * (panel.j[k] - panel.i[k])) / 2 + origin[1];
    r[k] = (panel.j[k] - panel.i[k]) / 3;
    q[k] = panel.i[k] + r[k];
  }
  return { radius, origin, x, y, q, r, n, table: lookUp(q, r), bounds: boundsOf(x, y, radius) };
}

function boundsOf(x, y, radius) {
  const bounds = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (let k = 0; k < x.length; k += 1) {
    bounds.left = Math.min(bounds.left, x[k] - (ROOT_OF_3 / 2) * radius);
    bounds.right = Math.max(bounds.right, x[k] + (ROOT_OF_3 / 2) * radius);
    bounds.bottom = Math.min(bounds.bottom, y[k] - radius);
    bounds.top = Math.max(bounds.top, y[k] + radius);
  }
  return bounds;
}

// Make a table from axial coordinates to the number of the hexagon plus one; 0 for none. If the
// hexagons are far apart, it is a Map, because an array of all cells would not fit into memory.
function lookUp(q, r) {
  const [left, right] = rangeOf(q);
  const [bottom, top] = rangeOf(r);
  const low = { q: left - 1, r: bottom - 1 };
  const width = right - low.q + 2;
  const height = top - low.r + 2;
  const far = width * height > MOST_CELLS;
  const cells = far ? new Map() : new Int32Array(width * height);
  for (let k = 0; k < q.length; k += 1) {
    const at = (r[k] - low.r) * width + (q[k] - low.q);
    if (far) cells.set(at, k + 1);
    else cells[at] = k + 1;
  }
  return { low, width, height, cells, far };
}

function rangeOf(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return [low, high];
}

export function numberAt(table, q, r) {
  const column = q - table.low.q;
  const row = r - table.low.r;
  if (column < 0 || row < 0 || column >= table.width || row >= table.height) return 0;
  const at = row * table.width + column;
  return table.far ? table.cells.get(at) ?? 0 : table.cells[at];
}

// Return the hexagon at a position, or -1.
export function hexAt(grid, x, y) {
  const [q, r] = nearest((x - grid.origin[0]) / grid.radius, (y - grid.origin[1]) / grid.radius);
  return numberAt(grid.table, q, r) - 1;
}

function nearest(x, y) {
  const fq = (x * ROOT_OF_3 - y) / 3;
  const fr = (2 * y) / 3;
  let q = Math.round(fq);
  let r = Math.round(fr);
  const s = Math.round(-fq - fr);
  const [dq, dr, ds] = [Math.abs(q - fq), Math.abs(r - fr), Math.abs(s + fq + fr)];
  if (dq > dr && dq > ds) q = -r - s;
  else if (dr > ds) r = -q - s;
  return [q, r];
}

export const NEIGHBOURS = [[1, 0], [0, 1], [-1, 1], [-1, 0], [0, -1], [1, -1]];

export function cornersOf(grid, hex, scale = 1) {
  return Array.from({ length: 6 }, (_, k) => {
    const angle = (Math.PI / 180) * (30 + 60 * k);
    const length = grid.radius * scale;
    return [grid.x[hex] + length * Math.cos(angle), grid.y[hex] + length * Math.sin(angle)];
  });
}

// Return the edges around groups of hexagons (group 0 has none); by default, the sheet's rim.
export function rimOf(grid, groupOf = () => 1) {
  const edges = [];
  for (let hex = 0; hex < grid.n; hex += 1) {
    const group = groupOf(hex);
    if (group === 0) continue;
    const corners = cornersOf(grid, hex);
    NEIGHBOURS.forEach(([dq, dr], side) => {
      const beyond = numberAt(grid.table, grid.q[hex] + dq, grid.r[hex] + dr) - 1;
      if (beyond < 0 || groupOf(beyond) !== group) {
        edges.push([corners[(side + 5) % 6], corners[side]]);
      }
    });
  }
  return edges;
}

// Return the view of flat space on a canvas. Zoom 1 shows all of `bounds` above the foot, which
// contains the scale bar.
export function viewOn(bounds, view, [width, height], foot) {
  const [wide, high] = [bounds.right - bounds.left, bounds.top - bounds.bottom];
  const fit = 1.04 * Math.max(wide / width, high / Math.max(1, height - foot));
  const perPixel = fit / view.zoom;
  const left = view.x - (perPixel * width) / 2;
  const top = view.y + (perPixel * (height - foot)) / 2;
  return {
    perPixel,
    left,
    top,
    toPixel: (x, y) => [(x - left) / perPixel, (top - y) / perPixel],
    toFlat: (column, row) => [left + column * perPixel, top - row * perPixel],
  };
}

export function wholeView(bounds) {
  return { x: (bounds.left + bounds.right) / 2, y: (bounds.top + bounds.bottom) / 2, zoom: 1 };
}

export function isInside([x, y], polygon) {
  let inside = false;
  for (let k = 0, last = polygon.length - 1; k < polygon.length; last = k, k += 1) {
    const [ax, ay] = polygon[k];
    const [bx, by] = polygon[last];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
