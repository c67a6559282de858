"""Time windows of one simulation, and the cube merged from their cubes."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit import schema
from napari_hexrecruit.doubts import is_empty, warnings_in
from napari_hexrecruit.pipeline.window import left_out
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.timebins import TimeBins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr


def whole_bins(
    duration_ms: float, start: float | None, stop: float | None, bin_ms: float
) -> tuple[TimeBins, float]:
    """Return the bins of `recruitment_cube` for a whole simulation, and the ragged end left out."""
    begin = 0.0 if start is None else start
    if stop is not None:
        return TimeBins(begin, stop, bin_ms), 0.0
    return TimeBins.within(begin, duration_ms, bin_ms)


def split_bins(bins: TimeBins, split_ms: float) -> list[tuple[float, float]]:
    """Split bins into consecutive windows, ms.

    Parameters
    ----------
    bins
        Bins of the whole simulation.
    split_ms
        Length of a window, ms; the last one can be shorter.

    Returns
    -------
    list of (float, float)
        Start and stop of each window, ms.

    Raises
    ------
    ValueError
        If a window is not a whole number of bins.

    Examples
    --------
    >>> split_bins(TimeBins(0.0, 250.0, 10.0), 100.0)
    [(0.0, 100.0), (100.0, 200.0), (200.0, 250.0)]
    """
    n_bins = round(split_ms / bins.width_ms) if split_ms > 0 else 0
    if n_bins < 1 or abs(n_bins * bins.width_ms - split_ms) > 1e-6:
        below = max(1, int(split_ms // bins.width_ms)) * bins.width_ms
        raise ValueError(
            f"windows of {split_ms:g} ms are not a whole number of {bins.width_ms:g} ms bins:"
            f" use {below:g} or {below + bins.width_ms:g} ms"
        )
    edges = bins.edges()
    cuts = [float(edge) for edge in edges[: bins.n_bins : n_bins]] + [bins.stop_ms]
    return list(itertools.pairwise(cuts))


def merge_windows(cubes: Sequence[xr.Dataset], *, dropped_ms: float = 0.0) -> xr.Dataset:
    """Merge the cubes of consecutive windows.

    Parameters
    ----------
    cubes
        Cubes of one simulation with the same recipe, ascending in time.
    dropped_ms
        Ragged end that the windows leave out, ms; recorded as a note.

    Returns
    -------
    xr.Dataset
        Identical to the cube of the whole, because bins do not depend on each other. Its warnings
        are those of the windows, without warnings that only some of them are empty.

    Raises
    ------
    ValueError
        If the windows are not consecutive, or the recipes or hexagons of the cubes differ.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit import recruitment_cube
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> windows = [(0.0, 400.0), (400.0, 1000.0)]
    >>> parts = [recruitment_cube(config, start=a, stop=b) for a, b in windows]
    >>> merge_windows(parts).identical(recruitment_cube(config))
    True
    """
    import xarray as xr

    attrs = merged_attrs([cube.attrs for cube in cubes], dropped_ms=dropped_ms)
    first = cubes[0]
    for cube in cubes[1:]:
        same = all(first[name].identical(cube[name]) for name in (schema.HEX, schema.N_NEURONS))
        if not same:
            raise ValueError("the windows have other hexagons: compute them again")
    recipe = CubeRecipe.from_json(attrs["recipe"])
    start, stop = recipe.start or 0.0, recipe.stop or 0.0
    edges = TimeBins(start, stop, float(attrs["bin_ms"])).edges()
    if sum(cube.sizes[schema.TIME] for cube in cubes) != len(edges) - 1:
        raise ValueError("the bins of the windows do not match their times")
    data = {
        name: (
            first[name].dims,
            np.concatenate([cube[name].values for cube in cubes]),
            first[name].attrs,
        )
        for name in schema.own_variables(first)
    }
    over_hexes = {n: v.variable for n, v in first.coords.items() if schema.TIME not in v.dims}
    over_time = schema.time_coords(edges, {name: v.attrs for name, v in first.coords.items()})
    return xr.Dataset(data, {**over_time, **over_hexes}, attrs)


def merged_attrs(
    attrs: Sequence[Mapping[str, Any]], *, dropped_ms: float = 0.0, judged: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the attributes of the whole from those of its windows; see `merge_windows`.

    `judged` has the warnings about the whole.
    """
    recipes = [CubeRecipe.from_json(one["recipe"]) for one in attrs]
    plain = [recipe.replace(start=None, stop=None) for recipe in recipes]
    if any(recipe != plain[0] for recipe in plain):
        raise ValueError("the windows were computed by other recipes: compute them again")
    for before, after in itertools.pairwise(recipes):
        if before.stop != after.start:
            raise ValueError(
                f"a window ends at {before.stop:g} ms and the next starts at"
                f" {after.start:g} ms: give windows that follow one another"
            )
    # A fault of a file can show in only some windows; other notes are the same in all.
    doubted = [warnings_in(one) for one in attrs]
    doubts = [*_doubts(doubted), *judged]
    plain_notes = [
        [note for note in json.loads(one.get("notes", "[]")) if note not in said]
        for one, said in zip(attrs, doubted, strict=True)
    ]
    notes = [note for note in max(plain_notes, key=len) if note not in doubts]
    if dropped_ms:
        notes.insert(0, left_out(dropped_ms))
    return {
        **attrs[0],
        "recipe": recipes[0].replace(stop=recipes[-1].stop).to_json(),
        **_spikes_of_all(attrs),
        "notes": json.dumps([*doubts, *notes]),
        "warnings": json.dumps(doubts),
    }


def _spikes_of_all(attrs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the counts of spikes over all windows; none for a report."""
    if "n_spikes_read" not in attrs[0]:
        return {}
    n_read = int(attrs[0]["n_spikes_read"])
    inside = sum(n_read - int(one["n_spikes_outside_window"]) for one in attrs)
    return {
        "n_spikes_outside_window": n_read - inside,
        "n_spikes_unknown_id": sum(int(one["n_spikes_unknown_id"]) for one in attrs),
    }


def _doubts(warnings: Sequence[list[str]]) -> list[str]:
    """Return the doubts about all parts; those about empty parts only if all are empty."""
    is_empty_part = [any(map(is_empty, sentences)) for sentences in warnings]
    every = list(dict.fromkeys(sentence for sentences in warnings for sentence in sentences))
    return every if all(is_empty_part) else [text for text in every if not is_empty(text)]
