"""Colours of hexagons to pixels, with the layers under and over them folded into weights.

Everything under and over the hexagons is the same in all frames, and blending is linear. So each
pixel is a constant plus weighted colours of hexagons, and no layer is blended per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.render.pixels import (
    ONE,
    Floats,
    Packed,
    Pixels,
    Wide,
    laid_over,
    narrow,
    pack,
    to_floats,
    widen,
    widen_fixed,
)

if TYPE_CHECKING:
    from napari_hexrecruit.render.raster import Coverage

Indices = npt.NDArray[np.intp]
Share = tuple[Indices, npt.NDArray[np.float32]]

_TRANSPARENT = 1e-6


@dataclass(frozen=True)
class Blend:
    """Weights that turn the colours of hexagons into the pixels of a box.

    Parameters
    ----------
    owner
        (height, width) intp, the hexagon whose colour a pixel has; the number of hexagons stands
        for the background.
    mixed
        (n_mixed,) intp, flat positions of the pixels that are a mixture instead.
    constant
        (n_mixed,) uint64, the part that is the same in all frames.
    alpha
        (n_mixed,) uint32, alpha of these pixels as a packed colour.
    shares
        For the first, second, ... hexagon of the leading mixed pixels: its index and its weight.
    """

    owner: Indices
    mixed: Indices
    constant: Wide
    alpha: Packed
    shares: tuple[tuple[Indices, Wide], ...]

    def paint(self, colours: Packed, picture: Packed) -> None:
        """Paint a box.

        Parameters
        ----------
        colours
            (n_hexes + 1,) packed colour of each hexagon and of the background.
        picture
            (height, width) packed pixels to fill.
        """
        np.take(colours, self.owner, out=picture, mode="clip")
        wide = widen(colours)
        total = self.constant.copy()
        for own, weight in self.shares:
            part = np.take(wide, own, mode="clip")
            part *= weight
            total[: len(own)] += part
        picture.reshape(-1)[self.mixed] = narrow(total) | self.alpha


def fold(
    coverage: Coverage, under: Pixels, over: Pixels, opacity: float, background: Packed
) -> Blend:
    """Fold the layers under and over the hexagons into weights.

    Parameters
    ----------
    coverage
        Hexagons that cover each pixel.
    under, over
        (height, width, 4) layers.
    opacity
        Opacity of the hexagons.
    background
        Packed colour of pixels that show nothing else.

    Returns
    -------
    Blend
        Its mixtures are the pixels on borders of hexagons, or where a layer or the opacity matters.
    """
    shown = pack(laid_over(under, over)).reshape(-1)
    under, over = under.reshape(-1, 4), over.reshape(-1, 4)
    owner = coverage.owner.reshape(-1)
    on_border = np.zeros(owner.size, dtype=bool)
    on_border[coverage.mixed] = True
    inside = (owner < coverage.n_hexes) & ~on_border
    bare = inside & (over[:, 3] == 0) & (opacity == 1.0)
    veiled = np.flatnonzero(inside & ~bare)
    beside = np.flatnonzero(~inside & ~on_border & (shown != background))
    mixed = np.concatenate([coverage.mixed, veiled, beside])
    shares = _with_veiled(coverage.shares, owner[veiled])
    return _weighted(
        np.where(bare, owner, coverage.n_hexes).reshape(coverage.owner.shape),
        mixed,
        tuple((own, share * np.float32(opacity)) for own, share in shares),
        to_floats(under[mixed]),
        to_floats(over[mixed]),
    )


def _with_veiled(shares: tuple[Share, ...], owner: Indices) -> tuple[Share, ...]:
    """Append pixels to the first shares, each filled by one hexagon."""
    whole = np.ones(len(owner), dtype=np.float32)
    if not shares:
        return ((owner, whole),)
    own, share = shares[0]
    return (np.concatenate([own, owner]), np.concatenate([share, whole])), *shares[1:]


def _weighted(
    owner: Indices, mixed: Indices, shares: tuple[Share, ...], under: Floats, over: Floats
) -> Blend:
    """Make the blend from the layers (n_mixed, 4) and the shares of hexagons between them."""
    covered = np.zeros(len(mixed), dtype=np.float32)
    for own, share in shares:
        covered[: len(own)] += share
    free = 1.0 - over[:, 3]
    alpha = over[:, 3] + free * (covered + (1.0 - covered) * under[:, 3])
    straight = ONE / np.maximum(alpha, _TRANSPARENT)
    constant = over[:, :3] + (free * (1.0 - covered))[:, None] * under[:, :3]
    fixed: Floats = (constant * straight[:, None]).astype(np.float32)
    weight = free * straight
    return Blend(
        owner,
        mixed,
        widen_fixed(fixed),
        np.round(alpha * 255.0).astype("<u4") << np.uint32(24),
        tuple((own, (share * weight[: len(own)]).astype(np.uint64)) for own, share in shares),
    )
