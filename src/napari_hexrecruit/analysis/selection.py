"""Hexagons by name, region or number of neurons; their neurons; and neurons back to hexagons."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.conform import as_cube
from napari_hexrecruit.errors import Parameter, ParameterError
from napari_hexrecruit.schema import HEX, N_NEURONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import xarray as xr

    from napari_hexrecruit.counting.members import HexMembers

Positions = npt.NDArray[np.intp]
HexChoice: TypeAlias = "str | int | Sequence[str] | Sequence[int] | npt.NDArray[np.generic]"
"""One hexagon or several: names such as ``R3;C-1``, positions on the hex axis, or a bool mask."""


def hex_positions(cube: xr.Dataset, hexes: HexChoice) -> Positions:
    """Return the positions of hexagons on the hex axis of a cube.

    Parameters
    ----------
    cube
        A recruitment cube.
    hexes
        Names, positions (from 0) or a (n_hexes,) bool mask; a single name or position needs no
        list.

    Returns
    -------
    (n_picked,) intp
        Positions in the order given, each once; empty for no hexagons.

    Raises
    ------
    ValueError
        If the cube does not have a hexagon; for a name, the message suggests a similar one.

    Examples
    --------
    >>> import xarray as xr
    >>> cube = xr.Dataset(coords={"hex": ["R0;C0", "R0;C1", "R1;C0"]})
    >>> hex_positions(cube, ["R1;C0", "R0;C0"]).tolist()
    [2, 0]
    >>> hex_positions(cube, [False, True, False]).tolist()
    [1]
    """
    n_hexes = cube.sizes[HEX]
    wanted = np.atleast_1d(np.asarray(hexes))
    if wanted.size == 0:
        return np.zeros(0, dtype=np.intp)
    if wanted.ndim == 1 and wanted.dtype.kind == "b":
        if len(wanted) != n_hexes:
            raise ValueError(f"hexes is a mask of {len(wanted)} for {n_hexes} hexagons")
        return np.flatnonzero(wanted)
    if wanted.ndim != 1 or wanted.dtype.kind not in "iuUTO":
        raise ParameterError(
            Parameter("hexes"), f"must be names such as R3;C-1, positions or a mask, not {hexes!r}"
        )
    if wanted.dtype.kind in "iu":
        found = wanted.astype(np.intp)
        outside = found[(found < 0) | (found >= n_hexes)]
        if outside.size:
            raise ValueError(f"there is no hexagon {outside[0]}: the cube has 0 to {n_hexes - 1}")
    else:
        found = _named(cube, [str(name) for name in wanted])
    _, first = np.unique(found, return_index=True)
    return found[np.sort(first)]


def picked_in(dataset: xr.Dataset, hexes: HexChoice) -> tuple[xr.Dataset, Positions]:
    """Return a dataset as a cube, and the positions in it of hexagons selected in the dataset.

    See `as_cube` and `hex_positions` for parameters and errors.
    """
    cube = as_cube(dataset)
    if cube is dataset or dataset[HEX].ndim == 0:
        return cube, hex_positions(cube, hexes)
    names = dataset[HEX].values.astype(str)[hex_positions(dataset, hexes)]
    return cube, hex_positions(cube, names)


def hexes_by_neurons(
    cube: xr.Dataset, *, at_least: int = 0, at_most: int | None = None
) -> Positions:
    """Return the positions of the hexagons with a number of neurons in a range.

    Parameters
    ----------
    cube
        A recruitment cube.
    at_least, at_most
        Fewest and most neurons, inclusive.

    Returns
    -------
    (n_picked,) intp
        Ascending.
    """
    n_neurons = cube[N_NEURONS].values
    kept = n_neurons >= at_least
    return np.flatnonzero(kept if at_most is None else kept & (n_neurons <= at_most))


def hexes_in_region(
    region: npt.ArrayLike, names: Sequence[str], wanted: str | Iterable[str]
) -> Positions:
    """Return the positions of the hexagons of some regions.

    Parameters
    ----------
    region
        (n_hexes,) integers, position of each hexagon's region in `names`; -1 for none. This is the
        attribute `region` of `napari_hexrecruit.flatmap.HexRegions`.
    names
        Names of the regions.
    wanted
        One name or several.

    Returns
    -------
    (n_picked,) intp
        Ascending.

    Raises
    ------
    ValueError
        If a region is not in `names`; the message lists the names.

    Examples
    --------
    >>> hexes_in_region([0, 1, -1, 1], ["S1FL", "S1HL"], "S1HL").tolist()
    [1, 3]
    """
    asked = [wanted] if isinstance(wanted, str) else list(wanted)
    missing = [name for name in asked if name not in names]
    if missing:
        raise ValueError(
            f"there is no region {missing[0]!r}: use one of {', '.join(names) or 'none'}"
        )
    codes = [k for k, name in enumerate(names) if name in asked]
    return np.flatnonzero(np.isin(np.asarray(region), codes))


def neurons_of(members: HexMembers, hexes: Positions) -> npt.NDArray[np.int64]:
    """Return the neurons of some hexagons.

    Parameters
    ----------
    members
        Hexagon of each neuron, in the order of the cube, from
        `napari_hexrecruit.pipeline.question.cube_members`.
    hexes
        (n_picked,) positions of the hexagons.

    Returns
    -------
    (n_neurons,) int64
        Rows of the population, ascending; only neurons that the cube counts. SONATA's node ids are
        ``simulation.node_ids(population)[rows]``, usually the same numbers.
    """
    picked = np.zeros(len(members.i) + 1, dtype=bool)
    picked[np.asarray(hexes, dtype=np.intp)] = True
    picked[-1] = False  # neurons without a hexagon (-1) read the last entry
    return np.flatnonzero(picked[members.hex_of_neuron]).astype(np.int64)


def neurons_table(
    members: HexMembers,
    hexes: Positions,
    *,
    population: str | npt.NDArray[np.str_],
    node_ids: npt.NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Return the neurons of some hexagons as a table: one row per neuron, in population order.

    Parameters
    ----------
    members, hexes
        As for `neurons_of`.
    population
        Name of the node population, or (n_neurons,) the name for each neuron.
    node_ids
        (n_neurons,) SONATA node ids; by default 0, 1, 2, ...

    Returns
    -------
    pandas.DataFrame
        ``population``, ``node_id``, ``hex`` (name), ``x`` and ``y`` (centre of the hexagon in flat
        space).
    """
    import pandas as pd

    neurons = neurons_of(members, hexes)
    which = members.hex_of_neuron[neurons]
    x, y = members.xy()
    return pd.DataFrame(
        {
            "population": population if isinstance(population, str) else population[neurons],
            "node_id": neurons if node_ids is None else node_ids[neurons],
            "hex": members.hex_names()[which],
            "x": x[which],
            "y": y[which],
        }
    )


def share_of_neurons(members: HexMembers, neurons: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share of each hexagon's neurons in a set: from a node set back to hexagons.

    Parameters
    ----------
    members
        Hexagon of each neuron.
    neurons
        (n,) rows of the population, as ``simulation.node_set_ids`` gives them; repeated rows count
        once, and neurons without a hexagon do not count.

    Returns
    -------
    (n_hexes,) float64
        0 to 1. ``share > 0`` selects the hexagons with any of the neurons, ``share == 1`` the
        hexagons with no other neurons: these are the hexagons from which a node set was written.

    Raises
    ------
    ValueError
        If a row is outside of the population.
    """
    rows = np.asarray(neurons, dtype=np.int64)
    n_all = len(members.hex_of_neuron)
    if rows.size and not (rows.min() >= 0 and rows.max() < n_all):
        raise ValueError(f"neurons must be rows 0 to {n_all - 1}, not {rows.min()} to {rows.max()}")
    among = np.zeros(n_all, dtype=bool)
    among[rows] = True
    n_among = np.bincount(members.hex_of_neuron[among] + 1, minlength=len(members.i) + 1)[1:]
    return n_among / np.maximum(members.n_neurons, 1)


def _named(cube: xr.Dataset, names: list[str]) -> Positions:
    listed = cube[HEX].values.astype(str).tolist()
    at = {name: k for k, name in enumerate(listed)}
    for name in names:
        if name not in at:
            close = difflib.get_close_matches(name, listed, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ValueError(
                f"the cube has no hexagon {name!r}{hint}: names look like {listed[0]}"
                if listed
                else f"the cube has no hexagon {name!r}: it has none at all"
            )
    return np.array([at[name] for name in names], dtype=np.intp)
