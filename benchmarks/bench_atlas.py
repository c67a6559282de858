"""Time flat positions from an atlas: by this package, voxcell and conntility.

    python -m benchmarks.bench_atlas [N_NEURONS] [FLATMAP.nrrd]

Each figure is of a separate process, which imports, reads the volume and looks up positions. The
volume is a sheet of 190 x 190 pixels, 35 voxels deep, in whole pixels, as conntility requires. With
the path of a flatmap, look-ups in it are compared with voxcell's too. Results are checked first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import voxcell
from benchmarks.measure import machine, measured
from tests.support.atlas_files import no_turn, write_circuit

from napari_hexrecruit.flatmap import read_flatmap

N_NEURONS = 4_200_000
SHEET = 190, 35, 190
BOX = 220, 80, 220
VOXEL_UM = 38.7348

OURS = """
import sys
import numpy as np
from pathlib import Path
from napari_hexrecruit import open_simulation
from napari_hexrecruit.pipeline.places import FlatSource, find_places
sim = open_simulation(sys.argv[1])
flat = Path(sys.argv[2]) if len(sys.argv) == 4 else tuple(sys.argv[2:4])
places = find_places(sim, "cortex", FlatSource(flat, None))
np.save(sys.argv[-1], np.stack([places.x, places.y]))
"""

VOXCELL = """
import sys
import h5py, numpy as np, voxcell
volume = voxcell.VoxelData.load_nrrd(sys.argv[2])
with h5py.File(sys.argv[1]) as file:
    group = file["nodes/cortex/0"]
    positions = np.stack([group[axis][:] for axis in "xyz"], axis=1)
found = volume.lookup(positions, outer_value=-1)
np.save(sys.argv[3], found[:, [0, -1]].T.astype(float))
"""

CONNTILITY = """
import contextlib, io, sys
import h5py, numpy as np, pandas as pd, voxcell
from conntility.circuit_models.neuron_groups.extra_properties import supersampled_locations_wrapper
with h5py.File(sys.argv[1]) as file:
    frame = pd.DataFrame({axis: file[f"nodes/cortex/0/{axis}"][:] for axis in "xyz"})
fm, turn = (voxcell.VoxelData.load_nrrd(path) for path in sys.argv[2:4])
with contextlib.redirect_stdout(io.StringIO()):
    found = supersampled_locations_wrapper(frame, fm=fm, orient=turn)
found = found.reindex(frame.index)
np.save(sys.argv[4], found[["ss_flat_x", "ss_flat_y"]].to_numpy().T)
"""

SAME = """
import sys
import numpy as np
np.testing.assert_array_equal(*map(np.load, sys.argv[1:]))
"""

HEAD = "| way | time | peak | beside the look-up |\n|---|---|---|---|\n"


def main(words: list[str]) -> None:
    """Write a circuit, run all methods, print the tables."""
    if words[:1] == ["write"]:  # in a separate process, or its memory would count as a child's
        write(Path(words[1]), int(words[2]), Path(words[3]) if len(words) > 3 else None)
        return
    n_neurons = int(words[0]) if words else N_NEURONS
    sys.stdout.write(f"{machine()}; {n_neurons:,} neurons\n\n")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        compare_sheet(Path(folder) / "sheet", n_neurons)
        if len(words) > 1:
            compare_file(Path(folder) / "file", Path(words[1]), n_neurons)


def compare_sheet(folder: Path, n_neurons: int) -> None:
    """Compare look-ups in whole pixels with voxcell's, and with conntility's supersampling."""
    config = written(folder, n_neurons)
    nodes = folder / "nodes.h5"
    pixels, turn = folder / "atlas" / "flatmap.nrrd", folder / "atlas" / "orientation.nrrd"
    rows = [
        timed("look-up", OURS, config, pixels, folder / "a.npy"),
        timed("look-up, from the cache", OURS, config, pixels, folder / "b.npy"),
        timed("voxcell", VOXCELL, nodes, pixels, folder / "c.npy"),
        timed("conntility, called directly", CONNTILITY, nodes, pixels, turn, folder / "d.npy"),
        timed("conntility, through here", OURS, config, "ss_flat_x", "ss_flat_y", folder / "e.npy"),
    ]
    same(folder, "a", "b")
    same(folder, "a", "c")
    same(folder, "d", "e")
    report(f"Sheet of {np.prod(SHEET):,} voxels in a box of {np.prod(BOX):,}", rows)


def compare_file(folder: Path, path: Path, n_neurons: int) -> None:
    """Compare look-ups in a given flatmap with voxcell's."""
    config = written(folder, n_neurons, path)
    nodes = folder / "nodes.h5"
    rows = [
        timed("look-up", OURS, config, path, folder / "a.npy"),
        timed("look-up, from the cache", OURS, config, path, folder / "b.npy"),
        timed("voxcell", VOXCELL, nodes, path, folder / "c.npy"),
    ]
    same(folder, "a", "b")
    same(folder, "a", "c")
    report(path.name, rows)


def sheet() -> voxcell.VoxelData:
    """Return the flatmap of a slab in the middle of its box."""
    raw = np.full((*BOX, 2), -1, dtype=np.int32)
    low = [(box - side) // 2 for box, side in zip(BOX, SHEET, strict=True)]
    i, k = np.meshgrid(np.arange(SHEET[0]), np.arange(SHEET[2]), indexing="ij")
    inside = tuple(slice(at, at + side) for at, side in zip(low, SHEET, strict=True))
    raw[inside] = np.stack([i, k], axis=-1)[:, None]
    return voxcell.VoxelData(raw, (VOXEL_UM,) * 3)


def written(folder: Path, *words: object) -> Path:
    """Run `write` in a separate process; return the path of the simulation."""
    command = [sys.executable, "-m", "benchmarks.bench_atlas", "write", str(folder)]
    subprocess.run([*command, *map(str, words)], check=True)
    return folder / "simulation_config.json"


def write(folder: Path, n_neurons: int, path: Path | None) -> None:
    """Write a simulation of neurons at random positions in the voxels of a file or the sheet."""
    rng = np.random.default_rng(0)
    volumes = {}
    if path is None:
        flatmap = sheet()
        volumes = {"flatmap": flatmap, "orientation": no_turn(flatmap)}
        centres = flatmap.indices_to_positions(np.argwhere(flatmap.raw[..., 0] >= 0) + 0.5)
    else:
        centres = read_flatmap(path).volume.centres()
    places = centres[rng.integers(0, len(centres), n_neurons)]
    places += VOXEL_UM * rng.uniform(-0.49, 0.49, places.shape)
    write_circuit(folder, {"x": np.zeros(3)}, volumes)
    with h5py.File(folder / "nodes.h5", "a") as file:
        del file["nodes/cortex/node_type_id"], file["nodes/cortex/0/x"]
        file["nodes/cortex/node_type_id"] = np.full(n_neurons, -1)
        for axis, values in zip("xyz", places.T, strict=True):
            file[f"nodes/cortex/0/{axis}"] = values.astype(np.float32)


def timed(name: str, script: str, *words: object) -> tuple[str, float, float]:
    """Run a script with arguments; return its name, time in s and peak memory in MB."""
    run = measured([sys.executable, "-c", script, *map(str, words)])
    return name, run.seconds, run.peak_mb


def same(folder: Path, one: str, other: str) -> None:
    """Stop if two methods disagree."""
    files = [str(folder / f"{name}.npy") for name in (one, other)]
    subprocess.run([sys.executable, "-c", SAME, *files], check=True)


def report(title: str, rows: list[tuple[str, float, float]]) -> None:
    """Print a table."""
    lines = [
        f"| {name} | {seconds:.1f} s | {mb:,.0f} MB | {seconds / rows[0][1]:.2g} x |\n"
        for name, seconds, mb in rows
    ]
    sys.stdout.write(f"{title}\n\n{HEAD}{''.join(lines)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
