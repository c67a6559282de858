"""Convert picked hexagons to files of neurons, and node sets or regions to picked hexagons.

The work of the threads of the widget "Selection". Knows neither napari nor Qt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._napari.layers.simulation_source import SimulationSource
from napari_hexrecruit.analysis import (
    hex_positions,
    hexes_in_region,
    neurons_of,
    neurons_table,
    share_of_neurons,
)
from napari_hexrecruit.flatmap import HexRegions, neuron_regions
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.schema import HEX
from napari_hexrecruit.sonata.node_sets import merged_neurons, write_node_sets
from napari_hexrecruit.storage.atomic import written_aside

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.progress import Progress

How = Literal["replace", "add", "keep", "remove"]
Destination = Literal["new", "copy", "append"]

_REGION = "region"


@dataclass(frozen=True)
class Offers:
    """Criteria for picking hexagons.

    Parameters
    ----------
    node_sets
        Names of the node sets.
    columns
        Text properties, ``region`` first if it exists.
    """

    node_sets: tuple[str, ...]
    columns: tuple[str, ...]


def offers(source: SimulationSource, cube: xr.Dataset) -> Offers:
    """Read the criteria that the simulation of a cube offers, without reading neurons."""
    simulation = source.simulation()
    populations = Populations.of(simulation, cube)
    found = [
        column
        for column in populations.shared()
        if all(simulation.text_values(one, column) is not None for one in populations.names)
    ]
    return Offers(simulation.node_sets, tuple(sorted(found, key=lambda name: name != _REGION)))


def combined(before: Sequence[str], found: Iterable[str], how: How) -> tuple[str, ...]:
    """Combine found names with the picked ones.

    Parameters
    ----------
    before
        Picked names.
    found
        Found names.
    how
        ``replace`` the picks, ``add`` to them, ``keep`` only found picks, or ``remove`` found
        picks.

    Examples
    --------
    >>> combined(["a", "b"], ["b", "c"], "add"), combined(["a", "b"], ["b", "c"], "keep")
    (('a', 'b', 'c'), ('b',))
    """
    new = list(dict.fromkeys(found))
    if how == "replace":
        return tuple(new)
    if how == "add":
        return tuple(dict.fromkeys([*before, *new]))
    kept = set(new)
    return tuple(name for name in before if (name in kept) == (how == "keep"))


def names_at(cube: xr.Dataset, positions: npt.NDArray[np.intp]) -> tuple[str, ...]:
    """Return the names of hexagons at positions on the hex axis."""
    return tuple(str(name) for name in cube[HEX].values[positions])


def names_of_node_set(
    source: SimulationSource, cube: xr.Dataset, node_set: str, share: float, progress: Progress
) -> tuple[str, ...]:
    """Find the hexagons of a node set.

    Parameters
    ----------
    source, cube
        A cube, and the simulation it was counted from.
    node_set
        Name of the node set.
    share
        Share of a hexagon's neurons that must be in the set; 0: at least one neuron.
    progress
        Called as ``progress(what, done, total)``.
    """
    rows = Populations.of(source.simulation(), cube).node_set_rows(node_set)
    shares = share_of_neurons(source.members(cube, progress), rows)
    return names_at(cube, np.flatnonzero((shares > 0) & (shares >= share - 1e-9)))


def regions_of(
    source: SimulationSource, cube: xr.Dataset, column: str, progress: Progress
) -> HexRegions:
    """Read the most frequent value of a property among the neurons of each hexagon."""
    return neuron_regions(source.simulation(), cube, column, progress=progress)


def names_in_regions(
    cube: xr.Dataset, regions: HexRegions, wanted: Sequence[str]
) -> tuple[str, ...]:
    """Find the hexagons of regions."""
    return names_at(cube, hexes_in_region(regions.region, regions.names, wanted))


def save_node_set(
    source: SimulationSource,
    cube: xr.Dataset,
    hexes: Sequence[str],
    name: str,
    path: Path,
    destination: Destination,
    progress: Progress,
) -> str:
    """Write the neurons of hexagons as a node set.

    Parameters
    ----------
    source, cube, hexes
        Simulation, its cube, and names of the hexagons.
    name
        Name of the node set.
    path
        File to write; files of the circuit and of the simulation are refused.
    destination
        ``new``: a file with only this set; ``copy``: a file that also has all node sets of circuit
        and simulation; ``append``: add the set to an existing file.
    progress
        Called as ``progress(what, done, total)``.

    Returns
    -------
    str
        A sentence on what was written.

    Raises
    ------
    ValueError
        If the name is empty or taken, or the file belongs to the simulation or does not hold node
        sets.
    OSError
        If the file cannot be written.
    """
    simulation = source.simulation()
    rows = neurons_of(source.members(cube, progress), hex_positions(cube, list(hexes)))
    node_ids = Populations.of(simulation, cube).of_rows(rows)
    before: dict[str, Any] = {}
    if destination == "copy":
        before = simulation.node_set_rules
    elif destination == "append" and path.exists():
        before = _sets_in(path)
    sets = merged_neurons(before, name, node_ids)
    protected = [*simulation.node_sets_files, *simulation.files]
    write_node_sets(path, sets, protected=protected, overwrite=True)
    others = f" beside {len(before):,} others" if before else ""
    return f"Saved {len(rows):,} neurons as node set {name!r}{others} in {path.name}."


def save_neurons(
    source: SimulationSource, cube: xr.Dataset, hexes: Sequence[str], path: Path, progress: Progress
) -> str:
    """Write the neurons of hexagons as CSV: population, node id, hexagon and its centre.

    Returns
    -------
    str
        A sentence on what was written.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    populations = Populations.of(source.simulation(), cube)
    table = neurons_table(
        source.members(cube, progress),
        hex_positions(cube, list(hexes)),
        population=populations.of_each(),
        node_ids=populations.node_ids(),
    )
    with written_aside(path, overwrite=True) as aside:
        table.to_csv(aside, index=False)
    return f"Saved {len(table):,} neurons in {path.name}."


def _sets_in(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is not JSON ({error}): choose a file of node sets") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: holds no node sets: choose another file")
    return content
