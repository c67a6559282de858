// Codes to values, in the same steps as the cube: 64-bit floats rounded to 32 bits.

export function metricIndex(content, name) {
  return content.metrics.findIndex((metric) => metric.name === name);
}

export function codeAt(panel, metric, bin, hex) {
  const variable = panel.variables[panel.variableOf[metric]];
  const block = variable.blocks[Math.floor(bin / panel.binsPerBlock)];
  return block ? block[(bin % panel.binsPerBlock) * panel.hex.length + hex] : 0;
}

// Return the significant cluster of a hexagon, 0 for none.
export function clusterAt(panel, bin, hex) {
  const variable = panel.variables.find((one) => one.kind === "outlined");
  const block = variable && variable.blocks[Math.floor(bin / panel.binsPerBlock)];
  return block ? block[(bin % panel.binsPerBlock) * panel.hex.length + hex] : 0;
}

export function valueOf(content, panel, metric, code, hex) {
  if (code === 0) return NaN;
  const variable = panel.variables[panel.variableOf[metric]];
  if (variable.kind === "steps") {
    if (code === 2 ** variable.bits - 1) return Infinity;
    if (code === 2 ** variable.bits - 2) return -Infinity;
    return Math.fround(variable.low + variable.step * (code - 1));
  }
  const count = code - 1;
  const { name } = content.metrics[metric];
  if (name === "recruitment") {
    return Math.fround((100 * count) / (panel.neurons[hex] * panel.trials));
  }
  if (name === "rate") {
    return Math.fround(count / (Math.max(panel.neurons[hex], 1) * panel.seconds));
  }
  return Math.fround(count / panel.trials);
}

export function valueAt(content, panel, metric, bin, hex) {
  return valueOf(content, panel, metric, codeAt(panel, metric, bin, hex), hex);
}

export function traceOf(content, panel, metric, hex) {
  const trace = new Float64Array(content.time.n);
  for (let bin = 0; bin < trace.length; bin += 1) {
    trace[bin] = valueAt(content, panel, metric, bin, hex);
  }
  return trace;
}

// Return the mean over hexagons with a value, with the same weight for every neuron.
export function meanOf(content, panel, metric, hexes) {
  const variable = panel.variables[panel.variableOf[metric]];
  const pooled = variable.kind === "counts" ? POOLED[content.metrics[metric].name] : weighted;
  const mean = new Float64Array(content.time.n);
  for (let bin = 0; bin < mean.length; bin += 1) {
    const known = hexes.filter((hex) => codeAt(panel, metric, bin, hex) !== 0);
    mean[bin] = pooled(content, panel, metric, bin, known);
  }
  return mean;
}

const POOLED = {
  recruitment: (content, panel, metric, bin, known) =>
    100 * (total(panel, metric, bin, known) / (neuronsOf(panel, known) * panel.trials)),
  rate: (content, panel, metric, bin, known) =>
    total(panel, metric, bin, known) / (neuronsOf(panel, known) * panel.seconds),
  n_recruited: (content, panel, metric, bin, known) =>
    total(panel, metric, bin, known) / (known.length * panel.trials),
};

function weighted(content, panel, metric, bin, known) {
  let sum = 0;
  for (const hex of known) sum += valueAt(content, panel, metric, bin, hex) * panel.neurons[hex];
  return sum / neuronsOf(panel, known);
}

function total(panel, metric, bin, known) {
  let sum = 0;
  for (const hex of known) sum += codeAt(panel, metric, bin, hex) - 1;
  return sum;
}

function neuronsOf(panel, hexes) {
  let sum = 0;
  for (const hex of hexes) sum += panel.neurons[hex];
  return sum;
}
