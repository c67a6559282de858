"""Campaigns on a cluster of two processes: all cubes, one dataset, and going on where it ended."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.support.campaign_files import write_grid, write_json, write_run
from tests.support.sonata_files import simple_files

from napari_hexrecruit import __version__, read_cube, recruitment_cube, write_cube
from napari_hexrecruit.campaign import (
    cube_at,
    list_simulations,
    open_campaign,
    parameters_of,
    run_campaign,
    select_cube,
    validate_campaign,
)
from napari_hexrecruit.campaign._cluster import connected
from napari_hexrecruit.campaign._task import CubeJob, Done, compute_cube
from napari_hexrecruit.counting import bin_counter
from napari_hexrecruit.errors import HexRecruitError, SimulationDataError
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.storage import netcdf_writer

pytestmark = pytest.mark.usefixtures("one_server")

CA, SEEDS = (1.05, 1.1), (3, 1)
OPTIONS = {"radius": 60.0, "bin_ms": 10.0, "min_neurons": 2}


@pytest.fixture(scope="module")
def client():
    with connected(n_workers=2) as found:
        yield found


@pytest.fixture(scope="module")
def grid(tmp_path_factory, client):
    """Folder with simulations of 2 x 2 parameters, their campaign in ``out``."""
    folder = tmp_path_factory.mktemp("grid")
    path = write_grid(folder, CA, SEEDS)
    run_campaign(list_simulations(path), folder / "out", scheduler=client, **OPTIONS)
    return folder


@pytest.fixture
def grid_copy(grid, tmp_path):
    """The same, to be changed: inputs in ``runs``, results in ``out``."""
    path = write_grid(tmp_path, CA, SEEDS)
    return path, tmp_path / "out"


def run_of(folder, ca, seed):
    return folder / "runs" / str(len(SEEDS) * CA.index(ca) + SEEDS.index(seed))


def manifest_of(folder):
    return json.loads((folder / "campaign.hexrecruit.json").read_text())


def states_of(folder):
    return {one["name"]: one["state"] for one in manifest_of(folder)["simulations"]}


@pytest.fixture
def dataset(grid):
    return open_campaign(grid / "out")


class TestDataset:
    @pytest.mark.slow
    def test_parameters_that_span_a_grid_are_axes(self, dataset):
        assert dataset["recruitment"].dims == ("ca", "seed", "time", "hex")
        assert parameters_of(dataset) == {"ca": (1.05, 1.1), "seed": (1, 3)}
        assert dataset["ca"].dtype == np.float64 and dataset["seed"].dtype == np.int64

    @pytest.mark.parametrize("ca", CA)
    @pytest.mark.parametrize("seed", SEEDS)
    def test_each_cube_comes_back_as_it_was_computed(self, grid, dataset, ca, seed):
        cube = recruitment_cube(run_of(grid, ca, seed) / "simulation_config.json", **OPTIONS)
        assert np.isnan(cube["recruitment"]).any()
        assert select_cube(dataset, ca=ca, seed=seed).identical(cube)

    def test_hexagons_are_the_union_in_order(self, grid, dataset):
        cubes = [read_cube(file) for file in (grid / "out" / "cubes").iterdir()]
        names = {name for cube in cubes for name in cube["hex"].values}
        assert set(dataset["hex"].values) == names
        assert all(len(names) > cube.sizes["hex"] for cube in cubes)
        rank = list(zip(dataset["row"].values, dataset["col"].values, strict=True))
        assert rank == sorted(rank)

    def test_absent_hexagons_are_nan_and_count_nothing(self, dataset):
        absent = dataset["n_neurons"] == 0
        assert absent.any()
        nowhere = dataset.where(absent)
        assert nowhere["recruitment"].isnull().all()
        assert (nowhere["n_recruited"].fillna(0) == 0).all()
        assert (nowhere["n_spikes"].fillna(0) == 0).all()

    def test_values_are_not_read_before_they_are_used(self, dataset):
        assert all(dataset[name].chunks is not None for name in ("recruitment", "n_spikes"))
        assert dataset["n_neurons"].chunks is None

    def test_every_position_is_a_cube_on_all_hexagons(self, dataset):
        cube = cube_at(dataset, (1, 0))
        np.testing.assert_array_equal(cube["hex"], dataset["hex"])
        expected = dataset["recruitment"].sel(ca=1.1, seed=1)
        np.testing.assert_array_equal(cube["recruitment"], expected)

    def test_the_folder_says_what_it_holds(self, grid):
        out = grid / "out"
        assert sorted(os.listdir(out)) == [
            "campaign.hexrecruit.json",
            "campaign.hexrecruit.zarr",
            "cubes",
        ]
        assert sorted(os.listdir(out / "cubes")) == [f"{k}.hexrecruit.nc" for k in range(4)]
        assert set(states_of(out).values()) == {"done"}

    @pytest.mark.parametrize(
        ("at", "says"),
        [
            ({"ca": 1.1}, "'seed' has several values: choose one of 1, 3"),
            ({"ca": 2.0, "seed": 1}, "'ca' is never 2.0: choose one of 1.05, 1.1"),
            ({"ca": 1.1, "seed": 1, "dt": 0.1}, "no parameter 'dt': use ca, seed"),
        ],
    )
    def test_what_is_not_there_is_told(self, dataset, at, says):
        with pytest.raises(ValueError, match=says):
            select_cube(dataset, at)

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda d: d.drop_vars("n_spikes"), "variable 'n_spikes' is missing"),
            (lambda d: d.assign_attrs(campaign_schema_version=7), "is 7 and this .* reads 1"),
            (lambda d: d.transpose(..., "hex", "time"), "has dimensions"),
            (lambda d: d.assign(n_spikes=d["n_spikes"].astype("int64")), "'n_spikes' is int64"),
            (lambda d: d.drop_vars("seed"), "'seed' has no coordinate"),
            (lambda d: d.assign_attrs(hex_radius=-1.0), "hex_radius"),
        ],
    )
    def test_a_spoilt_dataset_is_refused(self, dataset, spoil, says):
        with pytest.raises(ValueError, match=says):
            validate_campaign(spoil(dataset))

    def test_a_dataset_is_no_cube(self, grid):
        with pytest.raises(SimulationDataError, match="is the dataset of a campaign: give one"):
            read_cube(grid / "out" / "campaign.hexrecruit.zarr")

    def test_a_folder_without_one(self, tmp_path):
        with pytest.raises(SimulationDataError, match="run 'hexrecruit campaign' to its end"):
            open_campaign(tmp_path)


class TestOtherShapes:
    @pytest.mark.slow
    def test_parameters_that_span_no_grid_lie_along_simulations(self, tmp_path, client):
        rows = [{"ca": 1.0, "kind": "a"}, {"ca": 1.1, "kind": "a/b"}, {"ca": 1.1, "kind": "c"}]
        runs = []
        for k, row in enumerate(rows):
            write_run(tmp_path / f"r{k}", seed=k)
            runs.append({"path": f"r{k}", "parameters": row})
        campaign = list_simulations(write_json(tmp_path / "c.json", runs))
        run_campaign(campaign, tmp_path / "out", scheduler=client)
        dataset = open_campaign(tmp_path / "out")
        assert dataset["recruitment"].dims == ("simulation", "time", "hex")
        assert list(dataset["simulation"].values) == ["r0", "r1", "r2"]
        assert dataset["ca"].dims == ("simulation",)
        assert list(dataset["kind"].values) == ["a", "a/b", "c"]
        one = select_cube(dataset, simulation="r1")
        assert one.identical(recruitment_cube(tmp_path / "r1" / "simulation_config.json"))

    def test_names_that_the_dataset_needs_and_single_values(self, tmp_path, client):
        runs = []
        for k in range(2):
            write_run(tmp_path / f"r{k}", seed=k)
            runs.append({"path": f"r{k}", "parameters": {"time": k, "a/b": 5, "path": "x"}})
        campaign = list_simulations(write_json(tmp_path / "c.json", runs))
        run_campaign(campaign, tmp_path / "out", scheduler=client)
        dataset = open_campaign(tmp_path / "out")
        assert parameters_of(dataset) == {"time_": (0, 1)}
        assert dataset["a_b"].item() == 5 and dataset["path_"].item() == "x"

    @pytest.mark.slow
    def test_simulations_of_other_lengths_share_the_time_axis(self, tmp_path, client):
        for k, tstop in enumerate((60.0, 100.0)):
            write_run(tmp_path / f"r{k}", seed=k, tstop_ms=tstop)
        run_campaign(list_simulations(str(tmp_path / "r*")), tmp_path / "out", scheduler=client)
        dataset = open_campaign(tmp_path / "out")
        assert dataset.sizes["time"] == 10
        assert dataset["recruitment"][0, 6:].isnull().all()
        for k in range(2):
            cube = recruitment_cube(tmp_path / f"r{k}" / "simulation_config.json")
            at = {"run.tstop": (60.0, 100.0)[k]}
            assert select_cube(dataset, at).identical(cube)

    def test_a_simulation_that_was_left_out_is_a_hole(self, tmp_path, client):
        write_run(tmp_path / "0", seed=1)
        content = {
            "name": "n",
            "dims": ["ca"],
            "attrs": {},
            "data": ["0", ""],
            "coords": {"ca": {"dims": ["ca"], "attrs": {}, "data": [1.0, 2.0]}},
        }
        campaign = list_simulations(write_json(tmp_path / "c.json", content))
        result = run_campaign(campaign, tmp_path / "out", scheduler=client)
        assert (result.n_done, result.failures) == (1, {})
        dataset = open_campaign(tmp_path / "out")
        assert dataset["recruitment"].sel(ca=2.0).isnull().all()
        with pytest.raises(ValueError, match="has no cube: its state is 'absent'"):
            select_cube(dataset, ca=2.0)

    @pytest.mark.slow
    def test_other_grids_are_told_and_the_cubes_stay(self, tmp_path, client):
        for k in range(2):
            write_run(tmp_path / f"r{k}", seed=k)
        campaign = list_simulations(str(tmp_path / "r*"))
        out = tmp_path / "out"
        run_campaign(campaign, out, scheduler=client)
        file = out / "cubes" / "r1.hexrecruit.nc"
        cube = read_cube(file)
        moved = cube.assign_coords(x=("hex", cube["x"].to_numpy() + 1.0, cube["x"].attrs))
        write_cube(moved, file, overwrite=True)
        accept_cube(out, "r1")
        with pytest.raises(HexRecruitError, match="has another place than in"):
            run_campaign(campaign, out, scheduler=client)
        assert open_campaign(out).sizes["simulation"] == 2


def accept_cube(out, name):
    """Note the checksum that a cube has now, as if the campaign had written it so."""
    from napari_hexrecruit.campaign._manifest import Manifest, checksum

    manifest = Manifest.read(out)
    for entry in manifest.entries:
        if entry.name == name:
            entry.pieces[0].sha256 = checksum(out / entry.pieces[0].file)
    manifest.write(out)


class TestFailures:
    @pytest.mark.slow
    def test_the_rest_is_finished_and_the_fault_is_told(self, grid_copy, client):
        path, out = grid_copy
        spikes = path.parent / "runs" / "2" / "output" / "spikes.h5"
        kept = spikes.read_bytes()
        spikes.write_bytes(b"no HDF5")
        campaign = list_simulations(path)
        result = run_campaign(campaign, out, scheduler=client, **OPTIONS)
        assert (result.n_done, list(result.failures)) == (3, ["2"])
        assert str(spikes) in result.failures["2"] and "\n" not in result.failures["2"]
        assert states_of(out) == {"0": "done", "1": "done", "2": "failed", "3": "done"}
        dataset = open_campaign(out)
        assert dataset["recruitment"].sel(ca=1.1, seed=3).isnull().all()
        with pytest.raises(ValueError, match=r"simulation '2' has no cube: .*spikes\.h5"):
            select_cube(dataset, ca=1.1, seed=3)

        spikes.write_bytes(kept)
        result = run_campaign(campaign, out, scheduler=client, **OPTIONS)
        assert (result.n_done, result.n_kept, result.failures) == (4, 3, {})
        cube = recruitment_cube(path.parent / "runs" / "2" / "simulation_config.json", **OPTIONS)
        assert select_cube(open_campaign(out), ca=1.1, seed=3).identical(cube)

    def test_all_fail(self, tmp_path, client):
        write_run(tmp_path / "0")
        campaign = list_simulations(tmp_path / "0")
        result = run_campaign(campaign, tmp_path / "out", scheduler=client, population="nobody")
        assert result.dataset is None and result.n_done == 0
        assert "there is no population 'nobody'" in result.failures["0"]

    def test_a_bug_of_a_task_is_told_with_its_type(self, tmp_path, client):
        from napari_hexrecruit.campaign._cluster import results_of

        results = dict(results_of(client, int, ["1", "x", "3"]))
        assert (results[0], results[2]) == (1, 3)
        assert isinstance(results[1], ValueError)

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"radius": 0}, "radius"),
            ({"bin_ms": -1}, "bin"),
            ({"start": 0, "stop": 15, "bin_ms": 10}, "not a whole number"),
            ({"where": "a"}, "a"),
            ({"colour": 1}, "unexpected keyword argument 'colour'"),
        ],
    )
    def test_options_are_checked_before_anything_is_made(self, grid, tmp_path, options, says):
        campaign = list_simulations(grid / "campaign.json")
        with pytest.raises((ValueError, TypeError), match=says):
            run_campaign(campaign, tmp_path / "out", scheduler="tcp://127.0.0.1:1", **options)
        assert not (tmp_path / "out").exists()


class TestGoingOn:
    @pytest.fixture
    def out(self, grid, grid_copy, client):
        path, out = grid_copy
        run_campaign(list_simulations(path), out, scheduler=client, **OPTIONS)
        return out

    @staticmethod
    def again(grid_copy, client, **changes):
        """Names of cubes that were written anew."""
        path, out = grid_copy
        before = {file.name: file.stat().st_mtime_ns for file in (out / "cubes").iterdir()}
        result = run_campaign(list_simulations(path), out, scheduler=client, **OPTIONS | changes)
        assert result.failures == {}
        cubes = {file.name: file.stat().st_mtime_ns for file in (out / "cubes").iterdir()}
        new = {
            name.partition(".")[0] for name, written in cubes.items() if before.get(name) != written
        }
        assert result.n_kept == len(cubes) - len(new)
        return new

    def test_nothing_is_done_twice(self, out, grid_copy, client):
        written = (out / "campaign.hexrecruit.zarr").stat().st_ino
        assert self.again(grid_copy, client) == set()
        assert (out / "campaign.hexrecruit.zarr").stat().st_ino == written

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("spoil", "new"),
        [
            pytest.param(
                lambda out: (out / "cubes" / "1.hexrecruit.nc").unlink(), {"1"}, id="missing"
            ),
            pytest.param(
                lambda out: flip_a_byte(out / "cubes" / "2.hexrecruit.nc"), {"2"}, id="damaged"
            ),
            pytest.param(
                lambda out: os.utime(out.parent / "runs" / "0" / "output" / "spikes.h5", (1, 1)),
                {"0"},
                id="spikes-touched",
            ),
            pytest.param(
                lambda out: (out.parent / "runs" / "3" / "node_sets.json").write_text("{ }"),
                {"3"},
                id="node-sets-changed",
            ),
            pytest.param(
                lambda out: shutil.rmtree(out / "campaign.hexrecruit.zarr"), set(), id="no-dataset"
            ),
        ],
    )
    def test_what_is_not_as_it_was_is_computed_again(self, out, grid_copy, client, spoil, new):
        spoil(out)
        assert self.again(grid_copy, client) == new
        dataset = open_campaign(out)
        path = run_of(out.parent, 1.05, 1) / "simulation_config.json"
        assert select_cube(dataset, ca=1.05, seed=1).identical(recruitment_cube(path, **OPTIONS))

    @pytest.mark.slow
    def test_other_options_are_refused_unless_overwriting_is_allowed(self, out, grid_copy, client):
        path, _ = grid_copy
        with pytest.raises(ValueError, match=r"other options \(radius is 60.0, not 30.0\)"):
            self.again(grid_copy, client, radius=30.0)
        assert open_campaign(out).attrs["hex_radius"] == 60.0
        result = run_campaign(
            list_simulations(path),
            out,
            scheduler=client,
            overwrite=True,
            **OPTIONS | {"radius": 30.0},
        )
        assert (result.n_done, result.n_kept) == (4, 0)
        assert open_campaign(out).attrs["hex_radius"] == 30.0

    @pytest.mark.slow
    def test_a_campaign_can_grow(self, out, grid_copy, client):
        path, _ = grid_copy
        content = json.loads(path.read_text())
        for k, ca in enumerate(CA):
            write_run(path.parent / "more" / str(k), seed=50 + k)
            run = {"path": f"more/{k}", "parameters": {"ca": ca, "seed": 9}}
            content["simulations"].append(run)
        path.write_text(json.dumps(content))
        assert self.again(grid_copy, client) == {"more-0", "more-1"}
        assert parameters_of(open_campaign(out)) == {"ca": CA, "seed": (1, 3, 9)}

    @pytest.mark.slow
    def test_a_manifest_that_cannot_be_read_is_told(self, out, grid_copy, client):
        (out / "campaign.hexrecruit.json").write_text("{}")
        with pytest.raises(SimulationDataError, match="remove it to compute the campaign again"):
            self.again(grid_copy, client)

    def test_folders_of_others_are_left_alone(self, grid, tmp_path):
        (tmp_path / "thesis.txt").write_text("precious")
        with pytest.raises(FileExistsError, match="holds other things than a campaign"):
            run_campaign(list_simulations(grid / "campaign.json"), tmp_path)
        with pytest.raises(FileExistsError, match="is a file"):
            run_campaign(list_simulations(grid / "campaign.json"), tmp_path / "thesis.txt")
        assert os.listdir(tmp_path) == ["thesis.txt"]


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A simulation whose end is ragged, with spikes at edges; its configuration and cube."""
    files = simple_files(n_spikes=4_000)
    files.tstop_ms = 103.0
    config = files.write(tmp_path_factory.mktemp("long"))
    return config, recruitment_cube(config, bin_ms=0.5)


class TestWindows:
    @pytest.mark.slow
    def test_windows_give_the_cube_of_the_whole(self, whole, tmp_path, client):
        config, cube = whole
        result = run_campaign(
            list_simulations(config), tmp_path / "out", scheduler=client, split_ms=7.0, bin_ms=0.5
        )
        assert (result.n_done, result.failures) == (1, {})
        assert len(os.listdir(tmp_path / "out" / "cubes")) == 15
        (name,) = parameters_of(open_campaign(tmp_path / "out"))["simulation"]
        assert select_cube(open_campaign(tmp_path / "out"), simulation=name).identical(cube)

    @pytest.mark.slow
    def test_a_ragged_end_is_noted_as_of_the_whole(self, whole, tmp_path, client):
        config, _ = whole
        run_campaign(
            list_simulations(config), tmp_path / "out", scheduler=client, split_ms=40.0, bin_ms=10.0
        )
        cube = recruitment_cube(config, bin_ms=10.0)
        assert "the last 3 ms do not fill a bin" in cube.attrs["notes"]
        assert select_cube(open_campaign(tmp_path / "out")).identical(cube)

    @pytest.mark.slow
    def test_a_window_that_is_lost_is_computed_alone(self, whole, tmp_path, client):
        config, cube = whole
        campaign, out = list_simulations(config), tmp_path / "out"
        run_campaign(campaign, out, scheduler=client, split_ms=20.0, bin_ms=0.5)
        cubes = sorted((out / "cubes").iterdir())
        before = {file.name: file.stat().st_mtime_ns for file in cubes}
        cubes[2].unlink()
        run_campaign(campaign, out, scheduler=client, split_ms=20.0, bin_ms=0.5)
        after = {file.name: file.stat().st_mtime_ns for file in (out / "cubes").iterdir()}
        assert after.keys() == before.keys()
        assert [n for n in after if after[n] != before[n]] == [cubes[2].name]
        assert select_cube(open_campaign(out)).identical(cube)

    def test_windows_of_part_of_a_bin_are_refused(self, whole, tmp_path, client):
        config, _ = whole
        with pytest.raises(ValueError, match=r"windows of 15 ms .* use 10 or 20 ms"):
            run_campaign(
                list_simulations(config), tmp_path / "out", scheduler=client, split_ms=15.0
            )

    @pytest.mark.slow
    def test_a_simulation_whose_windows_cannot_be_planned_fails_alone(self, tmp_path, client):
        for k in range(2):
            write_run(tmp_path / f"r{k}", seed=k)
        campaign = list_simulations(str(tmp_path / "r*"))
        (tmp_path / "r1" / "simulation_config.json").write_text("{")
        result = run_campaign(campaign, tmp_path / "out", scheduler=client, split_ms=20.0)
        assert result.n_done == 1
        assert "is not JSON" in result.failures["r1"]


def test_a_campaign_runs_where_a_client_is_there_already(grid, client, tmp_path):
    """With a client, xarray would ask the scheduler for locks."""
    cube = read_cube(next((grid / "out" / "cubes").iterdir()))
    path = write_cube(cube, tmp_path / "a.hexrecruit.nc")
    assert read_cube(path).identical(cube)


def test_a_job_takes_no_more_threads_than_it_may(tmp_path, client, monkeypatch):
    config, file = simple_files().write(tmp_path), tmp_path / "a.hexrecruit.nc"
    job = CubeJob(
        *(str(config), CubeRecipe(), file),
        allow_empty=False,
        n_threads=1,
        one_of_several=False,
        version=__version__,
    )
    for module in (bin_counter, netcdf_writer):
        monkeypatch.setattr(module, "n_cores", lambda: pytest.fail("asked for all cores"))
    assert isinstance(compute_cube(job), Done)
    assert client.nthreads() and set(client.nthreads().values()) == {1}


def test_cubes_of_the_campaign_are_in_the_folder_that_was_named(grid, monkeypatch, client):
    monkeypatch.chdir(grid)
    result = run_campaign(list_simulations("campaign.json"), "out", scheduler=client, **OPTIONS)
    assert result.n_kept == 4 and result.folder == Path(grid / "out")
