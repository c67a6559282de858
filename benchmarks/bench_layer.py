"""Compare the hexagon layer with plain points of the same values, in a viewer.

    scripts/with-display.sh python benchmarks/bench_layer.py

prints a Markdown table of figures and one of the limits on them. Plain points are one point per
(bin, hexagon), as napari shows them without the layer. Each kind of layer and number of bins is
measured in a separate process. Slider moves are timed without drawing, which is done between them.
Times are medians; memory is the increase after the layer was added and drawn.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tests.support.cubes import cube_of

N_HEXES = 3_000
CASES = (("hexagons", 1_000), ("points", 1_000), ("hexagons", 100), ("hexagons", 10_000))
MOVES = {"hexagons": 300, "points": 30}
CHANGES = {"hexagons": 50, "points": 5}


def main() -> None:
    figures = {case: measured(*case) for case in CASES}
    print(f"{len(os.sched_getaffinity(0))} cores, {versions()}, {N_HEXES:,} hexagons\n")
    print_figures(figures)
    print_demands(figures)


def measured(kind: str, n_bins: int) -> dict[str, float]:
    """Measure one kind of layer in a new process."""
    words = [sys.executable, __file__, kind, str(n_bins)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(kind: str, n_bins: int) -> None:
    """Print the figures of this process as JSON."""
    import napari
    from qtpy.QtWidgets import QApplication

    cube = cube_with(n_bins)
    viewer = napari.Viewer()
    # The first layer loads napari's shaders and controls, which are not to be measured.
    viewer.add_points(np.zeros((1, 3)))
    QApplication.processEvents()
    viewer.layers.clear()
    QApplication.processEvents()

    held_before = resident_mb()
    started = time.perf_counter()
    layer = layer_of(kind, cube)
    viewer.add_layer(layer)
    figures = {"add": time.perf_counter() - started}
    viewer.reset_view()
    draw(QApplication)
    figures["held"] = resident_mb() - held_before

    def move(k: int) -> None:
        viewer.dims.set_current_step(0, k % n_bins)

    def change(k: int) -> None:
        layer.face_contrast_limits = (0.0, 30.0 + k % 10)

    figures["move"] = median(move, MOVES[kind], QApplication)
    figures["limits"] = median(change, CHANGES[kind], QApplication)
    figures |= key_frame(layer)
    viewer.close()
    print(json.dumps(figures))


def layer_of(kind: str, cube):
    from napari.layers import Points

    from napari_hexrecruit._napari.layers.display import hex_points, plain_points
    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
    from napari_hexrecruit.metrics import METRICS

    if kind == "hexagons":
        return RecruitmentLayer(cube)
    data, features = plain_points(cube, METRICS["recruitment"])
    hexes = hex_points(cube)
    return Points(
        data,
        features=features,
        face_color="recruited",
        face_contrast_limits=(0, 50),
        border_width=0,
        size=hexes.size,
        scale=hexes.scale,
        translate=hexes.translate,
        units=hexes.units,
    )


def median(action, n: int, application) -> float:
    """Return the median time of an action, s, without the first calls and without drawing."""
    times = []
    for k in range(n + 3):
        started = time.perf_counter()
        action(k)
        times.append(time.perf_counter() - started)
        draw(application)
    return statistics.median(times[3:])


def key_frame(layer) -> dict[str, float]:
    """Measure time and size of the state that napari-animation captures of a layer."""
    started = time.perf_counter()
    state = dict(layer.as_layer_data_tuple()[1])
    seconds = time.perf_counter() - started
    # napari-animation drops the metadata; a pickled unit includes its registry.
    state = {name: value for name, value in state.items() if name not in ("metadata", "units")}
    return {"capture": seconds, "key_frame": len(pickle.dumps(state)) / 1e6}


def cube_with(n_bins: int):
    side = int(np.sqrt(N_HEXES)) + 1
    row, col = (a.ravel()[:N_HEXES] for a in np.mgrid[0:side, 0:side])
    counts = np.random.default_rng(0).integers(0, 50, (n_bins, N_HEXES), dtype=np.int32)
    return cube_of(counts, row=row, col=col, start_ms=0.0)


def draw(application) -> None:
    for _ in range(2):
        application.processEvents()


def resident_mb() -> float:
    import psutil

    return psutil.Process().memory_info().rss / 1e6


def versions() -> str:
    import napari
    import vispy

    gui = f"napari {napari.__version__}, vispy {vispy.__version__}"
    return f"Python {platform.python_version()}, {gui}"


def print_figures(figures) -> None:
    print("| | bins | add | move the slider | change limits | memory | key frame |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for (kind, n_bins), of in figures.items():
        cells = [
            kind,
            f"{n_bins:,}",
            f"{of['add'] * 1e3:,.0f} ms",
            f"{of['move'] * 1e3:.1f} ms",
            f"{of['limits'] * 1e3:.1f} ms",
            f"{of['held']:.0f} MB",
            f"{of['key_frame']:.2f} MB in {of['capture'] * 1e3:.1f} ms",
        ]
        print(f"| {' | '.join(cells)} |")


def print_demands(figures) -> None:
    ours, plain = figures["hexagons", 1_000], figures["points", 1_000]
    long, short = figures["hexagons", 10_000], figures["hexagons", 100]
    demands = [
        ("move the slider, times faster", plain["move"] / ours["move"], ">=", 40),
        ("move the slider, ms", ours["move"] * 1e3, "<", 12),
        ("10,000 bins against 100, times", long["move"] / short["move"], "<=", 1.2),
        ("change limits, ms", ours["limits"] * 1e3, "<", 10),
        ("add, times faster", plain["add"] / ours["add"], ">=", 3),
        ("memory, MB less", plain["held"] - ours["held"], ">=", 300),
        ("key frame, MB", ours["key_frame"], "<", 1),
    ]
    print("\n| | measured | wanted | |")
    print("|---|---:|---:|---|")
    for name, value, sign, bound in demands:
        met = value >= bound if sign == ">=" else value <= bound
        print(f"| {name} | {value:.3g} | {sign} {bound} | {'met' if met else 'NOT met'} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
