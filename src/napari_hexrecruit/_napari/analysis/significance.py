"""The widget "Significance": where trials differ from their baseline, or others, beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from magicgui.widgets import PushButton, Widget
from napari.layers import Vectors
from napari.viewer import Viewer

from napari_hexrecruit._napari.analysis.drawing import Drawing
from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.analysis.stage import Result, Stage
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    fit_height,
    heading,
    list_of_one,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import (
    bins_of,
    cluster_test,
    clusters_table,
    cut_trials,
    periodic_onsets,
)
from napari_hexrecruit.analysis.clusters import LEVEL
from napari_hexrecruit.doubts import warnings_kept
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.metrics import metric_named
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.schema import significant_clusters

_COLOUR = "#111111"
_MOST_ROWS = 10
BASELINE, LAYERS = "baseline", "layers"
_KINDS = [("Own baseline", BASELINE), ("Another layer", LAYERS)]
_TESTED = {
    BASELINE: "What is shown is that response and baseline differ",
    LAYERS: "What is shown is that the trials of A and B differ",
}
_NOT_TESTED = "; where and when a cluster begins is not itself tested."

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tested:
    """Result of a test.

    Parameters
    ----------
    kind
        Kind of comparison, `BASELINE` or `LAYERS`.
    result
        As from `napari_hexrecruit.analysis.cluster_test`.
    borders
        Borders of the significant clusters, as from `borders_of`.
    cautions
        Sentences on doubts about the result.
    """

    kind: str
    result: xr.Dataset
    borders: Floats
    cautions: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Table of the clusters."""
        return clusters_table(self.result)


def tested(
    cubes: Sequence[xr.Dataset], first: float, period: float, length: float, progress: Progress
) -> Tested:
    """Test responses against baselines of the same length, or against another cube's responses.

    Parameters
    ----------
    cubes
        One or two recruitment cubes.
    first, period
        First onset and time between onsets, ms.
    length
        Length of the response, and of the baseline, ms.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    ValueError
        If the times are invalid, or nothing can be tested.
    """
    with warnings_kept() as cautions:
        onsets = [periodic_onsets(first, period, bins_of(one).stop_ms) for one in cubes]
        before = length if len(cubes) == 1 else 0.0
        trials = [
            cut_trials(one, at, before=before, after=length)
            for one, at in zip(cubes, onsets, strict=True)
        ]
        result = cluster_test(*trials, progress=progress)
    kind = BASELINE if len(cubes) == 1 else LAYERS
    return Tested(kind, result, borders_of(result), tuple(cautions))


def borders_of(result: xr.Dataset) -> Floats:
    """Return edges around significant clusters, (n, 2, 3), as starts and vectors (bin, y, x)."""
    grid, i, j = HexGrid.from_attrs(result.attrs), result["i"].values, result["j"].values
    clusters, pieces = significant_clusters(result), [np.empty((0, 2, 3))]
    for k in np.flatnonzero(clusters.any(axis=1)).tolist():
        edges = grid.edges_around(i, j, clusters[k])[..., ::-1]
        lines = np.stack([edges[:, 0], edges[:, 1] - edges[:, 0]], axis=1)
        pieces.append(np.insert(lines, 0, [k, 0.0], axis=2))
    return np.concatenate(pieces)


class SignificanceWidget(AnalysisPanel):
    """Panel that tests responses against baselines or other responses, and lists the clusters.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.

    Attributes
    ----------
    found
        Result of the last test; None before the first.
    """

    title = "Significance"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.stage = Stage(self.viewer)
        self.found: Tested | None = None
        self._drawing = Drawing(self.viewer)
        fields = self._fields()
        self.test = PushButton(text="Test", enabled=False)
        self.erase = PushButton(text="Clear", tooltip="Take the result away", enabled=False)
        self.list = list_of_one("Choose a cluster to go to its first bin")
        self.result = text("")
        self.test.changed.connect(self.run)
        self.erase.changed.connect(self._on_clear)
        self.list.changed.connect(self._on_chosen)
        sections: list[Widget] = [
            heading("Clusters beyond chance"),
            column("", fields, labels=True),
            row("", [self.test, self.erase]),
            self.result,
            self.list,
        ]
        self._show_fields()
        self.lay_out(sections, [self.test])
        self._list_clusters()

    def _fields(self) -> list[Widget]:
        self.kind = choice("Against", _KINDS, "What the responses are tested against")
        self.a = self.layer_choice("A", "Layer whose responses are tested")
        self.b = self.layer_choice("B", "What A is tested against")
        self.kind.changed.connect(self._show_fields)
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0}
        self.first = number("First onset, ms", label="First onset", minimum=-LARGEST, **time)
        self.period = number("From onset to onset, ms", label="Every", value=100.0, **time)
        self.length = number(
            "Length of the response after each onset, ms, and of the baseline before it",
            label="Length",
            value=50.0,
            **time,
        )
        return [self.kind, self.a, self.b, self.first, self.period, self.length]

    def _show_fields(self) -> None:
        self.b.visible = self.kind.value == LAYERS
        self._take_another()

    # --- the panel --------------------------------------------------------------------------------

    def on_layers(self) -> None:
        """Choose layers to test that are not results, and a B other than A."""
        self._take_another()

    def _take_another(self) -> None:
        """Choose layers that are not results, and two different ones if possible."""
        offered = [one for one in self.a.choices if not self.stage.is_result(one)]
        for field, taken in ((self.a, None), (self.b, self.a.value)):
            free = [one for one in offered if one is not taken]
            if free and not any(field.value is one for one in free):
                field.value = free[0]

    def on_closed(self) -> None:
        """Release the layers; they stay in the viewer."""
        self.stage.close()

    # --- testing ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the test in a thread."""
        fields = [self.a, self.b][: 2 if self.kind.value == LAYERS else 1]
        layers = [field.value for field in fields]
        cubes = [layer.cube for layer in layers if isinstance(layer, RecruitmentLayer)]
        if len({id(layer) for layer in layers}) < len(layers):
            self.refuse("A and B are one layer: load another simulation beside it.")
        elif len(cubes) == len(fields):
            first, period, length = (
                float(field.value) for field in (self.first, self.period, self.length)
            )
            self.work(partial(tested, cubes, first, period, length), self._show, cubes)

    def _show(self, found: Tested) -> None:
        self._drawing.clear()
        self.found = found
        title = metric_named("difference").title_for(found.result)
        result = Result("significance", title, found.result, "difference")
        self.stage.show_alone([result], float(found.result["time"][0]))
        self._draw(found.borders)
        table = found.table
        n = int((table["p"] <= LEVEL).sum())
        sentence = (
            f"<b>{n} of {len(table)} clusters with p at most {LEVEL:g}.</b> {_TESTED[found.kind]}"
        )
        self.result.value = "<br>".join(
            [sentence + _NOT_TESTED, *(f"{one}." for one in found.cautions)]
        )
        self.erase.enabled = True
        self._list_clusters()

    def _draw(self, pieces: Floats) -> None:
        """Draw outlines around the significant clusters of each bin."""
        layer = self.stage.layer("significance")
        if not len(pieces) or layer is None:
            return
        drawn = Vectors(
            pieces,
            name="Significant clusters",
            edge_color=_COLOUR,
            edge_width=1.0,
            vector_style="line",
            scale=layer.scale,
            translate=layer.translate,
            units=layer.units,
        )
        self._drawing.draw(drawn)

    def _list_clusters(self) -> None:
        rows, bin_ms = [], 0.0
        if self.found is not None:
            rows = self.found.table.to_dict("records")
            bin_ms = float(self.found.result.attrs["bin_ms"])
        self.list.choices = [(_line(one, bin_ms), k) for k, one in enumerate(rows)]
        self.list.visible = bool(rows)
        fit_height(self.list, _MOST_ROWS)

    def _on_chosen(self) -> None:
        """Move the slider to the first bin of the cluster."""
        layer = self.stage.layer("significance")
        if self.found is None or not self.list.value or not isinstance(layer, RecruitmentLayer):
            return
        one = self.found.table.iloc[int(self.list.value[0])]
        inside = self.found.result["cluster"].values == int(one["cluster"])
        dims = self.viewer.dims
        first = int(inside.any(axis=1).argmax())
        dims.set_point(dims.ndim + FRAME_AXIS, layer.slider_ms(first))

    def _on_clear(self) -> None:
        self._drawing.clear()
        self.stage.clear()
        self.found = None
        self.result.value = ""
        self.erase.enabled = False
        self._list_clusters()


def _line(one: dict[Any, Any], bin_ms: float) -> str:
    sign = "+" if one["mass"] > 0 else "−"
    hexagons = f"{one['n_hexes']} hexagon{'' if one['n_hexes'] == 1 else 's'}"
    stop_ms = one["last_ms"] + bin_ms
    return f"p {one['p']:.2g} ({sign}): {hexagons}, {one['first_ms']:g} to {stop_ms:g} ms"
