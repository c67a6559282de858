"""Significant clusters, outlined in each bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_hexrecruit.render.layout import Box
from napari_hexrecruit.render.sheet import Sheet, default_settings
from napari_hexrecruit.schema import TIME, has_clusters, significant_clusters

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr

    from napari_hexrecruit.render.pixels import Pixels
    from napari_hexrecruit.render.scene import Panel, Scene

_LINES = (("#ffffff", 0.2), ("#111111", 0.1))
"""Colours and widths, in font sizes, of a light halo for dark hexagons and of the dark line."""


@dataclass(frozen=True)
class Outlined:
    """Clusters of a cube that are outlined, by bin."""

    cube: xr.Dataset
    bins: range
    """Position on the time axis of each frame."""

    @classmethod
    def of(cls, cube: xr.Dataset, bins: range) -> Outlined | None:
        """Return the clusters of a cube, or None if it has no significant clusters to show."""
        return cls(cube, bins) if has_clusters(cube) else None

    def at(self, frame: int) -> npt.NDArray[np.int32]:
        """Return the (n_hexes,) number of each hexagon's cluster in a frame; 0 for none."""
        return significant_clusters(self.cube.isel({TIME: self.bins[frame]}))


def draw_outlined(sheet: Sheet, scene: Scene, panel: Panel, box: Box, frame: int) -> None:
    """Draw the lines around the clusters of a frame into a box of the sheet."""
    from matplotlib.collections import LineCollection

    if panel.outlined is None or not (clusters := panel.outlined.at(frame)).any():
        return
    axes, (x0, x1, y0, y1) = sheet.axes(box), panel.view.bounds
    axes.set_axis_off()
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    edges = panel.hexes.grid.edges_around(panel.hexes.i, panel.hexes.j, clusters)
    for colour, width in _LINES:
        lines = LineCollection(list(edges), colors=colour, capstyle="round")
        lines.set_linewidth(sheet.points(max(1.0, width * scene.layout.font)))
        axes.add_collection(lines, autolim=False)


class OutlinedPixels:
    """Outlines of one panel as pixels of its box, redrawn only if the clusters change."""

    def __init__(self, scene: Scene, panel: Panel) -> None:
        self._scene, self._panel = scene, panel
        self._key = b""
        self._lines: Pixels | None = None

    def at(self, frame: int) -> Pixels | None:
        """Return the (height, width, 4) lines of a frame, or None if nothing is outlined."""
        outlined = self._panel.outlined
        clusters = None if outlined is None else outlined.at(frame)
        if clusters is None or not clusters.any():
            return None
        if clusters.tobytes() != self._key:
            self._key, self._lines = clusters.tobytes(), self._drawn(frame)
        return self._lines

    def _drawn(self, frame: int) -> Pixels:
        size = self._panel.box.width, self._panel.box.height
        with default_settings():
            sheet = Sheet(size)
            draw_outlined(sheet, self._scene, self._panel, Box(0, 0, *size), frame)
            return sheet.pixels()
