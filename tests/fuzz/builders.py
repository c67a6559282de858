"""Sound starts: the files that are damaged, and those that belong to them."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from tests.support import deviations
from tests.support.atlas_files import slab_flatmap
from tests.support.cubes import cube_of

from napari_hexrecruit import recruitment_cube, write_cube

if TYPE_CHECKING:
    import xarray as xr


def simulation(folder: Path, start: str) -> None:
    deviations.write(folder, None if start == "plain" else start)


def with_table(folder: Path, start: str) -> None:
    deviations.write(folder, "node_types")


def cube(folder: Path, start: str) -> None:
    _copy(_made_cube(), folder / "c.hexrecruit.nc")


def run_file(folder: Path, start: str) -> None:
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


def image(folder: Path, start: str) -> None:
    cube(folder, start)
    values = np.random.default_rng(1).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(values).save(folder / f"image.{start}", dpi=(137, 137))


def sidecar(folder: Path, start: str) -> None:
    from napari_hexrecruit.flatmap import FlatImage, write_sidecar

    image(folder, "png")
    turned = FlatImage(np.zeros((30, 40)), pixel_size=25.0).nudged(dx=3.0, rotation_deg=1.5)
    write_sidecar(folder / "image.png", turned)


def atlas(folder: Path, start: str) -> None:
    deviations.write(folder)
    _copy(_made_volumes()[start], folder / f"{start}.nrrd")


def nrrd_image(folder: Path, start: str) -> None:
    cube(folder, start)
    _copy(_made_volumes()["picture"], folder / "picture.nrrd")


def options(folder: Path, start: str) -> None:
    deviations.write(folder)
    cube(folder, start)


def computed_cube(folder: Path, start: str) -> None:
    """A cube beside the simulation that it says it was computed from."""
    config = deviations.write(folder)[0]["path"]
    _copy(_computed(config), folder / "c.hexrecruit.nc")


def store(folder: Path, start: str) -> None:
    for name, content in _made_store().items():
        _copy(content, folder / "c.hexrecruit.zarr" / name)


def areas(folder: Path, start: str) -> None:
    """Region of each voxel, and the names of the regions."""
    volumes = _made_volumes()
    for name in ("flatmap", "columns"):
        _copy(volumes[name], folder / f"{name}.nrrd")
    leaves = [
        {"id": i, "acronym": f"A{i};L{i}", "name": f"area {i}, layer {i}", "color_hex_triplet": c}
        for i, c in enumerate(("ff0000", "#00ff00", "0000ff", "x", "", "123456"), start=1)
    ]
    root = {"id": 997, "acronym": "root", "name": "root", "children": leaves}
    (folder / "hierarchy.json").write_text(json.dumps({"msg": [root]}))


def campaign(folder: Path, start: str) -> None:
    """Files that list simulations; these are not opened for that."""
    runs = [f"runs/{k}" for k in range(4)]
    for k, run in enumerate(runs):
        path = [["ca", k % 2], ["seed", k // 2]]
        scan = [{"location_list": list(at), "value": value} for *at, value in path]
        coordinate = {"idx": k, "single_coordinate_scan_params": {"scan_params": scan}}
        config = {"run": {"tstop": 100.0 + k, "random_seed": k}}
        _copy(json.dumps(config).encode(), folder / run / "simulation_config.json")
        _copy(json.dumps(coordinate).encode(), folder / run / "obi_one_coordinate.json")
    grid = {"ca": {"dims": ["ca"], "data": [1.0, 1.1]}, "n": {"dims": ["n"], "data": [1, 2]}}
    rows = [{"path": run, "parameters": {"ca": k}} for k, run in enumerate(runs)]
    table = [{"simulation_path": run, "ca": k} for k, run in enumerate(runs)]
    contents: dict[str, Any] = {
        "own": {"simulations": rows},
        "blueetl": {"format": "blueetl", "attrs": {"path_prefix": "."}, "data": table},
        "xarray": {
            "attrs": {"path_prefix": ".", "circuit_config": "circuit_config.json"},
            "dims": ["ca", "n"],
            "coords": grid,
            "data": [runs[:2], runs[2:]],
        },
    }
    for name, content in contents.items():
        for ending in ("json", "yaml"):
            _copy(json.dumps(content, indent=1).encode(), folder / f"{name}.{ending}")


def _copy(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _small_cube() -> xr.Dataset:
    counts = np.random.default_rng(2).integers(0, 40, (5, 7))
    row, col = np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 1, 0, 1, 0, 1, 0])
    return cube_of(counts, row=row, col=col)


@functools.cache
def _made_cube() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_cube(_small_cube(), Path(folder, "c.hexrecruit.nc")).read_bytes()


@functools.cache
def _made_store() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        made = write_cube(_small_cube(), Path(folder, "c.hexrecruit.zarr"))
        files = [path for path in made.rglob("*") if path.is_file()]
        return {path.relative_to(made).as_posix(): path.read_bytes() for path in files}


@functools.cache
def _computed(config: Path) -> bytes:
    """Its recipe holds the path, so there is one for each."""
    with tempfile.TemporaryDirectory() as folder:
        cube = recruitment_cube(config, radius=60.0)
        return write_cube(cube, Path(folder, "c.hexrecruit.nc")).read_bytes()


@functools.cache
def _made_volumes() -> dict[str, bytes]:
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
