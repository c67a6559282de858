"""Points that are named hexagons: where each lies, and which are picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from napari.utils.colormaps.standardize_color import transform_color

from napari_hexrecruit._napari.layers.display import hex_points
from napari_hexrecruit._napari.layers.picks import (
    MOST_LINES,
    HexLookup,
    colours_of,
    give_slots,
    positions_of,
)
from napari_hexrecruit._napari.private.points import FramePoints
from napari_hexrecruit._napari.private.visuals import Outlines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import xarray as xr

_OF_MANY = 0.5
"""Relative width of the outlines of very many picks, to keep the hexagons' colours visible."""


class NamedHexes(FramePoints):
    """The hexagons of a cube: their places, names and numbers of neurons, without values.

    A subclass calls `take_hexes` before ``super().__init__`` and whenever its hexagons change; its
    ``events`` have ``selection_changed``.
    """

    _lookup: HexLookup
    _slots: dict[str, int]
    """Number of the colour of each picked hexagon, by name."""

    def take_hexes(self, cube: xr.Dataset) -> bool:
        """Use the hexagons of a cube; return whether they lie on the same grid as those before."""
        before = self._lookup.grid if hasattr(self, "_lookup") else None
        self._hexes = hex_points(cube)
        self._lookup = HexLookup.of(cube)
        self._position_of = positions_of(cube)
        return self._lookup.grid == before

    def geometry(self) -> dict[str, Any]:
        """Return the size of the hexagons, and the transform from data to world coordinates."""
        hexes = self._hexes
        return {
            "size": hexes.size,
            "scale": hexes.scale,
            "translate": hexes.translate,
            "units": hexes.units,
        }

    def fixed_features(self) -> dict[str, npt.NDArray[Any]]:
        """Return the features that are the same in every bin."""
        return {"hex": self._hexes.names, "n_neurons": self._hexes.n_neurons}

    @property
    def selected_hexes(self) -> tuple[str, ...]:
        """Names of the picked hexagons, in the order of picking. They are outlined on the map.

        Settable to names of hexagons of the cube; a repeated name counts once. A change emits
        ``events.selection_changed``.

        Raises
        ------
        ValueError
            When set, if the cube lacks a hexagon of this name; the picks are unchanged.
        """
        return tuple(self._slots)

    @selected_hexes.setter
    def selected_hexes(self, names: Iterable[str]) -> None:
        wanted = [names] if isinstance(names, str) else [str(name) for name in names]
        unknown = [name for name in wanted if name not in self._position_of]
        if unknown:
            raise ValueError(
                f"selected_hexes: the cube has no hexagon {unknown[0]!r}:"
                f" names look like {self._hexes.names[0]}"
            )
        self._pick(wanted)

    @property
    def selected_slots(self) -> tuple[int, ...]:
        """Number of the colour of each picked hexagon, see `picks.colours_of`."""
        return tuple(self._slots.values())

    def hex_at(self, position: Sequence[float]) -> str | None:
        """Find the hexagon at a position in world coordinates, such as that of a mouse event.

        Returns
        -------
        str or None
            Its name; None outside of all hexagons. Columns of an atlas can overlap; then it is the
            one with the nearest centre.
        """
        y, x = self.world_to_data(position)[-2:]
        index = self._lookup.at(float(x), float(y))
        return None if index is None else str(self._hexes.names[index])

    def hexes_inside(self, corners: Iterable[Sequence[float]]) -> tuple[str, ...]:
        """Find the hexagons whose centres lie within a polygon.

        Parameters
        ----------
        corners
            World coordinates of its corners.

        Returns
        -------
        tuple of str
            Names in the order of the cube.
        """
        yx = [self.world_to_data(corner)[-2:] for corner in corners]
        inside = self._lookup.inside([x for _, x in yx], [y for y, _ in yx])
        return tuple(str(name) for name in self._hexes.names[inside])

    def _pick(self, names: Sequence[str]) -> None:
        """Pick existing names; emit ``selection_changed`` if the picks differ."""
        slots = give_slots(dict.fromkeys(names), self._slots)
        changed = list(slots) != list(self._slots)
        self._slots = slots
        self._outline()
        if changed:
            self.events.selection_changed(value=self.selected_hexes)

    def _outline(self) -> None:
        overlay, hexes = self.pick_overlay, self._hexes
        at = [self._position_of[name] for name in self._slots]
        overlay.outlines = None
        if at:
            colours = transform_color(colours_of(self.selected_slots))
            width = _OF_MANY if len(at) > MOST_LINES else 1.0
            overlay.outlines = Outlines(hexes.centres[at], colours, hexes.size, width)
        overlay.visible = bool(at) or bool(overlay.lasso)
