"""Two hemispheres with the same flat coordinates, moved apart by whole columns of the lattice."""

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
"""Attribute of a cube with hemispheres side by side: a `Layout` as JSON."""
GAP = 2
"""Free columns of the lattice between hemispheres, so that their hexagons are not neighbours."""


@dataclass(frozen=True)
class Layout:
    """Position of each hemisphere.

    Attributes
    ----------
    values
        Values of the property, left hemisphere first.
    mirrored
        Whether x of each hemisphere is negated.
    columns
        Columns of the lattice by which each is then moved.
    last_left
        Last column of the left hemisphere.
    """

    values: tuple[str, str]
    mirrored: tuple[bool, bool]
    columns: tuple[int, int]
    last_left: int

    @classmethod
    def of(cls, attrs: Mapping[Any, Any]) -> Layout | None:
        """Return the layout of a cube; None if its hemispheres are not side by side."""
        text = attrs.get(HEMISPHERES)
        if not isinstance(text, str):
            return None
        entries = json.loads(text)
        last = entries.pop("last_left")
        return cls(**{name: tuple(value) for name, value in entries.items()}, last_left=last)

    def to_text(self) -> str:
        """Return the layout as text that `of` reads."""
        return json.dumps(asdict(self))

    def note(self, column: str) -> str:
        """Return a sentence for the notes of a cube."""
        said = []
        for value, mirrored, n in zip(self.values, self.mirrored, self.columns, strict=True):
            how = ["mirrored"] * mirrored + [_moved(n)] * bool(n)
            said.append(f"{value!r} {' and '.join(how) or 'where it is'}")
        return f"the hemispheres ({column}) lie side by side: {', '.join(said)}"

    def side_of(self, col: Ints) -> npt.NDArray[np.intp]:
        """Return 0 for columns of hexagons in the left hemisphere, and 1 for others."""
        return (np.asarray(col) > self.last_left).astype(np.intp)

    def middle(self, grid: HexGrid) -> float:
        """Return x halfway between the hemispheres."""
        return (self.last_left + (GAP + 1.5) / 2.0) * grid.spacing

    def x_at(self, x: Floats, side: int, grid: HexGrid) -> Floats:
        """Move x of points of a hemisphere to its position in the layout."""
        return (-x if self.mirrored[side] else x) + self.columns[side] * grid.spacing

    def x_before(self, x: Floats, side: int, grid: HexGrid) -> Floats:
        """Move x of points of a hemisphere back to the original coordinates."""
        before = x - self.columns[side] * grid.spacing
        return -before if self.mirrored[side] else before


def side_by_side(
    members: HexMembers, sides: Ints, values: tuple[str, str], mirror: str | None
) -> tuple[HexMembers, Layout]:
    """Put the hexagons of two hemispheres side by side.

    The hemisphere that is not mirrored keeps its position and names; if neither is mirrored, the
    left one does. The other one is moved by whole columns, so that rows stay aligned.

    Parameters
    ----------
    members
        Hexagons of all neurons, with both hemispheres at the same position.
    sides
        (n_neurons,) 0 for left, 1 for right, -1 for neither, which is then in no hexagon.
    values
        Names of the hemispheres.
    mirror
        Name of the hemisphere to mirror, or None.

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
    labels = np.full(2 * n_hexes + 1, NO_HEX, dtype=np.int32)  # key -1 reads the last entry
    labels[np.concatenate([used[0], used[1] + n_hexes])[order]] = np.arange(len(order))
    i, j = rowcol_to_ij(rows[order], placed[order])
    n_neurons = counts[np.concatenate([used[0], used[1] + n_hexes])[order]].astype(np.int32)
    hex_of_neuron: Any = labels[key].astype(smallest_kind(len(order)))
    return HexMembers(members.grid, i, j, hex_of_neuron, n_neurons), layout


def _mirrored(row: Ints, col: Ints) -> Ints:
    """Return the columns mirrored at x = 0; odd rows are shifted by half a hexagon."""
    mirrored: Ints = -col - (row & 1)
    return mirrored


def _moved(n: int) -> str:
    return f"moved by {n} column{'' if abs(n) == 1 else 's'}"
