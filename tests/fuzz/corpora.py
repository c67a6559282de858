"""What is damaged: the kinds of files, sound starts of each, and the commands that read them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from hypothesis import strategies as st
from tests.fuzz import builders, file_edits
from tests.fuzz.byte_edits import byte_edits, changed
from tests.fuzz.h5_edits import h5_edits
from tests.fuzz.image_edits import image_edits
from tests.fuzz.json_edits import json_edits, json_edits_of
from tests.fuzz.options import options
from tests.fuzz.text_edits import nrrd_edits, table_edits, whole_texts, yaml_edits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["KINDS", "Kind", "write_input"]

CUBE, PICTURE = "out/c.hexrecruit.nc", "out/p.png"
SMALL = ("--size", "200", "150")
ONE = (*SMALL, "--at", "20")


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    file
        The one that is damaged.
    starts
        Names of sound starts.
    build
        Writes the files of a start into a folder.
    edits
        Changes to the structure of the file.
    edit
        Makes them.
    commands
        Words of the commands that read it; their folder is that of the files.
    """

    file: str
    starts: tuple[str, ...]
    build: Callable[[Path, str], None]
    edits: st.SearchStrategy[Any]
    edit: Callable[[Path, list[list[Any]]], None]
    commands: tuple[tuple[str, ...], ...]

    def plans(self, kind: str) -> st.SearchStrategy[dict[str, Any]]:
        """Plans of inputs, plain data."""
        structure = st.lists(self.edits, min_size=1, max_size=3)
        raw = st.lists(byte_edits, min_size=1, max_size=4)
        nothing = st.just([])
        changes = st.one_of(
            st.tuples(structure, nothing),
            st.tuples(structure, nothing),
            st.tuples(nothing, raw),
            st.tuples(structure, raw),
        )
        return st.builds(
            lambda start, command, change: {
                "kind": kind,
                "start": start,
                "command": list(command),
                "edits": [list(edit) for edit in change[0]],
                "bytes": [list(edit) for edit in change[1]],
            },
            st.sampled_from(self.starts),
            st.sampled_from(self.commands),
            changes,
        )


def write_input(folder: Path, plan: dict[str, Any]) -> list[str]:
    """The damaged files of a plan; the words of the command."""
    kind = KINDS[plan["kind"]]
    kind.build(folder, plan["start"])
    (folder / "out").mkdir()
    _decoys(folder)
    file = folder / kind.file.replace("*", plan["start"])
    if file.is_file():
        if plan["edits"]:
            kind.edit(file, plan["edits"])
        if plan["bytes"]:
            file.write_bytes(changed(file.read_bytes(), plan["bytes"]))
    words = [word.replace("*", plan["start"]) for word in plan["command"]]
    if "@AT" in words:
        words[words.index("@AT") :] = () if words[0] == "cube" else ("--at", "20")
    if plan["kind"] == "options":
        words += [word for edit in plan["edits"] for word in edit]
    return [{"@OUT": CUBE if words[0] == "cube" else PICTURE}.get(word, word) for word in words]


def _decoys(folder: Path) -> None:
    """Files that nobody named: what links, external storage and paths may lead to."""
    with h5py.File(folder / "other.h5", "w") as file:
        file["data"] = np.arange(60.0)
    (folder / "other.bin").write_bytes(bytes(4096))
    os.mkfifo(folder / "pipe")


# --- the kinds -----------------------------------------------------------------------------------
SIM = "simulation_config.json"
_CUBE_FILE, _STORE, _TABLE = "c.hexrecruit.nc", "c.hexrecruit.zarr", "out/t.csv"
_READ = (
    ("cube", SIM, "-o", CUBE, "--population", "cortex"),
    ("cube", SIM, "-o", CUBE),
    ("check", SIM),
    ("info", SIM, "--json"),
    ("info", SIM),
)
_MOVIE = ("movie", _CUBE_FILE, "-o", PICTURE, *ONE)
_STARTS = (
    *("plain", "plain", "plain", "plain", "no_output", "manifest_variables", "manifest_braces"),
    *("no_random_seed", "all_in_one_file", "inline_node_sets", "target_simulator_nest"),
    *("no_populations", "own_node_set", "odd_sort_order"),
)
_NODE_STARTS = (
    *("plain", "plain", "plain", "compressed_nodes", "several_groups", "own_node_ids"),
    *("positions_in_one", "texts_as_strings", "layer_as_text", "node_types", "virtual_sibling"),
)
_SPIKE_STARTS = (
    *("plain", "plain", "plain", "compressed_spikes", "old_layout", "same_ids_in_two_populations"),
    *("sorted_by_id", "unsorted", "float_noise", "unknown_ids", "empty_sibling_without_units"),
)
_SPIKES = ("--spikes", "output/spikes.h5", "--circuit", "circuit_config.json")

_TRIALS = ("trials", _CUBE_FILE, "-o", CUBE, "--before", "10", "--after", "20")
_ZARR = (
    *("shape", "chunk_shape", "data_type", "codecs", "fill_value", "node_type", "zarr_format"),
    *("dimension_names", "string", "float64", "int8", "gzip", "blosc", "vlen-utf8", "zstd"),
    *("attributes", "chunk_grid", "chunk_key_encoding", "separator", "name", "configuration"),
    *("time", "hex", "recruitment", "crc32c", "transpose", "sharding_indexed", "group", "array"),
)
_REGIONS = ("@regions", "flatmap.nrrd", "columns.nrrd", "hierarchy.json")
_AREAS = ("id", "acronym", "name", "children", "msg", "color_hex_triplet", "root", "ff00")
_LISTS = (
    *("simulations", "path", "parameters", "format", "blueetl", "attrs", "path_prefix", "data"),
    *("simulation_path", "dims", "coords", "circuit_config", "form", "run", "ca", "runs/0", "n"),
)
_RECIPE = (
    *("simulation", "spikes", "circuit", "population", "node_set", "where", "flat", "radius"),
    *("column_atlas", "column", "values", "interval", "bin_ms", "start", "stop", "min_neurons"),
)

KINDS: dict[str, Kind] = {
    "simulation": Kind(
        SIM,
        _STARTS,
        builders.simulation,
        json_edits,
        file_edits.edit_json,
        (*_READ, ("movie", SIM, "-o", PICTURE, *ONE, "--stimuli")),
    ),
    "circuit": Kind(
        "circuit_config.json", _STARTS, builders.simulation, json_edits, file_edits.edit_json, _READ
    ),
    "node_sets": Kind(
        "node_sets.json",
        ("plain", "own_node_set"),
        builders.simulation,
        json_edits,
        file_edits.edit_json,
        (*_READ, ("cube", SIM, "-o", CUBE, "--node-set", "everyone")),
    ),
    "node_types": Kind(
        "types.csv", ("node_types",), builders.with_table, table_edits, file_edits.edit_text, _READ
    ),
    "nodes": Kind(
        "nodes.h5",
        _NODE_STARTS,
        builders.simulation,
        h5_edits,
        file_edits.edit_some_h5,
        (*_READ, ("cube", SIM, "-o", CUBE, "--where", "synapse_class=INH", "--where", "layer=1:3")),
    ),
    "spikes": Kind(
        "output/spikes.h5",
        _SPIKE_STARTS,
        builders.simulation,
        h5_edits,
        file_edits.edit_some_h5,
        (*_READ, ("cube", *_SPIKES, "-o", CUBE), ("info", *_SPIKES), ("check", *_SPIKES)),
    ),
    "cube": Kind(
        _CUBE_FILE,
        ("small",),
        builders.cube,
        h5_edits,
        file_edits.edit_some_h5,
        (
            *(_MOVIE, _MOVIE, (*_MOVIE, "--metric", "rate", "--strip", "--average", "3")),
            ("movie", _CUBE_FILE, "-o", "out/m.gif", *SMALL),
            ("movie", _CUBE_FILE, "-o", "out/frames/", *SMALL),
            (
                "html",
                _CUBE_FILE,
                "-o",
                "out/page.html",
                "--metric",
                "rate",
                "--metric",
                "recruitment",
            ),
        ),
    ),
    "analysis": Kind(
        _CUBE_FILE,
        ("small",),
        builders.cube,
        h5_edits,
        file_edits.edit_some_h5,
        (
            ("traces", _CUBE_FILE, "--hex", "R0;C0,R2;C1", "-o", _TABLE),
            ("traces", _CUBE_FILE, "--hex", "R1;C0", "-o", "out/t.svg", "--metric", "rate"),
            ("map", _CUBE_FILE, "peak", "-o", CUBE),
            ("map", _CUBE_FILE, "latency", "--onset", "20", "-o", PICTURE),
            ("compare", _CUBE_FILE, "-o", CUBE, "--window", "0", "20", "--with", "30", "50"),
            ("wave", _CUBE_FILE, "--onset", "10", "--json"),
            (*_TRIALS, "--onsets", "10,30"),
        ),
    ),
    "recipe": Kind(
        _CUBE_FILE,
        ("computed",),
        builders.computed_cube,
        json_edits_of(*_RECIPE),
        file_edits.edit_recipe,
        (
            ("node-set", _CUBE_FILE, "--in", "everyone", "-o", "out/n.json"),
            ("node-set", _CUBE_FILE, "--region", "3", "--region-column", "layer", "-o", _TABLE),
            (*_TRIALS, "--onsets", "30,60", "--exact"),
            ("movie", _CUBE_FILE, "-o", PICTURE, *ONE, "--regions", "layer"),
        ),
    ),
    "store": Kind(
        f"{_STORE}/*",
        (
            *("zarr.json", "recruitment/zarr.json", "n_spikes/zarr.json", "hex/zarr.json"),
            *("time/zarr.json", "x/zarr.json", "n_neurons/zarr.json", "recruitment/c/0/0"),
            *("n_recruited/c/0/0", "hex/c/0", "time_bounds/c/0/0"),
        ),
        builders.store,
        json_edits_of(*_ZARR),
        file_edits.edit_json,
        (
            ("movie", _STORE, "-o", PICTURE, *ONE),
            ("traces", _STORE, "--hex", "R0;C0", "-o", _TABLE),
            ("map", _STORE, "mean_recruitment", "-o", f"out/{_STORE}"),
        ),
    ),
    "run_file": Kind(
        "run.yaml",
        ("cube", "movie"),
        builders.run_file,
        yaml_edits,
        file_edits.edit_text,
        (("*", SIM, "-o", "@OUT", "--run-file", "run.yaml", "@AT"),),
    ),
    "image": Kind(
        "image.*",
        ("png", "tif", "jpg", "gif", "bmp", "webp"),
        builders.image,
        image_edits,
        file_edits.edit_image,
        (
            (*_MOVIE, "--under", "image.*", "--under-pixel-size", "25"),
            (*_MOVIE, "--under", "image.*"),
        ),
    ),
    "sidecar": Kind(
        "image.png.flat.json",
        ("png",),
        builders.sidecar,
        json_edits,
        file_edits.edit_json,
        ((*_MOVIE, "--under", "image.png"),),
    ),
    "flatmap": Kind(
        "flatmap.nrrd",
        ("flatmap",),
        builders.atlas,
        nrrd_edits,
        file_edits.edit_nrrd,
        (("cube", SIM, "-o", CUBE, "--flatmap", "flatmap.nrrd", "--radius", "2"),),
    ),
    "column_atlas": Kind(
        "columns.nrrd",
        ("columns",),
        builders.atlas,
        nrrd_edits,
        file_edits.edit_nrrd,
        (("cube", SIM, "-o", CUBE, "--column-atlas", "columns.nrrd"),),
    ),
    "nrrd_image": Kind(
        "picture.nrrd",
        ("picture",),
        builders.nrrd_image,
        nrrd_edits,
        file_edits.edit_nrrd,
        ((*_MOVIE, "--under", "picture.nrrd"),),
    ),
    "annotation": Kind(
        "columns.nrrd", ("columns",), builders.areas, nrrd_edits, file_edits.edit_nrrd, (_REGIONS,)
    ),
    "hierarchy": Kind(
        "hierarchy.json",
        ("hierarchy",),
        builders.areas,
        json_edits_of(*_AREAS),
        file_edits.edit_json,
        (_REGIONS,),
    ),
    "campaign": Kind(
        "*",
        ("own.json", "blueetl.json", "xarray.json", "own.yaml", "xarray.yaml"),
        builders.campaign,
        json_edits_of(*_LISTS) | whole_texts,
        file_edits.edit_listing,
        (("@campaign", "*"),),
    ),
    "coordinate": Kind(
        "runs/1/obi_one_coordinate.json",
        ("plain",),
        builders.campaign,
        json_edits_of("idx", "single_coordinate_scan_params", "scan_params", "location_list"),
        file_edits.edit_json,
        (("@campaign", "runs/?"),),
    ),
    "options": Kind(
        _CUBE_FILE,
        ("small",),
        builders.options,
        options,
        file_edits.edit_nothing,
        (("cube", SIM, "-o", CUBE), _MOVIE, _MOVIE, ("movie", SIM, "-o", PICTURE, *ONE)),
    ),
}
