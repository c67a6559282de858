"""Flat positions and columns that the nodes file lacks and an atlas gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
import voxcell
from tests.support.atlas_files import VOXEL, letter_flatmap, no_turn, slab_flatmap, write_circuit
from tests.support.sonata_files import POPULATION

from napari_hexrecruit import (
    SimulationDataError,
    cumulative_cube,
    open_simulation,
    read_cube,
    recruitment_cube,
    write_cube,
)
from napari_hexrecruit.pipeline import lookups
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.storage import cache

N_NEURONS = 400


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(cache, "cache_folder", lambda: folder)
    return folder


def positions(n=N_NEURONS, low=0.0, high=100.0):
    x, y, z = np.random.default_rng(0).uniform(low, high, (3, n))
    return {"x": x, "y": y, "z": z}


def columns_volume():
    """Four columns of voxels, i and k in halves, with the ids 7, 9, 3 and 4; j = 0 is in none."""
    raw = np.zeros((10, 10, 10), dtype=np.int64)
    for (i, k), number in zip([(0, 0), (0, 5), (5, 0), (5, 5)], [7, 9, 3, 4], strict=True):
        raw[i : i + 5, 1:, k : k + 5] = number
    return voxcell.VoxelData(raw, (VOXEL,) * 3)


@pytest.fixture
def config(tmp_path):
    volumes = {"flatmap": slab_flatmap(), "columns": columns_volume()}
    return write_circuit(tmp_path / "sim", positions(), volumes)


@pytest.fixture
def sim(config):
    return open_simulation(config)


def pixels_of(sim):
    """Pixel of each neuron, and which have one."""
    x, z = (np.floor(sim.column(POPULATION, axis) / VOXEL) for axis in "xz")
    return x, z, z < 9


def notes_of(cube):
    return json.loads(cube.attrs["notes"])


def test_flat_columns_come_from_the_atlas(sim):
    x, z, inside = pixels_of(sim)
    np.testing.assert_array_equal(sim.column(POPULATION, "flat_x")[inside], x[inside])
    np.testing.assert_array_equal(sim.column(POPULATION, "flat_y")[inside], z[inside])
    cube = recruitment_cube(sim, flat=("flat_x", "flat_y"), radius=3.0)
    assert cube.attrs["n_neurons_without_place"] == np.count_nonzero(~inside)
    assert cube.attrs["flat_units"] == "pixel"
    assert cube["n_neurons"].sum() == np.count_nonzero(inside)
    assert "flat_x and flat_y were computed from the circuit's atlas" in cube.attrs["notes"]


def test_flat_columns_are_those_of_conntility(sim):
    from conntility.circuit_models.neuron_groups.extra_properties import flat_locations

    frame = {axis: sim.column(POPULATION, axis) for axis in "xyz"}
    import pandas as pd

    volume = voxcell.VoxelData.load_nrrd(sim.atlas_file("flatmap"))
    theirs = flat_locations(pd.DataFrame(frame), None, fm=volume)
    for name in ("flat_x", "flat_y"):
        np.testing.assert_array_equal(sim.column(POPULATION, name), theirs[name])


class TestLookUp:
    @pytest.mark.parametrize("flat", ["atlas", "atlas:flatmap", "atlas:flatmap.nrrd", "path"])
    def test_of_the_circuit_or_a_file(self, sim, flat):
        flat = sim.atlas_file("flatmap") if flat == "path" else flat
        cube = recruitment_cube(sim, flat=flat, radius=3.0)
        by_columns = recruitment_cube(sim, flat=("flat_x", "flat_y"), radius=3.0)
        np.testing.assert_array_equal(cube["n_recruited"], by_columns["n_recruited"])
        assert cube.attrs["flat_units"] == "pixel"
        assert json.loads(cube.attrs["recipe"])["flat"] == str(sim.atlas_file("flatmap"))

    def test_neurons_outside_are_counted(self, tmp_path):
        neurons = positions(high=120.0)
        neurons["x"][:3] = [np.nan, np.inf, -5.0]
        config = write_circuit(tmp_path / "out", neurons, {"flatmap": slab_flatmap()})
        cube = recruitment_cube(config, flat="atlas", radius=3.0)
        x, y, z = neurons.values()
        with np.errstate(invalid="ignore"):
            in_box = (x >= 0) & (x < 100) & (y < 100) & (z < 100)
        n_outside, n_nowhere = np.sum(~in_box), np.sum(in_box & (z >= 90))
        assert n_outside > 3 and n_nowhere > 3
        said = f"of {N_NEURONS} neurons {n_outside} lie outside of its box and {n_nowhere} where"
        assert any(said in note for note in notes_of(cube))
        assert cube.attrs["n_neurons_without_place"] == n_outside + n_nowhere

    @pytest.mark.parametrize(("radius", "warned"), [(2.9, True), (3.0, False), (8.0, False)])
    def test_a_radius_under_three_pixels_is_noted(self, sim, radius, warned):
        cube = recruitment_cube(sim, flat="atlas", radius=radius)
        found = [note for note in notes_of(cube) if "under three pixels" in note]
        assert len(found) == warned
        assert all("use at least 3" in note for note in found)

    def test_micrometres_are_told_from_pixels(self, tmp_path):
        volume = slab_flatmap()
        volume = volume.with_data(np.where(volume.raw == -1, -1.0, volume.raw * 10.25))
        config = write_circuit(tmp_path / "um", positions(), {"flatmap": volume})
        cube = recruitment_cube(config, flat="atlas", radius=20.0)
        assert cube.attrs["flat_units"] == "um"
        assert any("under three voxels of the flatmap (30 um)" in note for note in notes_of(cube))

    def test_progress(self, sim):
        calls = []
        recruitment_cube(sim, flat="atlas", radius=3.0, progress=lambda *call: calls.append(call))
        assert ("reading flatmap.nrrd", 1000, 1000) in calls
        assert ("looking up in flatmap.nrrd", N_NEURONS, N_NEURONS) in calls

    def test_the_cube_can_be_computed_again(self, sim):
        cube = recruitment_cube(sim, flat="atlas", radius=3.0)
        so_far = cumulative_cube(sim, flat="atlas", radius=3.0)
        np.testing.assert_array_equal(so_far["n_recruited"][-1], cube["n_neurons"])
        members = cube_members(sim, cube)
        assert members.hex_names().tolist() == cube["hex"].to_numpy().tolist()

    def test_any_two_columns_are_a_plane(self, sim):
        cube = recruitment_cube(sim, flat=("x", "z"), radius=20.0)
        assert cube.attrs["flat_units"] == "um"
        assert cube.attrs["n_neurons_without_place"] == 0


class TestCache:
    def test_the_second_time_nothing_is_looked_up(self, config, monkeypatch, cache_folder):
        first = recruitment_cube(config, flat="atlas", radius=3.0)
        monkeypatch.setattr(lookups, "read_flatmap", lambda *_, **__: pytest.fail("read again"))
        second = recruitment_cube(config, flat="atlas", radius=3.0)
        assert second.identical(first)
        assert [path.suffix for path in cache_folder.iterdir()] == [".npz"]

    @pytest.mark.parametrize("at", [0, 100, -2000, -1])
    def test_a_damaged_file_is_computed_again(self, config, cache_folder, at):
        first = recruitment_cube(config, flat="atlas", radius=3.0)
        (file,) = cache_folder.iterdir()
        damaged = bytearray(file.read_bytes())
        damaged[at] ^= 0xFF
        file.write_bytes(damaged)
        assert recruitment_cube(config, flat="atlas", radius=3.0).identical(first)

    @pytest.mark.parametrize("left", [0, 1, 1000])
    def test_a_short_file_is_computed_again(self, config, cache_folder, left):
        first = recruitment_cube(config, flat="atlas", radius=3.0)
        (file,) = cache_folder.iterdir()
        whole = file.read_bytes()
        file.write_bytes(whole[:left])
        assert recruitment_cube(config, flat="atlas", radius=3.0).identical(first)
        assert file.stat().st_size == len(whole)

    def test_a_file_of_something_else_is_not_believed(self, config, cache_folder):
        first = recruitment_cube(config, flat="atlas", radius=3.0)
        recruitment_cube(config, flat="atlas", column_atlas="atlas:columns")
        files = sorted(cache_folder.iterdir())
        contents = [file.read_bytes() for file in files]
        for file, content in zip(files, [*contents[1:], contents[0]], strict=True):
            file.write_bytes(content)
        assert recruitment_cube(config, flat="atlas", radius=3.0).identical(first)

    def test_another_atlas_is_looked_up(self, config, tmp_path):
        first = recruitment_cube(config, flat="atlas", radius=3.0)
        moved = slab_flatmap()
        moved.raw[:, :, :9] += 20
        moved.save_nrrd(str(tmp_path / "sim" / "atlas" / "flatmap.nrrd"))
        second = recruitment_cube(config, flat="atlas", radius=3.0)
        assert second["x"].min() > first["x"].max()

    def test_without_a_folder_to_write_it_works_all_the_same(
        self, config, tmp_path, monkeypatch, caplog
    ):
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file" / "cache")
        assert recruitment_cube(config, flat="atlas", radius=3.0)["n_neurons"].sum() > 0
        assert "cannot be stored" in caplog.text

    def test_what_was_not_used_for_longest_makes_room(self, cache_folder, monkeypatch):
        monkeypatch.setattr(cache, "_MOST_BYTES", 30_000)
        made = []

        def get(name):
            def compute():
                made.append(name)
                return {"a": np.zeros(1000)}

            return cache.cached_arrays({"name": name}, compute)["a"]

        for name in "abcab":
            assert len(get(name)) == 1000
        assert made == ["a", "b", "c"]
        get("d")
        get("e")
        assert sum(file.stat().st_size for file in cache_folder.iterdir()) < 30_000
        get("e")
        assert made == ["a", "b", "c", "d", "e"]


class TestConntility:
    @pytest.fixture
    def config(self, tmp_path):
        flatmap = slab_flatmap()
        volumes = {"flatmap": flatmap, "orientation": no_turn(flatmap)}
        return write_circuit(tmp_path / "sim", positions(high=110.0), volumes)

    def test_positions_are_half_a_voxel_off(self, config, tmp_path):
        """What conntility computes for a neuron counts from the *corners* of voxels.

        So it is on average half a voxel from what its own supersampled volume has for that voxel.
        """
        from conntility.flatmapping.supersampling import supersample_flatmap

        sim = open_simulation(config)
        x, y = (sim.column(POPULATION, name) for name in ("ss_flat_x", "ss_flat_y"))
        flatmap, turn = (
            voxcell.VoxelData.load_nrrd(sim.atlas_file(name)) for name in ("flatmap", "orientation")
        )
        supersample_flatmap(flatmap, turn).save_nrrd(str(tmp_path / "ss.nrrd"))
        looked_up = lookups.look_up(sim, POPULATION, tmp_path / "ss.nrrd", None)
        inside = np.flatnonzero(lookups.has_place(x, y, outside_value=True))
        assert inside.size > 200
        for found, axis, own in ((x, "x", "x"), (y, "y", "z")):
            position = sim.column(POPULATION, own)[inside]
            in_voxel = position - VOXEL * np.floor(position / VOXEL)
            np.testing.assert_allclose(found[inside] - looked_up[axis][inside], in_voxel, atol=1e-4)
            assert abs(np.mean(found[inside] - looked_up[axis][inside]) - VOXEL / 2) < 0.5

    def test_neurons_outside_are_counted(self, config, capsys):
        cube = recruitment_cube(config, radius=60.0)
        x, y, z = positions(high=110.0).values()
        outside = (x >= 100) | (y >= 100) | (z >= 100)
        assert cube.attrs["n_neurons_without_place"] == np.sum(outside | (z >= 90))
        assert any(f"{outside.sum()} lie outside of its box" in note for note in notes_of(cube))
        assert capsys.readouterr().out == ""

    def test_depth_of_the_nodes_file_is_not_replaced(self, tmp_path):
        flatmap = slab_flatmap()
        volumes = {"flatmap": flatmap, "orientation": no_turn(flatmap)}
        depth = np.arange(N_NEURONS, dtype=np.float64)
        config = write_circuit(tmp_path / "depth", positions() | {"depth": depth}, volumes)
        sim = open_simulation(config)
        sim.column(POPULATION, "ss_flat_x")
        np.testing.assert_array_equal(sim.column(POPULATION, "depth"), depth)

    def test_all_outside(self, tmp_path):
        flatmap = slab_flatmap()
        volumes = {"flatmap": flatmap, "orientation": no_turn(flatmap)}
        config = write_circuit(tmp_path / "far", positions(low=500.0, high=600.0), volumes)
        with pytest.raises(ValueError, match="none of the 400 neurons has a flat position"):
            recruitment_cube(config)

    def test_a_flatmap_of_micrometres_needs_no_supersampling(self, tmp_path):
        volume = slab_flatmap()
        volume = volume.with_data(np.where(volume.raw == -1, -1.0, volume.raw * 10.25))
        volumes = {"flatmap": volume, "orientation": no_turn(volume)}
        config = write_circuit(tmp_path / "um", positions(), volumes)
        with pytest.raises(SimulationDataError, match="give flat='atlas'"):
            recruitment_cube(config)

    def test_a_flatmap_with_depth_is_refused_in_one_line(self, tmp_path):
        volume = slab_flatmap()
        volume = volume.with_data(np.repeat(volume.raw, [1, 2], axis=-1))
        config = write_circuit(
            tmp_path / "three", positions(), {"flatmap": volume, "orientation": no_turn(volume)}
        )
        with pytest.raises(SimulationDataError, match="conntility cannot supersample") as error:
            recruitment_cube(config)
        assert "\n" not in str(error.value)


class TestColumns:
    def test_columns_take_the_place_of_hexagons(self, sim):
        cube = recruitment_cube(sim, flat="atlas", column_atlas="atlas:columns")
        x, z, placed = pixels_of(sim)
        in_column = sim.column(POPULATION, "y") >= VOXEL
        expected = {
            number: np.sum(in_column & (x // 5 == i) & (z // 5 == k))
            for number, (i, k) in {"7": (0, 0), "9": (0, 1), "3": (1, 0), "4": (1, 1)}.items()
        }
        found = dict(
            zip(cube["hex"].to_numpy().tolist(), cube["n_neurons"].to_numpy(), strict=True)
        )
        assert found == expected
        assert cube.attrs["n_neurons_without_place"] == np.sum(~in_column)
        assert any(f"{np.sum(~in_column)} are in no column" in note for note in notes_of(cube))
        assert placed[in_column].sum() < in_column.sum()  # column 9 and 4 reach beyond the flatmap

    def test_centres_are_medians_of_voxels(self, sim):
        cube = recruitment_cube(sim, flat="atlas", column_atlas="atlas:columns")
        names = cube["hex"].to_numpy()
        found = {
            str(n): (float(x), float(y)) for n, x, y in zip(names, cube.x, cube.y, strict=True)
        }
        assert found == {"7": (2, 2), "9": (2, 6.5), "3": (7, 2), "4": (7, 6.5)}

    def test_centres_are_medians_of_neurons_where_flat_is_two_columns(self, sim):
        cube = recruitment_cube(sim, flat=("x", "z"), column_atlas="atlas:columns")
        x, z, _ = pixels_of(sim)
        member = (sim.column(POPULATION, "y") >= VOXEL) & (x < 5) & (z < 5)
        seven = cube.sel(hex="7")
        assert float(seven.x) == np.median(sim.column(POPULATION, "x")[member])
        assert float(seven.y) == np.median(sim.column(POPULATION, "z")[member])

    def test_the_rest_of_the_contract_holds(self, sim, tmp_path):
        cube = recruitment_cube(sim, flat="atlas", column_atlas="atlas:columns", where="x=0:50")
        assert sorted(cube["hex"].to_numpy().tolist()) == ["7", "9"]
        whole = recruitment_cube(sim, flat="atlas", column_atlas="atlas:columns")
        assert cube.attrs["hex_radius"] == whole.attrs["hex_radius"]
        order = np.lexsort((whole["col"], whole["row"]))
        np.testing.assert_array_equal(order, np.arange(4))
        assert ((whole["j"] - whole["i"]) % 3 == 0).all()
        file = write_cube(whole, tmp_path / "columns.hexrecruit.nc")
        assert read_cube(file).identical(whole)
        so_far = cumulative_cube(sim, flat="atlas", column_atlas="atlas:columns")
        np.testing.assert_array_equal(so_far["n_recruited"][-1], so_far["n_neurons"])
        assert so_far["hex"].equals(whole["hex"])

    def test_a_column_without_a_flat_position_is_left_out(self, tmp_path):
        columns = columns_volume()
        columns.raw[:, :, 9] = 5
        volumes = {"flatmap": slab_flatmap(), "columns": columns}
        config = write_circuit(tmp_path / "five", positions(), volumes)
        cube = recruitment_cube(config, flat="atlas", column_atlas="atlas:columns")
        assert "5" not in cube["hex"].to_numpy()


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"flat": "atlas:nothing"}, "has no nothing.nrrd; there are: columns, flatmap"),
            ({"flat": "flat_x"}, "'atlas', 'atlas:NAME' or an nrrd file, not 'flat_x'"),
            ({"flat": ("x", "y", "z")}, "names of two columns, 'atlas'"),
            ({"flat": "nowhere.nrrd"}, "nowhere.nrrd: does not exist"),
            ({"flat": "atlas:columns"}, "1 components a voxel; a flatmap has 2"),
            ({"flat": "atlas", "column_atlas": "atlas"}, "column_atlas must be 'atlas:NAME'"),
            ({"flat": "atlas", "column_atlas": "atlas:flatmap"}, "2 components a voxel"),
        ],
    )
    def test_are_one_line(self, sim, options, message):
        with pytest.raises(ValueError, match=message) as error:
            recruitment_cube(sim, radius=3.0, **options)
        assert "\n" not in str(error.value)

    def test_no_atlas(self, tmp_path):
        config = write_circuit(tmp_path / "none", positions(), atlas_dir=None)
        with pytest.raises(SimulationDataError, match=r"names no atlas.*atlas_dir"):
            recruitment_cube(config, flat="atlas")

    def test_a_missing_folder(self, tmp_path):
        config = write_circuit(tmp_path / "gone", positions())
        with pytest.raises(SimulationDataError, match="folder of the atlas does not exist"):
            recruitment_cube(config, flat="atlas")

    def test_an_atlas_beside_the_node_sets_is_found(self, tmp_path):
        volumes = {"flatmap": slab_flatmap()}
        config = write_circuit(tmp_path / "beside", positions(), volumes, atlas_dir=None)
        assert recruitment_cube(config, flat="atlas", radius=3.0)["n_neurons"].sum() > 0

    def test_no_positions(self, tmp_path):
        columns = {"x": np.zeros(5), "y": np.zeros(5)}
        config = write_circuit(tmp_path / "flat", columns, {"flatmap": slab_flatmap()})
        with pytest.raises(SimulationDataError, match=r"no positions to look up.*z missing"):
            recruitment_cube(config, flat="atlas")

    def test_an_atlas_that_lacks_what_is_needed(self, sim):
        with pytest.raises(SimulationDataError, match="atlas does not give it") as error:
            recruitment_cube(sim)  # supersampling needs an orientation field, which is not there
        assert "\n" not in str(error.value)
        assert "orientation.nrrd" in str(error.value)

    def test_a_cube_of_another_simulation(self, sim, tmp_path):
        cube = recruitment_cube(sim, flat="atlas", radius=3.0)
        other = write_circuit(tmp_path / "o", positions(50), {"flatmap": slab_flatmap()})
        with pytest.raises(ValueError, match="do not give the hexagons of the cube"):
            cube_members(other, cube)
        with pytest.raises(ValueError, match="recipe lacks flat, node_set"):
            cube_members(sim, cube.assign_attrs(recipe="{}"))


def test_a_letter_keeps_its_shape_through_the_pipeline(tmp_path):
    """Neurons in the voxels of an F are in the hexagons of an F."""
    flatmap = letter_flatmap()
    voxels = np.argwhere(flatmap.raw[..., 0] != -1)
    x, y, z = flatmap.indices_to_positions(voxels + 0.5).T
    config = write_circuit(tmp_path / "f", {"x": x, "y": y, "z": z}, {"flatmap": flatmap})
    cube = recruitment_cube(config, flat="atlas", radius=0.5)
    found = {(round(float(x)), round(float(y))) for x, y in zip(cube.x, cube.y, strict=True)}
    stem, top, middle = {(0, y) for y in range(6)}, {(x, 5) for x in range(4)}, {(1, 3), (2, 3)}
    assert found == stem | top | middle
