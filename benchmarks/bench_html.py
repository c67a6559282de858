"""Time web pages in a real browser: size, time to write, first frame, time to draw a frame.

    python -m benchmarks.bench_html

Chromium draws without a graphics card, in a map of 1000 x 700 px. Needs chromium and its driver.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.support.browser import browser, missing, open_page
from tests.support.cubes import cube_of, sheet_cube

from napari_hexrecruit import write_html

N_HEXES, N_BINS = 3000, (1000, 10_000)
WINDOW = (1180, 1190)
"""Size of the page that gives the map 1000 x 700 px."""
WATCH = """
new MutationObserver(() => {
  const { ready } = document.documentElement?.dataset ?? {};
  if (ready) globalThis[`at_${ready}`] ??= performance.now();
}).observe(document, { subtree: true, attributes: true });
"""
DRAW = """
const times = [];
for (let bin = 0; bin < 300; bin += 1) {
  const before = performance.now();
  hexrecruit.set({ bin });
  times.push(performance.now() - before);
}
return times;
"""
PLAY = """
const done = arguments[0];
hexrecruit.set({ playing: true });
const start = performance.now();
let n = 0;
const count = () => {
  n += 1;
  const passed = performance.now() - start;
  if (passed < 4000) requestAnimationFrame(count);
  else done(n / passed * 1000);
};
requestAnimationFrame(count);
"""


def noisy_cube(n_bins):
    """Return rings of activity in which neurons fire at random: counts that compress badly."""
    smooth = sheet_cube(n_hexes=N_HEXES, n_bins=n_bins)
    chance = smooth["recruitment"].values / 100.0
    neurons = smooth["n_neurons"].values
    counts = np.random.default_rng(0).binomial(neurons[None, :], chance)
    return cube_of(counts, row=smooth["row"], col=smooth["col"], n_neurons=neurons)


def measure(driver, page):
    """Measure the times to the first frame, to all values and of drawing, ms, and frames/s."""
    open_page(driver, page, size=WINDOW)
    canvas = "const c = document.querySelector('.hexagons'); return [c.width, c.height]"
    size = driver.execute_script(canvas)
    first, ready = driver.execute_script("return [at_first ?? at_all, at_done]")
    drawn = np.array(driver.execute_script(DRAW))
    return size, first, ready, np.median(drawn), driver.execute_async_script(PLAY)


def main():
    if missing():
        sys.exit(missing())
    print("| bins | page | written in | map | first frame | all values | draw a frame | plays at |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        with browser(folder) as driver:
            watch = {"source": WATCH}
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", watch)
            for n_bins in N_BINS:
                cube = noisy_cube(n_bins)
                start = time.perf_counter()
                page = write_html(cube, folder / f"{n_bins}.html")
                written = time.perf_counter() - start
                (width, height), first, ready, draw, rate = measure(driver, page)
                print(
                    f"| {n_bins:,} | {page.stat().st_size / 1e6:.1f} MB | {written:.1f} s"
                    f" | {width} x {height} | {first / 1000:.2f} s | {ready / 1000:.2f} s"
                    f" | {draw:.1f} ms | {rate:.0f} fps |"
                )


if __name__ == "__main__":
    main()
