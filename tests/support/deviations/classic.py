"""The registry, its helpers, and the deviations of published files.

`write` makes a small simulation and turns one switch. What is expected stands beside the switch:
the same cube as without it, what is said about it, or the sentence that refuses it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.sonata_files import POPULATION, SonataFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_NEURONS, N_SPIKES = 60, 400


@dataclass(frozen=True)
class Deviation:
    """One way in which real files differ.

    Attributes
    ----------
    what
        What the files do.
    turn
        Changes the files in a folder; what it returns is given to the command as options.
    same
        Whether the cube is the one without the deviation.
    says
        Part of a note, where something is assumed.
    refused
        The whole message, where it cannot be read; ``{folder}`` is the folder,
        ``{size}`` the size of the spikes file.
    """

    what: str
    turn: Callable[[Path], dict[str, Any] | None]
    same: bool = True
    says: str = ""
    refused: str = ""
    options: dict[str, Any] = field(default_factory=dict)


DEVIATIONS: dict[str, Deviation] = {}


def deviation(what: str, **expected: Any) -> Callable[[Any], Any]:
    def register(turn: Any) -> Any:
        DEVIATIONS[turn.__name__] = Deviation(what, turn, **expected)
        return turn

    return register


def base() -> SonataFiles:
    """The simulation without a deviation; spikes lie well within bins and are sorted by time."""
    rng = np.random.default_rng(5)
    times = np.sort(rng.integers(0, 1000, N_SPIKES) * 0.1 + 0.05)
    return SonataFiles(
        columns={
            "ss_flat_x": rng.uniform(-100, 100, N_NEURONS),
            "ss_flat_y": rng.uniform(-100, 100, N_NEURONS),
            "x": rng.uniform(0, 1000, N_NEURONS),
            "y": rng.uniform(0, 1000, N_NEURONS),
            "z": rng.uniform(0, 1000, N_NEURONS),
            "layer": rng.integers(1, 7, N_NEURONS),
            "synapse_class": rng.choice(["EXC", "INH"], N_NEURONS).tolist(),
        },
        times_ms=times,
        node_ids=rng.integers(0, N_NEURONS, N_SPIKES).astype(np.uint64),
        node_set="everyone",
        node_sets={"everyone": {"population": POPULATION}},
    )


def write(folder: Path, name: str | None = None) -> tuple[dict[str, Any], Deviation | None]:
    """The files, one switch turned; what to give to `open_simulation`, and the switch."""
    config = base().write(folder)
    opened: dict[str, Any] = {"path": config}
    if name is None:
        return opened, None
    chosen = DEVIATIONS[name]
    changed = chosen.turn(folder)
    return (opened if changed is None else changed), chosen


# --- helpers -------------------------------------------------------------------------------------


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def edit_simulation(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    edit_json(folder / "simulation_config.json", change)


def spikes_file(folder: Path) -> Path:
    return folder / "output" / "spikes.h5"


def edit_spikes(folder: Path, change: Callable[[Any], None]) -> None:
    with h5py.File(spikes_file(folder), "r+") as file:
        change(file[f"spikes/{POPULATION}"])


def edit_nodes(folder: Path, change: Callable[[Any], None]) -> None:
    with h5py.File(folder / "nodes.h5", "r+") as file:
        change(file[f"nodes/{POPULATION}"])


def replace_dataset(group: Any, name: str, values: Any, **options: Any) -> None:
    attributes = dict(group[name].attrs)
    del group[name]
    group.create_dataset(name, data=values, **options).attrs.update(attributes)


def silent_sibling(group: Any) -> None:
    empty = group.parent.create_group("silent")
    empty["timestamps"], empty["node_ids"] = np.zeros(0), np.zeros(0, np.uint64)


def add_population(folder: Path, name: str, kind: str = "virtual") -> None:
    with h5py.File(folder / "nodes.h5", "r+") as file:
        file[f"nodes/{name}/node_type_id"] = np.full(N_NEURONS, -1)
        file.create_group(f"nodes/{name}/0")

    def entry(content: dict[str, Any]) -> None:
        content["networks"]["nodes"][0]["populations"][name] = {"type": kind}

    edit_json(folder / "circuit_config.json", entry)


# --- 1, 2: the output section and the spikes file ------------------------------------------------


@deviation("no section `output`", says="names no spikes file; out.h5 in output is assumed")
def no_output(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.pop("output"))
    spikes_file(folder).rename(folder / "output" / "out.h5")


@deviation("`output` without `spikes_file`", says="names no spikes file; out.h5 in output")
def no_spikes_file_named(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["output"].pop("spikes_file"))
    spikes_file(folder).rename(folder / "output" / "out.h5")


@deviation(
    "the spikes file does not exist",
    refused="{folder}/output/spikes.h5: the spikes file does not exist: run the simulation, correct"
    " 'output' in {folder}/simulation_config.json, or give --spikes FILE",
)
def spikes_file_absent(folder: Path) -> None:
    spikes_file(folder).unlink()


@deviation(
    "the spikes file is a folder",
    refused="{folder}/output/spikes.h5: the spikes file is a folder: run the simulation, correct"
    " 'output' in {folder}/simulation_config.json, or give --spikes FILE",
)
def spikes_file_is_a_folder(folder: Path) -> None:
    spikes_file(folder).unlink()
    spikes_file(folder).mkdir()


@deviation(
    "the spikes file is empty, as at the start of a simulation",
    refused="{folder}/output/spikes.h5: the spikes file is empty: is it still being written?",
)
def spikes_file_empty(folder: Path) -> None:
    spikes_file(folder).write_bytes(b"")


@deviation(
    "the spikes file is not an HDF5 file",
    refused="{folder}/output/spikes.h5: the spikes file is not an HDF5 file: name another one",
)
def spikes_file_is_text(folder: Path) -> None:
    spikes_file(folder).write_text("0.1 5\n0.2 6\n")


# --- 3: units ------------------------------------------------------------------------------------


@deviation("`timestamps` without `units`", says="'timestamps' has no units; ms is assumed")
def no_units(folder: Path) -> None:
    edit_spikes(folder, lambda group: group["timestamps"].attrs.pop("units"))


@deviation("another, empty population without `units`")
def empty_sibling_without_units(folder: Path) -> None:
    edit_spikes(folder, silent_sibling)


@deviation('`units` are "milliseconds"')
def units_in_words(folder: Path) -> None:
    edit_spikes(folder, lambda group: group["timestamps"].attrs.update(units="milliseconds"))


@deviation("`units` are fixed-length bytes")
def units_in_bytes(folder: Path) -> None:
    edit_spikes(folder, lambda group: group["timestamps"].attrs.update(units=np.bytes_("ms")))


@deviation(
    "`units` are seconds",
    refused="{folder}/output/spikes.h5: population 'cortex': 'timestamps' has units 's': only ms"
    " can be read: convert them",
)
def units_in_seconds(folder: Path) -> None:
    edit_spikes(folder, lambda group: group["timestamps"].attrs.update(units="s"))


# --- 4: sorting ----------------------------------------------------------------------------------


def sorting_as(text: str) -> Callable[[Path], None]:
    def turn(folder: Path) -> None:
        edit_spikes(folder, lambda group: group.attrs.update(sorting=text))

    return turn


for _text in ("by_time", "by_id", "by_gid", "time", "none"):
    DEVIATIONS[f"sorting_is_the_text_{_text}"] = Deviation(
        f'`sorting` is the text "{_text}"', sorting_as(_text)
    )


@deviation("no attribute `sorting`", says="its order is not stated")
def no_sorting(folder: Path) -> None:
    edit_spikes(folder, lambda group: group.attrs.pop("sorting"))


@deviation("spikes sorted by id")
def sorted_by_id(folder: Path) -> None:
    def change(group: Any) -> None:
        times, ids = group["timestamps"][:], group["node_ids"][:]
        order = np.lexsort((times, ids))
        group["timestamps"][:], group["node_ids"][:] = times[order], ids[order]
        group.attrs["sorting"] = "by_id"

    edit_spikes(folder, change)


def shuffled(group: Any) -> None:
    order = np.random.default_rng(1).permutation(N_SPIKES)
    group["timestamps"][:] = group["timestamps"][:][order]
    group["node_ids"][:] = group["node_ids"][:][order]


@deviation("unsorted spikes")
def unsorted(folder: Path) -> None:
    edit_spikes(folder, shuffled)


@deviation("marked by_time, but unsorted", says="is marked by_time, but its times are not sorted")
def marked_by_time_but_unsorted(folder: Path) -> None:
    def change(group: Any) -> None:
        shuffled(group)
        group.attrs["sorting"] = "by_time"

    edit_spikes(folder, change)


# --- 5: compression ------------------------------------------------------------------------------


@deviation("spikes compressed with gzip")
def compressed_spikes(folder: Path) -> None:
    def change(group: Any) -> None:
        for name in ("timestamps", "node_ids"):
            replace_dataset(group, name, group[name][:], compression="gzip", shuffle=True)

    edit_spikes(folder, change)


@deviation("nodes compressed with gzip")
def compressed_nodes(folder: Path) -> None:
    def change(group: Any) -> None:
        for name in list(group["0"]):
            if not name.startswith("@"):
                replace_dataset(group["0"], name, group["0"][name][:], compression="gzip")
        replace_dataset(group, "node_type_id", group["node_type_id"][:], compression="gzip")

    edit_nodes(folder, change)


# --- 6: populations of spikes --------------------------------------------------------------------


@deviation("a second population with spikes of the same ids")
def same_ids_in_two_populations(folder: Path) -> None:
    add_population(folder, "thalamus")

    def change(group: Any) -> None:
        group.copy(group, group.parent, "thalamus")
        group.parent["thalamus/timestamps"][:] = 1.0

    edit_spikes(folder, change)


@deviation(
    "an empty `/spikes`",
    refused="{folder}/output/spikes.h5: population 'cortex': nothing is counted, since there are"
    " no spikes: name another population or another spikes file, or allow an empty cube"
    " (--allow-empty)",
)
def no_spikes_at_all(folder: Path) -> None:
    edit_spikes(folder, lambda group: group.parent.__delitem__(POPULATION))


@deviation(
    "the spikes file has other populations of the circuit, but not this one",
    refused="{folder}/output/spikes.h5: population 'cortex': nothing is counted, since there are"
    " no spikes: name another population or another spikes file, or allow an empty cube"
    " (--allow-empty)",
)
def silent_population(folder: Path) -> None:
    add_population(folder, "thalamus")
    edit_spikes(folder, lambda group: group.file.move(group.name, "/spikes/thalamus"))


@deviation(
    "spikes only of a population that the circuit lacks",
    refused="{folder}/output/spikes.h5: there are no spikes of population 'cortex'; there are:"
    " All, of which the circuit lacks All: name another population with --population P,"
    " or another file with --spikes FILE",
)
def spikes_of_strangers(folder: Path) -> None:
    edit_spikes(folder, lambda group: group.file.move(group.name, "/spikes/All"))


@deviation("also spikes of a population that the circuit lacks")
def spikes_of_strangers_too(folder: Path) -> None:
    edit_spikes(folder, lambda group: group.copy(group, group.parent, "elsewhere"))


@deviation("ids that the population lacks; they are left out and counted")
def unknown_ids(folder: Path) -> None:
    def change(group: Any) -> None:
        strange = np.array([N_NEURONS, 2**63], dtype=np.uint64)
        replace_dataset(group, "timestamps", np.append(group["timestamps"][:], [99.5, 99.5]))
        replace_dataset(group, "node_ids", np.append(group["node_ids"][:], strange))

    edit_spikes(folder, change)


@deviation(
    "more timestamps than ids",
    refused="{folder}/output/spikes.h5: population 'cortex': 400 timestamps for 399"
    " node_ids: is the file complete?",
)
def unequal_lengths(folder: Path) -> None:
    edit_spikes(folder, lambda group: replace_dataset(group, "node_ids", group["node_ids"][:-1]))


@deviation(
    "a population of spikes without ids",
    refused="{folder}/output/spikes.h5: population 'cortex': there is no dataset 'node_ids':"
    " name another file",
)
def no_ids(folder: Path) -> None:
    edit_spikes(folder, lambda group: group.__delitem__("node_ids"))


# --- 7: the old layout ---------------------------------------------------------------------------


def into_old_layout(folder: Path, ids: str = "gids") -> None:
    def change(group: Any) -> None:
        spikes = group.parent
        spikes.move(f"{POPULATION}/timestamps", "timestamps")
        spikes.move(f"{POPULATION}/node_ids", ids)
        spikes["timestamps"].attrs["sorting"] = "by_time"
        del spikes[POPULATION]

    edit_spikes(folder, change)


@deviation(
    "old layout, /spikes/gids; the circuit has one population",
    says="has the old layout, without populations; its spikes are assumed to be of 'cortex'",
)
def old_layout(folder: Path) -> None:
    into_old_layout(folder)


@deviation("old layout with `node_ids`", says="has the old layout")
def old_layout_with_node_ids(folder: Path) -> None:
    into_old_layout(folder, "node_ids")


@deviation(
    "old layout; the circuit has several populations, and none is named",
    refused="{folder}/output/spikes.h5: has the old layout, without populations; there are:"
    " cortex, thalamus: name the one whose spikes it holds with --population P",
)
def old_layout_of_several(folder: Path) -> None:
    into_old_layout(folder)
    add_population(folder, "thalamus")


@deviation(
    "old layout; the circuit has several populations, and one is named",
    options={"population": POPULATION},
    says="has the old layout",
)
def old_layout_with_population(folder: Path) -> None:
    old_layout_of_several(folder)


# --- 8: types ------------------------------------------------------------------------------------


def ids_as(kind: str) -> Callable[[Path], None]:
    def turn(folder: Path) -> None:
        edit_spikes(
            folder,
            lambda group: replace_dataset(group, "node_ids", group["node_ids"][:].astype(kind)),
        )

    return turn


for _kind in ("int64", "uint32", "uint8", ">i4"):
    DEVIATIONS[f"ids_of_{_kind.replace('>', 'big_')}"] = Deviation(
        f"`node_ids` of {_kind}", ids_as(_kind)
    )


@deviation("timestamps of float32")
def float32_times(folder: Path) -> None:
    edit_spikes(
        folder,
        lambda group: replace_dataset(group, "timestamps", group["timestamps"][:].astype("f4")),
    )


@deviation("times that are NaN, before 0 or after `tstop`; they are left out and counted")
def odd_times(folder: Path) -> None:
    def change(group: Any) -> None:
        more = [np.nan, -5.0, 100.0, 1e9]
        replace_dataset(group, "timestamps", np.append(group["timestamps"][:], more))
        replace_dataset(group, "node_ids", np.append(group["node_ids"][:], np.zeros(4, np.uint64)))

    edit_spikes(folder, change)


@deviation(
    "ids stored as real numbers",
    refused="{folder}/output/spikes.h5: population 'cortex': 'node_ids': is float64 of shape"
    " (400,), not a row of numbers",
)
def real_ids(folder: Path) -> None:
    ids_as("f8")(folder)


# --- 9, 10, 11: nodes ----------------------------------------------------------------------------


@deviation("`positions` (N, 3) instead of x, y, z", options={"flat": ("x", "z")}, same=False)
def positions_in_one(folder: Path) -> None:
    def change(group: Any) -> None:
        axes = np.stack([group[f"0/{axis}"][:] for axis in "xyz"], axis=1)
        for axis in "xyz":
            del group[f"0/{axis}"]
        group["0/positions"] = axes

    edit_nodes(folder, change)


@deviation("nodes in two groups")
def several_groups(folder: Path) -> None:
    def change(group: Any) -> None:
        half = N_NEURONS // 2
        group["node_group_id"] = np.repeat([0, 1], half)
        group["node_group_index"] = np.tile(np.arange(half), 2)
        group.create_group("1")
        for name in [name for name in group["0"] if not name.startswith("@")]:
            values = group["0"][name][:]
            group["1"][name] = values[half:]
            replace_dataset(group["0"], name, values[:half])
        group.copy(group["0/@library"], group["1"], "@library")

    edit_nodes(folder, change)


@deviation("x and y without z")
def no_z(folder: Path) -> None:
    edit_nodes(folder, lambda group: group["0"].__delitem__("z"))


@deviation(
    "no property at all",
    refused="{folder}/simulation_config.json: population 'cortex': it has no property 'ss_flat_x',"
    " nor the positions to compute it from (x, y, z missing): add ss_flat_x and ss_flat_y to the"
    " nodes file (its properties: none)",
)
def no_properties(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["0"]
        group.create_group("0")

    edit_nodes(folder, change)


@deviation("an additional virtual population without positions")
def virtual_sibling(folder: Path) -> None:
    add_population(folder, "fibres")


@deviation("`node_id` is not 0 to n-1; spikes are matched by it")
def own_node_ids(folder: Path) -> None:
    ids = 1000 - np.arange(N_NEURONS)
    edit_nodes(folder, lambda group: group.create_dataset("node_id", data=ids))
    edit_spikes(
        folder,
        lambda group: replace_dataset(group, "node_ids", ids[group["node_ids"][:].astype(int)]),
    )


@deviation(
    "the same `node_id` twice",
    refused="{folder}/nodes.h5: population 'cortex': 'node_id': an id appears twice: correct"
    " the nodes file",
)
def node_ids_twice(folder: Path) -> None:
    edit_nodes(folder, lambda group: group.create_dataset("node_id", data=np.ones(N_NEURONS, int)))


@deviation(
    "all flat positions are NaN",
    refused="none of the 60 neurons has a flat position in ss_flat_x, ss_flat_y: choose two of its"
    " properties as flat position, as in --flat x z, or give --flatmap FILE; its"
    " properties are layer, ss_flat_x, ss_flat_y, synapse_class, x, y, z",
)
def nan_everywhere(folder: Path) -> None:
    edit_nodes(folder, lambda group: group["0/ss_flat_x"].__setitem__(slice(None), np.nan))


@deviation("all neurons on a line, many at the same place", same=False)
def on_a_line(folder: Path) -> None:
    def change(group: Any) -> None:
        group["0/ss_flat_x"][:] = np.round(group["0/ss_flat_x"][:], -1)
        group["0/ss_flat_y"][:] = 0.0

    edit_nodes(folder, change)


# --- 12: texts -----------------------------------------------------------------------------------


@deviation("text stored as strings, not as a library", options={"where": "synapse_class=INH,EXC"})
def texts_as_strings(folder: Path) -> None:
    def change(group: Any) -> None:
        names = group["0/@library/synapse_class"][:]
        texts = names[group["0/synapse_class"][:]]
        del group["0/@library/synapse_class"]
        replace_dataset(group["0"], "synapse_class", texts)

    edit_nodes(folder, change)


@deviation(
    "`layer` as text; a filter on the number 3 finds it", same=False, options={"where": "layer=3"}
)
def layer_as_text(folder: Path) -> None:
    def change(group: Any) -> None:
        texts = np.array([str(v) for v in group["0/layer"][:]], dtype=object)
        replace_dataset(group["0"], "layer", texts)

    edit_nodes(folder, change)


# --- 13: node sets -------------------------------------------------------------------------------


@deviation("a node set that only the simulation defines", options={"node_set": "half"}, same=False)
def own_node_set(folder: Path) -> None:
    sets = {"half": {"population": POPULATION, "node_id": list(range(30))}}
    (folder / "own.json").write_text(json.dumps(sets))
    edit_simulation(folder, lambda content: content.update(node_sets_file="own.json"))


@deviation("no `node_set`", says="names no node set; all neurons count")
def no_node_set(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.pop("node_set"))


@deviation(
    "the node sets file is missing",
    refused="{folder}/node_sets.json: the file of node sets does not exist: correct"
    " 'node_sets_file' in {folder}/circuit_config.json, or count all neurons with"
    " --node-set all",
)
def node_sets_absent(folder: Path) -> None:
    (folder / "node_sets.json").unlink()


@deviation(
    "the node sets file is empty",
    refused="{folder}/node_sets.json: is not JSON (it is empty): give a file of SONATA node"
    " sets, or correct it, or count all neurons with --node-set all",
)
def node_sets_empty(folder: Path) -> None:
    (folder / "node_sets.json").write_text("")


@deviation(
    "a node set names a property that the population lacks",
    refused="{folder}/simulation_config.json: node set 'everyone': it names the property"
    " 'etype', which population 'cortex' lacks; there are: layer, ss_flat_x, ss_flat_y,"
    " synapse_class, x, y, z: correct its definition, or count all neurons with"
    " --node-set all",
)
def node_set_of_a_missing_property(folder: Path) -> None:
    edit_json(folder / "node_sets.json", lambda sets: sets.update(everyone={"etype": "cAC"}))


# --- 14, 15: siblings and paths ------------------------------------------------------------------


@deviation(
    "the nodes file of another population is missing",
    says="gone.h5: the nodes file does not exist; population 'gone' cannot be used",
)
def broken_sibling(folder: Path) -> None:
    def entry(content: dict[str, Any]) -> None:
        sibling = {"nodes_file": "gone.h5", "populations": {"gone": {"type": "point_neuron"}}}
        content["networks"]["nodes"].append(sibling)

    edit_json(folder / "circuit_config.json", entry)


@deviation(
    "the circuit is on another computer's disk",
    refused="{folder}/simulation_config.json: 'network' names the circuit configuration"
    " /gpfs/home/somebody/circuit_config.json, which does not exist: correct the path, or give"
    " --circuit {folder}/circuit_config.json",
)
def circuit_on_another_disk(folder: Path) -> None:
    path = "/gpfs/home/somebody/circuit_config.json"
    edit_simulation(folder, lambda content: content.update(network=path))


@deviation("the circuit is on another computer's disk; `--circuit` gives it")
def circuit_given(folder: Path) -> dict[str, Any]:
    circuit_on_another_disk(folder)
    return {
        "path": folder / "simulation_config.json",
        "circuit": folder / "circuit_config.json",
    }


@deviation(
    "the nodes are on another computer's disk",
    refused="/gpfs/nodes.h5: the nodes file of population 'cortex' does not exist: correct the path"
    " in {folder}/circuit_config.json",
)
def nodes_on_another_disk(folder: Path) -> None:
    def entry(content: dict[str, Any]) -> None:
        content["networks"]["nodes"][0]["nodes_file"] = "/gpfs/nodes.h5"

    edit_json(folder / "circuit_config.json", entry)


@deviation("the spikes are elsewhere; `--spikes` gives them")
def spikes_given(folder: Path) -> dict[str, Any]:
    shutil.move(spikes_file(folder), folder / "moved.h5")
    return {"path": folder / "simulation_config.json", "spikes": folder / "moved.h5"}


@deviation(
    "no simulation configuration, only spikes and circuit",
    says="gives the end",
)
def bare_spikes(folder: Path) -> dict[str, Any]:
    (folder / "simulation_config.json").unlink()
    return {"spikes": spikes_file(folder), "circuit": folder / "circuit_config.json"}


@deviation("`tstop` far beyond the last spike", same=False)
def long_silence(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["run"].update(tstop=1000.0))


# --- 16: the Allen Institute's style -------------------------------------------------------------


@deviation("`run` without `random_seed`", says="bluepysnap cannot open it")
def no_random_seed(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["run"].pop("random_seed"))


@deviation('`spikes_sort_order` is "time"', says="bluepysnap cannot open it")
def odd_sort_order(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["output"].update(spikes_sort_order="time"))


@deviation("libsonata does not know the `target_simulator`", says="bluepysnap cannot open it")
def target_simulator_nest(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.update(target_simulator="NEST"))


@deviation("no `populations` under the nodes", says="it does not name the populations")
def no_populations(folder: Path) -> None:
    edit_json(
        folder / "circuit_config.json",
        lambda content: content["networks"]["nodes"][0].pop("populations"),
    )


@deviation("paths with manifest variables")
def manifest_variables(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["manifest"] = {"$BASE": "${configdir}", "$OUT": "$BASE/output"}
        content["output"]["output_dir"] = "$OUT"
        content["network"] = "$BASE/circuit_config.json"

    edit_simulation(folder, change)


@deviation("variables in braces, and variables within variables")
def manifest_braces(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["manifest"] = {"$BASE": "${configdir}", "$OUT": "${BASE}/${NAME}", "NAME": "output"}
        content["output"]["output_dir"] = "${OUT}"
        content["network"] = "${BASE}/circuit_config.json"
        content["run"].pop("random_seed")

    edit_simulation(folder, change)


@deviation(
    "a variable that the manifest lacks",
    refused="{folder}/simulation_config.json: 'output_dir' is \"$GONE/output\", and the manifest"
    " does not define $GONE: add it there, or give --spikes FILE",
)
def unknown_variable(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["output"].update(output_dir="$GONE/output"))


@deviation("circuit and simulation in one file", says="bluepysnap cannot open it")
def all_in_one_file(folder: Path) -> None:
    circuit = json.loads((folder / "circuit_config.json").read_text())
    (folder / "circuit_config.json").unlink()

    def change(content: dict[str, Any]) -> None:
        content.pop("network")
        content["run"].pop("random_seed")
        content |= {"networks": circuit["networks"], "node_sets_file": circuit["node_sets_file"]}
        (folder / "simulation_config.json").write_text(json.dumps(content))

    config = json.loads((folder / "simulation_config.json").read_text())
    change(config)


@deviation("an old config.json that only points to network and simulation")
def pointing_config(folder: Path) -> dict[str, Any]:
    content = {"network": "./circuit_config.json", "simulation": "./simulation_config.json"}
    (folder / "config.json").write_text(json.dumps(content))
    return {"path": folder / "config.json"}


@deviation("properties in a table of node types", options={"where": "ei=e,i"}, says="populations")
def node_types(folder: Path) -> None:
    no_populations(folder)
    (folder / "types.csv").write_text(
        "node_type_id ei model_type\n1 e biophysical\n2 i biophysical\n"
    )

    def entry(content: dict[str, Any]) -> None:
        content["networks"]["nodes"][0]["node_types_file"] = "types.csv"

    edit_json(folder / "circuit_config.json", entry)
    types = 1 + np.arange(N_NEURONS) % 2
    edit_nodes(folder, lambda group: group["node_type_id"].__setitem__(slice(None), types))


@deviation("node sets within the configuration; `gids` instead of `node_id`", same=False)
def inline_node_sets(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["node_sets"] = {"some": {"gids": list(range(30))}}
        content["node_set"] = "some"

    edit_simulation(folder, change)


@deviation("all of these, as BMTK writes them", says="does not name the populations")
def bmtk_style(folder: Path) -> dict[str, Any]:
    node_types(folder)

    def circuit(content: dict[str, Any]) -> None:
        content["manifest"] = {"$NETWORK_DIR": "."}
        content["networks"]["nodes"][0]["nodes_file"] = "$NETWORK_DIR/nodes.h5"
        content.pop("node_sets_file")
        content.pop("version")

    edit_json(folder / "circuit_config.json", circuit)
    simulation = {
        "manifest": {"$BASE_DIR": ".", "$OUTPUT_DIR": "$BASE_DIR/output"},
        "run": {"tstop": 100.0, "dt": 0.1, "dL": 20.0, "spike_threshold": -15},
        "target_simulator": "NEST",
        "network": "$BASE_DIR/circuit_config.json",
        "node_sets": {"all": {"model_type": ["biophysical", "point_process"]}},
        "node_set": "all",
        "inputs": {"lgn": {"input_type": "spikes", "module": "sonata", "node_set": "lgn"}},
        "output": {
            "output_dir": "$OUTPUT_DIR",
            "spikes_sort_order": "time",
            "spikes_file": "spikes.h5",
        },
        "reports": {"v": {"cells": "all", "variable_name": "v", "module": "membrane_report"}},
    }
    (folder / "config.simulation.json").write_text(json.dumps(simulation))
    return {"path": folder / "config.simulation.json"}


# --- 17: float noise -----------------------------------------------------------------------------


@deviation("times slightly off the integration grid")
def float_noise(folder: Path) -> None:
    def change(group: Any) -> None:
        group["timestamps"][:] = group["timestamps"][:] + 9.9e-14

    edit_spikes(folder, change)


# --- files with bad intentions, or damaged -------------------------------------------------------


@deviation(
    "a dataset is a link to another file",
    refused="{folder}/output/spikes.h5: /spikes/cortex/timestamps: is a link into the file"
    " '/etc/passwd', which is not followed: copy the data into one file (h5repack, h5copy)",
)
def external_link(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["timestamps"]
        group["timestamps"] = h5py.ExternalLink("/etc/passwd", "/times")

    edit_spikes(folder, change)


@deviation(
    "the bytes of a dataset are in another file",
    refused="{folder}/output/spikes.h5: population 'cortex': 'timestamps': its values are in other"
    " files, which are not followed: copy the data into one file (h5repack)",
)
def external_storage(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["timestamps"]
        outside = [("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
        group.create_dataset("timestamps", (N_SPIKES,), "f8", external=outside)

    edit_spikes(folder, change)


@deviation(
    "a header that claims 10^12 spikes",
    refused="{folder}/output/spikes.h5: population 'cortex': 'timestamps': claims 8,000,000,000,000"
    " bytes in a file of {size}: is the file complete?",
)
def enormous_claim(folder: Path) -> None:
    def change(group: Any) -> None:
        for name, kind in (("timestamps", "f8"), ("node_ids", "u8")):
            del group[name]
            group.create_dataset(name, (10**12,), kind, chunks=(1 << 16,))

    edit_spikes(folder, change)


@deviation(
    "space for spikes, but none was written",
    refused="{folder}/output/spikes.h5: population 'cortex': has room for 400 spikes, but none was"
    " written: is it still being written?",
)
def unwritten_spikes(folder: Path) -> None:
    def change(group: Any) -> None:
        for name, kind in (("timestamps", "f8"), ("node_ids", "u8")):
            del group[name]
            group.create_dataset(name, (N_SPIKES,), kind, chunks=(100,))

    edit_spikes(folder, change)


@deviation(
    "links in a circle",
    refused="{folder}/output/spikes.h5: /spikes/cortex/timestamps: is a link in a circle",
)
def link_in_a_circle(folder: Path) -> None:
    def change(group: Any) -> None:
        del group["timestamps"]
        group["timestamps"] = h5py.SoftLink(f"/spikes/{POPULATION}/again")
        group["again"] = h5py.SoftLink(f"/spikes/{POPULATION}/timestamps")

    edit_spikes(folder, change)


@deviation(
    "a configuration that is not JSON",
    refused="{folder}/simulation_config.json: is not JSON (Expecting property name enclosed in"
    " double quotes: line 1 column 2 (char 1)): give a SONATA simulation configuration, or correct"
    " it",
)
def broken_json(folder: Path) -> None:
    (folder / "simulation_config.json").write_text("{run: 1}")


@deviation(
    "the end of the simulation is missing",
    refused="{folder}/simulation_config.json: run.tstop, the end of the simulation in ms, is"
    " missing: add it, or leave the configuration out and give --spikes FILE and"
    " --circuit FILE",
)
def no_tstop(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["run"].pop("tstop"))
