"""Stories as files: a SONATA circuit, a simulation of it, and its spikes.

Specification: https://sonata-extension.readthedocs.io
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from napari_hexrecruit.storage.folders import folder_aside
from napari_hexrecruit.synthetic.firing import grid_times_ms, spike_pieces
from napari_hexrecruit.synthetic.neurons import N_COLUMNS, OUTSIDE_REGION, Labels, neuron_columns
from napari_hexrecruit.synthetic.plan import STEP_MS, STEPS
from napari_hexrecruit.synthetic.recording_files import (
    report_config,
    write_edges,
    write_voltages,
    written,
)
from napari_hexrecruit.synthetic.sheet import REGIONS
from napari_hexrecruit.synthetic.story import Story

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_hexrecruit.progress import Progress

POPULATION = "cortex"
"""Population of the neurons."""
FIBRES = "thalamus"
"""Virtual population of the fibres that carry the stimuli."""
NODE_SET = "Simulated"
"""Node set of the simulation, not defined in the circuit."""

_CONFIG = "simulation_config.json"
_CIRCUIT, _CIRCUIT_SETS, _NODES = "circuit_config.json", "node_sets.json", "nodes.h5"
_SETS, _OUTPUT, _SPIKES = "simulation_node_sets.json", "output", "spikes.h5"
_EDGES, REPORT = "edges.h5", "soma_v"
_OWN = {
    *(_CONFIG, _CIRCUIT, _CIRCUIT_SETS, _NODES, _SETS, _OUTPUT, f"{_OUTPUT}/{_SPIKES}"),
    *(_EDGES, f"{_OUTPUT}/{REPORT}.h5"),
}

_SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
_VOLLEY_MS = 5.0
"""Time from the start of a stimulus within which fibres fire."""
_STIMULATED_SHARE = 0.01
"""Share of the hexagons, nearest to the source, that make up the node set of the inputs."""


def write_simulation(
    folder: str | os.PathLike[str],
    story: Story | None = None,
    *,
    recordings: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    **changes: Any,
) -> Path:
    """Write a SONATA simulation of a known story.

    Parameters
    ----------
    folder
        Folder to create, with missing parents. It appears complete or not at all.
    story
        Story to write; the default is ``Story()``. `SMALL`, `MEDIUM` and `NBS1` are ready-made.
    recordings
        Also write a report of soma voltages and edges; `napari_hexrecruit.synthetic.recordings`
        has their answers.
    overwrite
        Replace a folder that contains only a synthetic simulation.
    progress
        Called as ``progress(what, done, total)``, where `what` is ``"neurons"`` or ``"spikes"``; an
        exception that it raises ends the work.
    **changes
        Parameters of `Story` to change in the story.

    Returns
    -------
    Path
        Absolute path of the simulation's ``simulation_config.json``.

    Raises
    ------
    FileExistsError
        If the folder is not empty, and `overwrite` is False or the folder contains other files.
    ValueError
        If a parameter of the story is out of range.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200, seed=1)
    >>> sorted(path.name for path in config.parent.iterdir())
    ['circuit_config.json', 'node_sets.json', 'nodes.h5', 'output', 'simulation_config.json',
     'simulation_node_sets.json']
    """
    story = dataclasses.replace(story or Story(), **changes)
    final = Path(os.path.abspath(folder))
    _check_folder(final, overwrite=overwrite)
    final.parent.mkdir(parents=True, exist_ok=True)
    report = progress or _no_progress
    with folder_aside(
        final, overwrite=overwrite, check=lambda there: _check_folder(there, overwrite=overwrite)
    ) as made:
        (made / _OUTPUT).mkdir()
        ids = story.rng(4).permutation(story.n_neurons).astype(np.uint32)
        _write_nodes(made / _NODES, story, ids, report)
        _write_spikes(made / _OUTPUT / _SPIKES, story, ids, report)
        if recordings:
            write_voltages(made / _OUTPUT / f"{REPORT}.h5", story, ids, POPULATION)
            write_edges(made / _EDGES, story, ids, (POPULATION, FIBRES), _n_fibres(story))
        for name, content in _configs(story, ids, recordings).items():
            (made / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return final / _CONFIG


def _check_folder(final: Path, *, overwrite: bool) -> None:
    if not final.exists():
        return
    if not final.is_dir():
        raise FileExistsError(f"{final}: is a file: choose another folder")
    names = {path.name for path in final.iterdir()}
    if names and not overwrite:
        raise FileExistsError(f"{final}: exists: choose another folder or allow overwriting")
    outputs = {f"{_OUTPUT}/{path.name}" for path in (final / _OUTPUT).glob("*")}
    foreign = (names | outputs) - _OWN
    if foreign:
        raise FileExistsError(
            f"{final}: is not overwritten, because {min(foreign)!r} in it is not part of a sample"
            " simulation: choose another folder"
        )


def _no_progress(what: str, done: int, total: int) -> None:
    pass


# --- nodes ----------------------------------------------------------------------------------------


def _write_nodes(path: Path, story: Story, ids: npt.NDArray[np.uint32], report: Progress) -> None:
    with written(path) as file:
        group = _make_population(file, POPULATION, story.n_neurons)
        for done, (name, column) in enumerate(neuron_columns(story)):
            report("neurons", story.n_neurons * done // N_COLUMNS, story.n_neurons)
            if isinstance(column, Labels):
                _write_labels(group, name, column.values, _by_id(column.codes, ids))
            else:
                group.create_dataset(name, data=_by_id(column, ids))
        report("neurons", story.n_neurons, story.n_neurons)
        fibres = _make_population(file, FIBRES, _n_fibres(story))
        _write_labels(fibres, "model_type", ("virtual",), np.zeros(_n_fibres(story), np.uint8))


def _make_population(file: h5py.File, name: str, size: int) -> h5py.Group:
    """Make a population with all nodes in group 0 and without types, and return the group."""
    population = file.create_group(f"nodes/{name}")
    population.create_dataset("node_type_id", (size,), np.int64, fillvalue=-1)
    population.create_dataset("node_group_id", (size,), np.uint64)
    population.create_dataset("node_group_index", data=np.arange(size, dtype=np.uint64))
    return population.create_group("0")


def _write_labels(
    group: h5py.Group, name: str, values: tuple[str, ...], codes: npt.NDArray[np.uint8]
) -> None:
    group.create_dataset(name, data=codes)
    group.create_dataset(f"@library/{name}", data=list(values), dtype=h5py.string_dtype())


def _by_id(column: npt.NDArray[Any], ids: npt.NDArray[np.uint32]) -> npt.NDArray[Any]:
    ordered = np.empty_like(column)
    ordered[ids] = column
    return ordered


# --- spikes ---------------------------------------------------------------------------------------


def _write_spikes(path: Path, story: Story, ids: npt.NDArray[np.uint32], report: Progress) -> None:
    times_ms = grid_times_ms(story.n_bins * STEPS)
    total, done = story.n_spikes, 0
    report("spikes", 0, total)
    with written(path) as file:
        timestamps, node_ids = _make_spikes(file, POPULATION, total)
        for piece in spike_pieces(story):
            here = slice(done, done + len(piece.steps))
            timestamps[here], node_ids[here] = times_ms[piece.steps], ids[piece.neurons]
            done = here.stop
            report("spikes", done, total)
        steps, fibres = _volleys(story)
        timestamps, node_ids = _make_spikes(file, FIBRES, len(steps))
        timestamps[:], node_ids[:] = times_ms[steps], fibres


def _make_spikes(file: h5py.File, population: str, size: int) -> tuple[h5py.Dataset, h5py.Dataset]:
    group = file.create_group(f"spikes/{population}")
    group.attrs.create("sorting", 2, dtype=_SORTING)
    timestamps = group.create_dataset("timestamps", (size,), np.float64)
    timestamps.attrs["units"] = "ms"
    return timestamps, group.create_dataset("node_ids", (size,), np.uint64)


def _n_fibres(story: Story) -> int:
    return min(max(20, story.n_neurons // 1_000), 5_000)


def _volleys(story: Story) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return grid step and fibre of each spike: each fibre fires once per stimulus."""
    rng, n_fibres = story.rng(5), _n_fibres(story)
    onsets = np.ceil(np.repeat(story.stimuli_ms, n_fibres) / STEP_MS - 1e-9)
    steps = onsets.astype(np.int64) + rng.integers(0, round(_VOLLEY_MS / STEP_MS), len(onsets))
    steps = np.minimum(steps, story.n_bins * STEPS - 1)
    order = np.argsort(steps, kind="stable")
    return steps[order], (np.arange(len(onsets)) % n_fibres)[order]


# --- configuration --------------------------------------------------------------------------------


def _configs(
    story: Story, ids: npt.NDArray[np.uint32], recordings: bool
) -> dict[str, dict[str, Any]]:
    circuit, simulation = _circuit_config(), _simulation_config(story)
    if recordings:
        edges = {f"{one}__{POPULATION}__chemical": {"type": "chemical"} for one in _SOURCES}
        circuit["networks"]["edges"] = [{"edges_file": _EDGES, "populations": edges}]
        simulation["reports"] = {REPORT: report_config(story, NODE_SET)}
    return {
        _CIRCUIT: circuit,
        _CIRCUIT_SETS: _circuit_sets(),
        _SETS: _simulation_sets(story, ids),
        _CONFIG: simulation,
    }


_SOURCES = (FIBRES, POPULATION)


def _circuit_config() -> dict[str, Any]:
    populations = {
        POPULATION: {
            "type": "biophysical",
            "morphologies_dir": "morphologies",
            "biophysical_neuron_models_dir": "emodels",
        },
        FIBRES: {"type": "virtual"},
    }
    return {
        "version": 2,
        "node_sets_file": _CIRCUIT_SETS,
        "networks": {"nodes": [{"nodes_file": _NODES, "populations": populations}], "edges": []},
    }


def _circuit_sets() -> dict[str, Any]:
    sets: dict[str, Any] = {
        "Neurons": {"population": POPULATION},
        "Fibres": {"population": FIBRES},
        "Excitatory": {"synapse_class": "EXC"},
        "Inhibitory": {"synapse_class": "INH"},
    }
    sets |= {f"Layer{layer}": {"layer": layer} for layer in "123456"}
    return sets | {region: {"region": region} for region in (*REGIONS, OUTSIDE_REGION)}


def _simulation_sets(story: Story, ids: npt.NDArray[np.uint32]) -> dict[str, Any]:
    return {
        NODE_SET: {"population": POPULATION, "region": list(REGIONS)},
        "Stimulated": {"population": POPULATION, "node_id": _stimulated(story, ids)},
    }


def _stimulated(story: Story, ids: npt.NDArray[np.uint32]) -> list[int]:
    """Return the ids of the neurons in the few hexagons that the wave reaches first."""
    census, n_hexes = story.census, max(1, round(_STIMULATED_SHARE * story.n_hexes))
    hexes = np.argsort(story.sheet.distance_um, kind="stable")[:n_hexes]
    first, size = census.first_in_group[::2], census.in_place
    return sorted(int(n) for h in hexes for n in ids[first[h] : first[h] + size[h]])


def _simulation_config(story: Story) -> dict[str, Any]:
    stimulus = {
        "module": "linear",
        "input_type": "current_clamp",
        "amp_start": 0.5,
        "duration": _VOLLEY_MS,
        "node_set": "Stimulated",
    }
    return {
        "version": 2,
        "network": _CIRCUIT,
        "node_sets_file": _SETS,
        "node_set": NODE_SET,
        "run": {"tstop": story.tstop_ms, "dt": 0.025, "random_seed": story.seed % 2**31},
        "inputs": {
            f"stimulus_{k}": stimulus | {"delay": onset}
            for k, onset in enumerate(story.stimuli_ms, start=1)
        },
        "output": {"output_dir": _OUTPUT, "spikes_file": _SPIKES, "spikes_sort_order": "by_time"},
    }
