"""Values of a frame to its pixels: one look-up, and a little arithmetic on the edges of hexagons.

All that does not change is drawn once. What lies under and over the hexagons is folded into the
weights with which their colours enter each pixel, so a frame needs no blending of layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._overlays import (
    GAP,
    HEADER_FONT,
    draw_over,
    draw_under,
    header_texts,
)
from napari_hexrecruit._raster import Coverage, cover
from napari_hexrecruit._sheet import Sheet, TextMasks
from napari_hexrecruit._strip import cursor_width, cursor_x

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit._layout import Box
    from napari_hexrecruit._scene import Panel, Scene

__all__ = ["Painter"]

Pixels = npt.NDArray[np.uint8]
Packed = npt.NDArray[np.uint32]
Wide = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float32]

_ONE_BITS = 12
_ONE = 1 << _ONE_BITS
"""Weight 1 in fixed point: 255 times it fits into the 21 bits of a channel."""
_BYTE = np.uint64(255)
_SHIFTS = (0, 21, 42)
_OPAQUE = np.uint32(0xFF000000)


class Painter:
    """Paints the frames of a scene.

    Parameters
    ----------
    scene
        What to paint. Everything that is the same in all frames is computed here.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        under, over = _layers(scene)
        self._background = _pack(np.array(scene.background, dtype=np.uint8))
        self._rgba = _to_bytes(_composed(under, over))
        self._packed = self._rgba.view("<u4")[..., 0]
        self._maps = [_Map(scene, panel, under, over) for panel in scene.panels]
        layout = scene.layout
        self._moving: list[_Header | _Cursor] = []
        if layout.header is not None and (scene.style.timestamp or scene.style.marks):
            self._moving.append(_Header(scene, layout.header, self._rgba))
        if layout.strip is not None:
            self._moving.append(_Cursor(scene, layout.strip, self._rgba))

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
        for one, numbers in zip(self._maps, values, strict=True):
            one.paint(self._packed, self._scene.colours.index(numbers), np.isnan(numbers))
        for part in self._moving:
            part.paint(frame)
        if self._scene.style.background == "transparent":
            return self._rgba.copy()
        return _without_alpha(self._rgba)


class _Map:
    """The hexagons of one panel on its box of the picture."""

    def __init__(self, scene: Scene, panel: Panel, under: Floats, over: Floats) -> None:
        hexes, box = panel.hexes, panel.box
        self._box = (slice(box.top, box.bottom), slice(box.left, box.right))
        coverage = (
            cover(panel.view, hexes.grid, hexes.i[hexes.filled], hexes.j[hexes.filled])
            if hexes.filled.size
            else None
        )
        self._rest = _pack(np.array(scene.background, dtype=np.uint8))
        self._colours = _pack(scene.colours.table)
        self._empty = bool(coverage is None)
        if coverage is None:
            return
        self._blend = _blend(
            coverage, under[self._box], over[self._box], scene.style.opacity, scene.background
        )
        self._picture = np.empty(coverage.owner.shape, dtype="<u4")

    def paint(
        self, packed: Packed, colour: npt.NDArray[np.intp], missing: npt.NDArray[np.bool_]
    ) -> None:
        if self._empty:
            return
        colours = self._colours[colour]
        colours[missing] = self._rest | _OPAQUE
        self._blend.paint(np.append(colours, self._rest), self._picture)
        packed[self._box] = self._picture


@dataclass(frozen=True)
class _Blend:
    """How the colours of hexagons make the pixels of a box.

    Pixels with one colour take it from `owner`; those at `mixed` are the sum of `constant` and the
    weighted colours of `shares`.
    """

    owner: npt.NDArray[np.intp]
    mixed: npt.NDArray[np.intp]
    constant: Wide
    alpha: Packed
    shares: tuple[tuple[npt.NDArray[np.intp], Wide], ...]

    def paint(self, colours: Packed, picture: Packed) -> None:
        np.take(colours, self.owner, out=picture, mode="clip")
        wide = _widen(colours)
        total = self.constant.copy()
        for own, weight in self.shares:
            part = np.take(wide, own, mode="clip")
            part *= weight
            total[: len(own)] += part
        picture.reshape(-1)[self.mixed] = _narrow(total) | self.alpha


def _blend(
    coverage: Coverage,
    under: Floats,
    over: Floats,
    opacity: float,
    background: tuple[int, int, int, int],
) -> _Blend:
    """Fold opacity and the layers under and over the hexagons, premultiplied, into weights."""
    n = coverage.n_hexes
    flat_under, flat_over = under.reshape(-1, 4), over.reshape(-1, 4)
    plain = _is_plain(flat_under, flat_over, background)
    through = flat_over[:, 3] == 0
    solid = np.zeros(coverage.owner.size, dtype=bool)
    solid[:] = coverage.owner.reshape(-1) < n
    solid[coverage.mixed] = False
    edge_with_owner = np.zeros(coverage.owner.size, dtype=bool)
    edge_with_owner[coverage.mixed] = True
    direct = solid & through & (opacity == 1.0)
    empty = ~solid & ~edge_with_owner
    owner = np.where(direct, coverage.owner.reshape(-1), n)
    inner = np.flatnonzero(solid & ~direct)
    rest = np.flatnonzero(empty & ~plain)
    mixed = np.concatenate([coverage.mixed, inner, rest])
    return _weighted(coverage, owner, mixed, inner, opacity, flat_under, flat_over)


def _weighted(
    coverage: Coverage,
    owner: npt.NDArray[np.intp],
    mixed: npt.NDArray[np.intp],
    inner: npt.NDArray[np.intp],
    opacity: float,
    under: Floats,
    over: Floats,
) -> _Blend:
    n_edge, n_some = len(coverage.mixed), len(coverage.mixed) + len(inner)
    covered = np.zeros(len(mixed), dtype=np.float32)
    for own, share in coverage.shares:
        covered[: len(own)] += share
    covered[n_edge:n_some] = 1.0
    covered *= np.float32(opacity)
    free = 1.0 - over[mixed, 3]
    alpha = over[mixed, 3] + free * (covered + (1.0 - covered) * under[mixed, 3])
    scale = _ONE / np.maximum(alpha, 1e-6)
    constant = over[mixed, :3] + (free * (1.0 - covered))[:, None] * under[mixed, :3]
    shares = []
    for slot, (own, share) in enumerate(coverage.shares or [(mixed[:0], covered[:0])]):
        if slot == 0:
            own = np.concatenate([own, coverage.owner.reshape(-1)[inner]])
            share = np.concatenate([share, np.ones(len(inner), dtype=np.float32)])
        weight = share * np.float32(opacity) * free[: len(own)] * scale[: len(own)]
        shares.append((own, weight))
    return _Blend(
        owner.reshape(coverage.owner.shape),
        mixed,
        _wide_constant(constant * scale[:, None]),
        np.round(alpha * 255.0).astype("<u4") << np.uint32(24),
        tuple((own, weight.astype(np.uint64)) for own, weight in shares),
    )


class _Header:
    """The time and the marks it lies in, written into their own box; nothing else is redrawn."""

    def __init__(self, scene: Scene, box: Box, rgba: Pixels) -> None:
        self._scene = scene
        self._masks = TextMasks(HEADER_FONT * scene.layout.font)
        self._gap = round(GAP * scene.layout.font)
        top = max(0, box.top + box.height // 2 - self._masks.height // 2)
        self._target = rgba[top : top + self._masks.height, box.left : box.right]
        self._clean = _to_floats(self._target)

    def paint(self, frame: int) -> None:
        picture, left = self._clean.copy(), 0
        for text, colour in header_texts(self._scene, frame):
            mask = self._masks.mask(text)
            part = picture[:, left : left + mask.shape[1]]
            _write_on(part, mask[: part.shape[0], : part.shape[1]], colour)
            left += mask.shape[1] + self._gap
        self._target[...] = _to_bytes(picture)


class _Cursor:
    """The line in the strip: the columns under it are put back before it moves on."""

    def __init__(self, scene: Scene, box: Box, rgba: Pixels) -> None:
        self._scene, self._box = scene, box
        self._target = rgba[box.top : box.bottom]
        self._clean = self._target.copy()
        self._columns = slice(0, 0)

    def paint(self, frame: int) -> None:
        self._target[:, self._columns] = self._clean[:, self._columns]
        half = cursor_width(self._scene) / 2
        x = cursor_x(self._scene, self._box, frame)
        columns = np.arange(int(x - half), int(np.ceil(x + half)))
        share = np.minimum(columns + 1, x + half) - np.maximum(columns, x - half)
        self._columns = slice(int(columns[0]), int(columns[-1]) + 1)
        part = _to_floats(self._clean[:, self._columns])
        mask = np.broadcast_to(share.astype(np.float32), part.shape[:2])
        _write_on(part, mask, self._scene.foreground)
        self._target[:, self._columns] = _to_bytes(part)


def _write_on(picture: Floats, mask: Floats, colour: str) -> None:
    """Lay a colour over a premultiplied picture, as far as the mask says."""
    over = mask[..., None]
    picture *= 1.0 - over
    picture += over * _rgb(colour)


def _layers(scene: Scene) -> tuple[Floats, Floats]:
    """What lies under and over the hexagons: (height, width, 4) of 0 to 1, premultiplied."""
    size = scene.style.size
    red, green, blue, alpha = (c / 255 for c in scene.background)
    under = Sheet(size, (red, green, blue, alpha) if alpha else "none")
    draw_under(under, scene)
    over = Sheet(size)
    draw_over(over, scene)
    return _to_floats(under.pixels()), _to_floats(over.pixels())


def _composed(under: Floats, over: Floats) -> Floats:
    return over + (1.0 - over[..., 3:]) * under


def _is_plain(
    under: Floats, over: Floats, background: tuple[int, int, int, int]
) -> npt.NDArray[np.bool_]:
    """Pixels (n, 4) that show nothing but the background."""
    colour = _to_floats(np.array([background], dtype=np.uint8))[0]
    plain: npt.NDArray[np.bool_] = (over[:, 3] == 0) & (np.abs(under - colour) < 1e-6).all(axis=1)
    return plain


def _to_floats(rgba: Pixels) -> Floats:
    """Straight bytes to premultiplied 0 to 1."""
    picture = rgba.astype(np.float32) / np.float32(255)
    picture[..., :3] *= picture[..., 3:]
    return picture


def _to_bytes(picture: Floats) -> Pixels:
    """Premultiplied 0 to 1 to straight bytes; white where nothing is."""
    alpha = picture[..., 3:]
    straight = np.where(alpha > 0, picture[..., :3] / np.maximum(alpha, 1e-6), 1.0)
    both = np.concatenate([straight, alpha], axis=-1)
    return np.ascontiguousarray(np.round(np.clip(both, 0.0, 1.0) * 255.0).astype(np.uint8))


def _pack(rgba: Pixels) -> Packed:
    """(..., 4) bytes to one number each."""
    return np.ascontiguousarray(rgba).view("<u4")[..., 0]


def _widen(packed: Packed) -> Wide:
    """Packed colours with room for sums: one channel per 21 bits."""
    wide = packed.astype(np.uint64)
    red, green, blue = ((wide >> np.uint64(8 * k)) & _BYTE for k in range(3))
    return _joined(red, green, blue)


def _narrow(total: Wide) -> Packed:
    """Sums of weighted colours to packed colours without alpha."""
    red, green, blue = ((total >> np.uint64(shift + _ONE_BITS)) & _BYTE for shift in _SHIFTS)
    packed: Packed = (red | green << np.uint64(8) | blue << np.uint64(16)).astype("<u4")
    return packed


def _wide_constant(colour: Floats) -> Wide:
    """(n, 3) colours of 0 to `_ONE` to sums, with the half that rounds."""
    fixed = np.clip(colour * 255.0 + _ONE / 2, 0, 256 * _ONE - 1).astype(np.uint64)
    return _joined(fixed[:, 0], fixed[:, 1], fixed[:, 2])


def _joined(red: Wide, green: Wide, blue: Wide) -> Wide:
    joined: Wide = red | green << np.uint64(_SHIFTS[1]) | blue << np.uint64(_SHIFTS[2])
    return joined


def _without_alpha(rgba: Pixels) -> Pixels:
    picture = np.empty((*rgba.shape[:2], 3), dtype=np.uint8)
    for channel in range(3):
        picture[..., channel] = rgba[..., channel]
    return picture


@cache
def _rgb(colour: str) -> Floats:
    from matplotlib.colors import to_rgba

    return np.array(to_rgba(colour), dtype=np.float32)
