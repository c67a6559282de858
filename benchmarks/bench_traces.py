"""Time clicks on hexagons until their traces are drawn, and the slider with open traces.

    scripts/with-display.sh python -m benchmarks.bench_traces

prints a Markdown table. Qt moves the mouse on the canvas of a viewer with 1,000 bins and 3,000
hexagons and the panel *Traces* docked below. A click ends when the plot is drawn; a step of the
slider when map and cursor are drawn.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from benchmarks.measure import machine

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "napari")]

N_CLICKS, N_STEPS = 30, 100


def main() -> None:
    import napari
    from qtpy.QtWidgets import QApplication
    from tests.support.cubes import sheet_cube
    from tests.support.mouse import SHIFT, Mouse

    from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

    cube = sheet_cube(3_000, 1_000, start_ms=0.0)
    viewer = napari.Viewer()
    layer = viewer.add_layer(RecruitmentLayer(cube))
    steps_alone = steps(viewer, QApplication)
    _, panel = viewer.window.add_plugin_dock_widget("napari-hexrecruit", "Traces")
    QApplication.processEvents()
    drawn: list[float] = []
    panel.canvas.mpl_connect("draw_event", lambda event: drawn.append(time.perf_counter()))
    mouse = Mouse(viewer)
    names = cube["hex"].to_numpy()[1_000::17]
    one = clicks(mouse, cube, names[:N_CLICKS], drawn)
    twenty = clicks(mouse, cube, names[N_CLICKS : N_CLICKS + 20], drawn, SHIFT)
    assert len(layer.selected_hexes) == 21, layer.selected_hexes
    print(f"{machine()}, napari {napari.__version__}\n")
    print("| 1,000 bins, 3,000 hexagons | median | slowest |\n|---|---:|---:|")
    row("click to a drawn trace", one)
    row("Shift + click, up to 21 traces", twenty)
    row("step of the slider, traces open", steps(viewer, QApplication))
    row("step of the slider, closed", steps_alone)
    viewer.close()


def clicks(mouse, cube, names, drawn, *keys) -> list[float]:
    """Return the time from each click to the last drawing of the plot that it causes, s."""
    took = []
    for name in names:
        drawn.clear()
        started = time.perf_counter()
        mouse.click_hex(cube, name, *keys)
        took.append(drawn[-1] - started)
    return took


def steps(viewer, application) -> list[float]:
    """Return the times of slider moves, including drawing, s."""
    took = []
    for k in range(N_STEPS + 3):
        started = time.perf_counter()
        viewer.dims.set_current_step(0, 10 + 7 * k)
        application.processEvents()
        took.append(time.perf_counter() - started)
    return took[3:]


def row(name: str, took: list[float]) -> None:
    """Print a line of the table."""
    median, most = statistics.median(took) * 1e3, max(took) * 1e3
    print(f"| {name} | {median:.1f} ms | {most:.1f} ms |", flush=True)


if __name__ == "__main__":
    main()
