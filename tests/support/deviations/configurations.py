"""Configurations: runs, paths as on Windows, node sets that are about others, missing pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.deviations.classic import (
    add_population,
    deviation,
    edit_json,
    edit_nodes,
    edit_simulation,
    edit_spikes,
    into_old_layout,
    spikes_file,
)
from tests.support.sonata_files import POPULATION

if TYPE_CHECKING:
    from pathlib import Path

ENUM = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")

# --- attributes as rows --------------------------------------------------------------------------


@deviation("`units` are an array with one text, as bytes")
def units_as_a_row_of_bytes(folder: Path) -> None:
    edit_spikes(folder, lambda group: group["timestamps"].attrs.update(units=np.array([b"ms"])))


@deviation("`units` are an array with one text, in capitals and padded with NUL and blanks")
def units_as_a_row_of_text(folder: Path) -> None:
    def change(group: Any) -> None:
        text = np.array(["MS \0 "], dtype=object)
        group["timestamps"].attrs.create("units", text, dtype=h5py.string_dtype(length=5))

    edit_spikes(folder, change)


@deviation("`sorting` is an array with one enumeration value")
def sorting_in_a_row(folder: Path) -> None:
    edit_spikes(
        folder, lambda group: group.attrs.create("sorting", np.array([2], "u1"), dtype=ENUM)
    )


@deviation("`units` are an empty array", says="'timestamps' has no units; ms is assumed")
def units_in_an_empty_row(folder: Path) -> None:
    edit_spikes(
        folder, lambda group: group["timestamps"].attrs.update(units=np.array([], dtype="S2"))
    )


@deviation(
    "`units` are two texts",
    refused="{folder}/output/spikes.h5: /spikes/cortex/timestamps, attribute 'units': holds 2"
    " values ('ms', 's'), not one: correct the file",
)
def units_in_a_row_of_two(folder: Path) -> None:
    edit_spikes(
        folder, lambda group: group["timestamps"].attrs.update(units=np.array([b"ms", b"s"]))
    )


# --- several runs --------------------------------------------------------------------------------


def two_runs(folder: Path, files: int = 2, **run: Any) -> None:
    """The run of the files is the first of two; the other one has no spikes."""
    with h5py.File(folder / "output" / "later.h5", "w") as file:
        group = file.create_group(f"spikes/{POPULATION}")
        group["timestamps"], group["node_ids"] = [150.0], np.zeros(1, np.uint64)

    def change(content: dict[str, Any]) -> None:
        content["run"] = {"dt": 0.1, **run}
        content["output"]["spikes_file"] = ["spikes.h5", "later.h5"][:files]

    edit_simulation(folder, change)


@deviation(
    "`run.n_runs` is 2, with two spikes files",
    refused="{folder}/simulation_config.json: it has 2 runs, each with its own spikes file:"
    " choose --run 1 to --run 2, or give --spikes FILE",
)
def n_runs(folder: Path) -> None:
    two_runs(folder, n_runs=2, tstop=100.0)


@deviation("the first of two runs is chosen", says="bluepysnap cannot open it")
def first_run(folder: Path) -> dict[str, Any]:
    two_runs(folder, tstop=[100.0, 200.0])
    return {"path": folder / "simulation_config.json", "run": 1}


@deviation("the second of two runs is chosen", same=False, says="bluepysnap cannot open it")
def second_run(folder: Path) -> dict[str, Any]:
    two_runs(folder, tstop=[100.0, 200.0])
    return {"path": folder / "simulation_config.json", "run": 2}


@deviation("the spikes of one of two runs are given", says="spikes.h5 is of run 1 of 2")
def spikes_of_one_run(folder: Path) -> dict[str, Any]:
    two_runs(folder, duration=100.0, n_runs=2)
    return {"path": folder / "simulation_config.json", "spikes": spikes_file(folder)}


@deviation("two runs in one spikes file", says="its 2 runs follow one another in one file")
def runs_in_one_file(folder: Path) -> None:
    two_runs(folder, files=1, n_runs=2, tstop=50.0)


@deviation("`spikes_file` is a list with one file", says="bluepysnap cannot open it")
def list_of_one_spikes_file(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["output"].update(spikes_file=["spikes.h5"]))


@deviation(
    "`spikes_file` is a list of sections",
    refused='{folder}/simulation_config.json: output.spikes_file is [{"path": "spikes.h5"}],'
    " neither a text nor a list of texts: correct it, or give --spikes FILE",
)
def list_of_sections(folder: Path) -> None:
    named = [{"path": "spikes.h5"}]
    edit_simulation(folder, lambda content: content["output"].update(spikes_file=named))


@deviation(
    "a run that does not exist is chosen",
    refused="{folder}/simulation_config.json: it has no run 3, but 2 runs: choose --run 1 to"
    " --run 2",
)
def third_run(folder: Path) -> dict[str, Any]:
    two_runs(folder, tstop=[100.0, 200.0])
    return {"path": folder / "simulation_config.json", "run": 3}


@deviation(
    "different numbers of run ends and spikes files",
    refused="{folder}/simulation_config.json: 'run' is of 3 runs, and output.spikes_file names 2"
    " files: correct it, or leave it out and give --spikes FILE and --circuit FILE",
)
def runs_and_files_differ(folder: Path) -> None:
    two_runs(folder, tstop=[100.0, 200.0, 300.0])


@deviation(
    "run times that decrease",
    refused="{folder}/simulation_config.json: run.tstop is [200.0, 100.0], whose times do not"
    " increase: correct it",
)
def falling_runs(folder: Path) -> None:
    two_runs(folder, tstop=[200.0, 100.0])


# --- node sets -----------------------------------------------------------------------------------


@deviation(
    "`all` is chosen, and no node set has that name",
    options={"node_set": "all"},
    says="no node set is named 'all'; all neurons of the population count",
)
def all_neurons(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.update(node_set="nothing"))


@deviation(
    "`all` is chosen, and the node sets file is missing",
    options={"node_set": "all"},
    says="no node set is named 'all'",
)
def all_neurons_without_node_sets(folder: Path) -> None:
    (folder / "node_sets.json").unlink()


@deviation(
    "a virtual population is chosen, and the simulation's node set contains only the other one",
    options={"population": "fibres", "flat": ("x", "y")},
    same=False,
    says="node set 'everyone' has no neuron of population 'fibres' and is not applied",
)
def virtual_population(folder: Path) -> None:
    add_population(folder, "fibres")
    with h5py.File(folder / "nodes.h5", "r+") as file:
        for name in ("x", "y", "ss_flat_x", "ss_flat_y"):
            file[f"nodes/fibres/0/{name}"] = file[f"nodes/{POPULATION}/0/{name}"][:]
    edit_spikes(folder, lambda group: group.copy(group, group.parent, "fibres"))


@deviation(
    "a simulation without a node set, whose node sets files are missing",
    says="names no node set; all neurons count",
)
def node_sets_not_needed(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.pop("node_set"))
    (folder / "node_sets.json").unlink()


@deviation(
    "the simulation's node set is not defined",
    refused="{folder}/simulation_config.json: there is no node set 'Everyone'; there are:"
    " everyone: did you mean --node-set everyone? or name one of them, or count all"
    " neurons with --node-set all",
)
def mistyped_node_set(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.update(node_set="Everyone"))


# --- paths ---------------------------------------------------------------------------------------


@deviation("backslashes in paths and variables", says="backslashes in its paths")
def backslashes(folder: Path) -> None:
    def simulation(content: dict[str, Any]) -> None:
        content["manifest"] = {"$BASE": "${configdir}", "$OUT": "$BASE\\output"}
        content["output"]["output_dir"] = "$OUT"
        content["network"] = "$BASE\\circuit_config.json"

    edit_simulation(folder, simulation)


@deviation("backslashes only in the circuit's paths", says="backslashes in its paths")
def backslashes_in_the_circuit(folder: Path) -> None:
    (folder / "network").mkdir()
    (folder / "nodes.h5").rename(folder / "network" / "nodes.h5")

    def circuit(content: dict[str, Any]) -> None:
        content["networks"]["nodes"][0]["nodes_file"] = ".\\network\\nodes.h5"

    edit_json(folder / "circuit_config.json", circuit)


@deviation(
    "a path with a Windows drive",
    refused="{folder}/simulation_config.json: 'network' names the circuit configuration"
    " C:\\Users\\me\\circuit_config.json, which is a Windows path, which this computer cannot"
    " open: correct the path, or give --circuit {folder}/circuit_config.json",
)
def drive_of_windows(folder: Path) -> None:
    path = "C:\\Users\\me\\circuit_config.json"
    edit_simulation(folder, lambda content: content.update(network=path))


@deviation(
    "spikes on a Windows drive",
    refused="D:\\runs\\spikes.h5: the spikes file is a Windows path, which this computer cannot"
    " open: run the simulation, correct 'output' in {folder}/simulation_config.json, or give"
    " --spikes FILE",
)
def spikes_on_a_drive(folder: Path) -> None:
    edit_simulation(folder, lambda content: content["output"].update(output_dir="D:/runs"))


@deviation("spikes on a Windows drive; `--spikes` gives them")
def spikes_on_a_drive_given(folder: Path) -> dict[str, Any]:
    spikes_on_a_drive(folder)
    return {"path": folder / "simulation_config.json", "spikes": spikes_file(folder)}


# --- pieces that are missing, or in the wrong place ----------------------------------------------


@deviation(
    "no `network`, and the circuit has another name",
    refused="{folder}/simulation_config.json: it has no 'network', and circuit_config.json beside"
    " it, which is then looked for, does not exist: name the circuit configuration in it, or give"
    " --circuit {folder}/circuit_sonata.json",
)
def no_network(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.pop("network"))
    (folder / "circuit_config.json").rename(folder / "circuit_sonata.json")


@deviation("no `network` and no `spikes_file`; both are given")
def no_network_given(folder: Path) -> dict[str, Any]:
    no_network(folder)
    edit_simulation(folder, lambda content: content["output"].pop("spikes_file"))
    return {
        "path": folder / "simulation_config.json",
        "circuit": folder / "circuit_sonata.json",
        "spikes": spikes_file(folder),
    }


@deviation("an undefined variable names the circuit; `--circuit` gives it")
def unknown_variable_given(folder: Path) -> dict[str, Any]:
    edit_simulation(folder, lambda content: content.update(network="$GONE/circuit_config.json"))
    return {"path": folder / "simulation_config.json", "circuit": folder / "circuit_config.json"}


@deviation(
    "the circuit configuration instead of the simulation configuration",
    refused="{folder}/circuit_config.json: is a SONATA circuit configuration, not a simulation"
    " configuration: give the simulation configuration, or --circuit"
    " {folder}/circuit_config.json and --spikes FILE",
)
def circuit_as_simulation(folder: Path) -> dict[str, Any]:
    return {"path": folder / "circuit_config.json"}


@deviation(
    "the spikes file instead of the simulation configuration",
    refused="{folder}/output/spikes.h5: is a SONATA spikes file, not a simulation configuration:"
    " give the simulation configuration, or --spikes {folder}/output/spikes.h5 and"
    " --circuit FILE",
)
def spikes_as_simulation(folder: Path) -> dict[str, Any]:
    return {"path": spikes_file(folder)}


@deviation(
    "the nodes file instead of the simulation configuration",
    refused="{folder}/nodes.h5: is a SONATA nodes file, not a simulation configuration: give the"
    " simulation configuration, or --spikes FILE and --circuit FILE with the circuit"
    " configuration that names it",
)
def nodes_as_simulation(folder: Path) -> dict[str, Any]:
    return {"path": folder / "nodes.h5"}


@deviation(
    "the nodes file instead of the spikes file",
    refused="{folder}/nodes.h5: is a SONATA nodes file, not a spikes file: give the spikes file",
)
def nodes_as_spikes(folder: Path) -> dict[str, Any]:
    return {"path": folder / "simulation_config.json", "spikes": folder / "nodes.h5"}


@deviation(
    "the simulation configuration instead of the circuit configuration",
    refused="{folder}/simulation_config.json: is a SONATA simulation configuration, not a circuit"
    " configuration: give the circuit configuration that the simulation names, and this one as SIM",
)
def simulation_as_circuit(folder: Path) -> dict[str, Any]:
    config = folder / "simulation_config.json"
    return {"path": config, "circuit": config}


@deviation(
    "no flat positions, but x, y and z",
    refused="{folder}/simulation_config.json: population 'cortex': it has no property"
    " 'ss_flat_x', and the circuit names no atlas to compute it from: choose two of its"
    " properties as flat position, as in --flat x z, or give --flatmap FILE; its"
    " properties are layer, synapse_class, x, y, z",
)
def no_flat_position(folder: Path) -> None:
    def change(group: Any) -> None:
        for axis in "xy":
            del group[f"0/ss_flat_{axis}"]

    edit_nodes(folder, change)


@deviation(
    "no flat positions, and the same z for all neurons",
    refused="{folder}/simulation_config.json: population 'cortex': it has no property"
    " 'ss_flat_x', and the circuit names no atlas to compute it from: choose two of its"
    " properties as flat position, as in --flat x y, or give --flatmap FILE; its"
    " properties are layer, synapse_class, x, y, z",
)
def flat_circuit(folder: Path) -> None:
    no_flat_position(folder)
    edit_nodes(folder, lambda group: group["0/z"].__setitem__(slice(None), 0.0))


@deviation(
    "several populations of neurons, each with spikes",
    refused="{folder}/simulation_config.json: the circuit has several populations of neurons"
    " (cortex, thalamus): name one, as in --population cortex",
)
def several_populations(folder: Path) -> None:
    add_population(folder, "thalamus", "point_neuron")
    edit_spikes(folder, lambda group: group.copy(group, group.parent, "thalamus"))


@deviation("astrocytes besides neurons", says="bluepysnap cannot open it")
def glia(folder: Path) -> None:
    add_population(folder, "astrocytes", "astrocyte")
    add_population(folder, "vessels", "vasculature")


@deviation(
    "the circuit does not name the populations of its nodes files, and one of the files is missing",
    says="gone.h5: the nodes file does not exist; its populations cannot be used",
)
def unlisted_nodes_absent(folder: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["networks"]["nodes"].append({"nodes_file": "gone.h5", "node_types_file": None})

    edit_json(folder / "circuit_config.json", change)


@deviation("only spikes and circuit; old layout", says="has the old layout, without populations")
def bare_old_layout(folder: Path) -> dict[str, Any]:
    into_old_layout(folder)
    return {"spikes": spikes_file(folder), "circuit": folder / "circuit_config.json"}


@deviation(
    "neither an end nor a duration in `run`",
    refused="{folder}/simulation_config.json: run.tstop, the end of the simulation in ms, is"
    " missing: add it, or leave the configuration out and give --spikes FILE and"
    " --circuit FILE",
)
def empty_run(folder: Path) -> None:
    edit_simulation(folder, lambda content: content.update(run={}))


@deviation(
    "backslashes that are not doubled in JSON",
    refused="{folder}/simulation_config.json: is not JSON (Invalid \\escape: line 1 column 16"
    " (char 15)): give a SONATA simulation configuration, or write '/' for each backslash",
)
def single_backslashes(folder: Path) -> None:
    (folder / "simulation_config.json").write_text('{"network": "C:\\Users\\me.json"}')
