"""Points that a user can view and select, but not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from napari.utils.notifications import show_info

if TYPE_CHECKING:
    from collections.abc import Iterable

Floats = npt.NDArray[np.float64]


class FixedPoints(Points):  # type: ignore[misc]  # napari has no types
    """Points whose positions, number and colours the user cannot set.

    All have the same symbol and border. A subclass names its own features in ``_own_features``;
    users can add others.
    """

    _data: Floats
    _own_features: tuple[str, ...]
    selected_data: Any

    @property
    def _view_symbol(self) -> Any:
        return self.symbol[:1]

    @property
    def _view_border_color(self) -> Any:
        return self.border_color[:1]

    @property
    def editable(self) -> bool:
        """False: points cannot be added, moved or deleted."""
        return False

    @editable.setter
    def editable(self, editable: bool) -> None:
        # napari's controls set it on each switch between 2-D and 3-D.
        pass

    @property
    def data(self) -> Floats:
        """(n_points, 3) coordinates: current frame, y, x. Read-only."""
        data: Floats = self._data
        return data

    @data.setter
    def data(self, data: object) -> None:
        raise AttributeError(_refusal("be moved"))

    @property
    def features(self) -> Any:
        """Table with one row per point; the layer's own columns follow the slider."""
        return Points.features.fget(self)

    @features.setter
    def features(self, features: Any) -> None:
        table = Points.features.fget(self)
        others = {name: features[name] for name in features if name not in self._own_features}
        if others or len(table.columns) > len(self._own_features):
            Points.features.fset(self, {**{n: table[n] for n in self._own_features}, **others})

    @property
    def face_color(self) -> Any:
        """(n_points, 4) colours of the current frame. Read-only."""
        return Points.face_color.fget(self)

    @face_color.setter
    def face_color(self, face_color: object) -> None:
        raise AttributeError(
            "the colour of a hexagon is its value:"
            " set face_colormap, face_contrast_limits or metric instead of face_color"
        )

    def add(self, coords: object) -> None:
        """Refuse: the cube defines the hexagons."""
        raise TypeError(_refusal("be added"))

    def remove(self, indices: Iterable[int]) -> None:
        """Refuse: the cube defines the hexagons."""
        raise TypeError(_refusal("be deleted"))

    def remove_selected(self) -> None:
        """Notify that hexagons cannot be deleted; the Delete key calls this method."""
        if self.selected_data:
            show_info(_refusal("be deleted"))

    def _move(self, *args: object) -> None:
        pass

    def _paste_data(self) -> None:
        pass


def _refusal(what: str) -> str:
    return f"hexagons cannot {what}: the cube defines them; assign another cube"
