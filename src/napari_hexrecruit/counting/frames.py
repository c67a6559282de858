"""Frames of values per neuron, averaged within bins, to a statistic of each hexagon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.system.threads import n_cores, parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_hexrecruit.progress import Progress

Floats = npt.NDArray[np.float64]

_NAMES = ("mean", "sd", "min", "max")
_ABOVE = "above"
_LABELS = {
    "mean": "mean over neurons",
    "sd": "standard deviation over neurons",
    "min": "least of the neurons",
    "max": "greatest of the neurons",
}
_WORTH_THREADS = 50_000
"""Neurons above which several threads add frames."""
_SPARSE = 8
"""Most elements per counted one for which all elements are added, which is faster."""


@dataclass(frozen=True)
class Statistic:
    """Statistic over the neurons of a hexagon, each with its mean over the frames of the bin.

    Parameters
    ----------
    name
        ``mean``, ``sd`` (divided by the number of neurons), ``min``, ``max`` or ``above``: the
        percentage of neurons above a level.
    level
        Level of ``above``, in the units of the report.

    Examples
    --------
    >>> Statistic.of("above:-30").suffix, Statistic.of("mean").label("soma_v")
    ('above_-30', 'soma_v, mean over neurons')
    """

    name: str
    level: float = 0.0

    @classmethod
    def of(cls, text: object) -> Statistic:
        """Parse a text such as ``sd`` or ``above:-30``; None is the mean.

        Raises
        ------
        ParameterError
            If the name is unknown, or the level is not a finite number.
        """
        if text is None:
            return cls("mean")
        name, colon, level = str(text).partition(":")
        try:
            if name in _NAMES and not colon:
                return cls(name)
            if name == _ABOVE and np.isfinite(float(level)):
                return cls(name, float(level))
        except ValueError:
            pass
        raise ParameterError(
            Parameter("statistic"), f"must be {', '.join(_NAMES)} or above:LEVEL, not {text!r}"
        )

    @property
    def suffix(self) -> str:
        """Suffix of the report's name in the name of the variable."""
        return f"{self.name}_{self.level:g}" if self.name == _ABOVE else self.name

    def units(self, units: str) -> str:
        """Return the units of the statistic for values in some units."""
        return "%" if self.name == _ABOVE else units

    def label(self, report: str, units: str = "") -> str:
        """Return the label of the values, without their units."""
        if self.name == _ABOVE:
            return f"Neurons with {report} above {self.level:g} {units}".rstrip()
        return f"{report}, {_LABELS[self.name]}"


class NotFiniteError(ValueError):
    """A neuron's values in a bin are not finite; has the position of the neuron, and the bin."""

    def __init__(self, neuron: int, bin_: int) -> None:
        super().__init__(f"neuron {neuron} in bin {bin_}")
        self.neuron, self.bin = neuron, bin_


def statistic_of_frames(
    blocks: Iterable[npt.NDArray[Any]],
    columns: npt.NDArray[np.int64],
    hexes: npt.NDArray[np.int32],
    n_hexes: int,
    per_bin: int,
    n_bins: int,
    statistic: Statistic,
    *,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Compute a statistic of each hexagon in each bin.

    Parameters
    ----------
    blocks
        (n_frames, n_elements) values of consecutive frames, ``n_bins * per_bin`` in total.
    columns
        (n,) element of each neuron.
    hexes
        (n,) hexagon of each neuron, 0 to ``n_hexes - 1``.
    n_hexes, per_bin, n_bins
        Number of hexagons, each with a neuron; of frames per bin; of bins.
    statistic
        Statistic over the neurons.
    n_workers
        Number of threads; by default one per core that this process can use.
    progress
        Called with ``"frames"``, the number of frames done, and the total.

    Returns
    -------
    (n_bins, n_hexes) float32

    Raises
    ------
    NotFiniteError
        If a neuron's mean within a bin is not finite.
    """
    n_neurons = np.bincount(hexes, minlength=n_hexes).astype(np.float64)
    order = np.argsort(columns, kind="stable")  # sequential reads are several times faster
    columns, hexes = np.ascontiguousarray(columns[order]), np.ascontiguousarray(hexes[order])
    values = np.empty((n_bins, n_hexes), np.float32)
    done, total = 0, n_bins * per_bin
    with _Totals(columns, n_workers) as totals:
        for block in blocks:
            at = 0
            while at < len(block):
                n = min(len(block) - at, per_bin - done % per_bin)
                totals.add(block, at, at + n)
                at, done = at + n, done + n
                if done % per_bin == 0:
                    bin_ = done // per_bin - 1
                    try:
                        values[bin_] = _of_hexes(
                            totals.take(), hexes, per_bin, n_neurons, statistic
                        )
                    except NotFiniteError as error:
                        raise NotFiniteError(int(order[error.neuron]), bin_) from None
            if progress is not None:
                progress("frames", done, total)
    return values


class _Totals:
    """Sums over frames of some elements. A context manager; its threads end with the block.

    Parameters
    ----------
    columns
        (n,) elements, ascending.
    n_workers
        Number of threads; by default one per core that this process can use.
    """

    def __init__(self, columns: npt.NDArray[np.int64], n_workers: int | None) -> None:
        self._columns, n = columns, len(columns)
        self._span = int(columns[0]), int(columns[-1]) + 1
        width = self._span[1] - self._span[0]
        self._is_dense, self._is_each = width <= _SPARSE * n, width == n
        self._sums = np.zeros(self._span[1] if self._is_dense else n)
        self._spare = np.zeros_like(self._sums)  # the sums taken last are still in use
        workers = (n_cores() if n_workers is None else n_workers) if n > _WORTH_THREADS else 1
        first, last = self._span if self._is_dense else (0, n)
        self._parts = [(first + a, first + b) for a, b in parts(last - first, workers)]
        self._pool = ThreadPoolExecutor(workers, "hexrecruit-frames")

    def __enter__(self) -> _Totals:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def add(self, block: npt.NDArray[Any], first_frame: int, last_frame: int) -> None:
        """Add the values of some frames of a block."""
        if len(self._parts) == 1:
            self._add(block, first_frame, last_frame, self._parts[0])
            return
        add = partial(self._add, block, first_frame, last_frame)
        list(self._pool.map(add, self._parts))

    def _add(
        self, block: npt.NDArray[Any], first_frame: int, last_frame: int, part: tuple[int, int]
    ) -> None:
        from napari_hexrecruit.counting import report_kernel as kernel

        if self._is_dense:
            kernel.add_frames(block, first_frame, last_frame, *part, self._sums)
        else:
            kernel.add_chosen(block, self._columns, first_frame, last_frame, *part, self._sums)

    def take(self) -> Floats:
        """Return the (n,) sums of the elements, and reset them to 0."""
        if not self._is_dense or self._is_each:
            taken = self._sums[self._span[0] if self._is_dense else 0 :]
            self._sums, self._spare = self._spare, self._sums
        else:
            taken = self._sums[self._columns]
        self._sums[:] = 0.0
        return taken


def _of_hexes(
    totals: Floats,
    hexes: npt.NDArray[np.int32],
    per_bin: int,
    n_neurons: Floats,
    statistic: Statistic,
) -> Floats:
    """Return the (n_hexes,) statistic of one bin."""
    from napari_hexrecruit.counting import report_kernel as kernel

    name, frames = statistic.name, float(per_bin)
    ends = name in ("min", "max")
    out = np.full(len(n_neurons), np.inf if ends else 0.0)
    if ends:
        sign = 1.0 if name == "min" else -1.0
        lost = kernel.ends_of_hexes(totals, hexes, frames, sign, out)
        out *= sign
    elif name == _ABOVE:
        lost = kernel.above_of_hexes(totals, hexes, frames, statistic.level, out)
        out *= 100.0 / n_neurons
    else:
        lost = kernel.sum_of_hexes(totals, hexes, frames, out)
        out /= n_neurons
    if lost >= 0:
        raise NotFiniteError(int(lost), 0)
    if name == "sd":
        squares = np.zeros(len(n_neurons))
        kernel.squares_of_hexes(totals, hexes, frames, out, squares)
        return np.asarray(np.sqrt(squares / n_neurons))
    return out
