"""Cubes as files: nothing lost, nothing overwritten, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest
import xarray as xr
from tests.support.cubes import wave_cube
from tests.support.sonata_files import simple_files

from napari_hexrecruit import SimulationDataError, read_cube, recruitment_cube, write_cube
from napari_hexrecruit.storage import deflate


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    config = simple_files().write(tmp_path_factory.mktemp("simulation"))
    cube = recruitment_cube(config, min_neurons=8)
    assert np.isnan(cube["recruitment"]).any()
    return cube


def test_a_cube_comes_back_as_it_was(cube, tmp_path):
    before = cube.copy(deep=True)
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    assert read_cube(path).identical(cube)
    assert cube.identical(before)
    assert os.listdir(tmp_path) == ["a.hexrecruit.nc"]


def test_a_cube_that_was_read_can_be_written_again(cube, tmp_path):
    once = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    twice = write_cube(read_cube(once), tmp_path / "b.hexrecruit.nc")
    assert once.read_bytes() == twice.read_bytes()


@pytest.mark.parametrize("library", ["isal", "zlib"])
def test_whatever_compresses_a_file_any_reader_of_netcdf_reads_it(
    cube, tmp_path, monkeypatch, library
):
    if library == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    else:
        pytest.importorskip("isal")
    deflate._compressor.cache_clear()
    once, twice = (write_cube(cube, tmp_path / f"{n}.hexrecruit.nc") for n in "ab")
    deflate._compressor.cache_clear()
    assert once.read_bytes() == twice.read_bytes()
    assert read_cube(once).identical(cube)
    with h5py.File(once) as file:
        stored = file["n_recruited"]
        assert (stored.compression, stored.compression_opts, stored.shuffle) == ("gzip", 1, True)
        _, chunk = stored.id.read_direct_chunk((0, 0))
        assert len(zlib.decompress(chunk)) == stored.dtype.itemsize * np.prod(stored.chunks)


@pytest.mark.slow
def test_equal_cubes_give_equal_bytes_in_another_process(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    again = tmp_path / "b.hexrecruit.nc"
    code = (
        "import sys; from napari_hexrecruit import read_cube, write_cube;"
        "write_cube(read_cube(sys.argv[1]), sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", code, path, again], check=True)
    assert path.read_bytes() == again.read_bytes()


def test_the_file_is_plain_netcdf4_that_others_read(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    with h5py.File(path) as file:
        assert file["recruitment"].compression == "gzip"
        assert file["recruitment"].attrs["units"] == "%"
        assert file["time"].attrs["units"] == "ms"
        np.testing.assert_array_equal(file["n_neurons"], cube["n_neurons"])


def test_an_existing_file_is_kept_unless_overwriting_is_allowed(cube, tmp_path):
    path = tmp_path / "a.hexrecruit.nc"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="exists: choose another name or allow overwriting"):
        write_cube(cube, path)
    assert path.read_text() == "precious"
    write_cube(cube, path, overwrite=True)
    assert read_cube(path).identical(cube)


@pytest.mark.slow
def test_a_failed_write_leaves_the_old_file_and_nothing_else(cube, tmp_path):
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    before = path.read_bytes()
    limit = (
        "import resource, signal, sys; from napari_hexrecruit import read_cube, write_cube;"
        "cube = read_cube(sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048));"
        "write_cube(cube, sys.argv[1], overwrite=True)"
    )
    done = subprocess.run([sys.executable, "-c", limit, path], capture_output=True, text=True)
    assert done.returncode != 0
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.hexrecruit.nc"]


@pytest.mark.parametrize("name", ["a.nc", "a.hexrecruit", "a.hexrecruit.nc.bak"])
def test_another_ending_is_refused(cube, tmp_path, name):
    with pytest.raises(ValueError, match=r"the name of a cube ends in \.hexrecruit\.nc"):
        write_cube(cube, tmp_path / name)


def test_a_folder_that_is_missing_or_in_the_way_is_refused(cube, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        write_cube(cube, tmp_path / "missing" / "a.hexrecruit.nc")
    (tmp_path / "b.hexrecruit.nc").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_cube(cube, tmp_path / "b.hexrecruit.nc", overwrite=True)


def test_what_is_no_cube_is_not_written(cube, tmp_path):
    with pytest.raises(ValueError, match="not a recruitment cube"):
        write_cube(cube.drop_vars("x"), tmp_path / "a.hexrecruit.nc")
    assert os.listdir(tmp_path) == []


def test_files_that_cannot_be_read_are_named(cube, tmp_path):
    path = tmp_path / "a.hexrecruit.nc"
    with pytest.raises(SimulationDataError, match="does not exist"):
        read_cube(path)
    path.write_text("not netCDF")
    with pytest.raises(SimulationDataError, match=r"a\.hexrecruit\.nc: cannot be read as a cube"):
        read_cube(path)
    whole = write_cube(cube, tmp_path / "whole.hexrecruit.nc").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SimulationDataError, match=r"a\.hexrecruit\.nc: "):
        read_cube(path)


def test_netcdf_that_is_no_cube_is_named(cube, tmp_path):
    path = tmp_path / "other.hexrecruit.nc"
    cube[["n_spikes"]].drop_attrs().to_netcdf(path, engine="h5netcdf")
    with pytest.raises(
        SimulationDataError, match=r"other.*not a recruitment cube: .*schema_version"
    ):
        read_cube(path)


@pytest.mark.parametrize("n_bins", [1, 50, 301])
def test_files_are_those_of_xarray(tmp_path, n_bins):
    """With texts, truth values, a scalar, NaN, and a last chunk that is short."""
    cube = wave_cube(n_rows=40, n_cols=50, n_bins=n_bins)
    cube["recruitment"][0, :7] = np.nan
    cube = cube.assign_coords(onset=5.0, is_picked=("hex", cube["i"].to_numpy() % 2 == 0))
    cube["largest"] = ("hex", np.full(cube.sizes["hex"], np.iinfo(np.int32).max, np.int32))
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    reference = cube.to_netcdf(engine="h5netcdf")
    options = {"engine": "h5netcdf", "decode_timedelta": False}
    with xr.open_dataset(path, **options) as ours, xr.open_dataset(reference, **options) as theirs:
        assert ours.identical(theirs)
        assert {n: v.dtype for n, v in ours.variables.items()} == {
            n: v.dtype for n, v in theirs.variables.items()
        }


@pytest.mark.parametrize(
    ("attrs", "says"),
    [
        ({"NAME": "x"}, "'NAME' has a name that netCDF needs: rename it"),
        ({"is_good": True}, "'is_good' is True: give numbers or text"),
        ({"of": {"a": 1}}, "'of' is {'a': 1}: give numbers or text"),
    ],
)
def test_an_attribute_that_netcdf_has_not_is_told(cube, tmp_path, attrs, says):
    with pytest.raises(ValueError, match=says):
        write_cube(cube.assign_attrs(attrs), tmp_path / "a.hexrecruit.nc")
    assert os.listdir(tmp_path) == []
