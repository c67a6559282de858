"""Cubes as zarr folders: nothing lost, read by the bin, written a part at a time."""

from __future__ import annotations

import json
import os
import weakref

import dask.array
import h5py
import numpy as np
import pytest
import zarr
from tests.support.cubes import cube_of, wave_cube
from tests.support.doubtful import doubtful
from tests.support.sonata_files import simple_files

from napari_hexrecruit import (
    SimulationDataError,
    open_simulation,
    read_cube,
    recruitment_cube,
    write_cube,
)
from napari_hexrecruit.cli import main
from napari_hexrecruit.pipeline import large
from napari_hexrecruit.pipeline.cubes import large_cube
from napari_hexrecruit.storage import zarr_store
from napari_hexrecruit.storage.zarr_store import parts_of_time


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    config = simple_files().write(tmp_path_factory.mktemp("simulation"))
    cube = recruitment_cube(config, min_neurons=8)
    assert np.isnan(cube["recruitment"]).any()
    return cube


@pytest.fixture(scope="module")
def long_cube():
    """Several chunks and several files: 600,000 bins of 12 hexagons."""
    return wave_cube(n_rows=3, n_cols=4, n_bins=600_000)


def test_a_cube_comes_back_as_it_was(cube, tmp_path):
    before = cube.copy(deep=True)
    path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    back = read_cube(path)
    assert back.identical(cube)
    assert [*back.data_vars] == [*cube.data_vars]
    assert all(back[name].dtype == cube[name].dtype for name in cube.variables)
    assert cube.identical(before)
    assert os.listdir(tmp_path) == ["a.hexrecruit.zarr"]


def test_netcdf_and_zarr_hold_the_same(cube, tmp_path):
    one = read_cube(write_cube(cube, tmp_path / "a.hexrecruit.nc"))
    other = read_cube(write_cube(one, tmp_path / "a.hexrecruit.zarr"))
    assert other.identical(one)
    assert read_cube(write_cube(other, tmp_path / "b.hexrecruit.nc")).identical(cube)


@pytest.mark.slow
def test_values_are_read_when_they_are_asked_for(long_cube, tmp_path, monkeypatch):
    back = read_cube(write_cube(long_cube, tmp_path / "a.hexrecruit.zarr"))
    assert isinstance(back["recruitment"].data, dask.array.Array)
    assert isinstance(back["hex"].data, np.ndarray)
    np.testing.assert_array_equal(back["recruitment"][12_345], long_cube["recruitment"][12_345])
    read, n_read = zarr_store._Values.__getitem__, []

    def counted(self, key):
        values = read(self, key)
        n_read.append(values.size)
        return values

    monkeypatch.setattr(zarr_store._Values, "__getitem__", counted)
    back["n_spikes"][400_000].load()
    assert 0 < sum(n_read) < 0.25 * long_cube["n_spikes"].size


@pytest.mark.slow
def test_many_bins_are_few_files(long_cube, tmp_path):
    assert len(parts_of_time(long_cube.sizes)) == 1
    wide = cube_of(np.zeros((5, 200_000)), row=np.zeros(200_000), col=np.arange(200_000))
    assert [part.stop - part.start for part in parts_of_time(wide.sizes)] == [5]
    path = write_cube(long_cube, tmp_path / "a.hexrecruit.zarr")
    array = zarr.open_group(path, mode="r")["n_spikes"]
    assert array.metadata.zarr_format == 3
    assert array.chunks[0] < array.shards[0]
    assert len(list((path / "n_spikes" / "c").rglob("*"))) < 10


@pytest.mark.slow
def test_a_cube_of_many_parts_is_written_without_being_in_memory(tmp_path, monkeypatch):
    small = wave_cube(n_rows=3, n_cols=4, n_bins=10)
    n_bins = 3_000_000
    lazily = {
        name: (("time", "hex"), _repeated(small[name].to_numpy(), n_bins), small[name].attrs)
        for name in small.data_vars
    }
    time = 10.0 * np.arange(n_bins)
    cube = (
        small.drop_dims("time")
        .assign(lazily)
        .assign_coords(
            time=("time", time, small["time"].attrs),
            time_bounds=(("time", "bound"), np.stack([time, time + 10.0], 1), {"units": "ms"}),
        )
    )
    assert len(parts_of_time(cube.sizes)) > 3
    write_part, parts = zarr_store.write_part, []

    def watched(part, *where):
        assert all(ref() is None for ref in parts)  # those before have gone
        assert all(part[name].chunks for name in part.data_vars)
        parts.append(weakref.ref(part))
        write_part(part, *where)
        assert all(part[name].chunks for name in part.data_vars)  # and is not loaded

    monkeypatch.setattr(zarr_store, "write_part", watched)
    path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    assert len(parts) == len(parts_of_time(cube.sizes))
    back = read_cube(path)
    for at in (0, 1_234_567, n_bins - 1):
        np.testing.assert_array_equal(back["n_recruited"][at], small["n_recruited"][at % 10])


def _repeated(values, n_bins):
    rows = 50_000
    assert rows % len(values) == 0 and n_bins % rows == 0
    return dask.array.map_blocks(
        lambda: np.tile(values, (rows // len(values), 1)),
        chunks=((rows,) * (n_bins // rows), values.shape[1:]),
        dtype=values.dtype,
        meta=values[:0],
    )


def test_text_is_of_a_type_that_zarr_specifies(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    said = json.loads((path / "hex" / "zarr.json").read_text())
    assert said["data_type"] == "string"
    assert read_cube(path)["hex"].dtype.kind == "U"


def test_equal_cubes_give_equal_bytes(cube, tmp_path):
    one = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    two = write_cube(read_cube(one), tmp_path / "b.hexrecruit.zarr")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


def test_what_is_there_is_kept_unless_overwriting_is_allowed(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    with pytest.raises(FileExistsError, match="exists: choose another name or allow overwriting"):
        write_cube(cube, path)
    other = cube.assign_attrs(title="another one")
    write_cube(other, path, overwrite=True)
    assert read_cube(path).identical(other)
    assert os.listdir(tmp_path) == ["a.hexrecruit.zarr"]


def test_folders_of_others_are_never_replaced(cube, tmp_path):
    folder = tmp_path / "a.hexrecruit.zarr"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="holds something other than a zarr store"):
        write_cube(cube, folder, overwrite=True)
    file = tmp_path / "b.hexrecruit.zarr"
    file.write_text("precious")
    with pytest.raises(FileExistsError, match="is a file"):
        write_cube(cube, file, overwrite=True)
    assert (folder / "thesis.txt").read_text() == file.read_text() == "precious"


def test_a_failed_write_leaves_the_old_folder_and_nothing_else(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
    values = _failing(cube["n_spikes"].shape)
    broken = cube.assign(n_spikes=(("time", "hex"), values, cube["n_spikes"].attrs))
    with pytest.raises(RuntimeError, match="no more"):
        write_cube(broken, path, overwrite=True)
    assert read_cube(path).identical(cube)
    assert os.listdir(tmp_path) == ["a.hexrecruit.zarr"]


def _failing(shape):
    def fail():
        raise RuntimeError("no more")

    return dask.array.map_blocks(
        fail, chunks=tuple((n,) for n in shape), dtype=np.int32, meta=np.zeros((0, 0), np.int32)
    )


class TestReading:
    def test_a_missing_folder(self, tmp_path):
        with pytest.raises(SimulationDataError, match=r"does not exist: give a \.hexrecruit\.zarr"):
            read_cube(tmp_path / "a.hexrecruit.zarr")

    def test_a_folder_that_is_no_store(self, tmp_path):
        folder = tmp_path / "a.hexrecruit.zarr"
        folder.mkdir()
        with pytest.raises(SimulationDataError, match="cannot be read as a zarr store") as told:
            read_cube(folder)
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize("name", ["zarr.json", "recruitment/zarr.json"])
    def test_damaged_metadata(self, cube, tmp_path, name):
        path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
        (path / name).write_text("{")
        with pytest.raises(SimulationDataError, match=r"a\.hexrecruit\.zarr: ") as told:
            read_cube(path)
        assert "\n" not in str(told.value)

    def test_a_damaged_part_is_told_when_it_is_read(self, cube, tmp_path):
        path = write_cube(cube, tmp_path / "a.hexrecruit.zarr")
        (part,) = [file for file in (path / "n_spikes" / "c").rglob("*") if file.is_file()]
        part.write_bytes(part.read_bytes()[:60] + bytes(range(40)) + part.read_bytes()[100:])
        found = read_cube(path)
        assert found["n_recruited"].equals(cube["n_recruited"])
        with pytest.raises(SimulationDataError, match="n_spikes: cannot be read") as told:
            found["n_spikes"].load()
        assert "\n" not in str(told.value)

    def test_a_store_that_is_no_cube(self, tmp_path):
        folder = tmp_path / "a.hexrecruit.zarr"
        zarr.create_group(folder)
        with pytest.raises(SimulationDataError, match="not a recruitment cube"):
            read_cube(folder)


def test_other_endings_are_refused(cube, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.hexrecruit\.nc or \.hexrecruit\.zarr"):
        write_cube(cube, tmp_path / "a.zarr")


class TestLargeCubes:
    """Cubes that are counted into the folder, a slab of bins at a time."""

    @pytest.fixture(params=["none", "by_time", "by_id", "by_time-not-true"])
    def config(self, request, tmp_path):
        files = simple_files(n_spikes=5_000)
        times, ids = np.asarray(files.times_ms), np.asarray(files.node_ids)
        key = {"by_time": times, "by_id": ids}.get(request.param)
        if key is not None:
            order = np.argsort(key, kind="stable")
            files.times_ms, files.node_ids = times[order], ids[order]
        files.sorting = {"none": 0, "by_id": 1, "by_time": 2}[request.param.partition("-")[0]]
        return files.write(tmp_path / "run")

    @pytest.mark.slow
    def test_equal_to_those_in_memory(self, config, tmp_path, monkeypatch):
        monkeypatch.setattr("napari_hexrecruit.pipeline.large._SLAB_BYTES", 20_000)
        options = {
            "bin_ms": 0.1,
            "start": 10.0,
            "stop": 90.0,
            "min_neurons": 5,
            "where": "layer=1:5",
        }
        cube = large_cube(config, tmp_path / "a.hexrecruit.zarr", **options)
        assert isinstance(cube["n_spikes"].data, dask.array.Array)
        assert cube.identical(recruitment_cube(config, **options))
        assert sorted(os.listdir(tmp_path)) == ["a.hexrecruit.zarr", "run"]

    def test_of_an_opened_simulation(self, config, tmp_path):
        simulation = open_simulation(config)
        cube = large_cube(simulation, tmp_path / "a.hexrecruit.zarr")
        assert cube.identical(recruitment_cube(simulation))

    @doubtful
    def test_of_a_population_that_never_fired(self, tmp_path):
        files = simple_files()
        files.times_ms, files.node_ids = np.zeros(0), np.zeros(0, np.uint64)
        config = files.write(tmp_path / "run")
        with h5py.File(tmp_path / "run" / "output" / "spikes.h5", "r+") as file:
            del file["spikes/cortex"]
        cube = large_cube(config, tmp_path / "a.hexrecruit.zarr", allow_empty=True)
        assert (cube["recruitment"] == 0).all()
        assert cube.identical(recruitment_cube(config, allow_empty=True))

    @pytest.mark.slow
    def test_memory_is_flat(self, tmp_path, monkeypatch):
        monkeypatch.setattr(large, "_SLAB_BYTES", 1 << 18)
        files = simple_files(n_spikes=20_000)
        files.tstop_ms = 5_000.0
        config = files.write(tmp_path / "run")
        write_slab, slabs = large._write_slab, []

        def watched(slab, *others):
            assert slab.n_recruited.nbytes + slab.n_spikes.nbytes <= 1 << 18
            slabs.append(weakref.ref(slab.n_spikes))
            assert sum(ref() is not None for ref in slabs) <= 2  # this and one being counted
            write_slab(slab, *others)

        monkeypatch.setattr(large, "_write_slab", watched)
        cube = large_cube(config, tmp_path / "a.hexrecruit.zarr", bin_ms=0.25)
        assert len(slabs) > 10 and len(slabs) * (1 << 18) >= 2 * cube["n_spikes"].nbytes

    def test_what_is_wrong_is_told_before_the_spikes_are_read(self, config, tmp_path):
        with pytest.raises(ValueError, match=r"a large cube ends in \.hexrecruit\.zarr"):
            large_cube(config, tmp_path / "a.hexrecruit.nc")
        with pytest.raises(TypeError, match="colour"):
            large_cube(config, tmp_path / "a.hexrecruit.zarr", colour="red")
        with pytest.raises(ValueError, match="XYZ"):
            large_cube(config, tmp_path / "a.hexrecruit.zarr", where="synapse_class=XYZ")
        assert os.listdir(tmp_path) == ["run"]

    def test_the_command_writes_it(self, config, tmp_path):
        file = tmp_path / "a.hexrecruit.zarr"
        with pytest.raises(SystemExit) as end:
            main(["cube", str(config), "-o", str(file), "--bin", "5"])
        assert end.value.code == 0
        assert read_cube(file).identical(recruitment_cube(config, bin_ms=5.0))
