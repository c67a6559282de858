"""``hexrecruit node-set``: hexagons to neurons, and neurons to hexagons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_hexrecruit.cli._answers import (
    Cube,
    Hexes,
    check_ending,
    names_of,
    read,
    simulation_of,
    write_table,
)
from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._options import Overwrite
from napari_hexrecruit.errors import HexRecruitError

if TYPE_CHECKING:
    import xarray as xr

    from napari_hexrecruit.analysis.selection import Positions
    from napari_hexrecruit.counting.members import HexMembers
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.sonata import Simulation


def node_set(
    cube: Cube,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help=".json: a file of node sets; .csv: a table of neurons;"
            " default: print the hexagon names.",
        ),
    ] = None,
    hexes: Hexes = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--in", metavar="NODE_SET", help="Hexagons whose neurons are in a node set of it."
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(help="Share of a hexagon's neurons that --in asks for, 0 to 1.")
    ] = 0.5,
    regions: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="NAME", help="Hexagons that are mostly of this region."),
    ] = None,
    column: Annotated[
        str, typer.Option("--region-column", help="Property with the regions.")
    ] = "region",
    min_neurons: Annotated[int, typer.Option(help="Hexagons with at least so many neurons.")] = 0,
    name: Annotated[str, typer.Option(help="Name of the node set in a .json file.")] = "Hexagons",
    merge: Annotated[
        bool, typer.Option("--merge", help="With the circuit's node sets in the same new file.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Select hexagons, and write their neurons as a node set.

    The file is a SONATA node set or a table. Without one, the hexagons are printed.

    A hexagon is selected if it meets all of --hex, --in, --region and --min-neurons.
    """
    from napari_hexrecruit.pipeline.members import cube_members
    from napari_hexrecruit.pipeline.populations import Populations

    if output is not None:
        check_ending(output, (".json", ".csv"), overwrite=overwrite)
    source = read(cube)
    with about(cube):
        sim = simulation_of(cube, source)
        with progress_bars() as progress:
            members = cube_members(sim, source, progress=progress)
        choice = _Choice(names_of(hexes), within, share, regions or [], column, min_neurons)
        picked = _picked(source, sim, members, choice)
    if output is None:
        say(",".join(source["hex"].values[picked].astype(str)))
        return
    populations = Populations.of(sim, source)
    n_neurons = int(members.n_neurons[picked].sum())
    if output.suffix.lower() == ".csv":
        _write_neurons(populations, members, picked, output, overwrite)
        said = "neurons"
    else:
        _write_set(populations, members, picked, output, name, merge, overwrite)
        said = f"neurons in the node set {name!r}"
    say(f"{output}: {n_neurons:,} {said} of {len(picked):,} hexagons")


@dataclass(frozen=True)
class _Choice:
    """Conditions that hexagons must meet."""

    hexes: list[str]
    within: str | None
    share: float
    regions: list[str]
    column: str
    min_neurons: int


def _picked(cube: xr.Dataset, sim: Simulation, members: HexMembers, choice: _Choice) -> Positions:
    import numpy as np

    from napari_hexrecruit import analysis
    from napari_hexrecruit.pipeline.populations import Populations

    if not (choice.hexes or choice.within or choice.regions or choice.min_neurons):
        raise ValueError("no hexagon is chosen: give --hex, --in, --region or --min-neurons")
    if not 0.0 < choice.share <= 1.0:
        raise HexRecruitError(f"--share must be greater than 0 and at most 1, not {choice.share:g}")
    kept = _mask(cube, analysis.hexes_by_neurons(cube, at_least=choice.min_neurons))
    if choice.hexes:
        kept &= _mask(cube, analysis.hex_positions(cube, choice.hexes))
    if choice.within is not None:
        rows = Populations.of(sim, cube).node_set_rows(choice.within)
        kept &= analysis.share_of_neurons(members, rows) >= choice.share
    if choice.regions:
        from napari_hexrecruit.flatmap import neuron_regions

        found = neuron_regions(sim, cube, choice.column)
        kept &= _mask(cube, analysis.hexes_in_region(found.region, found.names, choice.regions))
    if not kept.any():
        raise ValueError("no hexagon meets all criteria: loosen --share or --min-neurons")
    return np.flatnonzero(kept)


def _mask(cube: xr.Dataset, positions: Positions) -> Any:
    import numpy as np

    return np.isin(np.arange(cube.sizes["hex"]), positions)


def _write_neurons(
    populations: Populations,
    members: HexMembers,
    picked: Positions,
    output: Path,
    overwrite: bool,
) -> None:
    from napari_hexrecruit.analysis import neurons_table

    named, node_ids = populations.of_each(), populations.node_ids()
    table = neurons_table(members, picked, population=named, node_ids=node_ids)
    write_table(table, output, overwrite=overwrite)


def _write_set(
    populations: Populations,
    members: HexMembers,
    picked: Positions,
    output: Path,
    name: str,
    merge: bool,
    overwrite: bool,
) -> None:
    from napari_hexrecruit.analysis import neurons_of
    from napari_hexrecruit.sonata.node_sets import merged_neurons, write_node_sets

    sim, ids = populations.sim, populations.of_rows(neurons_of(members, picked))
    base = sim.node_set_rules if merge else {}
    sets = merged_neurons(json.loads(json.dumps(base)), name, ids)
    write_node_sets(output, sets, protected=sim.node_sets_files, overwrite=overwrite)
