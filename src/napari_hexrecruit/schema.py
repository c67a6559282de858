"""The recruitment cube: names, units and meaning of what is in it, and the check that it is one.

The cube is an `xarray.Dataset` with dimensions ``time`` and ``hex``. `COORDINATES`, `VARIABLES` and
`ATTRIBUTES` below are the whole contract; ``docs/cube.md`` explains it to users.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

__all__ = ["SCHEMA_VERSION", "Field", "recipe_of", "validate_cube"]

SCHEMA_VERSION = 1
CONVENTIONS = "CF-1.11"

TIME, HEX, BOUND = "time", "hex", "bound"
TIME_BOUNDS = "time_bounds"
RECRUITMENT, N_RECRUITED, N_SPIKES = "recruitment", "n_recruited", "n_spikes"
N_NEURONS = "n_neurons"
N_TRIALS = "n_trials"
"""Attribute of a mean over trials: `N_RECRUITED` and `N_SPIKES` are then sums over so many."""


@dataclass(frozen=True)
class Field:
    """One variable of the cube: its dimensions, kind of number, attributes."""

    dims: tuple[str, ...]
    dtype: str
    attrs: dict[str, str] = field(default_factory=dict)


VARIABLES: dict[str, Field] = {
    RECRUITMENT: Field(
        (TIME, HEX),
        "float32",
        {"units": "%", "long_name": "Neurons that fire at least once in the bin"},
    ),
    N_RECRUITED: Field(
        (TIME, HEX), "int32", {"units": "1", "long_name": "Distinct neurons that fire in the bin"}
    ),
    N_SPIKES: Field((TIME, HEX), "int32", {"units": "1", "long_name": "Spikes in the bin"}),
}
"""Data variables of the cube."""

COORDINATES: dict[str, Field] = {
    TIME: Field(
        (TIME,), "float64", {"units": "ms", "long_name": "Start of the bin", "bounds": TIME_BOUNDS}
    ),
    TIME_BOUNDS: Field((TIME, BOUND), "float64", {"units": "ms"}),
    HEX: Field((HEX,), "str", {"long_name": "Name of the hexagon"}),
    "row": Field((HEX,), "int32", {"long_name": "Row of the hexagon"}),
    "col": Field((HEX,), "int32", {"long_name": "Column of the hexagon in its row"}),
    "i": Field((HEX,), "int32", {"long_name": "First grid index of the hexagon"}),
    "j": Field((HEX,), "int32", {"long_name": "Second grid index of the hexagon"}),
    "x": Field((HEX,), "float64", {"long_name": "Centre of the hexagon, flat x"}),
    "y": Field((HEX,), "float64", {"long_name": "Centre of the hexagon, flat y"}),
    N_NEURONS: Field((HEX,), "int32", {"units": "1", "long_name": "Neurons of the hexagon"}),
}
"""Coordinates of the cube; ``x`` and ``y`` carry the cube's ``flat_units`` as their units."""

ATTRIBUTES: dict[str, type] = {
    "Conventions": str,
    "title": str,
    "schema_version": int,
    "hex_radius": float,
    "bin_ms": float,
    "flat_units": str,
    "population": str,
    "recipe": str,
    "n_neurons_selected": int,
    "n_neurons_without_place": int,
    "n_spikes_read": int,
    "n_spikes_outside_window": int,
    "n_spikes_unknown_id": int,
    "napari_hexrecruit_version": str,
}
"""Attributes of the cube."""

_NUMBERS: dict[type, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
    str: (str,),
}


def validate_cube(cube: xr.Dataset) -> None:
    """Check that a dataset is a recruitment cube; all faults are reported at once.

    Parameters
    ----------
    cube
        Dataset to check; it is not changed. Values are read only from coordinates.

    Raises
    ------
    ValueError
        One line that lists every fault: what is missing, what has other dimensions, another type or
        other units, a time axis that is not made of equal bins, a hexagon listed twice.

    Examples
    --------
    >>> import xarray as xr
    >>> validate_cube(xr.Dataset())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: not a recruitment cube: attribute 'schema_version' is missing; ...
    """
    faults = [*_version_faults(cube)]
    faults += [
        fault for name, kind in ATTRIBUTES.items() for fault in _attr_faults(cube, name, kind)
    ]
    fields = VARIABLES | COORDINATES
    faults += [fault for name, spec in fields.items() for fault in _field_faults(cube, name, spec)]
    if not faults:
        faults += _axis_faults(cube)
    if faults:
        raise ValueError("not a recruitment cube: " + "; ".join(faults))


def recipe_of(cube: xr.Dataset) -> dict[str, Any]:
    """How a cube was computed, from its attribute ``recipe``.

    Parameters
    ----------
    cube
        A recruitment cube, perhaps of somebody else.

    Returns
    -------
    dict
        Options of `recruitment_cube`, the simulation and its files; those that are there have
        their types. A derived cube has other entries besides or instead.

    Raises
    ------
    ValueError
        If the recipe is no JSON object, or an entry has another type.

    Examples
    --------
    >>> import xarray as xr
    >>> recipe_of(xr.Dataset(attrs={"recipe": '{"radius": 50.0, "node_set": null}'}))
    {'radius': 50.0, 'node_set': None}
    """
    text = cube.attrs.get("recipe")
    try:
        recipe = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict):
        raise ValueError("the cube's recipe is no JSON object: compute the cube again")
    for name, is_right in _RECIPE.items():
        if name in recipe and not is_right(recipe[name]):
            raise ValueError(
                f"the cube's recipe has the {name} {recipe[name]!r}: compute the cube again"
            )
    return recipe


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_flat(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2 and all(map(_is_text, value))
    return pair or _is_text(value)


def _is_list_of_rules(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(rule, dict) for rule in value)


_RECIPE: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("simulation", "spikes", "circuit", "population", "column_atlas"), _is_text),
    **dict.fromkeys(("radius", "bin_ms", "start", "stop", "min_neurons"), _is_number),
    "node_set": _is_text_or_none,
    "flat": _is_flat,
    "where": _is_list_of_rules,
}
"""What the entries of a recipe are."""


def _version_faults(cube: xr.Dataset) -> list[str]:
    version = cube.attrs.get("schema_version")
    if version is None:
        return ["attribute 'schema_version' is missing"]
    if version != SCHEMA_VERSION:
        return [
            f"schema_version is {version!r} and this napari-hexrecruit reads {SCHEMA_VERSION}:"
            " compute the cube again or install the version that wrote it"
        ]
    return []


def _attr_faults(cube: xr.Dataset, name: str, kind: type) -> list[str]:
    if name == "schema_version":
        return []
    if name not in cube.attrs:
        return [f"attribute '{name}' is missing"]
    value = cube.attrs[name]
    if not isinstance(value, _NUMBERS[kind]):
        return [f"attribute '{name}' is {value!r}, not {kind.__name__}"]
    if name in ("hex_radius", "bin_ms") and not 0 < float(cube.attrs[name]) < np.inf:
        return [f"attribute '{name}' is {value!r}, not greater than 0"]
    return []


def _field_faults(cube: xr.Dataset, name: str, spec: Field) -> list[str]:
    if name not in cube.variables:
        return [f"variable '{name}' is missing"]
    variable: Any = cube[name]
    faults = []
    if variable.dims != spec.dims:
        faults.append(f"'{name}' has dimensions {variable.dims}, not {spec.dims}")
    kind = np.dtype(variable.dtype).kind
    right = kind in "OUT" if spec.dtype == "str" else variable.dtype == np.dtype(spec.dtype)
    if not right:
        faults.append(f"'{name}' has type {variable.dtype}, not {spec.dtype}")
    units = spec.attrs.get("units")
    if units in ("%", "ms") and name != TIME_BOUNDS and variable.attrs.get("units") != units:
        faults.append(f"'{name}' has units {variable.attrs.get('units')!r}, not '{units}'")
    return faults


def _axis_faults(cube: xr.Dataset) -> list[str]:
    bounds = cube[TIME_BOUNDS].values
    start, bin_ms = cube[TIME].values, float(cube.attrs["bin_ms"])
    faults = []
    if bounds.shape[1:] != (2,) or len(start) == 0:
        return [
            "the time axis has no bins" if len(start) == 0 else "'time_bounds' is not (time, 2)"
        ]
    apart = np.diff(start)
    if not (
        np.isfinite(start).all()
        and np.allclose(apart, bin_ms, rtol=0, atol=1e-6 * max(1.0, bin_ms))
    ):
        faults.append(f"'time' is not a row of bins {bin_ms:g} ms apart")
    elif not np.allclose(
        bounds, np.stack([start, start + bin_ms], 1), rtol=0, atol=1e-5 * max(1.0, bin_ms)
    ):
        faults.append("'time_bounds' does not hold the start and end of each bin")
    names = cube[HEX].values
    if len(names) == 0:
        faults.append("there is no hexagon")
    elif len(np.unique(names)) < len(names):
        faults.append("a hexagon is listed twice in 'hex'")
    if not (np.isfinite(cube["x"].values).all() and np.isfinite(cube["y"].values).all()):
        faults.append("'x' or 'y' is not finite")
    if (cube[N_NEURONS].values < 0).any():
        faults.append(f"'{N_NEURONS}' is negative")
    return faults
