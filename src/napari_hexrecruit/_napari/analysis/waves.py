"""The widget "Waves": speed and direction of a travelling front, and its drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from magicgui.widgets import CheckBox, PushButton, Widget
from napari.layers import Points, Vectors
from napari.viewer import Viewer

from napari_hexrecruit._napari.analysis.drawing import Drawing
from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.analysis.stage import Result, Stage
from napari_hexrecruit._napari.layers.display import hex_points
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    heading,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import (
    WaveFit,
    arrow_line,
    bins_of,
    fit_wave,
    hex_map,
    isochrones,
    wave_arrow,
    with_maps,
)
from napari_hexrecruit.doubts import warnings_kept
from napari_hexrecruit.metrics import metric_named
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.schema import MICROMETRES

_LATENCIES = ("half_peak_latency", "latency", "first_spike_latency")
_KINDS = [("Whichever fits", "best"), ("A straight front", "plane"), ("Circles", "radial")]
_ARROW = "#ff2d8e"
_BRIGHT = 0.55
"""Lowest luminance of hexagons at which lines over them are black."""
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_FONT = 9
_LABEL_AT = 6
"""A time stands near this fraction (1/6) of its line, because an arrow runs through the middle."""
_LABEL_REACH, _LABEL_ROOM = 4.0, 0.75
"""Within this many radii of a time, at least this fraction of the area has latencies."""
_HEX_AREA = 1.5 * 3**0.5
"""Area of a hexagon of radius 1."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Front:
    """A fitted front and its drawing.

    Parameters
    ----------
    cube
        The cube, with the latencies.
    metric
        Name of the latency map.
    fit
        The fit, even if it is not a wave.
    lines
        Lines of equal latency, as segments with start and vector (y, x); empty without a wave.
    times_ms
        Latency of each line.
    labels
        (n_lines, 2) position (y, x) of the time on each line; NaN if there is no room for it.
    arrow
        Segments of an arrow along the direction of a straight front; empty for other fronts.
    cautions
        Sentences on doubts about the result.
    """

    cube: xr.Dataset
    metric: str
    fit: WaveFit
    lines: tuple[Floats, ...]
    times_ms: tuple[float, ...]
    labels: Floats
    arrow: Floats
    cautions: tuple[str, ...] = ()


def front_of(
    cube: xr.Dataset, metric: str, options: dict[str, Any], kind: Any, progress: Progress
) -> Front:
    """Fit a front to the latencies of a cube.

    Parameters
    ----------
    cube
        A recruitment cube.
    metric, options
        Latency map and its options, as for `napari_hexrecruit.analysis.hex_map`.
    kind
        As for `napari_hexrecruit.analysis.fit_wave`.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    ValueError
        If an option is invalid.
    """
    with warnings_kept() as cautions:
        latencies = hex_map(cube, metric, **options)
        progress("fitting", 0, 1)
        fit = fit_wave(latencies, kind=kind)
    lines = isochrones(fit, latencies) if fit.is_wave else []
    return Front(
        cube=with_maps(cube, latencies),
        metric=metric,
        fit=fit,
        lines=tuple(_segments(line.line) for line in lines),
        times_ms=tuple(line.time for line in lines),
        labels=np.array([_label_place(line.line, latencies) for line in lines]).reshape(-1, 2),
        arrow=_segments(arrow_line(wave_arrow(fit, latencies))),
        cautions=tuple(cautions),
    )


def quality_of(fit: WaveFit) -> str:
    """Describe the quality of a fit by the numbers that are known.

    Returns
    -------
    str
        Share of variance, p-value, agreement of neighbours, and residual with its correlation
        length; for a wave also intervals.
    """
    parts = []
    if fit.is_wave:
        low, high = fit.speed_ci
        interval = f"95 %: {low:.3g} to {high:.3g} {_unit(fit)}/ms"
        if fit.kind == "plane":
            least, most = fit.direction_ci
            interval += f", {least:.1f}° to {most:.1f}° counter-clockwise from x"
        parts.append(f"{interval}.")
    if np.isfinite(fit.r_squared):
        parts.append(
            f"R² {fit.r_squared:.3f}, p {_p(fit.p_value)}, neighbours agree {fit.agreement:.0%},"
            f" residual {fit.residual:.3g} ms, correlated over {fit.correlation_length:.3g}"
            f" {_unit(fit)}, {fit.n_hexes:,} hexagons."
        )
    return " ".join(parts)


class WavesWidget(AnalysisPanel):
    """Panel that fits a travelling front, and reports whether it is a wave.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.

    Attributes
    ----------
    fit
        The last fit; None before the first.
    """

    title = "Waves"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.stage = Stage(self.viewer)
        self.fit: WaveFit | None = None
        self._of: xr.Dataset | None = None
        self._drawing = Drawing(self.viewer)
        fields = self._fields()
        self.latencies = CheckBox(
            text="Show the latencies", value=True, tooltip="As colours under the lines"
        )
        self.find = PushButton(text="Find wave", enabled=False)
        self.erase = PushButton(text="Clear", tooltip="Remove lines and latencies", enabled=False)
        self.result, self.quality = text(""), text("")
        self.find.changed.connect(self.run)
        self.erase.changed.connect(self._on_clear)
        sections: list[Widget] = [
            heading("Wave"),
            column("", fields, labels=True),
            self.latencies,
            row("", [self.find, self.erase]),
            self.result,
            self.quality,
        ]
        self.lay_out(sections, [self.find])

    def _fields(self) -> list[Widget]:
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0, "minimum": -LARGEST}
        names = [(metric_named(name).label, name) for name in _LATENCIES]
        self.map = choice(
            "Latency", names, "When the front passes; time to half of the peak is finer than a bin"
        )
        self.onset = number(
            "Onset from which latencies are measured; a bin edge", label="Onset", **time
        )
        self.until = number("End of the search; a bin edge", label="Until", **time)
        self.kind = choice("Front", _KINDS, "Shape of the front that is fitted")
        return [self.map, self.onset, self.until, self.kind]

    # --- the panel --------------------------------------------------------------------------------

    def on_layer(self) -> None:
        """Offer times within the cube."""
        if self.cube is None or self.stage.is_result(self.layer) or self._of is self.cube:
            return
        self._of = self.cube
        bins = bins_of(self.cube)
        self.onset.step = self.until.step = bins.width_ms
        self.onset.value = 0.0 if bins.start_ms < 0.0 < bins.stop_ms else bins.start_ms
        self.until.value = bins.stop_ms

    def on_closed(self) -> None:
        """Release the layers; they stay in the viewer."""
        self.stage.close()

    # --- finding ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Fit a front in a thread."""
        if self._of is None:
            return
        options = {"onset": self.onset.value, "until": self.until.value}
        work = partial(front_of, self._of, str(self.map.value), options, self.kind.value)
        self.work(work, self._show, [self._of])

    def _show(self, front: Front) -> None:
        self.fit = front.fit
        self._drawing.clear()
        if self.latencies.value:
            title = f"{metric_named(front.metric).label} (ms)"
            self.stage.put_alone(Result("latency", title, front.cube, front.metric))
        if front.fit.is_wave:
            self._draw(front)
        found = f"<b>{front.fit.why[0].upper()}{front.fit.why[1:]}</b>"
        self.result.value = "<br>".join(
            [found, *(f"{one[0].upper()}{one[1:]}." for one in front.cautions)]
        )
        self.quality.value = quality_of(front.fit)
        self.erase.enabled = True

    def _draw(self, front: Front) -> None:
        """Draw the arrow and the lines of equal latency over the hexagons."""
        units = hex_points(front.cube).units[1:]
        colours = self._colours(front)
        of_piece = [
            colour
            for colour, pieces in zip(colours, front.lines, strict=True)
            for _ in range(len(pieces))
        ]
        lines = Vectors(
            np.concatenate([*front.lines, front.arrow]),
            name=f"Wave, {front.fit.kind}",
            edge_color=[*of_piece, *[_ARROW] * len(front.arrow)],
            edge_width=1.0,
            vector_style="line",
            units=units,
        )
        has_room = np.isfinite(front.labels[:, 0]).tolist()
        times = Points(
            front.labels[has_room],
            name="Wave, times",
            text={
                "string": [f"{time:g} ms" for time in compress(front.times_ms, has_room)],
                "color": list(compress(colours, has_room)) or ["white"],
                "size": _FONT,
                "anchor": "center",
            },
            size=0.0,
            opacity=1.0,
            units=units,
        )
        self._drawing.draw(lines, times)

    def _colours(self, front: Front) -> list[str]:
        """Return black for lines over bright hexagons, white over dark ones."""
        layer = self.stage.layer("latency")
        if layer is None:
            return ["white"] * len(front.times_ms)
        low, high = layer.face_contrast_limits
        place = np.clip((np.array(front.times_ms) - low) / (high - low), 0.0, 1.0)
        bright = layer.face_colormap.map(place)[:, :3] @ np.array(_LUMINANCE) > _BRIGHT
        return ["black" if is_bright else "white" for is_bright in bright]

    def _on_clear(self) -> None:
        self._drawing.clear()
        self.stage.clear()
        self.result.value = self.quality.value = ""
        self.erase.enabled = False


def _segments(line: Floats) -> Floats:
    """Convert a line (x, y) to segments with start and vector (y, x), without any across a gap."""
    yx = line[:, ::-1]
    pieces = np.stack([yx[:-1], np.diff(yx, axis=0)], axis=1)
    return pieces[np.isfinite(pieces).all(axis=(1, 2))]


def _label_place(line: Floats, latencies: xr.DataArray) -> Floats:
    """Return a position (y, x) on the longest piece of a line, amid hexagons; NaN without one.

    It is in the first half of the piece, because the arrow is in the middle.
    """
    from scipy.spatial import KDTree

    gaps = np.flatnonzero(~np.isfinite(line).all(axis=1))
    pieces = [p for p in np.split(line, gaps) if np.isfinite(p).all(axis=1).any()]
    longest = max(pieces, key=len)
    longest = longest[np.isfinite(longest).all(axis=1)]
    radius = float(latencies.attrs["hex_radius"])
    known = latencies[np.isfinite(latencies.values)]
    tree = KDTree(np.column_stack([known["x"], known["y"]]))
    usual = len(longest) // _LABEL_AT
    near = longest[: max(len(longest) // 2, 1)]
    around = tree.query_ball_point(near, _LABEL_REACH * radius, return_length=True)
    best = min(range(len(near)), key=lambda k: (-around[k], abs(k - usual)))
    if around[best] < _LABEL_ROOM * np.pi * _LABEL_REACH**2 / _HEX_AREA:
        return np.full(2, np.nan)
    place: Floats = near[best, ::-1]
    return place


def _unit(fit: WaveFit) -> str:
    return "µm" if fit.flat_units in MICROMETRES else fit.flat_units


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"
