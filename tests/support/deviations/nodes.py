"""Properties of nodes: in two places, as codes with gaps, as truth values, with odd names."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from tests.support.deviations.classic import (
    N_NEURONS,
    deviation,
    edit_json,
    edit_nodes,
    replace_dataset,
)

if TYPE_CHECKING:
    from pathlib import Path

HALF = N_NEURONS // 2


def with_types(folder: Path, table: str, types: Any) -> None:
    (folder / "types.csv").write_text(table)

    def entry(content: dict[str, Any]) -> None:
        content["networks"]["nodes"][0]["node_types_file"] = "types.csv"

    edit_json(folder / "circuit_config.json", entry)
    edit_nodes(folder, lambda group: replace_dataset(group, "node_type_id", np.asarray(types)))


def in_two_groups(group: Any, without: tuple[str, ...] = ()) -> None:
    """The nodes in two groups, in turns and backwards; the first lacks some properties."""
    group["node_group_id"] = np.arange(N_NEURONS) % 2
    group["node_group_index"] = HALF - 1 - np.arange(N_NEURONS) // 2
    part = group.create_group("1")
    for name in [name for name in group["0"] if not name.startswith("@")]:
        values = group["0"][name][:]
        part[name] = values[1::2][::-1]
        replace_dataset(group["0"], name, values[0::2][::-1])
    group.copy(group["0/@library"], part, "@library")
    for name in without:
        del group["0"][name]


@deviation(
    "nodes alternate between two groups, in reverse order within each",
    options={"where": "layer=1:7"},
)
def groups_by_turns(folder: Path) -> None:
    edit_nodes(folder, in_two_groups)


@deviation("a permuted `node_group_index` of the only group")
def permuted_index(folder: Path) -> None:
    order = np.random.default_rng(4).permutation(N_NEURONS)

    def change(group: Any) -> None:
        for name in [name for name in group["0"] if not name.startswith("@")]:
            replace_dataset(group["0"], name, group["0"][name][:][order])
        group["node_group_id"] = np.zeros(N_NEURONS, int)
        group["node_group_index"] = np.argsort(order)

    edit_nodes(folder, change)


@deviation("a permuted `node_group_index`, without `node_group_id`")
def permuted_index_alone(folder: Path) -> None:
    permuted_index(folder)

    def change(group: Any) -> None:
        del group["node_group_id"]

    edit_nodes(folder, change)


@deviation(
    "`node_group_id` names another group than the only one, without `node_group_index`",
    refused="{folder}/nodes.h5: population 'cortex': 'node_group_id' names the group 5, which is"
    " not there; there are: 0: correct the nodes file",
)
def another_group_without_index(folder: Path) -> None:
    def change(group: Any) -> None:
        group["node_group_id"] = np.full(N_NEURONS, 5)

    edit_nodes(folder, change)


@deviation(
    "one population in two nodes files",
    refused="{folder}/circuit_config.json: population 'cortex' is in two nodes files,"
    " {folder}/nodes.h5 and {folder}/more.h5: remove one of them, or give one of the populations"
    " another name",
)
def population_in_two_files(folder: Path) -> None:
    shutil.copy(folder / "nodes.h5", folder / "more.h5")

    def entry(content: dict[str, Any]) -> None:
        (first,) = content["networks"]["nodes"]
        content["networks"]["nodes"].append({**first, "nodes_file": "more.h5"})

    edit_json(folder / "circuit_config.json", entry)


@deviation("a nodes file is listed twice", says="Population cortex is declared twice")
def nodes_file_twice(folder: Path) -> None:
    def entry(content: dict[str, Any]) -> None:
        (first,) = content["networks"]["nodes"]
        content["networks"]["nodes"].append({**first, "nodes_file": "./nodes.h5"})

    edit_json(folder / "circuit_config.json", entry)


@deviation("texts of fixed length, filled with blanks", options={"where": "synapse_class=EXC,INH"})
def padded_texts(folder: Path) -> None:
    def change(group: Any) -> None:
        texts = np.array([b"EXC   ", b"INH   "])[group["0/synapse_class"][:]]
        replace_dataset(group["0"], "synapse_class", texts)
        del group["0/@library/synapse_class"]

    edit_nodes(folder, change)


@deviation(
    "a `node_group_index` that was never written", says="'node_group_index' is 0 for all 60 nodes"
)
def unwritten_index(folder: Path) -> None:
    def change(group: Any) -> None:
        group["node_group_id"] = np.zeros(N_NEURONS, int)
        group["node_group_index"] = np.zeros(N_NEURONS, int)

    edit_nodes(folder, change)


@deviation(
    "a property in one group, and in the table of node types for the others",
    options={"where": "layer=0:9"},
)
def property_in_two_places(folder: Path) -> None:
    with_types(folder, "node_type_id layer\n100 4\n101 NULL\n", 100 + np.arange(N_NEURONS) % 2)
    edit_nodes(folder, lambda group: in_two_groups(group, ("layer",)))


@deviation(
    "the same, with the number as text in HDF5",
    options={"where": "layer=0:9"},
)
def text_and_number(folder: Path) -> None:
    property_in_two_places(folder)

    def change(group: Any) -> None:
        texts = np.array([str(v) for v in group["1/layer"][:]], dtype=object)
        replace_dataset(group["1"], "layer", texts)

    edit_nodes(folder, change)


@deviation(
    "a table of node types with names like NA, None and nan",
    options={"where": ["pop=NA,None,nan,null", "depth=0:2"]},
)
def names_like_nothing(folder: Path) -> None:
    table = "node_type_id pop depth\n0 NA 0\n1 None 1\n2 nan 0.5\n3 null 1.5\n"
    with_types(folder, table, np.arange(N_NEURONS) % 4)


@deviation(
    "a table of node types with an empty field, and a name with a blank in quotes",
    options={"where": 'pop=PV,"L2/3 PV"'},
)
def empty_field(folder: Path) -> None:
    with_types(folder, 'node_type_id ei pop\n0  PV\n1 e "L2/3 PV"\n', np.arange(N_NEURONS) % 2)


@deviation(
    "a table of node types with a row that is too short",
    refused="{folder}/types.csv: is not a table of node types (line 3 has 2 fields below 3 names):"
    " blanks separate columns, one column is node_type_id, NULL means no value, values with blanks"
    " are in double quotes",
)
def short_row(folder: Path) -> None:
    with_types(folder, "node_type_id ei pop\n0 e PV\n1 PV\n", np.arange(N_NEURONS) % 2)


@deviation("true and false, as h5py writes them", options={"where": "recorded=true"})
def truth_values(folder: Path) -> None:
    edit_nodes(folder, lambda group: group["0"].create_dataset("recorded", data=np.full(60, True)))


@deviation("true and false in the table of node types", options={"where": "recorded=1"})
def truth_in_the_table(folder: Path) -> None:
    with_types(folder, "node_type_id recorded\n0 True\n", np.zeros(N_NEURONS, int))


@deviation(
    "library codes -1, as pandas writes missing values; a filter selects the others",
    options={"where": "synapse_class=EXC,INH"},
    same=False,
)
def missing_codes(folder: Path) -> None:
    def change(group: Any) -> None:
        codes = group["0/synapse_class"][:].astype(np.int8)
        codes[::6] = -1
        replace_dataset(group["0"], "synapse_class", codes)

    edit_nodes(folder, change)


@deviation(
    "a library code that the library lacks",
    options={"where": "synapse_class=EXC"},
    refused="{folder}/nodes.h5: population 'cortex': property 'synapse_class': node 7 has the code"
    " 9, and its library has 2 values, from code 0: correct the nodes file",
)
def code_beyond_the_library(folder: Path) -> None:
    edit_nodes(folder, lambda group: group["0/synapse_class"].__setitem__(7, 9))


@deviation("a library contains a value twice", options={"where": "synapse_class=EXC,INH"})
def library_twice(folder: Path) -> None:
    def change(group: Any) -> None:
        names = np.array([*group["0/@library/synapse_class"][:], b"EXC"], dtype=object)
        replace_dataset(group["0/@library"], "synapse_class", names)
        group["0/synapse_class"][::3] = 2

    edit_nodes(folder, change)


@deviation(
    "names with commas, equals signs and blanks", options={"where": 'pop="L2/3,PV",e=0.5," Vip "'}
)
def awkward_names(folder: Path) -> None:
    names = np.array(["L2/3,PV", "e=0.5", " Vip "] * (N_NEURONS // 3), dtype=object)
    edit_nodes(folder, lambda group: group["0"].create_dataset("pop", data=names))


@deviation("a node set that is a list of ids")
def bare_ids(folder: Path) -> None:
    sets = {"everyone": list(range(N_NEURONS))}
    edit_json(folder / "node_sets.json", lambda content: content.update(sets))


@deviation("an enumeration for the synapse class", options={"where": "kind=EXC,INH"})
def enumeration(folder: Path) -> None:
    kind = h5py.enum_dtype({"EXC": 1, "INH": 2}, basetype="u1")
    data = (1 + np.arange(N_NEURONS) % 2).astype(np.uint8)
    edit_nodes(folder, lambda group: group["0"].create_dataset("kind", data=data, dtype=kind))


@deviation(
    "a type of nodes that the table of node types lacks",
    options={"where": "kind=a"},
    same=False,
    says="types.csv: lacks the node_type_id of 20 nodes of population 'cortex', such as 102; they",
)
def type_missing(folder: Path) -> None:
    table = "node_type_id kind\n100 a\n101 b\n"
    with_types(folder, table, 100 + np.arange(N_NEURONS) % 3)


@deviation(
    "a population without neurons",
    refused="population 'cortex': has no neurons: name another one with --population P, or correct"
    " the nodes file",
)
def no_neurons(folder: Path) -> None:
    def change(group: Any) -> None:
        for name in [name for name in group["0"] if not name.startswith("@")]:
            replace_dataset(group["0"], name, group["0"][name][:0])
        replace_dataset(group, "node_type_id", np.zeros(0, int))

    edit_nodes(folder, change)
