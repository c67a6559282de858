"""The widget "Wave list": the waves of a cube, to inspect one by one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from magicgui.widgets import CheckBox, PushButton, Widget
from napari.layers import Vectors
from napari.viewer import Viewer

from napari_hexrecruit._napari.analysis.drawing import Drawing
from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.layers.display import hex_points
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit._napari.widgets.parts import (
    column,
    fit_height,
    heading,
    list_of_one,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import (
    arrow_line,
    bins_of,
    find_waves,
    fit_wave,
    isochrones,
    local_velocity,
    velocity_arrows,
    wave_arrow,
    wave_latency,
    waves_summary,
    waves_table,
)
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.schema import HEX, MICROMETRES

_COLOUR = "#ff2d8e"
"""Colour of lines over selected hexagons, distinct from the outlines of these."""
_MOST_ROWS = 12

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OneWave:
    """A wave and its drawing.

    Parameters
    ----------
    start_ms
        Start of its first bin, ms.
    title, about
        Its line in the list, and further details.
    hexes
        Names of the hexagons that the wave reaches.
    lines, arrow, arrows
        Lines of equal latency, the arrow of a straight front, and arrows of local velocity, each as
        segments with start and vector (y, x).
    """

    start_ms: float
    title: str
    about: str
    hexes: tuple[str, ...]
    lines: Floats
    arrow: Floats
    arrows: Floats


@dataclass(frozen=True, eq=False)
class Waves:
    """The waves of a cube and their summary."""

    cube: xr.Dataset
    waves: tuple[OneWave, ...]
    summary: str


def waves_of(cube: xr.Dataset, options: dict[str, Any], progress: Progress) -> Waves:
    """Find the waves of a cube.

    Parameters
    ----------
    cube
        A recruitment cube.
    options
        As for `napari_hexrecruit.analysis.find_waves`.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    ValueError
        If an option is invalid.
    """
    found = find_waves(cube, **options, progress=progress)
    unit = "µm" if cube.attrs["flat_units"] in MICROMETRES else str(cube.attrs["flat_units"])
    rows = waves_table(found).to_dict("records")
    return Waves(cube, tuple(_wave(found, one, unit) for one in rows), _summary(found, unit))


def _wave(found: xr.Dataset, one: dict[Any, Any], unit: str) -> OneWave:
    latency = wave_latency(found, int(one["wave"]))
    fit = fit_wave(latency)
    lines = isochrones(fit, latency) if fit.is_wave else []
    times = [line.time for line in lines]
    about = (
        f"{fit.why[0].upper()}{fit.why[1:]}. {one['duration_ms']:g} ms long, {one['peak']:.3g} %"
    )
    about += f" at most; begins at ({one['origin_x']:.0f}, {one['origin_y']:.0f}) {unit}."
    if len(times) > 1:
        about += f" A line every {times[1] - times[0]:g} ms."
    title = f"{one['wave']}: {one['start_ms']:,g} ms, {one['n_hexes']:,} hexagons"
    if fit.is_wave:
        title += f", {one['speed']:.3g} {unit}/ms"
        title += f", {one['direction_deg']:.0f}°" if fit.kind == "plane" else ""
    return OneWave(
        start_ms=one["start_ms"],
        title=title,
        about=about,
        hexes=tuple(found[HEX].values[np.isfinite(latency.values)].tolist()),
        lines=_pieces([line.line for line in lines]),
        arrow=_pieces([arrow_line(wave_arrow(fit, latency))]),
        arrows=_pieces(velocity_arrows(local_velocity(latency))),
    )


def _pieces(lines: list[Floats]) -> Floats:
    """Convert lines (x, y) to segments with start and vector (y, x), without any across a gap."""
    parts = [np.stack([one[:-1, ::-1], np.diff(one[:, ::-1], axis=0)], axis=1) for one in lines]
    together = np.concatenate(parts) if parts else np.zeros((0, 2, 2))
    return together[np.isfinite(together).all(axis=(1, 2))]


def _summary(found: xr.Dataset, unit: str) -> str:
    told = waves_summary(found)
    n = told["n_waves"]
    if not n:
        return "No waves: no activity spreads over enough hexagons."
    sentence = f"{n} wave{'' if n == 1 else 's'}, {told['rate_per_s']:.3g} per second."
    for name, label, of in (
        ("intervals_ms", "Intervals", "ms"),
        ("speeds", "Speeds", f"{unit}/ms"),
    ):
        one = told[name]
        if one["n"]:
            sentence += f" {label}: median {one['median']:.3g} {of}"
            sentence += f" ({one['low']:.3g} to {one['high']:.3g})."
    return sentence


class WaveListWidget(AnalysisPanel):
    """Panel that lists the waves of a cube, and shows the chosen one on the map.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.

    Attributes
    ----------
    found
        The listed waves; None before the first search.
    """

    title = "Wave list"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.found: Waves | None = None
        self._drawing = Drawing(self.viewer)
        self.min_hexes = number(
            "Fewest hexagons that a wave must reach",
            label="At least",
            unit=" hexagons",
            decimals=0,
            step=1.0,
            minimum=0.0,
        )
        self.gap = number(
            "Pauses of a hexagon up to this long do not end its activity",
            label="Max. pause",
            unit=" ms",
            decimals=2,
            step=5.0,
            minimum=0.0,
        )
        self.min_hexes.value = 7.0
        self.find = PushButton(text="Find waves", enabled=False)
        self.erase = PushButton(text="Clear", tooltip="Take list and lines away", enabled=False)
        self.list = list_of_one("Choose a wave to see it")
        self.local = CheckBox(
            text="Local velocity", tooltip="Arrows at the hexagons instead of the front"
        )
        self.summary, self.about = text(""), text("")
        self.find.changed.connect(self.run)
        self.erase.changed.connect(self._on_clear)
        self.list.changed.connect(self._on_chosen)
        self.local.changed.connect(self._draw)
        self.lay_out(self._sections(), [self.find])
        self._list_waves()

    def _sections(self) -> list[Widget]:
        return [
            heading("Waves of the cube"),
            column("", [self.min_hexes, self.gap], labels=True),
            row("", [self.find, self.erase]),
            self.summary,
            self.list,
            self.local,
            self.about,
        ]

    # --- the panel --------------------------------------------------------------------------------

    def on_layer(self) -> None:
        """Clear the waves of another cube."""
        if self.found is not None and self.cube is not self.found.cube:
            self._on_clear()

    # --- finding ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Find the waves in a thread."""
        if self.cube is None:
            return
        options = {"min_hexes": int(self.min_hexes.value), "gap_ms": float(self.gap.value)}
        self.work(partial(waves_of, self.cube, options), self._show, [self.cube])

    def _show(self, found: Waves) -> None:
        if self.cube is not found.cube:
            return
        self._on_clear()
        self.found = found
        self.summary.value = found.summary
        self.erase.enabled = True
        self._list_waves()

    def _list_waves(self) -> None:
        waves = () if self.found is None else self.found.waves
        self.list.choices = [(wave.title, k) for k, wave in enumerate(waves)]
        self.list.visible = self.local.visible = bool(waves)
        fit_height(self.list, _MOST_ROWS)

    @property
    def chosen(self) -> OneWave | None:
        """The wave chosen in the list."""
        if self.found is None or not self.list.value:
            return None
        return self.found.waves[int(self.list.value[0])]

    def _on_chosen(self) -> None:
        """Move the slider to the start of the chosen wave, select its hexagons, and draw it."""
        wave, layer = self.chosen, self.layer
        self._draw()
        if wave is None or layer is None:
            return
        self.about.value = wave.about
        bins = bins_of(layer.cube)
        bin_ = round((wave.start_ms - bins.start_ms) / bins.width_ms)
        dims = self.viewer.dims
        dims.set_point(dims.ndim + FRAME_AXIS, layer.slider_ms(bin_))
        layer.selected_hexes = wave.hexes

    def _draw(self) -> None:
        self._drawing.clear()
        wave, layer = self.chosen, self.layer
        if wave is None or layer is None:
            return
        parts = [wave.arrows] if self.local.value else [wave.lines, wave.arrow]
        pieces = np.concatenate(parts)
        if not len(pieces):
            return
        drawn = Vectors(
            pieces,
            name="Wave, local velocity" if self.local.value else "Wave, front",
            edge_color=_COLOUR,
            edge_width=1.0,
            vector_style="line",
            units=hex_points(layer.cube).units[1:],
        )
        self._drawing.draw(drawn)

    def _on_clear(self) -> None:
        self._drawing.clear()
        self.found = None
        self.summary.value = self.about.value = ""
        self.erase.enabled = False
        self._list_waves()
