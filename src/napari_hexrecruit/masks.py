"""Sets of neurons, with one bit for each neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Mask:
    """A truth value for each neuron of a population.

    Parameters
    ----------
    bits
        (n // 8 + 1,) uint8; neuron k is bit ``k % 8`` of byte ``k // 8``. Bits after the last
        neuron are 0.
    size
        Number of neurons.

    Examples
    --------
    >>> mask = Mask.of(np.array([True, False, True])) & Mask.of(np.array([True, True, False]))
    >>> mask.count(), mask.rows().tolist(), len(mask)
    (1, [0], 3)
    """

    bits: npt.NDArray[np.uint8]
    size: int

    @classmethod
    def of(cls, values: npt.NDArray[np.bool_]) -> Mask:
        """Return the mask of (n,) truth values."""
        bits = np.zeros(len(values) // 8 + 1, dtype=np.uint8)
        packed = np.packbits(values, bitorder="little")
        bits[: len(packed)] = packed
        return cls(bits, len(values))

    @classmethod
    def every(cls, size: int) -> Mask:
        """Return a mask that selects all of `size` neurons."""
        bits = np.full(size // 8 + 1, 255, dtype=np.uint8)
        bits[-1] = (1 << size % 8) - 1
        return cls(bits, size)

    def __len__(self) -> int:
        return self.size

    def __and__(self, other: Mask) -> Mask:
        return Mask(self.bits & other.bits, self.size)

    def count(self) -> int:
        """Return the number of selected neurons."""
        return int(np.bitwise_count(self.bits).sum(dtype=np.int64))

    def values(self) -> npt.NDArray[np.bool_]:
        """Return (n,) truth values."""
        return np.unpackbits(self.bits, count=self.size, bitorder="little").view(np.bool_)

    def rows(self) -> npt.NDArray[np.int64]:
        """Return the rows of the selected neurons, ascending."""
        return np.flatnonzero(self.values())
