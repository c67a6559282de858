"""What is damaged: the kinds of files, sound starts of each, and the commands that read them."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from hypothesis import strategies as st
from PIL import Image
from tests import deviations
from tests.atlas_files import slab_flatmap
from tests.cubes import cube_of
from tests.fuzz.byte_edits import byte_edits, changed
from tests.fuzz.h5_edits import edit_h5, h5_edits
from tests.fuzz.image_edits import image_edits, made_image
from tests.fuzz.json_edits import json_edits, rewritten
from tests.fuzz.options import options
from tests.fuzz.text_edits import edited_lines, nrrd_edits, table_edits, yaml_edits

from napari_hexrecruit import write_cube

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


# --- builders ------------------------------------------------------------------------------------


def _simulation(folder: Path, start: str) -> None:
    deviations.write(folder, None if start == "plain" else start)


def _with_table(folder: Path, start: str) -> None:
    deviations.write(folder, "node_types")


def _cube(folder: Path, start: str) -> None:
    _copy(_made_cube(), folder / "c.hexrecruit.nc")


def _run_file(folder: Path, start: str) -> None:
    deviations.write(folder)
    options: dict[str, Any] = {"command": start, "radius": 60.0, "bin_ms": 10.0, "min_neurons": 1}
    options |= {
        "population": "cortex",
        "where": ["layer=1,2,3"],
        "flat": ["ss_flat_x", "ss_flat_y"],
    }
    if start == "movie":
        options |= {"size": [200, 150], "clim": [0.0, 50.0], "marks": ["10:20:on"], "title": "t"}
    lines = [f"{name}: {json.dumps(value)}" for name, value in options.items()]
    (folder / "run.yaml").write_text("\n".join(lines) + "\n")


def _image(folder: Path, start: str) -> None:
    _cube(folder, start)
    values = np.random.default_rng(1).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(values).save(folder / f"image.{start}", dpi=(137, 137))


def _sidecar(folder: Path, start: str) -> None:
    from napari_hexrecruit.flatmap import FlatImage, write_sidecar

    _image(folder, "png")
    image = FlatImage(np.zeros((30, 40)), pixel_size=25.0).nudged(dx=3.0, rotation_deg=1.5)
    write_sidecar(folder / "image.png", image)


def _atlas(folder: Path, start: str) -> None:
    deviations.write(folder)
    _copy(_made_volumes()[start], folder / f"{start}.nrrd")


def _nrrd_image(folder: Path, start: str) -> None:
    _cube(folder, start)
    _copy(_made_volumes()["picture"], folder / "picture.nrrd")


def _options(folder: Path, start: str) -> None:
    deviations.write(folder)
    _cube(folder, start)


def _copy(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@functools.cache
def _made_cube() -> bytes:
    import tempfile
    from pathlib import Path

    counts = np.random.default_rng(2).integers(0, 40, (5, 7))
    row, col = np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 1, 0, 1, 0, 1, 0])
    with tempfile.TemporaryDirectory() as folder:
        path = write_cube(cube_of(counts, row=row, col=col), Path(folder, "c.hexrecruit.nc"))
        return path.read_bytes()


@functools.cache
def _made_volumes() -> dict[str, bytes]:
    import tempfile
    from pathlib import Path

    import nrrd
    import voxcell

    flat = slab_flatmap()
    columns = np.arange(1000).reshape(10, 10, 10) % 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flat = voxcell.VoxelData(flat.raw.astype(np.float32), (100.0,) * 3)
        flat.save_nrrd(str(folder / "flatmap.nrrd"))
        voxcell.VoxelData(columns.astype(np.int32), (100.0,) * 3).save_nrrd(
            str(folder / "columns.nrrd")
        )
        nrrd.write(
            str(folder / "picture.nrrd"),
            np.arange(120, dtype=np.uint8).reshape(12, 10),
            {"spacings": [25.0, 25.0], "encoding": "raw"},
        )
        return {file.stem: file.read_bytes() for file in folder.glob("*.nrrd")}


# --- changes to a file ---------------------------------------------------------------------------


def _edit_json(path: Path, edits: list[list[Any]]) -> None:
    content = path.read_bytes()
    try:
        json.loads(content)
    except ValueError:  # a start that is none already
        return
    path.write_bytes(rewritten(content, edits))


def _edit_text(path: Path, edits: list[list[Any]]) -> None:
    text = edited_lines(path.read_text(), edits)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _edit_nrrd(path: Path, edits: list[list[Any]]) -> None:
    head, gap, data = path.read_bytes().partition(b"\n\n")
    text = edited_lines(head.decode("latin-1"), edits)
    path.write_bytes(text.encode("utf-8", "surrogatepass") + gap + data)


def _edit_image(path: Path, edits: list[list[Any]]) -> None:
    path.write_bytes(made_image(path.read_bytes(), edits))


def _edit_some_h5(path: Path, edits: list[list[Any]]) -> None:
    if h5py.is_hdf5(path):
        edit_h5(path, edits)


def _edit_nothing(path: Path, edits: list[list[Any]]) -> None:
    """Options have no file."""


# --- the kinds -----------------------------------------------------------------------------------

SIM = "simulation_config.json"
_READ = (
    ("cube", SIM, "-o", CUBE, "--population", "cortex"),
    ("cube", SIM, "-o", CUBE),
    ("check", SIM),
    ("info", SIM, "--json"),
    ("info", SIM),
)
_MOVIE = ("movie", "c.hexrecruit.nc", "-o", PICTURE, *ONE)
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

KINDS: dict[str, Kind] = {
    "simulation": Kind(
        SIM,
        _STARTS,
        _simulation,
        json_edits,
        _edit_json,
        (*_READ, ("movie", SIM, "-o", PICTURE, *ONE, "--stimuli")),
    ),
    "circuit": Kind("circuit_config.json", _STARTS, _simulation, json_edits, _edit_json, _READ),
    "node_sets": Kind(
        "node_sets.json",
        ("plain", "own_node_set"),
        _simulation,
        json_edits,
        _edit_json,
        (*_READ, ("cube", SIM, "-o", CUBE, "--node-set", "everyone")),
    ),
    "node_types": Kind("types.csv", ("node_types",), _with_table, table_edits, _edit_text, _READ),
    "nodes": Kind(
        "nodes.h5",
        _NODE_STARTS,
        _simulation,
        h5_edits,
        _edit_some_h5,
        (*_READ, ("cube", SIM, "-o", CUBE, "--where", "synapse_class=INH", "--where", "layer=1:3")),
    ),
    "spikes": Kind(
        "output/spikes.h5",
        _SPIKE_STARTS,
        _simulation,
        h5_edits,
        _edit_some_h5,
        (*_READ, ("cube", *_SPIKES, "-o", CUBE), ("info", *_SPIKES), ("check", *_SPIKES)),
    ),
    "cube": Kind(
        "c.hexrecruit.nc",
        ("small",),
        _cube,
        h5_edits,
        _edit_some_h5,
        (
            *(_MOVIE, _MOVIE, (*_MOVIE, "--metric", "rate", "--strip", "--average", "3")),
            ("movie", "c.hexrecruit.nc", "-o", "out/m.gif", *SMALL),
            ("movie", "c.hexrecruit.nc", "-o", "out/frames/", *SMALL),
        ),
    ),
    "run_file": Kind(
        "run.yaml",
        ("cube", "movie"),
        _run_file,
        yaml_edits,
        _edit_text,
        (("*", SIM, "-o", "@OUT", "--run-file", "run.yaml", "@AT"),),
    ),
    "image": Kind(
        "image.*",
        ("png", "tif", "jpg", "gif", "bmp", "webp"),
        _image,
        image_edits,
        _edit_image,
        (
            (*_MOVIE, "--under", "image.*", "--under-pixel-size", "25"),
            (*_MOVIE, "--under", "image.*"),
        ),
    ),
    "sidecar": Kind(
        "image.png.flat.json",
        ("png",),
        _sidecar,
        json_edits,
        _edit_json,
        ((*_MOVIE, "--under", "image.png"),),
    ),
    "flatmap": Kind(
        "flatmap.nrrd",
        ("flatmap",),
        _atlas,
        nrrd_edits,
        _edit_nrrd,
        (("cube", SIM, "-o", CUBE, "--flatmap", "flatmap.nrrd", "--radius", "2"),),
    ),
    "column_atlas": Kind(
        "columns.nrrd",
        ("columns",),
        _atlas,
        nrrd_edits,
        _edit_nrrd,
        (("cube", SIM, "-o", CUBE, "--column-atlas", "columns.nrrd"),),
    ),
    "nrrd_image": Kind(
        "picture.nrrd",
        ("picture",),
        _nrrd_image,
        nrrd_edits,
        _edit_nrrd,
        ((*_MOVIE, "--under", "picture.nrrd"),),
    ),
    "options": Kind(
        "c.hexrecruit.nc",
        ("small",),
        _options,
        options,
        _edit_nothing,
        (("cube", SIM, "-o", CUBE), _MOVIE, _MOVIE, ("movie", SIM, "-o", PICTURE, *ONE)),
    ),
}
