"""The layers of one simulation in a viewer: adding them, updating them, and sharing their look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import xarray as xr
from napari.layers import Layer, Points
from napari.viewer import Viewer

from napari_hexrecruit._napari.layers.adding import add_recruitment_layer
from napari_hexrecruit._napari.layers.bars import lay_beside, look_alike, share_bars
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer, name_of
from napari_hexrecruit._napari.layers.look import Look, default_limits, fitted_look, shows
from napari_hexrecruit._napari.layers.shown_cube import cube_of, is_plain
from napari_hexrecruit._napari.layers.timestamp import show_time
from napari_hexrecruit._napari.recruitment.second import told_apart
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit.filters import rule_column
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import CHOSEN_NODE_SET

_COLOURS = ("metric", "face_colormap", "face_contrast_limits")


class Shown:
    """Layers of the simulation that the widget shows, one for each value of the split property.

    Parameters
    ----------
    viewer
        The viewer of the layers.
    on_look
        Called when the look of a layer changes.
    """

    def __init__(self, viewer: Viewer, on_look: Callable[[], None]) -> None:
        self._viewer, self._on_look = viewer, on_look
        self._simulation: Sources | None = None
        self._layers: dict[str, Points] = {}
        self._names: dict[str, str] = {}
        self._made_grid = False
        self._before: list[Points] = []
        self._of = ""
        self._widest_of: tuple[str, list[int]] = ("", [])
        self._limits = (0.0, 1.0)

    @property
    def simulation(self) -> Sources | None:
        """Files of the simulation that the layers show; None if they are not on this computer."""
        return self._simulation

    @property
    def layers(self) -> list[Points]:
        """The layers that are still in the viewer, in the order of their values."""
        return [layer for layer in self._layers.values() if layer in self._viewer.layers]

    @property
    def before(self) -> list[Points]:
        """Layers of previously loaded simulations, side by side with these."""
        return [layer for layer in self._before if layer in self._viewer.layers]

    def leave_only_last(self) -> None:
        """Remove the layers of previously loaded simulations."""
        for layer in self.before:
            self._viewer.layers.remove(layer)
        self._before = []
        self._arrange(several=len(self.layers) > 1)

    @property
    def looked_at(self) -> list[Points]:
        """The widget's own layers, or the selected layer if that is another hexagon layer."""
        active = self._viewer.layers.selection.active
        is_other = is_plain(active) and active not in self.layers
        return [active] if is_other else self.layers

    @property
    def cubes(self) -> list[xr.Dataset]:
        """Cubes of the layers in view."""
        return [cube for cube in map(cube_of, self.looked_at) if cube is not None]

    def forget(self, layer: Layer) -> set[str]:
        """Release a layer that the user has removed; return its value, if it has one."""
        values = {value for value, one in self._layers.items() if one is layer}
        if values:
            self._unfollow(layer)
        self._layers = {value: one for value, one in self._layers.items() if value not in values}
        return values

    def select(self) -> None:
        """Select the widget's own layers."""
        if self.looked_at != self.layers:
            self._viewer.layers.selection.active = self.layers[-1] if self.layers else None

    def adopt(self, layer: Points, simulation: Sources | None) -> None:
        """Adopt a layer from elsewhere: loading then updates it in place."""
        self._simulation = simulation
        self._take({"": layer})
        self._names = {}

    def show(
        self,
        simulation: Sources,
        cubes: dict[str, xr.Dataset],
        look: Look,
        *,
        replaces: bool = False,
    ) -> None:
        """Show cubes in the layers of the same simulation, or else in new layers.

        Parameters
        ----------
        simulation
            Files of the simulation of the cubes.
        cubes
            Cubes by value of the split property.
        look
            Look of new layers.
        replaces
            If True, remove layers of another simulation; otherwise show them side by side with
            these.
        """
        look = fitted_look(self.look(otherwise=look), list(cubes.values()))
        if simulation != self._simulation:
            self._leave(simulation, replaces=replaces)
        before, axis = list(self._layers), self.time_axis()
        time = None if axis is None else float(self._viewer.dims.point[axis])
        for value in [value for value in self._layers if value not in cubes]:
            self._remove(value)
        self._take({value: self._shown(value, cube, look) for value, cube in cubes.items()})
        self.select()
        if list(cubes) != before:
            share_bars([*self.before, *self.layers], wanted=look.colorbar)
            self._arrange(several=len(cubes) + len(self.before) > 1)
        show_time(self._viewer).visible = look.timestamp
        axis = self.time_axis()
        if time is not None and axis is not None:  # napari goes to 0 if all layers are new
            self._viewer.dims.set_point(axis, time)

    def _leave(self, simulation: Sources, *, replaces: bool) -> None:
        """Switch to another simulation, which has no layers yet."""
        others, were = self.layers, self._simulation
        self._take({})
        if replaces:
            for layer in others:
                self._viewer.layers.remove(layer)
        elif others and were is not None:
            self._tell_apart(others, were, simulation)
            self._before = [*self.before, *others]
        self._simulation, self._names = simulation, {}

    def _tell_apart(self, others: list[Points], were: Sources, simulation: Sources) -> None:
        theirs, self._of = told_apart(were, simulation)
        for layer in others:
            if not layer.name.endswith(f"({theirs})"):
                layer.name = f"{layer.name} ({theirs})"

    def show_stamp(self, visible: bool) -> None:
        """Show or hide the time on the canvas."""
        if self.layers:
            show_time(self._viewer).visible = visible

    def look(self, otherwise: Look) -> Look:
        """Return the look of the layers; unknown entries are those of `otherwise`."""
        layers = self.layers
        if not layers:
            return otherwise
        layer = layers[-1]
        return replace(
            otherwise,
            metric=getattr(layer, "metric", otherwise.metric),
            colormap=layer.face_colormap.name,
            limits=tuple(layer.face_contrast_limits),
            colorbar=layer.face_colorbar.visible,
            outline=getattr(layer, "outline_nan", otherwise.outline),
        )

    def time_axis(self) -> int | None:
        """Return the time axis of the layers in the viewer's dims; None without a layer."""
        layers = self.layers
        return self._viewer.dims.ndim - layers[0].ndim if layers else None

    def _take(self, layers: dict[str, Points]) -> None:
        """Follow the look of exactly these layers, and link their looks."""
        before, self._layers = list(self._layers.values()), layers
        for layer in before:
            if layer not in layers.values():
                self._unfollow(layer)
        new = [layer for layer in layers.values() if layer not in before]
        for layer in new:
            for event in _look_events(layer):
                event.connect(self._on_layer_look)
        if new:
            look_alike(self._viewer, [*self.before, *layers.values()])

    def _unfollow(self, layer: Points) -> None:
        for event in _look_events(layer):
            event.disconnect(self._on_layer_look)

    def _on_layer_look(self, event: Any = None) -> None:
        layers = self.layers
        if getattr(event, "type", "") == "metric" and len(layers) > 1:
            metrics = {getattr(layer, "metric", "") for layer in layers}
            if len(metrics) == 1:  # all layers have changed: napari links them
                layers[-1].face_contrast_limits = self._widest(layers, metrics.pop())
        if getattr(event, "type", "") in _COLOURS and len(layers) > 1:
            share_bars(layers, wanted=any(layer.face_colorbar.visible for layer in layers))
        self._on_look()

    def _widest(self, layers: list[Points], metric: str) -> tuple[float, float]:
        """Return the initial limits of a metric in all layers; cached for each layer's event."""
        cubes = [cube for cube in map(cube_of, layers) if cube is not None]
        asked = (metric, [id(cube) for cube in cubes])
        if self._widest_of != asked:
            self._widest_of, self._limits = asked, default_limits(cubes, metric)
        return self._limits

    def _shown(self, value: str, cube: xr.Dataset, look: Look) -> Points:
        """Return the layer of a value, showing this cube."""
        layer = self._layers.get(value)
        if isinstance(layer, RecruitmentLayer) and layer in self._viewer.layers:
            if shows(cube, layer.metric):
                layer.cube = cube
            else:
                layer.show(cube)
        else:
            if layer is not None:  # the cube of plain points cannot be replaced
                self._remove(value)
            layer = add_recruitment_layer(
                self._viewer,
                cube,
                metric=look.metric,
                face_colormap=look.colormap,
                face_contrast_limits=look.limits,
                outline_nan=look.outline,
            )
        self._rename(layer, value, cube)
        return layer

    def _rename(self, layer: Points, value: str, cube: xr.Dataset) -> None:
        """Name a layer after its cube, unless the user has renamed it."""
        if value in self._names and layer.name != self._names[value]:
            return
        name = _part_name(cube, value) if value else name_of(cube)
        layer.name = f"{name} ({self._of})" if self._of and self.before else name
        self._names[value] = layer.name

    def _remove(self, value: str) -> None:
        layer = self._layers.pop(value)
        self._unfollow(layer)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _arrange(self, *, several: bool) -> None:
        """Lay several layers side by side with names; undo this for a single layer."""
        if not several and not self._made_grid:
            return
        grid = self._viewer.canvas.grid
        grid.stride = 1
        grid.enabled = several
        lay_beside([*self.before, *self.layers], beside=several)
        self._viewer.reset_view()
        self._made_grid = several


def _look_events(layer: Points) -> list[Any]:
    names = ("metric", "face_colormap", "face_contrast_limits", "outline_nan")
    events = [getattr(layer.events, name) for name in names if name in layer.events.emitters]
    return [*events, layer.face_colorbar.events.visible]


def _part_name(cube: xr.Dataset, value: str) -> str:
    """Return the name of one of several layers: the neurons counted in all, and the value."""
    recipe = CubeRecipe.of_foreign(cube)
    split = rule_column(recipe.rules[-1]) if recipe.rules else ""
    others = [rule for rule in recipe.rules if rule_column(rule) != split]
    chosen = str(cube.attrs.get(CHOSEN_NODE_SET, ""))
    return ", ".join(
        part for part in (recipe.replace(where=others).counted("", chosen), value) if part
    )
