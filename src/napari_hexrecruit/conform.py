"""Restore the form of recruitment cubes that xarray has changed.

Selecting, masking, joining and saving with xarray keep the content of a cube, but not always its
form: masked counts become floats, times can become time deltas, hexagons change order. All code
that takes a cube calls this module, which restores the form of `napari_hexrecruit.schema` or
refuses the cube.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.schema import (
    BOUND,
    COORDINATES,
    HEX,
    N_NEURONS,
    N_RECRUITED,
    N_SPIKES,
    N_TRIALS,
    RECRUITMENT,
    TIME,
    TIME_BOUNDS,
    VARIABLES,
    plain_scalar,
    validate_cube,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

_NEEDED = (*VARIABLES, N_NEURONS)
_FIELDS = VARIABLES | COORDINATES
_PER_HEX = [name for name, spec in COORDINATES.items() if spec.dims == (HEX,) and name != HEX]
_LARGEST = 2**31 - 1
_BINS_TO_LOOK_AT = 64
_MOST_OFF = 1e-3
"""Largest difference between the percentage and that of the counts."""

_MS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), (1000.0, 1.0)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), (1.0, 1.0)),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), (1.0, 1000.0)),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), (1.0, 1e6)),
}
"""(factor, divisor) to ms by unit of time, as xarray and others write it."""


def as_cube(dataset: xr.Dataset) -> xr.Dataset:
    """Restore the form of a recruitment cube after xarray operations.

    Parameters
    ----------
    dataset
        A recruitment cube that was cut, masked, selected, sorted, joined or saved again; it is not
        changed. Values backed by dask remain so.

    Returns
    -------
    xr.Dataset
        The dataset itself if it has the form of a cube. Otherwise a copy: dimensions in order, also
        for a single bin or hexagon; times in ms; bins and hexagons in order; bounds of the bins;
        counts as whole numbers, 0 where masked, that is where `recruitment` is NaN; types and units
        as in the documentation of the cube.

    Raises
    ------
    ValueError
        If the dataset cannot become a cube again: bins were skipped or merged, counts are not whole
        or are missing where the percentage has a value, or attributes or variables were lost. One
        line states the fault and the remedy. For values backed by dask, the error is raised when
        they are computed.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> cube = recruitment_cube(write_simulation(folder.name + "/run", n_neurons=200))
    >>> masked = cube.where(cube["n_neurons"] >= 3)
    >>> masked["n_recruited"].dtype, as_cube(masked)["n_recruited"].dtype
    (dtype('float64'), dtype('int32'))
    """
    _check_kind(dataset)
    try:
        validate_cube(dataset)
        is_cube = _is_in_order(dataset)
    except ValueError:
        is_cube = False
    if is_cube:
        _refuse_fractions(dataset)
        return _with_small_in_memory(dataset)
    made = _with_axes(_with_coordinates(dataset))
    if _has_dims(made):
        for step in _STEPS:
            made = step(made)
    validate_cube(made)
    _refuse_fractions(made)
    return _with_small_in_memory(made)


def _check_kind(dataset: Any) -> None:
    import os

    import xarray as xr

    if isinstance(dataset, xr.Dataset):
        if "campaign_schema_version" in dataset.attrs:
            raise ValueError(
                "not a recruitment cube, but the dataset of a campaign: take the cube of one"
                " simulation with select_cube"
            )
        return
    what = f"not a recruitment cube: an xarray.Dataset is needed, not {type(dataset).__name__}"
    if isinstance(dataset, (str, os.PathLike)):
        raise ValueError(f"{what}: read the file first, with read_cube({str(dataset)!r})")
    if isinstance(dataset, xr.DataArray):
        raise ValueError(f"{what}: give the whole cube, not one of its variables")
    raise ValueError(f"{what}: give what recruitment_cube or read_cube gave")


def _is_in_order(cube: xr.Dataset) -> bool:
    """Whether hexagons are sorted and indexed, and variables over both dimensions (time, hex)."""
    order = np.lexsort((cube["col"].values, cube["row"].values))
    indexed = {TIME, HEX} <= set(cube.indexes)
    return (
        indexed
        and bool((np.diff(order) == 1).all())
        and all(
            variable.dims == (TIME, HEX)
            for variable in cube.data_vars.values()
            if {TIME, HEX} <= set(variable.dims)
        )
    )


def _has_dims(dataset: xr.Dataset) -> bool:
    """Whether all variables present have their dimensions, and ``hex`` has a plain index."""
    levels = getattr(dataset.indexes.get(HEX), "nlevels", 1)
    return levels == 1 and all(
        dataset[name].dims == spec.dims
        for name, spec in _FIELDS.items()
        if name in dataset.variables
    )


def _with_small_in_memory(dataset: xr.Dataset) -> xr.Dataset:
    """Load all but the values over time and hexagons; these get the same chunks."""
    small = {
        name: variable.compute()
        for name, variable in dataset.variables.items()
        if variable.chunks is not None and not {TIME, HEX} <= set(variable.dims)
    }
    if small:
        dataset = dataset.assign_coords({n: v for n, v in small.items() if n in dataset.coords})
        dataset = dataset.assign({n: v for n, v in small.items() if n in dataset.data_vars})
    try:
        dataset.chunksizes  # noqa: B018
    except ValueError:
        return dataset.unify_chunks()
    return dataset


def _refuse_fractions(cube: xr.Dataset) -> None:
    """Refuse percentages that were divided by 100; looks at some bins of a cube in memory."""
    if RECRUITMENT not in cube or any(cube[n].chunks for n in (RECRUITMENT, N_RECRUITED)):
        return
    bins = slice(None, None, -(-cube.sizes[TIME] // _BINS_TO_LOOK_AT))
    percent, counts = (cube[name][bins].values for name in (RECRUITMENT, N_RECRUITED))
    if (percent[counts > 0] > 1.0 + _MOST_OFF).any():  # as fractions never are
        return
    neurons = np.broadcast_to(cube[N_NEURONS].values * np.float64(_n_trials(cube)), counts.shape)
    fired = (counts > 0) & (neurons > 0) & np.isfinite(percent)
    times = percent[fired] * neurons[fired] / counts[fired]
    if fired.any() and (np.abs(times - 1.0) <= _MOST_OFF).all():
        raise ValueError(
            f"not a recruitment cube: '{RECRUITMENT}' has fractions, not percentages: multiply it"
            " by 100, or assign it again from the original cube"
        )


def _with_coordinates(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.set_coords([name for name in COORDINATES if name in dataset.variables])


def _with_axes(dataset: xr.Dataset) -> xr.Dataset:
    """Give a single bin or hexagon its dimension back, and put time first."""
    for dim in (TIME, HEX):
        if dim not in dataset.coords or dataset[dim].ndim:
            continue
        lacking = [
            name
            for name in COORDINATES
            if name in dataset.coords and name != dim and dim in COORDINATES[name].dims
        ]
        old: dict[str, Any] = {name: dataset[name].variable for name in lacking}
        coords = {name: value.set_dims({dim: 1, **value.sizes}) for name, value in old.items()}
        dataset = dataset.drop_vars(lacking).expand_dims(dim).assign_coords(coords)
    return dataset.transpose(TIME, HEX, ..., missing_dims="ignore")


def _in_ms(dataset: xr.Dataset) -> xr.Dataset:
    """Convert times of any unit to numbers of ms."""
    inherited = dataset[TIME].attrs.get("units") if TIME in dataset.coords else None
    for name in (TIME_BOUNDS, TIME):
        if name not in dataset.coords:
            continue
        attrs, values = dataset[name].attrs, dataset[name].values
        if values.dtype.kind == "m":
            unit, values = "ns", values.astype("timedelta64[ns]").astype(np.int64)
        else:
            unit = str(attrs.get("units", inherited if name == TIME_BOUNDS else None) or "ms")
        if values.dtype.kind not in "fiu" or unit not in _MS:
            found = values.dtype if values.dtype.kind not in "fiu" else f"in {unit!r}"
            raise ValueError(
                f"not a recruitment cube: '{name}' is {found}: assign times in ms, as numbers"
            )
        times, over = _MS[unit]
        in_ms = values.astype(np.float64) * times / over
        attrs = {key: value for key, value in attrs.items() if key != "dtype"} | {"units": "ms"}
        dataset = dataset.assign_coords({name: (dataset[name].dims, in_ms, attrs)})
    return dataset


def _sorted(dataset: xr.Dataset) -> xr.Dataset:
    """Sort bins and hexagons."""
    if TIME in dataset.coords:
        order = np.argsort(dataset[TIME].values, kind="stable")
        if (np.diff(order) != 1).any():
            dataset = dataset.isel({TIME: order})
    if {"row", "col"} <= set(dataset.coords):
        order = np.lexsort((dataset["col"].values, dataset["row"].values))
        if (np.diff(order) != 1).any():
            dataset = dataset.isel({HEX: order})
    return dataset


def _with_bounds(dataset: xr.Dataset) -> xr.Dataset:
    """Restore bounds of bins that were lost by selecting variables or reindexing."""
    if TIME not in dataset.coords:
        return dataset
    try:
        width = float(dataset.attrs.get("bin_ms", np.nan))
    except (TypeError, ValueError):
        return dataset
    start = dataset[TIME].values
    bounds = np.stack([start, start + width], axis=1)
    attrs = COORDINATES[TIME_BOUNDS].attrs
    if TIME_BOUNDS in dataset.coords:
        there = dataset[TIME_BOUNDS]
        if there.shape != bounds.shape:
            return dataset
        attrs, values = there.attrs, there.values
        bounds = np.where(np.isnan(values), bounds, values)
    return dataset.assign_coords({TIME_BOUNDS: ((TIME, BOUND), bounds, attrs)})


def _typed(dataset: xr.Dataset) -> xr.Dataset:
    """Restore the types of variables; masked counts become 0."""
    import xarray as xr

    for name in _PER_HEX:
        if name in dataset.coords and dataset[name].dtype != COORDINATES[name].dtype:
            values = _of_hexes(dataset, name, COORDINATES[name].dtype)
            dataset = dataset.assign_coords({name: (HEX, values, dataset[name].attrs)})
    if HEX in dataset.coords and (HEX not in dataset.indexes or dataset[HEX].dtype.kind in "OT"):
        names = dataset[HEX].values.astype(object)
        if all(isinstance(name, str) for name in names):
            attrs = dataset[HEX].attrs
            dataset = dataset.assign_coords({HEX: (HEX, names.astype(np.str_), attrs)})
    if not set(_NEEDED) <= set(dataset.variables):
        return dataset
    percent = dataset[RECRUITMENT]
    most = dataset[N_NEURONS] * np.int64(_n_trials(dataset))
    for name, limit in ((N_RECRUITED, most), (N_SPIKES, xr.full_like(most, _LARGEST))):
        counts = dataset[name]
        if counts.dtype == np.int32 or counts.dtype.kind not in "fiu":
            continue
        made = xr.apply_ufunc(
            partial(_whole, name),
            counts,
            percent,
            limit,
            dask="parallelized",
            output_dtypes=[np.int32],
        )
        dataset = dataset.assign({name: (made.dims, made.data, counts.attrs)})
    return dataset


def _whole(
    name: str, counts: npt.NDArray[Any], percent: npt.NDArray[Any], most: npt.NDArray[Any]
) -> npt.NDArray[np.int32]:
    """Return counts as whole numbers, 0 where both they and the percentage are masked."""
    masked = np.isnan(counts)
    if (masked & ~np.isnan(percent)).any():
        raise ValueError(
            f"not a recruitment cube: '{name}' is NaN where '{RECRUITMENT}' has a value: mask the"
            " whole dataset, as in cube.where(...), not one variable"
        )
    whole = np.where(masked, 0, counts)
    if (whole > np.minimum(most, _LARGEST)).any():
        raise ValueError(
            f"not a recruitment cube: '{name}' exceeds the number of neurons: bins do not add"
            " up, as a neuron that fires in two bins counts once: compute the cube again with"
            " another bin_ms"
        )
    if not ((whole == np.rint(whole)) & (whole >= 0)).all():
        raise ValueError(
            f"not a recruitment cube: '{name}' has numbers that are not counts, as of a mean: use"
            " trial_mean for the mean of trials, and compute the cube again for longer bins"
        )
    return np.asarray(whole, dtype=np.int32)


def _of_hexes(dataset: xr.Dataset, name: str, dtype: str) -> npt.NDArray[Any]:
    """Return numbers of hexagons; refuse NaN, which hexagons added by xarray have."""
    values = dataset[name].values
    if values.dtype.kind not in "fiu":
        return values
    missing = np.isnan(values)
    if missing.any():
        first = dataset[HEX].values[missing][0] if HEX in dataset.coords else "?"
        raise ValueError(
            f"not a recruitment cube: '{name}' is NaN for {missing.sum()} of the hexagons, the"
            f" first is {first}: keep the others,"
            f" as in dataset.isel(hex=dataset['{name}'].notnull().to_numpy())"
        )
    if np.dtype(dtype).kind == "i" and not (np.rint(values) == values).all():
        raise ValueError(
            f"not a recruitment cube: '{name}' is not whole: assign it again from the original cube"
        )
    return values.astype(dtype)


def _with_percent_and_attrs(dataset: xr.Dataset) -> xr.Dataset:
    """Restore attributes, and type and units of the percentage if it agrees with the counts."""
    import xarray as xr

    made = dataset.assign_attrs(
        {name: plain_scalar(value) for name, value in dataset.attrs.items()}
    )
    percent = made.get(RECRUITMENT)
    if (
        percent is not None
        and set(_NEEDED) <= set(made.variables)
        and (percent.dtype != np.float32 or "units" not in percent.attrs)
        and percent.dtype.kind == "f"
    ):
        checked = xr.apply_ufunc(
            partial(_percent_of, n_trials=_n_trials(made)),
            *(made[name] for name in (RECRUITMENT, N_RECRUITED, N_NEURONS)),
            dask="parallelized",
            output_dtypes=[np.float32],
        )
        made = made.assign({RECRUITMENT: (checked.dims, checked.data, percent.attrs)})
    for name, spec in _FIELDS.items():
        if name in made.variables:
            made[name].attrs = spec.attrs | made[name].attrs
    return made


def _n_trials(dataset: xr.Dataset) -> int:
    return int(dataset.attrs.get(N_TRIALS, 1))


def _percent_of(
    percent: npt.NDArray[Any],
    n_recruited: npt.NDArray[Any],
    n_neurons: npt.NDArray[Any],
    n_trials: int,
) -> npt.NDArray[Any]:
    """Return the percentage as float32; refuse one that differs from that of the counts."""
    expected = 100.0 * n_recruited / np.maximum(n_neurons * n_trials, 1)
    if (np.abs(percent - expected) > _MOST_OFF).any():  # False for NaN
        raise ValueError(
            f"not a recruitment cube: '{RECRUITMENT}' is not 100 * {N_RECRUITED} / {N_NEURONS}:"
            " compute it so, or assign it again from the original cube"
        )
    return percent.astype(np.float32)


_STEPS: tuple[Callable[[xr.Dataset], xr.Dataset], ...] = (
    _in_ms,
    _sorted,
    _with_bounds,
    _typed,
    _with_percent_and_attrs,
)
