"""Two hemispheres with the same flat coordinates, side by side by whole columns of the lattice."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.counting.members import NO_HEX, HexMembers, smallest_kind
from napari_hexrecruit.hexgrid import ij_to_rowcol, rowcol_to_ij

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_hexrecruit.hexgrid import HexGrid

    Ints = npt.NDArray[np.signedinteger[Any]]
    Floats = npt.NDArray[np.float64]

HEMISPHERES = "hemispheres"
"""Attribute of a cube whose hemispheres lie side by side: JSON, a `Layout`."""
GAP = 2
"""Columns of the lattice that are left free between them: none is a neighbour of the other's."""


@dataclass(frozen=True)
class Layout:
    """Where each hemisphere lies.

    Attributes
    ----------
    values
        Values of the property, the left one first.
    mirrored
        Whether x of the hemisphere is negated.
    columns
        Columns of the lattice that it is moved by, after that.
    last_left
        Column of the last hexagon of the left one.
    """

    values: tuple[str, str]
    mirrored: tuple[bool, bool]
    columns: tuple[int, int]
    last_left: int

    @classmethod
    def of(cls, attrs: Mapping[Any, Any]) -> Layout | None:
        """That of a cube; None where there is one hemisphere, or both lie as they are."""
        text = attrs.get(HEMISPHERES)
        if not isinstance(text, str):
            return None
        entries = json.loads(text)
        last = entries.pop("last_left")
        return cls(**{name: tuple(value) for name, value in entries.items()}, last_left=last)

    def to_text(self) -> str:
        """As `of` reads it."""
        return json.dumps(asdict(self))

    def note(self, column: str) -> str:
        """A sentence for a cube."""
        said = []
        for value, mirrored, n in zip(self.values, self.mirrored, self.columns, strict=True):
            how = ["mirrored"] * mirrored + [_moved(n)] * bool(n)
            said.append(f"{value!r} {' and '.join(how) or 'where it is'}")
        return f"the hemispheres ({column}) lie side by side: {', '.join(said)}"

    def side_of(self, col: Ints) -> npt.NDArray[np.intp]:
        """0 for hexagons of the left hemisphere by their columns, and 1 for the others."""
        return (np.asarray(col) > self.last_left).astype(np.intp)

    def middle(self, grid: HexGrid) -> float:
        """x halfway between them."""
        return (self.last_left + (GAP + 1.5) / 2.0) * grid.spacing

    def x_at(self, x: Floats, side: int, grid: HexGrid) -> Floats:
        """Where points of a hemisphere lie."""
        return (-x if self.mirrored[side] else x) + self.columns[side] * grid.spacing

    def x_before(self, x: Floats, side: int, grid: HexGrid) -> Floats:
        """Where points that lie in a hemisphere were in the coordinates of both."""
        before = x - self.columns[side] * grid.spacing
        return -before if self.mirrored[side] else before


def side_by_side(
    members: HexMembers, sides: Ints, values: tuple[str, str], mirror: str | None
) -> tuple[HexMembers, Layout]:
    """Hexagons of two hemispheres beside each other.

    The hemisphere that is not mirrored stays where it is, with its names; of two that are not, the
    left one does. The other one is moved by whole columns, so that rows stay rows.

    Parameters
    ----------
    members
        Hexagons of all neurons, both hemispheres in the same place.
    sides
        (n_neurons,) 0 for the left one, 1 for the right one, -1 for neither: then in no hexagon.
    values
        What the hemispheres are called.
    mirror
        The one that is mirrored; None for none.

    Examples
    --------
    >>> from napari_hexrecruit.counting.members import group_neurons
    >>> from napari_hexrecruit.hexgrid import HexGrid
    >>> there, x = np.ones(2, dtype=bool), np.array([3.5, 3.5])
    >>> members = group_neurons(HexGrid(1.0), x, np.zeros(2), there)
    >>> both, layout = side_by_side(members, np.array([0, 1]), ("left", "right"), "left")
    >>> both.hex_names().tolist(), layout.columns
    (['R0;C-1', 'R0;C2'], (1, 0))
    """
    mirrored = (values[0] == mirror, values[1] == mirror)
    row, col = ij_to_rowcol(members.i, members.j)
    n_hexes = len(row)
    inside = (members.hex_of_neuron != NO_HEX) & (sides >= 0)
    key = np.where(inside, members.hex_of_neuron + n_hexes * sides.astype(np.int64), -1)
    counts = np.bincount(key + 1, minlength=2 * n_hexes + 1)[1:]
    used = [np.flatnonzero(counts[:n_hexes]), np.flatnonzero(counts[n_hexes:])]
    cols = [
        _mirrored(row[at], col[at]) if is_mirrored else col[at]
        for at, is_mirrored in zip(used, mirrored, strict=True)
    ]
    apart = int(cols[0].max() - cols[1].min()) + 1 + GAP
    columns = (-apart, 0) if mirrored[0] else (0, apart)
    layout = Layout(values, mirrored, columns, int(cols[0].max()) + columns[0])
    rows = np.concatenate([row[at] for at in used])
    placed = np.concatenate([one + by for one, by in zip(cols, layout.columns, strict=True)])
    order = np.lexsort((placed, rows))
    labels = np.full(2 * n_hexes + 1, NO_HEX, dtype=np.int32)  # key -1 reads the last one
    labels[np.concatenate([used[0], used[1] + n_hexes])[order]] = np.arange(len(order))
    i, j = rowcol_to_ij(rows[order], placed[order])
    n_neurons = counts[np.concatenate([used[0], used[1] + n_hexes])[order]].astype(np.int32)
    hex_of_neuron: Any = labels[key].astype(smallest_kind(len(order)))
    return HexMembers(members.grid, i, j, hex_of_neuron, n_neurons), layout


def _mirrored(row: Ints, col: Ints) -> Ints:
    """Columns of the hexagons at the other side of x = 0; odd rows stand half a hexagon off."""
    mirrored: Ints = -col - (row & 1)
    return mirrored


def _moved(n: int) -> str:
    return f"moved by {n} column{'' if abs(n) == 1 else 's'}"
