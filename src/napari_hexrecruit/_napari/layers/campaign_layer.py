"""The hexagon layer of a campaign: scan parameters as further sliders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit._napari.layers.display import contrast_limits
from napari_hexrecruit._napari.layers.layer import LayerRecipe, RecruitmentLayer
from napari_hexrecruit._napari.private.names import missing_names
from napari_hexrecruit.campaign import cube_at, parameters_of, validate_campaign
from napari_hexrecruit.errors import HexRecruitError
from napari_hexrecruit.metrics import metric_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

_DONE = "done"
_EVEN = 1e-9
"""Largest deviation of an evenly spaced number, as a fraction of the step."""


class CampaignLayer(RecruitmentLayer):
    """Hexagons of a campaign, coloured by the simulation and the bin that the sliders select.

    A `RecruitmentLayer` with the scan parameters as axes before time, such as (ca, seed, time, y,
    x); if the parameters do not span a grid, the axis is ``simulation``. Along a parameter a data
    unit is a position. If the values of the parameter are evenly spaced numbers, ``scale`` and
    ``translate`` give the slider these values. Values are read from the dataset when they are
    shown, in blocks of bins: a step costs the same for any number of simulations.

    Parameters
    ----------
    campaign
        Dataset of a campaign; it is neither copied nor changed.
    metric, outline_nan, **points_kwargs
        As for `RecruitmentLayer`.

    Raises
    ------
    ValueError
        If the dataset is not a campaign, or the metric is unknown.
    TypeError
        As `RecruitmentLayer`.

    Notes
    -----
    ``cube`` is the cube of the current simulation, on the hexagons and bins of the whole campaign;
    it cannot be set. ``events.cube_changed`` is emitted when the simulation changes.
    """

    takes_cubes = False

    def __init__(
        self,
        campaign: xr.Dataset,
        *,
        metric: str | None = None,
        outline_nan: bool = True,
        **points_kwargs: Any,
    ) -> None:
        validate_campaign(campaign)
        self._campaign = campaign
        self._parameters = parameters_of(campaign)
        self._is_announced = True
        if points_kwargs.get("face_contrast_limits") is None:
            one = cube_at(campaign, _first_done(campaign))
            points_kwargs["face_contrast_limits"] = contrast_limits(one, metric_of(one, metric))
        super().__init__(
            cube_at(campaign, (0,) * len(self._parameters)),
            metric=metric,
            outline_nan=outline_nan,
            **({"name": "campaign"} | points_kwargs),
        )

    @property
    def campaign(self) -> xr.Dataset:
        """The dataset."""
        return self._campaign

    @property
    def cube(self) -> xr.Dataset:
        """The cube of the current simulation. Read-only."""
        return self._cube

    @cube.setter
    def cube(self, cube: object) -> None:
        raise AttributeError(
            f"the layer {self.name!r} shows the cubes of a campaign:"
            " add a layer for another cube instead of setting it here"
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Value of each parameter of the current simulation."""
        at = self.outer_position
        return {
            name: values[k] for (name, values), k in zip(self._parameters.items(), at, strict=True)
        }

    @property
    def caption(self) -> str:
        """Text above the time on the canvas, such as ``ca 1.1, seed 3``."""
        names = short_names(list(self._parameters))
        values = self.parameters.values()
        said = ", ".join(
            f"{name} {_said(value)}" for name, value in zip(names, values, strict=True)
        )
        state = str(self._campaign["state"].values[self.outer_position])
        return said if state == _DONE else f"{said} ({state})"

    # --- axes -------------------------------------------------------------------------------------

    @property
    def outer_shape(self) -> tuple[int, ...]:
        """Number of values of each parameter."""
        return tuple(len(values) for values in self._parameters.values())

    def axis_names(self) -> tuple[str, ...]:
        """Return the names of the parameters, as short as possible, and of the other axes."""
        return (*short_names(list(self._parameters)), *super().axis_names())

    def geometry(self) -> dict[str, Any]:
        """Return the geometry with scales for the parameters."""
        inner = super().geometry()
        steps = [_even_scale(values) for values in self._parameters.values()]
        return {
            "size": inner["size"],
            "scale": (*(step for step, _ in steps), *inner["scale"]),
            "translate": (*(first for _, first in steps), *inner["translate"]),
            "units": (*("pixel" for _ in steps), *inner["units"]),
        }

    # --- answers to FramePoints -------------------------------------------------------------------

    def on_outer_changed(self) -> None:
        """Show the simulation at the new position of the sliders."""
        self._take(cube_at(self._campaign, self.outer_position))
        self.features["n_neurons"] = self._hexes.n_neurons
        self._is_announced = False

    def on_frame_changed(self) -> None:
        """Announce the bin, after a change also the simulation."""
        if not self._is_announced:
            self._is_announced = True
            self.events.cube_changed(value=self._cube)
        super().on_frame_changed()

    def recipe(self) -> CampaignRecipe:
        """Return the dataset, the metric and the outlines, for a copy of the layer."""
        return CampaignRecipe(self._cube, self.metric, self.outline_nan, self._campaign)


@dataclass(frozen=True, eq=False)
class CampaignRecipe(LayerRecipe):
    """What a layer of a campaign shows.

    Parameters
    ----------
    cube
        Cube of the simulation that was shown.
    metric, outline_nan
        As for `LayerRecipe`.
    campaign
        The dataset itself, not a copy.
    """

    campaign: xr.Dataset

    def new(self, **points_kwargs: Any) -> CampaignLayer:
        """Make a `CampaignLayer`."""
        return CampaignLayer(
            self.campaign, metric=self.metric, outline_nan=self.outline_nan, **points_kwargs
        )


def make_campaign_layer(campaign: xr.Dataset, **points_kwargs: Any) -> CampaignLayer:
    """Make a layer of a campaign.

    Raises
    ------
    HexRecruitError
        If napari lacks something that the layer needs.
    """
    if missing_names():
        raise HexRecruitError(
            "this napari cannot show a campaign: open single cubes of its folder 'cubes',"
            " or update napari-hexrecruit"
        )
    return CampaignLayer(campaign, **points_kwargs)


def short_names(names: Sequence[str]) -> list[str]:
    """Shorten dotted names to the fewest last parts that tell them apart.

    Examples
    --------
    >>> short_names(["inputs.pulse.amp_start", "run.random_seed"])
    ['amp_start', 'random_seed']
    >>> short_names(["inputs.a.amp_start", "inputs.b.amp_start"])
    ['a.amp_start', 'b.amp_start']
    """
    parts = [name.split(".") for name in names]
    short = list(names)
    for k, mine in enumerate(parts):
        for length in range(1, len(mine) + 1):
            end = mine[-length:]
            if all(other[-length:] != end for j, other in enumerate(parts) if j != k):
                short[k] = ".".join(end)
                break
    return short


def _even_scale(values: Sequence[Any]) -> tuple[float, float]:
    """Return step and first of evenly spaced numbers; for others 1 and 0, to count positions."""
    is_number = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if not is_number or len(values) < 2:
        return 1.0, 0.0
    steps = np.diff(np.asarray(values, dtype=float))
    step = (float(values[-1]) - float(values[0])) / (len(values) - 1)
    if step <= 0 or np.abs(steps - step).max() > _EVEN * step:
        return 1.0, 0.0
    return step, float(values[0])


def _first_done(campaign: xr.Dataset) -> tuple[int, ...]:
    states = campaign["state"].values
    at = np.argwhere(states == _DONE)
    return tuple(int(k) for k in at[0]) if len(at) else (0,) * states.ndim


def _said(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
