"""Results of analyses on the canvas: layers updated in place, and originals hidden meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr
from napari.layers import Points

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.bars import lay_beside, look_alike
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit.metrics import metrics_for
from napari_hexrecruit.schema import HEX, TIME

_FONT = 10
"""Font size of names, which state quantity and units, and stand beside the colour bars."""


@dataclass(frozen=True, eq=False)
class Result:
    """A result to show in a layer.

    Parameters
    ----------
    role
        Purpose of the layer; a new result of the same role replaces the previous one.
    name
        Name of the layer.
    cube, metric
        Cube and metric to show.
    limits
        Contrast limits; None: the metric's own limits.
    """

    role: str
    name: str
    cube: xr.Dataset
    metric: str
    limits: tuple[float, float] | None = None


class Stage:
    """The result layers of one panel.

    Parameters
    ----------
    viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layers: dict[str, Points] = {}
        self._names: dict[str, str] = {}
        self._aside: list[RecruitmentLayer] = []
        self._made_grid = False
        self._is_placing = False
        self._came_from: float | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Disconnect from the viewer, without changing it."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for layer in self.layers:
            if isinstance(layer, RecruitmentLayer):
                layer.events.selection_changed.disconnect(self._on_selection)
        self._aside = []

    def layer(self, role: str) -> Points | None:
        """Return the layer of a role, if it is in the viewer."""
        layer = self._layers.get(role)
        return layer if layer is not None and layer in self._viewer.layers else None

    @property
    def layers(self) -> list[Points]:
        """The result layers that are in the viewer."""
        return [layer for layer in self._layers.values() if layer in self._viewer.layers]

    def is_result(self, layer: object) -> bool:
        """Return whether a layer is a result of this stage, or is just being added as one."""
        return self._is_placing or any(layer is own for own in self._layers.values())

    def put(self, result: Result) -> Points:
        """Show a result in the layer of its role, keep other results, and make the layer active."""
        self._is_placing = True
        try:
            layer = self._layers[result.role] = self._shown(result)
        finally:
            self._is_placing = False
        self._viewer.layers.selection.active = layer
        return layer

    def put_alone(self, result: Result) -> Points:
        """Show a result and hide all other hexagons, which would show through it."""
        layer = self.put(result)
        for other in self._viewer.layers:
            if isinstance(other, RecruitmentLayer) and other.visible and other is not layer:
                self._hide(other)
        return layer

    def show(self, results: Sequence[Result]) -> None:
        """Show results in their layers, in this order; remove others, and activate the last one."""
        shown = [self.put(result) for result in results]
        for role in [role for role in self._layers if role not in {r.role for r in results}]:
            self._remove(role)
        layers = self._viewer.layers
        if [layer for layer in layers if layer in shown] != shown:
            for layer in shown:
                layers.move(layers.index(layer), len(layers))

    def show_alone(self, results: Sequence[Result], at_ms: float) -> None:
        """Show results on their own time axis, and hide all other hexagons.

        Parameters
        ----------
        results
            Results to show.
        at_ms
            Time to move the slider to, ms.
        """
        dims = self._viewer.dims
        if self._came_from is None and dims.ndim >= -FRAME_AXIS:
            self._came_from = float(dims.point[FRAME_AXIS])
        self.show(results)
        start = float(results[0].cube[TIME][0])
        for layer in self._viewer.layers:
            if isinstance(layer, RecruitmentLayer) and not self.is_result(layer):
                self._hide(layer)
                layer.rest_at(start)
        dims.set_point(dims.ndim + FRAME_AXIS, at_ms)

    def arrange(self, layers: Sequence[Points]) -> None:
        """Lay several layers side by side with names, and hide other hexagons; or undo the grid."""
        several = len(layers) > 1
        if not several and not self._made_grid:
            return
        look_alike(self._viewer, layers)
        for layer in self._viewer.layers:
            if isinstance(layer, RecruitmentLayer):
                named = several and layer in layers
                lay_beside([layer], beside=named, font_size=_FONT)
                # The name already states it.
                layer.colorbar_label.visible = layer.face_colorbar.visible and not named
                if several and layer not in layers:
                    self._hide(layer)
        grid = self._viewer.canvas.grid
        grid.stride = 1
        grid.enabled = several
        self._made_grid = several
        self._viewer.reset_view()

    def share_picks(self) -> None:
        """Pick the same hexagons in all results."""
        for layer in self.layers:
            if isinstance(layer, RecruitmentLayer):
                layer.events.selection_changed.connect(self._on_selection)

    def _on_selection(self, event: Any) -> None:
        for layer in self.layers:
            if isinstance(layer, RecruitmentLayer) and layer.selected_hexes != event.value:
                known = set(layer.cube[HEX].values.tolist())
                layer.selected_hexes = [name for name in event.value if name in known]

    def clear(self) -> None:
        """Remove the results and show the hidden layers again."""
        for role in list(self._layers):
            self._remove(role)
        self._restore()

    def _hide(self, layer: RecruitmentLayer) -> None:
        """Hide a layer; unless it is a result, it is shown again when no result is left."""
        if layer.visible and not self.is_result(layer):
            self._aside.append(layer)
        layer.visible = False

    def _shown(self, result: Result) -> Points:
        layer = self.layer(result.role)
        if not isinstance(layer, RecruitmentLayer):
            layer = add_recruitment_layer(
                self._viewer,
                result.cube,
                metric=result.metric,
                name=result.name,
                face_contrast_limits=result.limits,
            )
        else:
            if layer.metric not in {metric.name for metric in metrics_for(result.cube)}:
                layer.metric = metrics_for(layer.cube)[0].name
            layer.cube = result.cube
            layer.metric = result.metric
            layer.visible = True
            if result.limits is not None:
                layer.face_contrast_limits = result.limits
            if layer.name == self._names.get(result.role):
                layer.name = result.name
        self._names[result.role] = layer.name
        return layer

    def _remove(self, role: str) -> None:
        layer = self._layers.pop(role)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _on_removed(self, event: object = None) -> None:
        """Show the originals again if no result is left."""
        if self._layers and not self.layers:
            self._layers = {}
            self._restore()

    def _restore(self) -> None:
        for layer in self._aside:
            if layer in self._viewer.layers:
                layer.visible = True
        self._aside = []
        self.arrange([])
        time, self._came_from = self._came_from, None
        dims = self._viewer.dims
        if time is not None and dims.ndim >= -FRAME_AXIS:
            dims.set_point(dims.ndim + FRAME_AXIS, time)
