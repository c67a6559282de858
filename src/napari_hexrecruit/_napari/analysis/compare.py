"""The widget "Compare": two simulations, two windows, or a baseline, side by side on one slider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from magicgui.widgets import CheckBox, PushButton, Widget
from napari.viewer import Viewer

from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.analysis.stage import Result, Stage
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.look import default_limits
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    heading,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import align, bins_of, compare, cut, z_score
from napari_hexrecruit.metrics import METRICS, metric_named
from napari_hexrecruit.schema import HEX, TIME

LAYERS, WINDOWS, BASELINE = "layers", "windows", "baseline"
_KINDS = [
    ("Two layers", LAYERS),
    ("Two windows", WINDOWS),
    ("Baseline (z-score)", BASELINE),
]
_SHOWN = [
    ("Difference", "difference"),
    ("Ratio, log2", "log2_ratio"),
    ("Ratio", "ratio"),
]
_Z_SCORE = "z_score"
_DECIMALS = 2
"""Decimals of the start and end of a window, ms."""
_LONGEST = 16
"""Longest name, in characters, that fits beside a colour bar, without units."""
_SHORT = {
    "percentage points": " (% points)",
    "standard deviations": " (SD)",
    "spikes/s per neuron": " (spikes/s)",
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result of a comparison.

    Parameters
    ----------
    result
        The cube that holds the comparison.
    originals
        Compared cubes by name, on the hexagons and the time axis of the result.
    metric
        Name of the compared metric.
    sentence
        Summary of the hexagons that have a value.
    """

    result: xr.Dataset
    originals: dict[str, xr.Dataset]
    metric: str
    sentence: str


def compared(a: xr.Dataset, b: xr.Dataset, names: tuple[str, str], metric: str) -> Comparison:
    """Compare two cubes.

    Parameters
    ----------
    a, b, metric
        As for `napari_hexrecruit.analysis.compare`.
    names
        Names of the two cubes.

    Raises
    ------
    ValueError
        If their hexagons or bins do not match; the message is one sentence.
    """
    one, other = align(a, b)
    mine, theirs = (set(cube[HEX].values.tolist()) for cube in (a, b))
    n_both = len(mine & theirs)
    counts = [f"{n_both:,} hexagon{'' if n_both == 1 else 's'} of both"]
    for name, only in zip(names, (mine - theirs, theirs - mine), strict=True):
        if only:
            counts.append(f"{len(only):,} only of {name}")
    return Comparison(
        compare(a, b, metric=metric, names=names),
        dict(zip(_apart(names), (one, other), strict=True)),
        metric,
        f"{', '.join(counts)}.",
    )


def deviation(
    cube: xr.Dataset, baseline: tuple[float, float], name: str, metric: str
) -> Comparison:
    """Compare a cube with one of its own windows, in standard deviations of that window.

    Raises
    ------
    ValueError
        If the window is not within the cube, or is too short.
    """
    result = z_score(cube, cut(cube, *baseline), metric=metric)
    n_valued = int(np.isfinite(result[_Z_SCORE].values).any(axis=0).sum())
    n_flat = cube.sizes[HEX] - n_valued
    sentence = f"{n_valued:,} hexagons have a z-score."
    if n_flat:
        sentence += f" {n_flat:,} have none: their baseline does not vary."
    return Comparison(result, {name: cube}, metric, sentence)


class CompareWidget(AnalysisPanel):
    """Panel that compares hexagons, and shows difference and originals on one slider.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.
    """

    title = "Compare"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.stage = Stage(self.viewer)
        self.kind = choice("Compare", _KINDS, "What is set against what")
        self.a = self.layer_choice("A", "What is compared")
        self.b = self.layer_choice("B", "Layer to compare with; the result shows A minus B")
        self.window_a, self.window_b = _Window("Window A"), _Window("Window B")
        self.baseline = _Window("Baseline")
        titles = [(metric.label, metric.name) for metric in METRICS.values()]
        self.metric = choice("Quantity", titles, "What is compared")
        self.display = choice("Show", _SHOWN, "Difference in percentage points, or a ratio")
        self.beside = CheckBox(
            text="Originals beside it",
            value=True,
            tooltip="Side by side on one slider, in the same colours",
        )
        self.compare = PushButton(text="Compare", enabled=False)
        self.back = PushButton(text="Back", tooltip="Take the comparison away", enabled=False)
        self.about = text("")
        fields: list[Widget] = [
            *(self.kind, self.a, self.b, self.window_a.row, self.window_b.row),
            *(self.baseline.row, self.metric, self.display, self.beside),
        ]
        self._comparison: Comparison | None = None
        self._first: RecruitmentLayer | None = None
        self.kind.changed.connect(self._show_fields)
        self.a.changed.connect(self._on_first)
        self.display.changed.connect(self._on_shown)
        self.beside.changed.connect(self._on_beside)
        self.compare.changed.connect(self.run)
        self.back.changed.connect(self._on_back)
        buttons = row("", [self.compare, self.back])
        sections = [heading("Compare"), column("", fields, labels=True), self.about, buttons]
        self._show_fields()
        self.lay_out(sections, [self.compare])
        self._on_first(self.a.value)
        self._take_another()

    # --- the panel --------------------------------------------------------------------------------

    def on_closed(self) -> None:
        """Release the layers; they stay in the viewer."""
        self.stage.close()
        self._on_first(None)

    def on_layers(self) -> None:
        """Update the button Back, the windows, and a layer other than A to compare with."""
        self.back.enabled = bool(self.stage.layers)
        self._on_first(self.a.value)
        self._take_another()

    def _take_another(self) -> None:
        """Choose a layer other than A to compare with, if there is one."""
        if self.a.value is not self.b.value:
            return
        others = [layer for layer in self.b.choices if layer is not self.a.value]
        originals = [layer for layer in others if not self.stage.is_result(layer)]
        if originals:
            self.b.value = originals[0]

    def _show_fields(self) -> None:
        kind = self.kind.value
        self.b.visible = kind == LAYERS
        self.window_a.row.visible = self.window_b.row.visible = kind == WINDOWS
        self.baseline.row.visible = kind == BASELINE
        self.display.visible = kind != BASELINE

    def _on_first(self, layer: object) -> None:
        """Offer the windows of another layer A, and keep what fits when its cube changes."""
        if self._first is layer:
            return
        if self._first is not None:
            self._first.events.cube_changed.disconnect(self._on_first_cube)
        self._first = layer if isinstance(layer, RecruitmentLayer) else None
        if self._first is not None:
            self._first.events.cube_changed.connect(self._on_first_cube)
            self._offer_windows(self._first)

    def _on_first_cube(self, event: object = None) -> None:
        if self._first is not None:
            self._offer_windows(self._first, keep=True)

    def _offer_windows(self, layer: RecruitmentLayer, keep: bool = False) -> None:
        """Offer default windows: the halves of the cube, and its first fifth."""
        edges = bins_of(layer.cube).edges()
        n_bins = len(edges) - 1
        half, fifth = max(n_bins // 2, 1), max(n_bins // 5, 1)
        defaults = {
            self.window_a: (n_bins - half, n_bins),
            self.window_b: (0, half),
            self.baseline: (0, fifth),
        }
        for window, (first, last) in defaults.items():
            window.offer(edges, first, last, keep)

    # --- comparing --------------------------------------------------------------------------------

    def run(self) -> None:
        """Compare as the fields specify, in a thread."""
        work = self._work()
        if work is not None:
            layers = (self.a.value, self.b.value if self.kind.value == LAYERS else self.a.value)
            cubes = [layer.cube for layer in layers if isinstance(layer, RecruitmentLayer)]
            self.work(lambda _: work(), self._show, cubes)

    def _work(self) -> Callable[[], Comparison] | None:
        a, b, metric = self.a.value, self.b.value, self.metric.value
        if not isinstance(a, RecruitmentLayer):
            self.refuse("There is no layer of hexagons: load a simulation or a cube first.")
            return None
        cube, name = a.cube, a.name
        if self.kind.value == BASELINE:
            window = self.baseline.value
            return lambda: deviation(cube, window, name, metric)
        if self.kind.value == WINDOWS:
            one, other = self.window_a.value, self.window_b.value
            names = (self.window_a.name, self.window_b.name)
            return lambda: compared(cut(cube, *one), cut(cube, *other), names, metric)
        if not isinstance(b, RecruitmentLayer) or a is b:
            self.refuse("There is only one layer of hexagons: load another simulation beside it.")
            return None
        theirs, names = b.cube, (name, b.name)
        return lambda: compared(cube, theirs, names, metric)

    def _show(self, comparison: Comparison) -> None:
        self._comparison = comparison
        metric = self._metric_shown()
        name = str(comparison.result[metric].attrs["long_name"]).partition(", ")[2] or metric
        results = []
        if self.beside.value:
            cubes = list(comparison.originals.values())
            limits = default_limits(cubes, comparison.metric)
            what = METRICS[comparison.metric].title
            for k, (original, cube) in enumerate(comparison.originals.items()):
                title = f"{original}: {what[0].lower()}{what[1:]}"
                results.append(Result(f"original {k}", title, cube, comparison.metric, limits))
        units = _SHORT.get(comparison.result[metric].attrs["units"], "")
        short = metric_named(metric).label.partition(" from ")[0]
        title = (name if len(name) <= _LONGEST else short) + units
        results.append(Result("comparison", title, comparison.result, metric))
        times = comparison.result[TIME].values
        at = float(times[0] if not times[0] <= self._slider() <= times[-1] else self._slider())
        self.stage.show_alone(results, at)
        self.stage.arrange(self.stage.layers)
        self.stage.share_picks()
        self.say(comparison.sentence)
        self.back.enabled = True

    def _metric_shown(self) -> str:
        return _Z_SCORE if self.kind.value == BASELINE else str(self.display.value)

    def _slider(self) -> float:
        dims = self.viewer.dims
        return float(dims.point[FRAME_AXIS]) if dims.ndim >= -FRAME_AXIS else 0.0

    def _on_shown(self) -> None:
        """Show the difference or the ratio of the same comparison."""
        layer = self.stage.layer("comparison")
        if isinstance(layer, RecruitmentLayer) and self.display.value in layer.cube:
            layer.metric = self.display.value

    def _on_beside(self) -> None:
        if self._comparison is not None and self.stage.layers:
            self._show(self._comparison)

    def _on_back(self) -> None:
        self.stage.clear()
        self._comparison = None
        self.say("")


class _Window:
    """Two fields for start and end of a window."""

    def __init__(self, label: str) -> None:
        time: dict[str, Any] = {"unit": " ms", "decimals": _DECIMALS, "minimum": -LARGEST}
        self.start = number("Start of the window, ms; a bin edge", step=10.0, **time)
        self.stop = number("End of the window, ms; a bin edge", step=10.0, **time)
        self.row = row(label, [self.start, self.stop])

    @property
    def value(self) -> tuple[float, float]:
        """Start and end, ms."""
        return self.start.value, self.stop.value

    @property
    def name(self) -> str:
        """Name of the window."""
        return f"{self.start.value:g} to {self.stop.value:g} ms"

    def offer(self, edges: Any, first: int, last: int, keep: bool) -> None:
        """Set the window to two edges of bins; with `keep`, leave one that is between edges."""
        self.start.step = self.stop.step = float(edges[1] - edges[0])
        rounded = 10.0**-_DECIMALS
        fits = np.isclose(edges[:, np.newaxis], self.value, rtol=0, atol=rounded).any(axis=0)
        if not (keep and fits.all()):
            self.start.value, self.stop.value = float(edges[first]), float(edges[last])


def _apart(names: tuple[str, str]) -> tuple[str, str]:
    """Return two different names."""
    return names if names[0] != names[1] else (names[0], f"{names[1]} (B)")
