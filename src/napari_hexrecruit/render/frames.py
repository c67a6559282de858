"""Recruitment cubes to pictures, without a display: one look-up per frame."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.limits import first_limits
from napari_hexrecruit.metrics import is_static, metric_of
from napari_hexrecruit.render.outlined import Outlined
from napari_hexrecruit.render.painter import Painter
from napari_hexrecruit.render.scene import (
    Colours,
    Hexes,
    Panel,
    Scene,
    Underlay,
    arrange,
    checked_line,
)
from napari_hexrecruit.render.sheet import colour_table, default_settings
from napari_hexrecruit.render.style import Background, MovieStyle
from napari_hexrecruit.render.window import Shown, resolve_window
from napari_hexrecruit.render.words import (
    check_same_quantity,
    colour_label,
    mean_label,
    panel_titles_of,
)
from napari_hexrecruit.text import warn_of_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from napari_hexrecruit.metrics import Metric

Frame = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

_BLOCK_VALUES = 1 << 20


def render_frames(
    cube: xr.Dataset | Sequence[xr.Dataset],
    *,
    start: float | None = None,
    stop: float | None = None,
    step: float | None = None,
    style: MovieStyle | None = None,
    under: Underlay | tuple[Any, Any] | None = None,
    outlines: Sequence[npt.ArrayLike] = (),
    size: tuple[int, int] | None = None,
    metric: str | None = None,
    clim: tuple[float, float] | None = None,
    colormap: str | None = None,
    background: Background | None = None,
    average: int | None = None,
    opacity: float | None = None,
    fit: str | tuple[float, float, float, float] | None = None,
    colorbar: bool | None = None,
    colorbar_label: str | None = None,
    timestamp: bool | None = None,
    time_format: str | None = None,
    border: bool | None = None,
    scale_bar: bool | None = None,
    title: str | None = None,
    panel_titles: Sequence[str] | None = None,
    marks: Sequence[Any] | None = None,
    strip: bool | None = None,
    font_scale: float | None = None,
) -> RenderedFrames:
    """Draw the bins of a cube as pictures, each on demand.

    Parameters
    ----------
    cube
        A recruitment cube, or several with the same time axis, which are shown side by side with
        the same colour limits.
    start, stop
        Window, ms: frames show the bins that start at or after `start` and before `stop`. Both are
        edges of bins; by default the first and last edge of the cube.
    step
        Time from frame to frame, ms, a multiple of the bin; by default one bin.
    style
        Options of the look.
    under
        An image under the hexagons, or (image, extent) as for `Underlay`.
    outlines
        Lines over the hexagons, each (n_points, 2) x and y in flat space; NaN rows break a line.
    size, metric, clim, colormap, background, average, opacity, fit
        Options of `MovieStyle` that replace those of `style`; None: as in `style`.
    colorbar, colorbar_label, timestamp, time_format, border, scale_bar
        Likewise.
    title, panel_titles, marks, strip, font_scale
        Likewise.

    Returns
    -------
    RenderedFrames
        Frames as (height, width, 3) uint8 arrays, or (height, width, 4) with straight alpha on a
        transparent background. They can be iterated any number of times.

    Raises
    ------
    ValueError
        If a dataset is not a recruitment cube, the window is empty, outside the cube or not made
        of whole bins, time axes differ, or an option has a value that is not allowed; the message
        states the allowed values.

    Warns
    -----
    RecruitmentWarning
        If no font of the computer has some characters of titles and labels; boxes replace them.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> frames = render_frames(cube, start=20.0, stop=50.0, size=(320, 240), clim=(0, 50))
    >>> len(frames), frames[0].shape, frames.times.tolist()
    (3, (240, 320, 3), [20.0, 30.0, 40.0])
    >>> folder.cleanup()
    """
    cubes = [as_cube(one) for one in _each(cube)]
    options = {
        "size": size,
        "metric": metric,
        "clim": clim,
        "colormap": colormap,
        "background": background,
        "average": average,
        "opacity": opacity,
        "fit": fit,
        "colorbar": colorbar,
        "colorbar_label": colorbar_label,
        "timestamp": timestamp,
        "time_format": time_format,
        "border": border,
        "scale_bar": scale_bar,
        "title": title,
        "panel_titles": panel_titles,
        "marks": marks,
        "strip": strip,
        "font_scale": font_scale,
    }
    given = {name: value for name, value in options.items() if value is not None}
    style = (style or MovieStyle()).replace(**given)
    if all(is_static(one, metric_of(cubes, style.metric)) for one in cubes):
        style = style.replace(timestamp=False)  # a map has no time
    shown = resolve_window(cubes, start, stop, step)
    if under is not None and not isinstance(under, Underlay):
        under = Underlay(*under)
    lines = tuple(checked_line(line) for line in outlines)
    frames = RenderedFrames(cubes, shown, style, under, lines)
    with default_settings():
        warn_of_missing(frames.scene.texts)
    return frames


def _each(cubes: Any) -> Sequence[Any]:
    """Return one cube or several as a sequence; anything else is checked and refused later."""
    return cubes if isinstance(cubes, Sequence) and not isinstance(cubes, str) else [cubes]


class RenderedFrames:
    """The frames of a movie, made by `render_frames`.

    ``len()`` is the number of frames, ``frames[k]`` draws one of them, and iteration draws all of
    them. Every frame is a new array. Do not share an instance between threads.
    """

    def __init__(
        self,
        cubes: Sequence[xr.Dataset],
        shown: Shown,
        style: MovieStyle,
        under: Underlay | None,
        outlines: tuple[npt.NDArray[np.float64], ...],
    ) -> None:
        metric = metric_of(cubes, style.metric)
        hexes = [Hexes.of(cube, metric) for cube in cubes]
        self._sources = [
            _Values(cube, metric, shown, style.average, one.filled)
            for cube, one in zip(cubes, hexes, strict=True)
        ]
        colours = _colours(style, metric, cubes, self._sources)
        self.scene = _scene(cubes, hexes, shown, style, metric, colours, under, outlines)
        self._painter: Painter | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a frame, px."""
        return self.scene.style.size

    @property
    def style(self) -> MovieStyle:
        """Options of the look."""
        return self.scene.style

    @property
    def clim(self) -> tuple[float, float]:
        """Values of the first and the last colour."""
        return self.scene.colours.clim

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """(n_frames,) start of the bin of each frame, ms."""
        shown = self.scene.shown
        return shown.first_ms + shown.bin_ms * np.asarray(shown.bins, dtype=np.float64)

    @property
    def step_ms(self) -> float:
        """Time of the simulation from frame to frame, ms."""
        return self.scene.shown.bins.step * self.scene.shown.bin_ms

    def fps_for(self, dilation: float) -> float:
        """Return the frames per second at which a second of simulation takes `dilation` seconds.

        Raises
        ------
        ValueError
            If the dilation is not greater than 0.
        """
        if not (np.isfinite(dilation) and dilation > 0):
            raise ParameterError(
                Parameter("dilation"), f"must be greater than 0 seconds per second, not {dilation}"
            )
        return 1000.0 / (self.step_ms * dilation)

    def frame_at(self, time_ms: float) -> int:
        """Return the frame whose bin contains a time.

        Raises
        ------
        ValueError
            If no frame shows that time.
        """
        shown = self.scene.shown
        position = int(np.floor((time_ms - shown.first_ms + 1e-6) / shown.bin_ms))
        if position not in shown.bins:
            nearest = self.times[np.abs(self.times - time_ms).argmin()]
            raise ValueError(f"no frame shows {time_ms:g} ms: the nearest starts at {nearest:g} ms")
        return shown.bins.index(position)

    def values(self, frame: int) -> tuple[Values, ...]:
        """Return the value of each hexagon in a frame, for each cube: (n_filled,) float32."""
        return tuple(source.at(frame) for source in self._sources)

    def __len__(self) -> int:
        return len(self.scene.shown.bins)

    def __getitem__(self, frame: int) -> Frame:
        position = operator.index(frame)
        if not -len(self) <= position < len(self):
            raise IndexError(f"frame {position} is not among the {len(self)} frames")
        if self._painter is None:
            with default_settings():
                self._painter = Painter(self.scene)
        position %= len(self)
        return self._painter.paint(position, self.values(position))

    def __iter__(self) -> Iterator[Frame]:
        return (self[frame] for frame in range(len(self)))


class _Values:
    """Values of the filled hexagons of one cube by frame, computed in blocks of bins."""

    def __init__(
        self,
        cube: xr.Dataset,
        metric: Metric,
        shown: Shown,
        average: int,
        filled: npt.NDArray[np.intp],
    ) -> None:
        self._cube, self._metric, self._shown, self._filled = cube, metric, shown, filled
        self._half = average // 2
        self._per_block = max(1, _BLOCK_VALUES // max(1, cube.sizes["hex"] * shown.bins.step))
        self._block: tuple[int, Values] | None = None

    def at(self, frame: int) -> Values:
        block = frame // self._per_block
        if self._block is None or self._block[0] != block:
            self._block = block, self._compute(block)
        row: Values = self._block[1][frame - block * self._per_block]
        return row

    def blocks(self) -> Iterator[Values]:
        """Yield the (n_frames, n_filled) values of all frames, in blocks."""
        n_blocks = -(-len(self._shown.bins) // self._per_block)
        return (self._compute(block) for block in range(n_blocks))

    def _compute(self, block: int) -> Values:
        bins = self._shown.bins[block * self._per_block : (block + 1) * self._per_block]
        low = max(0, bins[0] - self._half)
        high = min(self._cube.sizes["time"], bins[-1] + self._half + 1)
        values = self._metric.values(self._cube, slice(low, high))[:, self._filled]
        if self._half == 0:
            return values[:: bins.step]
        rows = (values[max(0, k - self._half - low) : k + self._half + 1 - low] for k in bins)
        return np.stack([_mean(row) for row in rows])


def _mean(values: Values) -> Values:
    """Return the mean over the bins that have a value; NaN if none has."""
    known = ~np.isnan(values)
    total = np.where(known, values, np.float32(0)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean: Values = (total / known.sum(axis=0)).astype(np.float32)
    return mean


def _colours(
    style: MovieStyle, metric: Metric, cubes: Sequence[xr.Dataset], sources: Sequence[_Values]
) -> Colours:
    name = style.colormap or metric.colormap
    limits = first_limits(cubes, metric) if style.clim is None else style.clim
    low, high = _range(sources)
    return Colours(name, colour_table(name), limits, low < limits[0], high > limits[1])


def _range(sources: Sequence[_Values]) -> tuple[float, float]:
    """Return the smallest and largest value of all frames; 0 and 0 if there are none."""
    low, high = np.inf, -np.inf
    for part in (part for source in sources for part in source.blocks()):
        low = min(low, float(np.nanmin(part, initial=np.inf)))
        high = max(high, float(np.nanmax(part, initial=-np.inf)))
    return (low, high) if low <= high else (0.0, 0.0)


def _scene(
    cubes: Sequence[xr.Dataset],
    hexes: Sequence[Hexes],
    shown: Shown,
    style: MovieStyle,
    metric: Metric,
    colours: Colours,
    under: Underlay | None,
    outlines: tuple[npt.NDArray[np.float64], ...],
) -> Scene:
    check_same_quantity(metric, cubes)
    titles = panel_titles_of(style, len(cubes))
    others = [under.extent] if under else []
    others += [_line_bounds(line) for line in outlines]
    flat_units = _common_units(cubes)
    label = colour_label(style, metric.bar_title(cubes))
    made = arrange(style, shown, hexes, (titles, label), others, flat_units)
    means = [_population(metric, cube, shown) if style.strip else np.empty(0) for cube in cubes]
    outlined = [Outlined.of(cube, shown.bins) for cube in cubes]
    parts = zip(made.layout.panels, hexes, titles, made.titles, means, outlined, strict=True)
    return Scene(
        style=style,
        layout=made.layout,
        panels=tuple(
            Panel(box, made.view, one, title, lines, mean, around)
            for box, one, title, lines, mean, around in parts
        ),
        colours=colours,
        shown=shown,
        header=made.header,
        colour_label=label,
        label_lines=made.label,
        mean_label=mean_label(metric, cubes[0]),
        fitted=metric.below_zero,
        under=under,
        outlines=outlines,
    )


def _population(metric: Metric, cube: xr.Dataset, shown: Shown) -> npt.NDArray[np.float64]:
    """Return the (n_bins,) value of the population in each bin of the window."""
    n = max(1, _BLOCK_VALUES // max(1, cube.sizes["hex"]))
    start, stop = shown.bins.start, shown.bins.stop
    blocks = (slice(at, min(at + n, stop)) for at in range(start, stop, n))
    return np.concatenate([metric.population(cube, block) for block in blocks])


def _common_units(cubes: Sequence[xr.Dataset]) -> str:
    units = {str(cube.attrs["flat_units"]) for cube in cubes}
    return units.pop() if len(units) == 1 else "unknown"


def _line_bounds(line: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = np.nanmin(line, axis=0), np.nanmax(line, axis=0)
    return float(x0), float(x1), float(y0), float(y1)
