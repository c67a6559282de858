"""Contents of a picture or movie with all options resolved, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.render.header import Header, plan_header, times_as_text
from napari_hexrecruit.render.layout import (
    Box,
    Layout,
    Parts,
    close_up,
    font_of,
    lay_out,
    margin_of,
)
from napari_hexrecruit.render.raster import View
from napari_hexrecruit.render.sheet import Sheet, default_settings
from napari_hexrecruit.render.titles import LINE, Fitted, fitted
from napari_hexrecruit.schema import HEX, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.metrics import Metric
    from napari_hexrecruit.render.outlined import Outlined
    from napari_hexrecruit.render.style import MovieStyle
    from napari_hexrecruit.render.titles import Measure
    from napari_hexrecruit.render.window import Shown

Bounds = tuple[float, float, float, float]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
_PADDING = 0.02
_LIKE_BACKGROUND = 48
"""Below this difference from the background, of 255, the colour of 0 hides the sheet's edge."""
_BLOCK_VALUES = 1 << 20


@dataclass(frozen=True)
class Underlay:
    """An image under the hexagons.

    Parameters
    ----------
    image
        (height, width) grey, or (height, width, 3 or 4) colours; uint8 0 to 255 or float 0 to 1.
        The first row is the top of the picture, with the largest y.
    extent
        (x_min, x_max, y_min, y_max) of the image's borders in flat space.

    Raises
    ------
    ValueError
        If the image has another shape or type, or the extent is empty.
    """

    image: npt.NDArray[np.uint8] | npt.NDArray[np.floating]
    extent: Bounds

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        colours = image.ndim == 3 and image.shape[2] in (3, 4)
        if not (image.ndim == 2 or colours) or 0 in image.shape:
            raise ValueError(
                f"an image must be (height, width) or (height, width, 3 or 4), not {image.shape}"
            )
        if image.dtype != np.uint8 and image.dtype.kind != "f":
            raise ValueError(f"an image must be uint8 or float, not {image.dtype}")
        x0, x1, y0, y1 = (float(value) for value in self.extent)
        if not (np.isfinite([x0, x1, y0, y1]).all() and x0 < x1 and y0 < y1):
            raise ValueError(
                f"the extent must be (x_min, x_max, y_min, y_max), not {self.extent!r}"
            )
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "extent", (x0, x1, y0, y1))


def checked_line(line: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return an outline as an array; raise a ValueError if it is not an outline."""
    points = np.asarray(line, dtype=np.float64)
    if points.ndim != 2 or points.shape[1:] != (2,) or not np.isfinite(points).any():
        raise ValueError(f"an outline must be (n_points, 2) x and y, not {points.shape}")
    return points


@dataclass(frozen=True)
class Hexes:
    """Hexagons of one cube.

    `filled` has the positions on the cube's hex axis of hexagons with a value in any bin, `empty`
    those of the others.
    """

    grid: HexGrid
    i: Ints
    j: Ints
    filled: npt.NDArray[np.intp]
    empty: npt.NDArray[np.intp]

    @classmethod
    def of(cls, cube: xr.Dataset, metric: Metric) -> Hexes:
        """Return the hexagons of a cube that shows a metric."""
        known = _with_value(cube, metric)
        return cls(
            HexGrid.from_attrs(cube.attrs),
            cube["i"].values,
            cube["j"].values,
            np.flatnonzero(known),
            np.flatnonzero(~known),
        )

    def border(self) -> Floats:
        """Return the (n, 2, 2) ends of the edges at the rim of the sheet."""
        return self.grid.edges_around(self.i, self.j, np.ones(len(self.i), dtype=bool))

    @property
    def bounds(self) -> Bounds:
        """Flat (x_min, x_max, y_min, y_max) of all hexagons, corners included."""
        x, y = self.grid.hex_to_xy(self.i, self.j)
        half = self.grid.spacing / 2.0
        low, high = y.min() - self.grid.radius, y.max() + self.grid.radius
        return float(x.min() - half), float(x.max() + half), float(low), float(high)

    def corners(self, which: npt.NDArray[np.intp]) -> Floats:
        """Return the (n, 6, 2) corners of some hexagons."""
        return self.grid.hex_to_corners(self.i[which], self.j[which])


@dataclass(frozen=True)
class Colours:
    """Mapping from values to colours, the same in every frame.

    Parameters
    ----------
    name
        Name of the colormap.
    table
        (n_colours, 4) uint8 colours from low to high.
    clim
        Values of the first and the last colour.
    below, above
        Whether values outside of `clim` occur.
    """

    name: str
    table: npt.NDArray[np.uint8]
    clim: tuple[float, float]
    below: bool = False
    above: bool = False

    def index(self, values: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the table row of each value; values outside the limits get the end colours."""
        low, high = self.clim
        n = len(self.table)
        with np.errstate(invalid="ignore"):
            position = (np.asarray(values, dtype=np.float64) - low) * (n / (high - low))
            return np.clip(np.nan_to_num(position), 0, n - 1).astype(np.intp)


@dataclass(frozen=True)
class Panel:
    """One map of the picture."""

    box: Box
    view: View
    hexes: Hexes
    title: str
    title_lines: Fitted
    mean: Floats
    """(n_bins,) value of the population in each bin of the window; empty without a strip."""
    outlined: Outlined | None = None


@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows except the values of a frame."""

    style: MovieStyle
    layout: Layout
    panels: tuple[Panel, ...]
    colours: Colours
    shown: Shown
    header: Header
    colour_label: str
    label_lines: Fitted
    mean_label: str
    under: Underlay | None
    outlines: tuple[Floats, ...]
    fitted: bool = False
    """Whether the axis of the strip can begin away from 0, for example for a voltage."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that users or files can set, and a time."""
        return (
            *times_as_text(self.style, self.shown, [0]),
            *self.header.labels,
            *((self.style.title,) if self.header.title else ()),
            *(panel.title for panel in self.panels),
            *((self.colour_label,) if self.style.colorbar else ()),
            *((self.mean_label,) if self.style.strip else ()),
        )

    @property
    def foreground(self) -> str:
        """Colour of text and lines."""
        return "#ededed" if self.style.background == "black" else "#262626"

    @property
    def has_border(self) -> bool:
        """Whether the edge of the sheet is drawn."""
        if self.style.border is not None:
            return self.style.border
        light = [int(value) for value in self.background[:3]]
        nothing = self.colours.table[self.colours.index(0.0), :3].tolist()
        unlike = max(abs(a - b) for a, b in zip(light, nothing, strict=True))
        return self.style.background != "transparent" and unlike < _LIKE_BACKGROUND

    @property
    def background(self) -> tuple[int, int, int, int]:
        """Colour behind everything, RGBA of 0 to 255."""
        light = 0 if self.style.background == "black" else 255
        return light, light, light, 0 if self.style.background == "transparent" else 255


def _with_value(cube: xr.Dataset, metric: Metric) -> npt.NDArray[np.bool_]:
    """Return which hexagons have a value in any bin, reading the cube in blocks."""
    n_bins, n_hexes = cube.sizes[TIME], cube.sizes[HEX]
    n = max(1, _BLOCK_VALUES // n_hexes)
    known = np.zeros(n_hexes, dtype=bool)
    for start in range(0, n_bins, n):
        part = metric.values(cube, slice(start, start + n))
        known |= ~np.isnan(part).all(axis=0)
    return known


@dataclass(frozen=True)
class Arrangement:
    """Layout of a picture, with its texts fitted."""

    layout: Layout
    view: View
    """View of flat space, the same in every panel."""
    header: Header
    titles: tuple[Fitted, ...]
    """Titles of the panels."""
    label: Fitted
    """Label of the colour bar."""


def arrange(
    style: MovieStyle,
    shown: Shown,
    hexes: Sequence[Hexes],
    texts: tuple[Sequence[str], str],
    others: Sequence[Bounds],
    flat_units: str,
) -> Arrangement:
    """Lay the picture out, with one view of flat space for all panels.

    Parameters
    ----------
    style, shown
        Options of the look, and which bins are shown.
    hexes
        Hexagons of each panel.
    texts
        Title of each panel (all empty for none), and the label of the colour bar.
    others
        Bounds of the image and the outlines.
    flat_units
        Unit of flat space; a scale bar needs a unit of length.

    Returns
    -------
    Arrangement
    """
    titles, label = texts
    bounds = _bounds(style, [h.bounds for h in hexes], others)
    aspect = (bounds[1] - bounds[0]) / (bounds[3] - bounds[2])
    font = font_of(style.size, style.font_scale)
    with default_settings():
        measure = Sheet((8, 8)).measure
        width = style.size[0] - 2 * margin_of(font)
        header = plan_header(style, shown, font, width, measure)
        lines = fitted(label, style.size[1] - 2 * margin_of(font), font, measure)
        parts = Parts(
            n_panels=len(hexes),
            aspect=aspect,
            header=bool(style.timestamp or style.marks or (header.title and not header.above)),
            title_height=header.title.height if header.title and header.above else 0.0,
            colorbar=style.colorbar,
            label_widens=(len(lines.lines) - 1) * LINE * lines.px,
            scale_bar=style.scale_bar and flat_units == "um",
            strip=style.strip,
            marks=bool(style.marks),
        )
        layout, panel_titles = _with_panel_titles(style, parts, titles, measure)
    box = layout.panels[0]
    view = View.fitted(bounds, box.width, box.height)
    top, bottom = view.to_pixels(0.0, [bounds[3], bounds[2]])[1]
    layout = close_up(layout, float(top), float(bottom))
    return Arrangement(layout, view, header, panel_titles, lines)


def _with_panel_titles(
    style: MovieStyle, parts: Parts, titles: Sequence[str], measure: Measure
) -> tuple[Layout, tuple[Fitted, ...]]:
    """Lay out with room for the titles of the panels.

    The lines of the titles depend on the width of the panels, which depends on the number of
    columns, which depends on the height of the titles. The room for titles only grows, so the loop
    ends.
    """
    font = font_of(style.size, style.font_scale)
    height = LINE * font if any(titles) else 0.0
    while True:
        layout = lay_out(style.size, style.font_scale, replace(parts, panel_titles=height))
        lines = tuple(fitted(title, layout.panels[0].width, font, measure) for title in titles)
        needed = max(one.height for one in lines)
        if not any(titles) or needed <= height:
            return layout, lines
        height = needed


def _bounds(style: MovieStyle, hexagons: Sequence[Bounds], others: Sequence[Bounds]) -> Bounds:
    if not isinstance(style.fit, str):
        return style.fit
    every = np.array([*hexagons, *(others if style.fit == "all" else ())])
    x0, y0 = every[:, 0].min(), every[:, 2].min()
    x1, y1 = every[:, 1].max(), every[:, 3].max()
    pad = _PADDING * max(x1 - x0, y1 - y0)
    return float(x0 - pad), float(x1 + pad), float(y0 - pad), float(y1 + pad)
