// Packed values of the page to typed arrays.

import { byId } from "./base.js";

export function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k += 1) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

async function inflated(text) {
  const stream = new Blob([bytesOf(text)]).stream();
  const plain = stream.pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Read the codes of one block: all low bytes come first, then the higher ones.
async function codesOf(id, nBytes) {
  const element = byId(id);
  const planes = await inflated(element.textContent);
  element.remove();
  if (nBytes === 1) return planes;
  const n = planes.length / nBytes;
  const codes = nBytes === 2 ? new Uint16Array(n) : new Uint32Array(n);
  for (let k = 0; k < n; k += 1) {
    let code = 0;
    for (let plane = nBytes - 1; plane >= 0; plane -= 1) {
      code = code * 256 + planes[plane * n + k];
    }
    codes[k] = code;
  }
  return codes;
}

// Read every block of every variable, starting with the block of the first bin to show.
export async function readBlocks(content, firstBin, onBlock) {
  const wanted = [];
  content.panels.forEach((panel, p) => {
    const nBlocks = Math.ceil(content.time.n / panel.binsPerBlock);
    const first = Math.floor(firstBin / panel.binsPerBlock);
    panel.variables.forEach((variable, v) => {
      variable.blocks = Array.from({ length: nBlocks }, () => null);
      for (let k = 0; k < nBlocks; k += 1) {
        wanted.push({ variable, k, id: `values-${p}-${v}-${k}`, later: k !== first });
      }
    });
  });
  wanted.sort((a, b) => Number(a.later) - Number(b.later));
  const atOnce = wanted.filter((one) => !one.later).length;
  for (const [done, { variable, k, id }] of wanted.entries()) {
    variable.blocks[k] = await codesOf(id, variable.bits / 8);
    if (done + 1 >= atOnce) onBlock(done + 1, wanted.length);
  }
}
