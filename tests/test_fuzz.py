"""A short run of the fuzzer over all kinds of files, and the faults that longer runs found.

`make fuzz` runs for as long as one likes.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import warnings

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.fuzz.corpora import KINDS
from tests.fuzz.driver import draw, run
from tests.support import deviations
from tests.support.cubes import cube_of
from tests.support.sonata_files import simple_files
from tests.support.thorough import repetitions
from tests.support.waiting import PATIENCE_S

from napari_hexrecruit import HexRecruitError, read_cube, write_cube
from napari_hexrecruit.atlas.nrrd import read_header, read_image
from napari_hexrecruit.cli._console import run as run_command
from napari_hexrecruit.flatmap import read_flat_image
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.storage.heaps import has_endless_heap
from napari_hexrecruit.storage.run_file import read_run_file

SEED = 20_240_601
N_INPUTS = repetitions(2 * len(KINDS), 200)


@pytest.mark.slow
def test_damaged_files_give_a_whole_output_or_one_sentence():
    found = run(seed=SEED, seconds=3600.0, n_workers=repetitions(1, 2), most=N_INPUTS)
    bad = [(one["plan"], one["faults"], one["stderr"]) for one in found.bad]
    assert json.dumps(bad, indent=1) == "[]"
    assert set(found.counts) == set(KINDS)
    outcomes = sum((counts for counts in found.counts.values()), start=type(found.counts["cube"])())
    assert outcomes["refused"] > 0.3 * found.n_inputs > 0
    assert outcomes["done"] + outcomes["problems"] > 0.05 * found.n_inputs
    assert outcomes["unmade"] < 0.05 * found.n_inputs


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_inputs(kind):
    assert draw(kind, 5, 10) == draw(kind, 5, 10) != draw(kind, 6, 10)


# --- what longer runs found ----------------------------------------------------------------------


@pytest.fixture
def cube_file(tmp_path):
    cube = cube_of([[1, 2], [3, 4]], row=[0, 0], col=[0, 1])
    return write_cube(cube, tmp_path / "a.hexrecruit.nc")


def change_cube(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def dimensions_too_few(file):
    """HDF5's dimension scales read beyond the end of such an attribute: the process ended."""
    attributes = dict(file["recruitment"].attrs)
    del file["recruitment"]
    file["recruitment"] = np.zeros(2)
    file["recruitment"].attrs.update(attributes)


def link_to_another_file(file):
    del file["recruitment"]
    file["recruitment"] = h5py.ExternalLink("pipe", "/data")


def bytes_elsewhere(file):
    del file["x"]
    file.create_dataset("x", shape=(2,), dtype="f8", external=[("pipe", 0, h5py.h5f.UNLIMITED)])


def enormous(file):
    del file["n_spikes"]
    file.create_dataset("n_spikes", shape=(2**40, 7), dtype="i4", chunks=(2**16, 7))


def a_group(file):
    file.create_group("more")["x"] = np.zeros(3)


def itself_again(file):
    file["again"] = file["/"]


def a_type(file):
    file["kind"] = np.dtype("f8")


@pytest.mark.parametrize(
    "change",
    [
        dimensions_too_few,
        link_to_another_file,
        bytes_elsewhere,
        enormous,
        a_group,
        itself_again,
        a_type,
    ],
    ids=lambda change: change.__name__,
)
def test_cubes_of_other_structure_are_refused_before_they_are_opened(cube_file, change):
    os.mkfifo(cube_file.parent / "pipe")
    change_cube(cube_file, change)
    refused = []

    def read():
        with pytest.raises(HexRecruitError, match="cannot be read as a cube") as told:
            read_cube(cube_file)
        refused.append(told)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(PATIENCE_S)
    assert refused, "it hangs"


def test_a_heap_without_end_is_seen(cube_file):
    """HDF5 goes in a circle where free space in a global heap has no size."""
    assert not has_endless_heap(cube_file)
    content = bytearray(cube_file.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 32] = bytes(16)
    cube_file.write_bytes(content)
    assert has_endless_heap(cube_file)
    with pytest.raises(HexRecruitError, match="has no end"):
        read_cube(cube_file)


def test_errors_do_not_steer_the_terminal(capsys):
    def command():
        raise ValueError("a\x1b[31m\ud800\u202e" + "x" * 10_000 + ": correct it")

    assert run_command(command, debug=False) == 2
    said = capsys.readouterr().err
    assert said.startswith("hexrecruit: a\\x1b[31m\\ud800\\u202exxx")
    assert said.endswith("x: correct it\n")
    assert len(said) < 2_100


@pytest.mark.parametrize(
    "head", [b"", b"NRRD0004\ntype: float\n", b"NRRD0004\nsizes: " + b"9" * 30]
)
def test_nrrd_files_that_end_in_their_head_are_named(tmp_path, head):
    path = tmp_path / "a.nrrd"
    path.write_bytes(head)
    for read in (read_header, read_image):
        with warnings.catch_warnings(), pytest.raises(HexRecruitError, match=r"a\.nrrd"):
            warnings.simplefilter("error")
            read(path)


def test_node_types_of_texts_and_nothing(tmp_path):
    opened, _ = deviations.write(tmp_path, "node_types")
    table = tmp_path / "types.csv"
    table.write_text("node_type_id ei model_type\n1 e biophysical\n2 i NULL\n")
    assert open_simulation(**opened).population_type("cortex") == "unknown"


def test_node_types_without_an_id_are_refused(tmp_path):
    opened, _ = deviations.write(tmp_path, "node_types")
    (tmp_path / "types.csv").write_text("node_type_id ei\n1 e\nNULL i\n")
    with pytest.raises(HexRecruitError, match=r"types\.csv: .*not a whole number"):
        open_simulation(**opened).columns("cortex")


def test_a_type_in_place_of_a_dataset(tmp_path):
    config = simple_files().write(tmp_path)
    with h5py.File(tmp_path / "nodes.h5", "r+") as file:
        del file["nodes/cortex/node_type_id"]
        file["nodes/cortex/node_type_id"] = np.dtype("f8")
    assert open_simulation(config).n_neurons("cortex") == 300


def test_libraries_and_rooms_of_millions_are_refused(tmp_path):
    config = simple_files().write(tmp_path)
    with h5py.File(tmp_path / "nodes.h5", "r+") as file:
        group, chunks = file["nodes/cortex/0"], {"chunks": (2**16,), "compression": "gzip"}
        del group["@library/mtype"], group["x"]
        made = group.create_dataset("@library/mtype", (8_000_000,), h5py.string_dtype(), **chunks)
        made[:100] = ["a"] * 100
        group.create_dataset("x", (300_000,), "f8", chunks=(1_000,))[:300] = np.zeros(300)
    simulation = open_simulation(config)
    with pytest.raises(HexRecruitError, match=r"mtype.*claims"):
        simulation.column("cortex", "mtype")
    with pytest.raises(HexRecruitError, match=r"'x'.*claims 2,400,000 bytes, of which"):
        simulation.column("cortex", "x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "radius: !!float ''",
        "radius: " + "[" * 5_000,
        "radius: [[1]]",
        "radius: {a: 1}",
        "a: &a [x, x]\nb: &b [*a, *a]\nradius: [*b, *b]",
    ],
)
def test_run_files_of_odd_values_are_refused(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(f"command: cube\n{text}\n")
    with pytest.raises(ValueError, match=r"run\.yaml: "):
        read_run_file(path, "cube", {"radius", "a", "b"})


def test_run_files_that_are_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "run.yaml")
    with pytest.raises(ValueError, match="a pipe"):
        read_run_file(tmp_path / "run.yaml", "cube", set())


@pytest.mark.slow
def test_images_do_not_warn_and_libtiff_does_not_write(tmp_path):
    path = tmp_path / "a.tif"
    Image.new("L", (64, 64)).save(path, compression="tiff_deflate")
    content = bytearray(path.read_bytes())
    (strip,) = struct.unpack_from("<I", content, 4)
    at = 8 if strip > 20 else 200
    content[at + 8 : at + 16] = b"\xff" * 8
    path.write_bytes(content)
    script = (
        "import sys; from napari_hexrecruit.flatmap import read_flat_image\n"
        "try: read_flat_image(sys.argv[1], pixel_size=1.0)\n"
        "except ValueError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_images_too_large_or_of_other_programs_are_refused(tmp_path):
    large = tmp_path / "large.png"
    Image.new("1", (9_000, 9_000)).save(large)
    with pytest.raises(HexRecruitError, match="9,000 x 9,000 pixels"):
        read_flat_image(large, pixel_size=1.0)
    drawn = tmp_path / "drawn.png"
    Image.new("L", (10, 10)).save(drawn, "EPS")
    with pytest.raises(HexRecruitError, match="cannot be read as an image"):
        read_flat_image(drawn, pixel_size=1.0)
