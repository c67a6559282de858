"""Measure frames per second of movies, compared with matplotlib, and memory by length.

    python benchmarks/bench_movie.py [--quick]

prints two Markdown tables. The movie is like the published one: 76 bins of 10 ms, 3,000 hexagons,
colour bar and time stamp, 500 x 400 px. matplotlib draws it in two ways: a new figure for each
frame, as in notebooks, and one figure whose colours change. Times include all work from the cube to
the closed file; each is the best of several runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tests.support.cubes import sheet_cube

from napari_hexrecruit.render.frames import render_frames
from napari_hexrecruit.render.movie import write_movie

CLIM = (0.0, 50.0)
RUNS = 3


class Figure:
    """The map as a matplotlib figure: hexagons, colour bar, time."""

    def __init__(self, cube, size):
        import matplotlib as mpl

        mpl.use("agg")
        import matplotlib.pyplot as plt
        from matplotlib.collections import PolyCollection

        from napari_hexrecruit.hexgrid import HexGrid

        corners = HexGrid.from_attrs(cube.attrs).hex_to_corners(cube["i"], cube["j"])
        self._plt = plt
        self.figure, axes = plt.subplots(figsize=(size[0] / 100, size[1] / 100), dpi=100)
        self._hexagons = PolyCollection(corners, cmap="viridis", clim=CLIM, edgecolors="face")
        axes.add_collection(self._hexagons)
        axes.set_aspect("equal")
        axes.autoscale_view()
        axes.set_axis_off()
        self.figure.colorbar(self._hexagons, label="Perc. recruited")
        self._title = axes.set_title("")

    def show(self, cube, k):
        self._hexagons.set_array(cube["recruitment"].to_numpy()[k])
        self._title.set_text(f"{float(cube['time'][k]):.0f} ms")

    def save(self, path):
        self.figure.savefig(path, dpi=100)

    def pixels(self):
        self.figure.canvas.draw()
        return np.asarray(self.figure.canvas.buffer_rgba())[..., :3]

    def close(self):
        self._plt.close(self.figure)


def new_figures(cube, size):
    for k in range(cube.sizes["time"]):
        figure = Figure(cube, size)
        figure.show(cube, k)
        yield k, figure
        figure.close()


def one_figure(cube, size):
    figure = Figure(cube, size)
    for k in range(cube.sizes["time"]):
        figure.show(cube, k)
        yield k, figure
    figure.close()


def matplotlib_pngs(cube, size, target, figures):
    target.mkdir()
    for k, figure in figures(cube, size):
        figure.save(target / f"frame-{k:03d}.png")


def matplotlib_mp4(cube, size, target, figures):
    import imageio

    with imageio.get_writer(target, fps=20, macro_block_size=2) as writer:
        for _, figure in figures(cube, size):
            writer.append_data(figure.pixels())


def ours(cube, size, target):
    write_movie(render_frames(cube, size=size, clim=CLIM), target)


def rate(work, n_frames, folder, name, runs=RUNS):
    """Return the frames per second of the best run."""
    best = np.inf
    for run in range(runs):
        target = folder / f"{run}-{name}"
        start = time.perf_counter()
        work(target)
        best = min(best, time.perf_counter() - start)
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    return n_frames / best


def speeds(folder, quick):
    cube = sheet_cube(n_hexes=3000, n_bins=76)
    small, large, n = (500, 400), (1280, 720), cube.sizes["time"]
    ours(cube, small, folder / "warm-up.mp4")
    rows = []
    for what, name, work in (
        ("PNG folder", "pngs", matplotlib_pngs),
        ("MP4", "movie.mp4", matplotlib_mp4),
    ):
        new = rate(lambda t, w=work: w(cube, small, t, new_figures), n, folder, name, runs=1)
        reused = rate(lambda t, w=work: w(cube, small, t, one_figure), n, folder, name, runs=1)
        own = rate(lambda t: ours(cube, small, t), n, folder, name)
        rows.append((f"{what}, 500 x 400", own, new, reused))
    sizes = [("GIF, 500 x 400", "movie.gif", small), ("WebM, 500 x 400", "movie.webm", small)]
    sizes += [("PNG folder, 1280 x 720", "pngs", large), ("MP4, 1280 x 720", "movie.mp4", large)]
    for what, name, size in sizes:
        own = rate(lambda t, s=size: ours(cube, s, t), n, folder, name, runs=1 if quick else RUNS)
        rows.append((what, own, None, None))
    frames = render_frames(cube, size=large, clim=CLIM)
    rows.append(("frames only, 1280 x 720", rate_of_frames(frames), None, None))
    return rows


def rate_of_frames(frames):
    start = time.perf_counter()
    for _ in frames:
        pass
    return len(frames) / (time.perf_counter() - start)


def print_speeds(rows):
    print("| 76 frames, 3,000 hexagons | this package | a figure per frame | one figure reused |")
    print("|---|---:|---:|---:|")
    for what, own, new, reused in rows:
        others = (f"{o:.1f} fps ({own / o:.0f} times)" if o else "" for o in (new, reused))
        print(f"| {what} | {own:.0f} fps | {' | '.join(others)} |")


def memory_of(n_frames, folder):
    """Write a movie of `n_frames` of a cube's 10,000 bins; return the added memory, MB."""
    cube = sheet_cube(n_hexes=1000, n_bins=10_000)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = status("VmHWM")
    frames = render_frames(cube, stop=float(cube["time"][0]) + 10.0 * n_frames, size=(320, 240))
    write_movie(frames, folder / f"{n_frames}.mp4", overwrite=True)
    print(status("VmHWM") - before)


def status(name):
    """Return a value in the status of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def print_memory(folder, quick):
    if not Path("/proc/self/clear_refs").exists():
        print("Memory is measured on Linux only.")
        return
    print("| frames | memory added, at most |")
    print("|---:|---:|")
    for n in (100, 1000 if quick else 10_000):
        command = [sys.executable, __file__, "--memory-of", str(n), "--folder", str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        print(f"| {n:,} | {float(answer.stdout):.0f} MB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, 1,000 frames at most")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        memory_of(options.memory_of, options.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        print_speeds(speeds(Path(folder), options.quick))
        print()
        print_memory(Path(folder), options.quick)


if __name__ == "__main__":
    main()
