"""Forms of a picture: straight bytes, premultiplied floats, and one number per pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""(..., 3 or 4) colours with straight alpha, 0 to 255."""
Floats = npt.NDArray[np.float32]
"""(..., 4) colours with premultiplied alpha, 0 to 1."""
Packed = npt.NDArray[np.uint32]
"""One number per pixel, whose bytes in little-endian order are red, green, blue, alpha."""
Wide = npt.NDArray[np.uint64]
"""One number per pixel with 21 bits for each of red, green and blue: room for weighted sums."""

_ONE_BITS = 12
ONE = 1 << _ONE_BITS
"""Weight 1 in fixed point; 255 times this fits into the bits of a channel."""
_SHIFTS = (0, 21, 42)
_BYTE = np.uint64(255)
_SMALLEST_ALPHA = 1e-6
_BLOCK_PIXELS = 1 << 18
"""Most pixels held as floats at once, because floats take ten times the memory."""


def to_floats(rgba: Pixels) -> Floats:
    """Convert straight bytes to premultiplied floats."""
    picture = rgba.astype(np.float32) / np.float32(255)
    picture[..., :3] *= picture[..., 3:]
    return picture


def to_bytes(picture: Floats) -> Pixels:
    """Convert premultiplied floats to straight bytes; transparent pixels become white."""
    alpha = picture[..., 3:]
    straight = np.where(alpha > 0, picture[..., :3] / np.maximum(alpha, _SMALLEST_ALPHA), 1.0)
    both = np.concatenate([straight, alpha], axis=-1)
    return np.ascontiguousarray(np.round(np.clip(both, 0.0, 1.0) * 255.0).astype(np.uint8))


def laid_over(under: Pixels, over: Pixels) -> Pixels:
    """Return a new picture with one layer (height, width, 4) over another."""
    picture = np.empty_like(under)
    rows = max(1, _BLOCK_PIXELS // max(1, under.shape[1]))
    for top in range(0, len(under), rows):
        below, above = (to_floats(layer[top : top + rows]) for layer in (under, over))
        picture[top : top + rows] = to_bytes(above + (1.0 - above[..., 3:]) * below)
    return picture


def pack(rgba: npt.ArrayLike) -> Packed:
    """Pack (..., 4) bytes into one number each."""
    return np.ascontiguousarray(rgba, dtype=np.uint8).view("<u4")[..., 0]


def widen(packed: Packed) -> Wide:
    """Convert packed colours to wide ones, with room for sums."""
    wide = packed.astype(np.uint64)
    red, green, blue = ((wide >> np.uint64(8 * k)) & _BYTE for k in range(3))
    return _joined(red, green, blue)


def widen_fixed(colours: Floats) -> Wide:
    """Convert (n, 3) colours of 0 to `ONE` to wide sums, plus a half so that `narrow` rounds."""
    fixed = np.clip(colours * 255.0 + ONE / 2, 0, 256 * ONE - 1).astype(np.uint64)
    return _joined(fixed[:, 0], fixed[:, 1], fixed[:, 2])


def narrow(total: Wide) -> Packed:
    """Convert sums of colours, with weights that add up to `ONE`, to packed ones with alpha 0."""
    red, green, blue = ((total >> np.uint64(shift + _ONE_BITS)) & _BYTE for shift in _SHIFTS)
    packed: Packed = (red | green << np.uint64(8) | blue << np.uint64(16)).astype("<u4")
    return packed


def without_alpha(rgba: Pixels) -> Pixels:
    """Return a new (height, width, 3) picture; copying channel by channel is much faster."""
    picture = np.empty((*rgba.shape[:2], 3), dtype=np.uint8)
    for channel in range(3):
        picture[..., channel] = rgba[..., channel]
    return picture


def _joined(red: Wide, green: Wide, blue: Wide) -> Wide:
    joined: Wide = red | green << np.uint64(_SHIFTS[1]) | blue << np.uint64(_SHIFTS[2])
    return joined
