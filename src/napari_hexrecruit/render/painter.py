"""Values of a frame to its pixels; everything constant is drawn once, in advance."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.render.blend import fold
from napari_hexrecruit.render.header import GAP
from napari_hexrecruit.render.outlined import OutlinedPixels
from napari_hexrecruit.render.overlays import draw_over, draw_under, header_texts
from napari_hexrecruit.render.pixels import (
    Floats,
    Packed,
    Pixels,
    laid_over,
    pack,
    to_bytes,
    to_floats,
    without_alpha,
)
from napari_hexrecruit.render.raster import cover
from napari_hexrecruit.render.sheet import Sheet, TextMasks
from napari_hexrecruit.render.strip import cursor_width, cursor_x

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.render.layout import Box
    from napari_hexrecruit.render.scene import Panel, Scene

_OPAQUE = np.uint32(0xFF000000)


class Painter:
    """Painter of the frames of a scene, which reuses one picture.

    Parameters
    ----------
    scene
        Scene to paint. Everything that is the same in all frames is computed once, here.
    """

    def __init__(self, scene: Scene) -> None:
        under, over = _layers(scene)
        self._transparent = scene.style.background == "transparent"
        self._picture = laid_over(under, over)
        self._maps = [_Map(scene, panel, under, over) for panel in scene.panels]
        self._moving = list(_moving_parts(scene, self._picture))

    def paint(self, frame: int, values: Sequence[npt.NDArray[np.float32]]) -> Pixels:
        """Paint a frame.

        Parameters
        ----------
        frame
            Number of the frame.
        values
            (n_filled,) values of each panel.

        Returns
        -------
        (height, width, 3 or 4) uint8
            A new array.
        """
        packed = self._picture.view("<u4")[..., 0]
        for one, numbers in zip(self._maps, values, strict=True):
            one.paint(packed, numbers)
        for one in self._maps:
            one.outline(self._picture, frame)
        for part in self._moving:
            part.paint(frame)
        return self._picture.copy() if self._transparent else without_alpha(self._picture)


class _Map:
    """The hexagons of one panel on its box of the picture."""

    def __init__(self, scene: Scene, panel: Panel, under: Pixels, over: Pixels) -> None:
        hexes, box = panel.hexes, panel.box
        self._box = (slice(box.top, box.bottom), slice(box.left, box.right))
        self._scale = scene.colours
        self._colours, self._background = pack(scene.colours.table), pack(scene.background)
        self._blend = None
        if hexes.filled.size:
            i, j = hexes.i[hexes.filled], hexes.j[hexes.filled]
            coverage = cover(panel.view, hexes.grid, i, j)
            layers = under[self._box], over[self._box]
            self._blend = fold(coverage, *layers, scene.style.opacity, self._background)
        self._part = np.empty((box.height, box.width), dtype="<u4")
        self._outlined = OutlinedPixels(scene, panel)

    def paint(self, picture: Packed, values: npt.NDArray[np.float32]) -> None:
        if self._blend is None:
            return
        colours = self._colours[self._scale.index(values)]
        colours[np.isnan(values)] = self._background | _OPAQUE
        self._blend.paint(np.append(colours, self._background), self._part)
        picture[self._box] = self._part

    def outline(self, picture: Pixels, frame: int) -> None:
        lines = self._outlined.at(frame)
        if lines is not None:
            at = np.nonzero(lines[..., 3])
            part = picture[self._box]
            part[at] = laid_over(part[at][None], lines[at][None])[0]


def _moving_parts(scene: Scene, picture: Pixels) -> list[_Header | _Cursor]:
    layout, style = scene.layout, scene.style
    parts: list[_Header | _Cursor] = []
    if layout.header is not None and (style.timestamp or style.marks):
        parts.append(_Header(scene, layout.header, picture))
    if layout.strip is not None:
        parts.append(_Cursor(scene, layout.strip, picture))
    return parts


class _Header:
    """Time and active marks, written into their own box; nothing else is redrawn."""

    def __init__(self, scene: Scene, box: Box, picture: Pixels) -> None:
        self._scene = scene
        self._masks = TextMasks(scene.header.px)
        self._gap = round(GAP * scene.layout.font)
        top = max(0, box.top + box.height // 2 - self._masks.height // 2)
        self._target = picture[top : top + self._masks.height, box.left : box.right]
        self._clean = to_floats(self._target)

    def paint(self, frame: int) -> None:
        part, left = self._clean.copy(), 0
        for text, colour in header_texts(self._scene, frame):
            mask = self._masks.mask(text)
            place = part[:, left : left + mask.shape[1]]
            _write_on(place, mask[: place.shape[0], : place.shape[1]], colour)
            left += mask.shape[1] + self._gap
        self._target[...] = to_bytes(part)


class _Cursor:
    """Cursor line in the strip; it restores the columns under it before it moves."""

    def __init__(self, scene: Scene, box: Box, picture: Pixels) -> None:
        self._scene, self._box = scene, box
        self._target = picture[box.top : box.bottom]
        self._clean = self._target.copy()
        self._columns = slice(0, 0)

    def paint(self, frame: int) -> None:
        self._target[:, self._columns] = self._clean[:, self._columns]
        half = cursor_width(self._scene) / 2
        x = cursor_x(self._scene, self._box, frame)
        columns = np.arange(int(x - half), int(np.ceil(x + half)))
        share = np.minimum(columns + 1, x + half) - np.maximum(columns, x - half)
        self._columns = slice(int(columns[0]), int(columns[-1]) + 1)
        part = to_floats(self._clean[:, self._columns])
        mask = np.broadcast_to(share.astype(np.float32), part.shape[:2])
        _write_on(part, mask, self._scene.foreground)
        self._target[:, self._columns] = to_bytes(part)


def _write_on(picture: Floats, mask: Floats, colour: str) -> None:
    """Blend a colour over a premultiplied picture, weighted by a mask."""
    over = mask[..., None]
    picture *= 1.0 - over
    picture += over * _rgba(colour)


def _layers(scene: Scene) -> tuple[Pixels, Pixels]:
    """Draw the layers under and over the hexagons: (height, width, 4)."""
    red, green, blue, alpha = (channel / 255 for channel in scene.background)
    under = Sheet(scene.style.size, (red, green, blue) if alpha else "none")
    draw_under(under, scene)
    below = under.pixels()
    del under
    over = Sheet(scene.style.size)
    draw_over(over, scene)
    return below, over.pixels()


@cache
def _rgba(colour: str) -> Floats:
    from matplotlib.colors import to_rgba

    return np.array(to_rgba(colour), dtype=np.float32)
