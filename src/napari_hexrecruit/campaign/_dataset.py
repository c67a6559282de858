"""The dataset of a campaign: cubes of all simulations on the same hexagons and bins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit import schema
from napari_hexrecruit.campaign._manifest import DONE
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.schema import HEX, N_NEURONS, RECRUITMENT, TIME
from napari_hexrecruit.storage.zarr_store import ZARR_ENDING, open_store

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from napari_hexrecruit.campaign._parameters import Value

DATASET = f"campaign{ZARR_ENDING}"
CAMPAIGN_VERSION = 1
SIMULATION = "simulation"
STATE, PATH, ERROR = "state", "path", "error"
FIRST_BIN, N_BINS = "first_bin", "n_bins"

NUMBERS = (
    *("n_neurons_selected", "n_neurons_without_place", "n_spikes_read"),
    *("n_spikes_outside_window", "n_spikes_unknown_id"),
)
"""Attributes of the cubes that become variables over the simulations, int64."""
_LATER_TEXTS = ("warnings",)
"""Text attributes that become variables; datasets of earlier versions lack them."""
TEXTS = ("title", "population", "recipe", "notes", "napari_hexrecruit_version", *_LATER_TEXTS)
"""Text attributes of the cubes that become variables over the simulations."""
_SHARED = ("Conventions", "hex_radius", "bin_ms", "flat_units")
_OVER_SIMULATIONS = {
    **dict.fromkeys((FIRST_BIN, N_BINS), "i"),
    **dict.fromkeys(NUMBERS, "i"),
    **dict.fromkeys((STATE, PATH, ERROR, *TEXTS), "U"),
}


def open_campaign(path: str | os.PathLike[str]) -> xr.Dataset:
    """Open the dataset of a campaign.

    Parameters
    ----------
    path
        Folder of the campaign, or ``campaign.hexrecruit.zarr`` or ``campaign.hexrecruit.json`` in
        it.

    Returns
    -------
    xr.Dataset
        Dimensions: the scan parameters if they form a full grid, else ``simulation``; then
        ``time`` and ``hex``. Values are backed by dask. See ``docs/campaigns.md``.

    Raises
    ------
    SimulationDataError
        If the dataset is missing or cannot be read.

    Examples
    --------
    >>> campaign = open_campaign("results")  # doctest: +SKIP
    >>> campaign["recruitment"].sel(ca=1.1, seed=2).mean("hex")  # doctest: +SKIP
    """
    source = Path(path)
    if not source.name.endswith(ZARR_ENDING):
        source = (source if source.is_dir() else source.parent) / DATASET
    if not source.is_dir():
        raise SimulationDataError(
            source, "does not exist", "run 'hexrecruit campaign' to its end, or name its folder"
        )
    dataset = open_store(source)
    try:
        validate_campaign(dataset)
    except ValueError as error:
        raise SimulationDataError(source, f"{error}") from error
    return dataset


def is_campaign_store(path: str | os.PathLike[str]) -> bool:
    """Return whether a folder is the zarr store of a campaign, according to its attributes."""
    try:
        content = json.loads((Path(path) / "zarr.json").read_text(encoding="utf-8"))
        return "campaign_schema_version" in content["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def validate_campaign(dataset: xr.Dataset) -> None:
    """Check that a dataset is the dataset of a campaign; all faults are reported at once.

    Parameters
    ----------
    dataset
        Dataset to check; values over time are not read.

    Raises
    ------
    ValueError
        One line that lists every fault.

    Examples
    --------
    >>> import xarray as xr
    >>> validate_campaign(xr.Dataset())
    Traceback (most recent call last):
    ...
    ValueError: not the dataset of a campaign: attribute 'campaign_schema_version' is missing
    """
    version = dataset.attrs.get("campaign_schema_version")
    if version is None:
        faults = ["attribute 'campaign_schema_version' is missing"]
    elif version != CAMPAIGN_VERSION:
        faults = [
            f"campaign_schema_version is {version!r} and this napari-hexrecruit reads"
            f" {CAMPAIGN_VERSION}: collect the campaign again"
        ]
    else:
        faults = _faults(dataset)
    if faults:
        raise ValueError("not the dataset of a campaign: " + "; ".join(faults))


def parameters_of(dataset: xr.Dataset) -> dict[str, tuple[Value, ...]]:
    """Return the axes before time with the values along each; names for ``simulation``."""
    dims = [str(dim) for dim in dataset[variables_of(dataset)[0]].dims[:-2]]
    return {dim: tuple(dataset[dim].values.tolist()) for dim in dims}


def variables_of(dataset: xr.Dataset) -> list[str]:
    """Return the names of the variables over time and hexagons, of spikes or of a report."""
    found = [str(n) for n, one in dataset.data_vars.items() if one.dims[-2:] == (TIME, HEX)]
    if not found or RECRUITMENT in found:
        return list(schema.VARIABLES)
    return found


def dtype_of(name: str) -> str:
    """Return the dtype of a variable over time and hexagons."""
    return schema.VARIABLES[name].dtype if name in schema.VARIABLES else "float32"


def select_cube(
    campaign: xr.Dataset, at: Mapping[str, Value] | None = None, **parameters: Value
) -> xr.Dataset:
    """Return the cube of one simulation, as it was computed.

    Parameters
    ----------
    campaign
        Dataset of a campaign.
    at, **parameters
        Value of each parameter, or the name of the simulation as ``simulation``. Parameters with
        only one value are optional. Use `at` for names that are not valid in Python.

    Returns
    -------
    xr.Dataset
        A recruitment cube with the hexagons and bins of this simulation only.

    Raises
    ------
    ValueError
        If a value does not occur, a parameter is missing, or the simulation has no cube.

    Examples
    --------
    >>> cube = select_cube(open_campaign("results"), ca=1.1, seed=2)  # doctest: +SKIP
    """
    chosen = {**(at or {}), **parameters}
    axes = parameters_of(campaign)
    position = tuple(_position(axes, name, chosen) for name in axes)
    unknown = sorted(set(chosen) - set(axes))
    if unknown:
        listed = ", ".join(axes)
        raise ValueError(f"there is no parameter {', '.join(map(repr, unknown))}: use {listed}")
    one = _isel(campaign, position)
    if one[STATE].item() != DONE:
        reason = one[ERROR].item() or f"its state is {one[STATE].item()!r}"
        raise ValueError(f"simulation {one[SIMULATION].item()!r} has no cube: {reason}")
    first = int(one[FIRST_BIN])
    bins = slice(first, first + int(one[N_BINS]))
    has_neurons = one[N_NEURONS].values > 0
    return cube_at(campaign, position).isel({TIME: bins, HEX: has_neurons})


def cube_at(campaign: xr.Dataset, position: tuple[int, ...]) -> xr.Dataset:
    """Return the cube at a position of the axes before time, on the campaign's hexagons and bins.

    Parameters
    ----------
    campaign
        Dataset of a campaign.
    position
        Index along each axis.

    Returns
    -------
    xr.Dataset
        A recruitment cube, read on first use. Hexagons and bins that the simulation does not have
        are NaN in ``recruitment`` and 0 in all counts.
    """
    one = _isel(campaign, position)
    names = variables_of(campaign)
    cube = one[names].reset_coords(drop=True)
    cube = cube.assign_coords({name: one[name].variable for name in schema.COORDINATES})
    cube.attrs = {
        "schema_version": (
            schema.SCHEMA_VERSION if RECRUITMENT in names else schema.QUANTITIES_VERSION
        ),
        **{key: value for key, value in campaign.attrs.items() if key not in _OWN_ATTRS},
        **{name: int(one[name]) for name in NUMBERS if name in one},
        **{name: str(one[name].item()) for name in TEXTS if name in one},
    }
    return cube


_OWN_ATTRS = ("campaign_schema_version", "title", "parameters", "options", "notes")


def _isel(campaign: xr.Dataset, position: tuple[int, ...]) -> xr.Dataset:
    dims = campaign[variables_of(campaign)[0]].dims[:-2]
    return campaign.isel(dict(zip(dims, position, strict=True)))


def _position(axes: Mapping[str, tuple[Value, ...]], name: str, chosen: Mapping[str, Value]) -> int:
    values = axes[name]
    listed = ", ".join(map(str, values[:20])) + (", ..." if len(values) > 20 else "")
    if name not in chosen and len(values) > 1:
        raise ValueError(f"parameter {name!r} has several values: choose one of {listed}")
    wanted = chosen.get(name, values[0])
    if wanted not in values:
        raise ValueError(f"parameter {name!r} is never {wanted!r}: choose one of {listed}")
    return values.index(wanted)


def _faults(dataset: xr.Dataset) -> list[str]:
    missing = [
        *(f"attribute '{name}' is missing" for name in _SHARED if name not in dataset.attrs),
        *(f"variable '{n}' is missing" for n in _needed(dataset) if n not in dataset.variables),
    ]
    if missing:
        return missing
    names = variables_of(dataset)
    dims = dataset[names[0]].dims
    if dims[-2:] != (TIME, HEX) or len(dims) < 3:
        return [f"'{names[0]}' has dimensions {dims}, not (parameters..., time, hex)"]
    outer, faults = dims[:-2], []
    for name in names:
        variable = dataset[name]
        if variable.dims != dims or variable.dtype != np.dtype(dtype_of(name)):
            faults.append(f"'{name}' is {variable.dtype} over {variable.dims}")
    if dataset[N_NEURONS].dims != (*outer, HEX):
        faults.append(f"'{N_NEURONS}' has dimensions {dataset[N_NEURONS].dims}")
    for name, kind in _over_simulations(dataset).items():
        if dataset[name].dims != outer or dataset[name].dtype.kind != kind:
            faults.append(f"'{name}' is {dataset[name].dtype} over {dataset[name].dims}")
    faults += [f"'{dim}' has no coordinate" for dim in outer if dim not in dataset.coords]
    if not faults:
        try:
            schema.validate_cube(cube_at(dataset, (0,) * len(outer)))
        except ValueError as error:
            faults.append(str(error))
    return faults


def _over_simulations(dataset: xr.Dataset) -> dict[str, str]:
    """Return the kind of each variable over the simulations, without missing optional ones."""
    known = {*dataset.variables, *_needed(dataset)}
    return {name: kind for name, kind in _OVER_SIMULATIONS.items() if name in known}


def _needed(dataset: xr.Dataset) -> list[str]:
    names = variables_of(dataset)
    needed = [*names, *schema.COORDINATES, SIMULATION, *_OVER_SIMULATIONS]
    absent = {*_LATER_TEXTS, *(() if RECRUITMENT in names else schema.OF_SPIKES)}
    return [name for name in needed if name not in absent]


def options_text(options: Mapping[str, Any]) -> str:
    """Return options as the text of an attribute."""
    return json.dumps(dict(options), sort_keys=True)
