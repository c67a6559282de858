"""The recruitment cube: names, units and meaning of its contents, and its check.

The cube is an `xarray.Dataset` with dimensions ``time`` and ``hex``. `COORDINATES`, `VARIABLES` and
`ATTRIBUTES` below are the whole contract; ``docs/cube.md`` explains it to users.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

SCHEMA_VERSION = 1
"""Version of a cube whose own variables are `VARIABLES`, counted from spikes."""
QUANTITIES_VERSION = 2
"""Version of a cube with other quantities, with or without those of spikes."""
CONVENTIONS = "CF-1.11"

TIME, HEX, BOUND = "time", "hex", "bound"
TIME_BOUNDS = "time_bounds"
RECRUITMENT, N_RECRUITED, N_SPIKES = "recruitment", "n_recruited", "n_spikes"
N_NEURONS = "n_neurons"
CLUSTER, SIGNIFICANT = "cluster", "significant"
"""Variables of a test's result; pictures outline the significant clusters of each bin."""
TRIAL = "trial"
"""Dimension of a dataset of single trials, which is not a cube."""
CHOSEN_NODE_SET = "chosen_node_set"
"""Attribute of a cube: a node set that was named instead of the simulation's own."""
N_TRIALS = "n_trials"
"""Attribute of a mean over trials: `N_RECRUITED` and `N_SPIKES` are sums over this many trials."""


@dataclass(frozen=True)
class Field:
    """One variable of the cube: its dimensions, type and attributes."""

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
"""Data variables of a cube that was counted from spikes."""

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
"""Attributes of the cube, with their types."""

OF_SPIKES = ("n_spikes_read", "n_spikes_outside_window", "n_spikes_unknown_id")
"""Those of `ATTRIBUTES` that only a cube counted from spikes has."""

MICROMETRES = ("um", "µm", "\u03bcm", "micrometer", "micrometre", "micron")
"""Values of ``flat_units`` that mean µm, with the micro sign or the Greek letter."""

_NUMBERS: dict[type, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
    str: (str,),
}


def validate_cube(cube: xr.Dataset) -> None:
    """Check that a dataset is a recruitment cube, and report all faults at once.

    Parameters
    ----------
    cube
        Dataset to check; it is not changed. Only values of coordinates are read.

    Raises
    ------
    ValueError
        If it is not. One line lists every fault: missing variables and attributes, wrong
        dimensions, types or units, unequal bins, repeated hexagons.

    Examples
    --------
    >>> import xarray as xr
    >>> validate_cube(xr.Dataset())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: not a recruitment cube: attribute 'schema_version' is missing; ...
    """
    faults = [*_version_faults(cube), *_attrs_faults(cube), *_dims_faults(cube)]
    if cube.attrs.get("schema_version") == QUANTITIES_VERSION:
        faults += _quantity_faults(cube)
    fields = VARIABLES | COORDINATES
    there = {name: spec for name, spec in fields.items() if name in cube.variables}
    faults += [fault for name, spec in there.items() for fault in _field_faults(cube, name, spec)]
    if not faults:
        faults += _axis_faults(cube)
    if faults:
        remedies = dict.fromkeys(fault.remedy for fault in faults if fault.remedy)
        found = "; ".join(fault.found for fault in faults)
        raise ValueError(": ".join(["not a recruitment cube", found, *remedies]))


def has_clusters(cube: xr.Dataset) -> bool:
    """Whether a cube marks the bins of hexagons that are in a significant cluster."""
    return SIGNIFICANT in cube and cube[SIGNIFICANT].dims == (TIME, HEX)


def significant_clusters(part: xr.Dataset) -> npt.NDArray[np.int32]:
    """Return the number of the significant cluster in each bin and hexagon; 0 for none."""
    inside = part[SIGNIFICANT].values == 1  # xarray reads it as float, NaN where it was masked
    numbers = part[CLUSTER].values if CLUSTER in part else 1
    clusters: npt.NDArray[np.int32] = np.where(inside, numbers, 0).astype(np.int32)
    return clusters


def has_spikes(cube: xr.Dataset) -> bool:
    """Whether a cube has a variable or attribute of spikes.

    Always true for cubes of version 1.
    """
    of_spikes = (*VARIABLES, *OF_SPIKES)
    is_other = cube.attrs.get("schema_version") == QUANTITIES_VERSION
    return not is_other or any(n in cube.variables or n in cube.attrs for n in of_spikes)


def fields_of(cube: xr.Dataset) -> dict[str, Field]:
    """Return the variables and coordinates that a cube must have."""
    return (VARIABLES if has_spikes(cube) else {}) | COORDINATES


def quantities_of(cube: xr.Dataset) -> list[str]:
    """Return the names of a cube's variables over time and hexagons, without those of spikes."""
    return [
        str(name)
        for name, variable in cube.data_vars.items()
        if name not in VARIABLES and {TIME, HEX} <= set(variable.dims)
    ]


def own_variables(cube: xr.Dataset) -> list[str]:
    """Return the names of the variables that a cube was computed with, without analyses."""
    spikes = list(VARIABLES) if has_spikes(cube) else []
    other = cube.attrs.get("schema_version") == QUANTITIES_VERSION
    return [*spikes, *(quantities_of(cube) if other else [])]


class _Fault(NamedTuple):
    """A fault of a dataset, and what to do."""

    found: str
    remedy: str = ""


def notes_of(cube: xr.Dataset) -> list[str]:
    """Return the assumptions in the attribute ``notes``; empty if it cannot be read."""
    try:
        notes = json.loads(cube.attrs.get("notes", "[]"))
    except (TypeError, ValueError, RecursionError):
        return []
    return [str(note) for note in notes] if isinstance(notes, list) else []


_RESTORE_ATTRS = "restore attributes with dataset.assign_attrs(cube.attrs) of the original cube"
_RESTORE_VARIABLES = (
    "select in the whole dataset, not in some of its variables, or assign them again from the"
    " original cube"
)
_RESTORE_QUANTITY = "give it with cube[name].attrs.update(units=..., long_name=...)"
_COMPUTE_AGAIN = (
    "bins can be cut to a window, and cannot be left out or merged, as a neuron that fires in two"
    " bins counts once: compute the cube again with another bin_ms, or draw it with another step"
)


def _version_faults(cube: xr.Dataset) -> list[_Fault]:
    version = cube.attrs.get("schema_version")
    if version is None:
        return [_Fault("attribute 'schema_version' is missing", _RESTORE_ATTRS)]
    if version not in (SCHEMA_VERSION, QUANTITIES_VERSION):
        return [
            _Fault(
                f"schema_version is {version!r} and this napari-hexrecruit reads"
                f" {SCHEMA_VERSION} and {QUANTITIES_VERSION}",
                "compute the cube again or install the version that wrote it",
            )
        ]
    return []


def _attrs_faults(cube: xr.Dataset) -> list[_Fault]:
    other = () if has_spikes(cube) else OF_SPIKES
    names = [name for name in ATTRIBUTES if name not in ("schema_version", *other)]
    faults = _missing("attribute", [n for n in names if n not in cube.attrs], _RESTORE_ATTRS)
    for name in names:
        if name not in cube.attrs:
            continue
        value, kind = cube.attrs[name], ATTRIBUTES[name]
        if not isinstance(value, _NUMBERS[kind]):
            faults.append(_Fault(f"attribute '{name}' is {value!r}, not {kind.__name__}"))
        elif name in ("hex_radius", "bin_ms") and not 0 < float(cube.attrs[name]) < np.inf:
            faults.append(_Fault(f"attribute '{name}' is {value!r}, not greater than 0"))
    return faults


def _missing(what: str, names: list[str], remedy: str) -> list[_Fault]:
    if len(names) < 2:
        return [_Fault(f"{what} '{name}' is missing", remedy) for name in names]
    return [_Fault(f"{what}s {', '.join(map(repr, names))} are missing", remedy)]


def _dims_faults(cube: xr.Dataset) -> list[_Fault]:
    """Return missing variables and wrong dimensions; equal faults are merged."""
    fields = fields_of(cube)
    missing = [name for name in fields if name not in cube.variables]
    faults = _missing("variable", missing, _RESTORE_VARIABLES)
    alike: dict[tuple[Any, Any], list[str]] = {}
    for name, spec in fields.items():
        if name not in missing and cube[name].dims != spec.dims:
            alike.setdefault((cube[name].dims, spec.dims), []).append(name)
    for (dims, wanted), names in alike.items():
        verb = "has" if len(names) == 1 else "each has"
        found = f"{', '.join(map(repr, names))} {verb} dimensions {dims}, not {wanted}"
        faults.append(_Fault(found, _how_to_have(dims, wanted)))
    return faults


def _quantity_faults(cube: xr.Dataset) -> list[_Fault]:
    """Return the faults of variables of other quantities."""
    names = quantities_of(cube)
    if not names:
        return [
            _Fault("no variable of a quantity has dimensions ('time', 'hex')", _RESTORE_VARIABLES)
        ]
    faults = []
    for name in names:
        variable = cube[name]
        if variable.dims != (TIME, HEX):
            found = f"'{name}' has dimensions {variable.dims}, not {(TIME, HEX)}"
            faults.append(_Fault(found, _how_to_have(variable.dims, (TIME, HEX))))
        if variable.dtype.kind not in "fiub":
            faults.append(_Fault(f"'{name}' has type {variable.dtype}, not float32"))
        lacking = [one for one in ("units", "long_name") if one not in variable.attrs]
        faults += [
            _Fault(f"'{name}' lacks the attribute '{one}'", _RESTORE_QUANTITY) for one in lacking
        ]
    return faults


def _how_to_have(dims: tuple[Any, ...], wanted: tuple[str, ...]) -> str:
    """Return what to do about wrong dimensions."""
    extra = [str(dim) for dim in dims if dim not in wanted]
    lacking = [dim for dim in wanted if dim not in dims]
    if extra and lacking:
        return f"unstack {extra[0]!r}, or rename it to {lacking[0]!r}"
    if lacking:
        return f"keep {lacking[0]!r}: numbers per hexagon are drawn as maps, see with_maps"
    if not extra:
        return ""
    if extra[0] in (TIME, HEX):
        return "join only what has the same hexagons, with xarray.concat(..., join='exact')"
    mean = ", or take their mean, trial_mean(trials)" if extra[0] == TRIAL else ""
    return f"select one along {extra[0]!r}, as in dataset.isel({extra[0]}=0){mean}"


def _field_faults(cube: xr.Dataset, name: str, spec: Field) -> list[_Fault]:
    variable: Any = cube[name]
    faults = []
    right = _is_names(variable) if spec.dtype == "str" else variable.dtype == np.dtype(spec.dtype)
    if not right:
        found = f"'{name}' has type {variable.dtype}, not {spec.dtype}"
        faults.append(_Fault(found, "assign it again from the original cube"))
    units = spec.attrs.get("units")
    if units in ("%", "ms") and name != TIME_BOUNDS and variable.attrs.get("units") != units:
        faults.append(_Fault(f"'{name}' has units {variable.attrs.get('units')!r}, not '{units}'"))
    return faults


def _is_names(variable: Any) -> bool:
    kind = variable.dtype.kind
    return kind in "UT" or (
        kind == "O" and all(isinstance(name, str) for name in np.ravel(variable.values))
    )


def _axis_faults(cube: xr.Dataset) -> list[_Fault]:
    bounds = cube[TIME_BOUNDS].values
    start, bin_ms = cube[TIME].values, float(cube.attrs["bin_ms"])
    if len(start) == 0:
        return [_Fault("the time axis has no bins", "choose a window within the cube")]
    if bounds.shape[1:] != (2,):
        return [_Fault("'time_bounds' is not (time, 2)")]
    faults = _time_faults(start, bounds, bin_ms)
    names = cube[HEX].values
    if len(names) == 0:
        faults.append(_Fault("there is no hexagon", "select one or more"))
    elif len(np.unique(names)) < len(names):
        faults.append(_Fault("a hexagon is listed twice in 'hex'", "select each once"))
    if not (np.isfinite(cube["x"].values).all() and np.isfinite(cube["y"].values).all()):
        faults.append(_Fault("'x' or 'y' is not finite"))
    if (cube[N_NEURONS].values < 0).any():
        faults.append(_Fault(f"'{N_NEURONS}' is negative"))
    return faults


def time_coords(
    edges: npt.NDArray[np.float64], attrs: Mapping[Any, Mapping[Any, Any]] | None = None
) -> dict[str, Any]:
    """Return the coordinates `TIME` and `TIME_BOUNDS` of bins, ready for a dataset.

    Parameters
    ----------
    edges
        (n_bins + 1,) edges of the bins, ms.
    attrs
        Attributes of the coordinates by name; None: those of every cube.
    """
    given = {name: spec.attrs for name, spec in COORDINATES.items()} | dict(attrs or {})
    return {
        TIME: (TIME, edges[:-1], given[TIME]),
        TIME_BOUNDS: ((TIME, BOUND), np.stack([edges[:-1], edges[1:]], 1), given[TIME_BOUNDS]),
    }


def _time_faults(
    start: npt.NDArray[np.float64], bounds: npt.NDArray[np.float64], bin_ms: float
) -> list[_Fault]:
    found = f"'time' is not a row of bins {bin_ms:g} ms apart"
    apart = np.diff(start)
    wrong = np.flatnonzero(~(np.abs(apart - bin_ms) <= 1e-6 * max(1.0, bin_ms)))
    if not np.isfinite(start).all():
        return [_Fault(f"{found}: a time is {start[~np.isfinite(start)][0]}")]
    if wrong.size:
        at = int(wrong[0])
        found += f": {start[at + 1]:.10g} ms follows {start[at]:.10g} ms"
        overlap = apart[at] < bin_ms
        return [_Fault(found, "join each bin once" if overlap else _COMPUTE_AGAIN)]
    edges = np.stack([start, start + bin_ms], 1)
    if not np.allclose(bounds, edges, rtol=0, atol=1e-5 * max(1.0, bin_ms)):
        return [_Fault("'time_bounds' does not hold the start and end of each bin")]
    return []


def plain_scalar(value: Any) -> Any:
    """Return the Python value of a numpy scalar or one-element array; other values unchanged."""
    alone = isinstance(value, (np.generic, np.ndarray)) and np.size(value) == 1
    return value.item() if alone else value
