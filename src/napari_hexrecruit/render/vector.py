"""One frame as a vector picture, with hexagons as polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.render.outlined import draw_outlined
from napari_hexrecruit.render.overlays import draw_header, draw_hexagons, draw_over, draw_under
from napari_hexrecruit.render.sheet import Sheet, default_settings
from napari_hexrecruit.render.strip import draw_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_hexrecruit.render.scene import Scene

_SETTINGS = {"svg.hashsalt": "hexrecruit", "svg.fonttype": "path", "pdf.fonttype": 42}
"""Settings with which SVG ids do not change from run to run, and PDF text can be edited."""


def save_vector(
    path: Path,
    kind: str,
    scene: Scene,
    frame: int,
    values: Sequence[npt.NDArray[np.float32]],
    dpi: float,
) -> None:
    """Write a frame as ``svg`` or ``pdf``.

    Parameters
    ----------
    path
        File to write.
    kind
        ``"svg"`` or ``"pdf"``.
    scene, frame, values
        Content to draw; values are (n_filled,) for each panel.
    dpi
        Pixels of the scene's size per inch of the picture.
    """
    with default_settings(**_SETTINGS):
        red, green, blue, alpha = (channel / 255 for channel in scene.background)
        sheet = Sheet(scene.style.size, (red, green, blue) if alpha else "none", dpi)
        draw_under(sheet, scene)
        for panel, numbers in zip(scene.panels, values, strict=True):
            draw_hexagons(sheet, scene, panel, _face_colours(scene, numbers))
        draw_over(sheet, scene)
        for panel in scene.panels:
            draw_outlined(sheet, scene, panel, panel.box, frame)
        draw_header(sheet, scene, frame)
        if scene.layout.strip is not None:
            draw_cursor(sheet, scene, scene.layout.strip, frame)
        sheet.save(path, kind)


def _face_colours(scene: Scene, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    table = scene.colours.table[scene.colours.index(values)]
    table[np.isnan(values)] = (*scene.background[:3], 255)
    return table / 255.0
