"""Kinds of simulations as they are published, small: what differs, and what stands in the way.

A kind is a way of writing (none of which stands in the way of a cube), where the neurons are, and
at most one obstacle. `KINDS` has all of them by name.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_NEURONS, STOP_MS = 12, 50.0
POPULATION = "cortex"


@dataclass
class Files:
    """A simulation that is still to be written; every part can be changed before."""

    folder: Path
    columns: dict[str, Any]
    simulation: dict[str, Any] = field(default_factory=dict)
    circuit: dict[str, Any] = field(default_factory=dict)
    node_sets: dict[str, Any] | str | None = None
    times: Any = None
    spikes_name: str = "output/spikes.h5"
    nodes_name: str = "nodes.h5"
    circuit_name: str = "circuit_config.json"
    config_name: str = "simulation_config.json"
    units: Any = "ms"
    sorting: str | None = "by_time"
    layout: str = "new"
    compression: str | None = None
    others: dict[str, str] = field(default_factory=dict)
    """Further populations of nodes, and ``fires`` or what else they do."""
    given: Path | None = None
    """What the user gives for the simulation, if it is not the configuration."""
    after: list[Callable[[Files], None]] = field(default_factory=list)
    """What is done when all files are written."""

    @property
    def config(self) -> Path:
        return self.folder / self.config_name

    @property
    def spikes(self) -> Path:
        return self.folder / self.spikes_name

    def write(self) -> None:
        self._write_nodes()
        self._write_spikes()
        if isinstance(self.node_sets, dict):
            (self.folder / "node_sets.json").write_text(json.dumps(self.node_sets))
        elif self.node_sets is not None:
            (self.folder / "node_sets.json").write_text(self.node_sets)
        (self.folder / self.circuit_name).write_text(json.dumps(self.circuit))
        self.config.write_text(json.dumps(self.simulation))
        for change in self.after:
            change(self)

    def _write_nodes(self) -> None:
        path = self.folder / self.nodes_name
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            for name in (POPULATION, *self.others):
                group = file.create_group(f"nodes/{name}")
                group["node_type_id"] = np.zeros(N_NEURONS, int)
                part = group.create_group("0")
                for column, values in self.columns.items():
                    part.create_dataset(column, data=values, compression=self.compression)

    def _write_spikes(self) -> None:
        self.spikes.parent.mkdir(parents=True, exist_ok=True)
        ids = np.arange(N_NEURONS, dtype=np.uint64)
        times = np.sort(ids * 4.0 + 1.0) if self.times is None else self.times
        firing = [POPULATION, *(name for name, does in self.others.items() if does == "fires")]
        with h5py.File(self.spikes, "w") as file:
            for name in firing:
                new = self.layout == "new"
                group = file.require_group(f"spikes/{name}" if new else "spikes")
                row = group.create_dataset("timestamps", data=times, compression=self.compression)
                key = "node_ids" if new else "gids"
                group.create_dataset(key, data=ids, compression=self.compression)
                if self.units is not None:
                    row.attrs["units"] = self.units
                if self.sorting is not None:
                    group.attrs["sorting"] = self.sorting


def usual(folder: Path) -> Files:
    """As BlueBrain's and OBI's tools write it."""
    entry = {"nodes_file": "nodes.h5", "populations": {POPULATION: {"type": "point_neuron"}}}
    return Files(
        folder,
        columns={},
        simulation={
            "version": 2.4,
            "run": {"tstop": STOP_MS, "dt": 0.025, "random_seed": 1},
            "network": "circuit_config.json",
            "node_set": "everyone",
            "output": {"output_dir": "output", "spikes_file": "spikes.h5"},
        },
        circuit={
            "version": 2.3,
            "networks": {"nodes": [entry], "edges": []},
            "node_sets_file": "node_sets.json",
        },
        node_sets={"everyone": {"population": POPULATION}},
    )


# --- where the neurons are -----------------------------------------------------------------------

_AT = np.linspace(0.0, 400.0, N_NEURONS)
PLACES: dict[str, dict[str, Any]] = {
    "ss_flat": {"ss_flat_x": _AT, "ss_flat_y": _AT[::-1]},
    "x, y, z": {"x": _AT, "y": _AT * 2, "z": _AT[::-1], "layer": np.arange(N_NEURONS) % 3},
    "positions": {"positions": np.stack([_AT, _AT * 2, _AT[::-1]], axis=1)},
    "x, y": {"x": _AT, "y": _AT[::-1]},
    "y and z all 0": {"x": _AT, "y": _AT * 0, "z": _AT * 0},
    "flat_x, flat_y": {"flat_x": _AT, "flat_y": _AT[::-1], "x": _AT, "y": _AT, "z": _AT},
    "ss_flat all NaN": {"ss_flat_x": _AT * np.nan, "ss_flat_y": _AT, "x": _AT, "z": _AT},
    "own names": {"cortical_x": _AT, "cortical_y": _AT[::-1], "model": np.arange(N_NEURONS)},
}

# --- ways of writing -----------------------------------------------------------------------------

WAYS: dict[str, Callable[[Files], None]] = {"usual": lambda files: None}
OBSTACLES: dict[str, Callable[[Files], Any]] = {}


def way(turn: Callable[[Files], None]) -> Callable[[Files], None]:
    WAYS[turn.__name__.replace("_", " ")] = turn
    return turn


def obstacle(turn: Callable[[Files], Any]) -> Callable[[Files], Any]:
    """Register what stands in the way; it may return what the user corrects in a file."""
    OBSTACLES[turn.__name__.replace("_", " ")] = turn
    return turn


@way
def no_random_seed(files: Files) -> None:
    del files.simulation["run"]["random_seed"]


@way
def sort_order_time(files: Files) -> None:
    files.simulation["output"]["spikes_sort_order"] = "time"


@way
def no_populations(files: Files) -> None:
    del files.circuit["networks"]["nodes"][0]["populations"]


@way
def allen_style(files: Files) -> None:
    no_random_seed(files)
    sort_order_time(files)
    no_populations(files)
    files.simulation |= {"target_simulator": "NEST", "manifest": {"$OUT": "${configdir}/output"}}
    files.simulation["output"]["output_dir"] = "$OUT"
    files.circuit["manifest"] = {"$NETWORK": "."}
    entry = files.circuit["networks"]["nodes"][0]
    entry |= {"nodes_file": "$NETWORK/nodes.h5", "node_types_file": "types.csv"}
    (files.folder / "types.csv").write_text("node_type_id model_type\n0 point_process\n")


@way
def pointing_config(files: Files) -> None:
    content = {"network": "./circuit_config.json", "simulation": "./simulation_config.json"}
    (files.folder / "config.json").write_text(json.dumps(content))
    files.given = files.folder / "config.json"


@way
def manifest(files: Files) -> None:
    files.simulation["manifest"] = {"$BASE": "${configdir}", "$OUT": "${BASE}/output"}
    files.simulation["network"] = "$BASE/circuit_config.json"
    files.simulation["output"]["output_dir"] = "${OUT}"


@way
def written_on_windows(files: Files) -> None:
    files.simulation["manifest"] = {"$BASE": "${configdir}"}
    files.simulation["network"] = "$BASE\\circuit_config.json"
    files.simulation["output"] = {"output_dir": ".\\output", "spikes_file": "spikes.h5"}


@way
def all_in_one_file(files: Files) -> None:
    del files.simulation["network"]
    files.simulation |= files.circuit


@way
def duration_in_place_of_tstop(files: Files) -> None:
    files.simulation["run"] = {"duration": STOP_MS, "dt": 0.1}


@way
def defaults_of_the_standard(files: Files) -> None:
    del files.simulation["output"], files.simulation["network"]
    files.spikes_name = "output/out.h5"


@way
def no_node_set(files: Files) -> None:
    del files.simulation["node_set"]


@way
def no_node_set_and_no_file_of_them(files: Files) -> None:
    del files.simulation["node_set"]
    files.node_sets = None


@way
def node_set_in_the_configuration(files: Files) -> None:
    files.simulation["node_sets"] = {"own": {"gids": list(range(N_NEURONS))}}
    files.simulation["node_set"] = "own"


@way
def node_sets_of_the_simulation(files: Files) -> None:
    (files.folder / "own.json").write_text(json.dumps({"own": {"population": POPULATION}}))
    files.simulation |= {"node_sets_file": "own.json", "node_set": "own"}


@way
def compressed(files: Files) -> None:
    files.compression = "gzip"


@way
def no_units_and_no_sorting(files: Files) -> None:
    files.units = files.sorting = None


@way
def units_in_a_row(files: Files) -> None:
    files.units = np.array([b"milliseconds"])


@way
def old_layout(files: Files) -> None:
    files.layout = "old"


@way
def spikes_in_a_list(files: Files) -> None:
    files.simulation["output"]["spikes_file"] = ["spikes.h5"]


@way
def virtual_sibling(files: Files) -> None:
    add(files, "fibres", "virtual")


@way
def virtual_sibling_that_fires(files: Files) -> None:
    add(files, "fibres", "virtual", "fires")


@way
def glia_beside(files: Files) -> None:
    add(files, "astrocytes", "astrocyte")


@way
def second_population_that_is_silent(files: Files) -> None:
    add(files, "thalamus", "point_neuron")


@way
def sibling_without_its_file(files: Files) -> None:
    entry = {"nodes_file": "gone.h5", "populations": {"gone": {"type": "point_neuron"}}}
    files.circuit["networks"]["nodes"].append(entry)


@way
def spikes_of_strangers_beside(files: Files) -> None:
    files.after.append(lambda f: copy_spikes(f, "elsewhere"))


@way
def nodes_in_a_folder(files: Files) -> None:
    files.nodes_name = "network/nodes.h5"
    files.circuit["networks"]["nodes"][0]["nodes_file"] = "./network/nodes.h5"


@way
def late_end(files: Files) -> None:
    files.simulation["run"]["tstop"] = 100.0


def add(files: Files, name: str, kind: str, does: str = "") -> None:
    files.others[name] = does
    files.circuit["networks"]["nodes"][0]["populations"][name] = {"type": kind}


def copy_spikes(files: Files, name: str) -> None:
    with h5py.File(files.spikes, "r+") as file:
        file.copy(f"spikes/{POPULATION}", f"spikes/{name}")


# --- obstacles -----------------------------------------------------------------------------------


@obstacle
def spikes_elsewhere(files: Files) -> None:
    files.simulation["output"]["output_dir"] = "/gpfs/somebody/output"


@obstacle
def spikes_under_another_name(files: Files) -> None:
    files.spikes_name = "output/out_2024.h5"


@obstacle
def spikes_on_a_drive_of_windows(files: Files) -> None:
    files.simulation["output"]["output_dir"] = "C:\\Users\\me\\output"


@obstacle
def circuit_on_another_disk(files: Files) -> None:
    files.simulation["network"] = "/gpfs/somebody/circuit_config.json"


@obstacle
def circuit_under_another_name(files: Files) -> None:
    del files.simulation["network"]
    files.circuit_name = "circuit_sonata.json"


@obstacle
def undefined_variable_for_the_circuit(files: Files) -> None:
    files.simulation["network"] = "$CIRCUIT/circuit_config.json"


@obstacle
def undefined_variable_for_the_output(files: Files) -> None:
    files.simulation["output"]["output_dir"] = "$OUT/run"


@obstacle
def no_end(files: Files) -> None:
    del files.simulation["run"]["tstop"]


@obstacle
def two_runs(files: Files) -> None:
    files.simulation["run"] = {"tstop": [STOP_MS, 2 * STOP_MS], "dt": 0.1}
    files.simulation["output"]["spikes_file"] = ["spikes.h5", "later.h5"]


@obstacle
def several_populations_that_fire(files: Files) -> None:
    add(files, "thalamus", "point_neuron", "fires")


@obstacle
def old_layout_of_several(files: Files) -> None:
    add(files, "thalamus", "point_neuron")
    files.layout = "old"


@obstacle
def file_of_node_sets_missing(files: Files) -> None:
    files.node_sets = None


@obstacle
def file_of_node_sets_empty(files: Files) -> None:
    files.node_sets = ""


@obstacle
def node_set_undefined(files: Files) -> None:
    files.simulation["node_set"] = "Mosaic"


@obstacle
def node_set_mistyped(files: Files) -> None:
    files.simulation["node_set"] = "Everyone"


@obstacle
def node_set_of_nothing(files: Files) -> None:
    assert isinstance(files.node_sets, dict)
    files.node_sets["everyone"] = {"population": "thalamus"}


@obstacle
def node_set_of_a_missing_property(files: Files) -> None:
    assert isinstance(files.node_sets, dict)
    files.node_sets["everyone"] = {"etype": "cAC"}


@obstacle
def circuit_given(files: Files) -> None:
    files.given = files.folder / files.circuit_name


@obstacle
def spikes_given(files: Files) -> None:
    files.given = files.spikes


@obstacle
def nodes_given(files: Files) -> None:
    files.given = files.folder / files.nodes_name


@obstacle
def nodes_on_another_disk(files: Files) -> tuple[str, str, str]:
    files.circuit["networks"]["nodes"][0]["nodes_file"] = "/gpfs/nodes.h5"
    return files.circuit_name, "/gpfs/nodes.h5", "nodes.h5"


@obstacle
def tstop_is_text(files: Files) -> tuple[str, str, str]:
    files.simulation["run"]["tstop"] = "50 ms"
    return files.config_name, '"50 ms"', "50"


@obstacle
def units_of_seconds(files: Files) -> str:
    files.units = "s"
    return "impossible"


@obstacle
def no_property(files: Files) -> str:
    files.columns.clear()
    return "impossible"


@obstacle
def spikes_of_strangers_alone(files: Files) -> str:
    def rename(written: Files) -> None:
        with h5py.File(written.spikes, "r+") as file:
            file.move(f"spikes/{POPULATION}", "spikes/All")

    files.after.append(rename)
    return "impossible"


# --- kinds ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A way of writing, where the neurons are, and an obstacle or none."""

    way: str
    places: str
    obstacle: str = ""

    def write(self, folder: Path) -> tuple[Files, Any]:
        """Write the files; them, and what the obstacle says of its correction."""
        folder.mkdir(parents=True, exist_ok=True)
        files = usual(folder)
        files.columns = dict(PLACES[self.places])
        WAYS[self.way](files)
        correction = OBSTACLES[self.obstacle](files) if self.obstacle else None
        files.write()
        return files, correction

    @property
    def name(self) -> str:
        return "; ".join(filter(None, (self.way, self.places, self.obstacle)))


def _kinds() -> list[Kind]:
    everywhere = ("ss_flat", "x, y, z", "positions", "x, y")
    found = [Kind(way, places) for way, places in itertools.product(WAYS, everywhere)]
    found += [Kind("usual", places) for places in PLACES if places not in everywhere]
    found += [Kind("allen style", places) for places in PLACES if places not in everywhere]
    found += [Kind("usual", "ss_flat", name) for name in OBSTACLES]
    return found


KINDS = {kind.name: kind for kind in _kinds()}
