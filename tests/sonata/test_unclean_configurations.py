"""Windows, runs, populations and notes of configurations that say little, or much at once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.deviations import spikes_file, write
from tests.support.sonata_files import SonataFiles

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit.cli import main
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.pipeline.check import check_simulation
from napari_hexrecruit.pipeline.members import open_recipe
from napari_hexrecruit.recipe import CubeRecipe


def bare(folder, times, kind="f8"):
    """Spikes and circuit without a simulation; each spike is of another neuron."""
    n = len(times)
    columns = {"ss_flat_x": np.zeros(n), "ss_flat_y": np.zeros(n)}
    times = np.asarray(times, dtype=kind)
    SonataFiles(columns=columns, times_ms=times, node_ids=np.arange(n, dtype=np.uint64)).write(
        folder
    )
    return {
        "spikes": folder / "output" / "spikes.h5",
        "circuit": folder / "circuit_config.json",
    }


def answer(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


class TestAnAssumedEnd:
    @pytest.mark.parametrize(
        ("last", "stop"), [(27.0, 30.0), (30.0, 40.0), (29.9999999, 40.0), (0.0, 10.0), (9.9, 10.0)]
    )
    @pytest.mark.parametrize("kind", ["f8", "f4"])
    def test_is_that_of_the_last_spikes_bin(self, tmp_path, last, stop, kind):
        cube = recruitment_cube(open_simulation(**bare(tmp_path, [0.0, last], kind)))
        assert float(cube["time_bounds"][-1, 1]) == stop
        assert int(cube["n_spikes"].sum()) == 2
        assert any(
            "no configuration gives the end" in note for note in json.loads(cube.attrs["notes"])
        )

    @pytest.mark.parametrize(("start", "stop"), [(None, 30.0), (0.0, 100.0), (20.0, 40.0)])
    def test_does_not_limit_the_window(self, tmp_path, start, stop):
        sim = open_simulation(**bare(tmp_path, [5.0, 15.0, 25.0, 27.0]))
        cube = recruitment_cube(sim, start=start, stop=stop)
        assert float(cube["time_bounds"][-1, 1]) == stop
        assert not any("no configuration" in note for note in json.loads(cube.attrs["notes"]))

    def test_a_start_behind_the_last_spike_is_told(self, tmp_path):
        sim = open_simulation(**bare(tmp_path, [5.0, 15.0]))
        with pytest.raises(ValueError, match=r"the last spike, at 15 ms, is before the start"):
            recruitment_cube(sim, start=50.0)


class TestRuns:
    @pytest.mark.parametrize("chosen", [{"run": 2}, {"spikes": True}])
    def test_the_second_has_its_own_window(self, tmp_path, chosen):
        opened, _ = write(tmp_path, "second_run")
        later = tmp_path / "output" / "later.h5"
        given = {"spikes": later} if "spikes" in chosen else chosen
        sim = open_simulation(opened["path"], **given)
        cube = recruitment_cube(sim)
        assert (float(cube["time"][0]), float(cube["time_bounds"][-1, 1])) == (100.0, 200.0)
        assert int(cube["n_spikes"].sum()) == 1
        again = recruitment_cube(open_recipe(CubeRecipe.of(cube)))
        assert again.identical(cube)

    def test_a_window_beyond_the_chosen_run_is_refused(self, tmp_path):
        opened, _ = write(tmp_path, "second_run")
        with pytest.raises(ValueError, match="use times from 100 to 200 ms"):
            recruitment_cube(open_simulation(**opened), start=0.0, stop=100.0)

    def test_spikes_of_an_unknown_run_need_a_window(self, tmp_path):
        opened, _ = write(tmp_path, "second_run")
        moved = (tmp_path / "output" / "later.h5").rename(tmp_path / "moved.h5")
        sim = open_simulation(opened["path"], spikes=moved)
        with pytest.raises(
            SimulationDataError, match=r"choose one with run=, or a window with start= and stop="
        ):
            recruitment_cube(sim)
        cube = recruitment_cube(sim, start=100.0, stop=200.0)
        assert int(cube["n_spikes"].sum()) == 1

    @pytest.mark.parametrize("run", [0, -1, 3])
    def test_others_are_refused(self, tmp_path, run):
        opened, _ = write(tmp_path, "second_run")
        with pytest.raises(SimulationDataError, match="choose run=1 to run=2"):
            open_simulation(opened["path"], run=run)

    def test_a_run_needs_a_configuration(self, tmp_path):
        with pytest.raises(ValueError, match="give one"):
            open_simulation(**bare(tmp_path, [1.0]), run=1)

    def test_the_command_has_the_option(self, tmp_path, capsys):
        opened, _ = write(tmp_path, "second_run")
        output = tmp_path / "a.hexrecruit.nc"
        status, said, _ = answer(capsys, "cube", opened["path"], "--run", "2", "-o", output)
        assert (status, "10 bins of 10 ms" in said) == (0, True)
        status, said, _ = answer(capsys, "info", opened["path"], "--run", "2")
        assert "100 to 200 ms" in said


class TestCheck:
    @pytest.mark.parametrize(
        ("name", "proposal"), [("Cortex", "cortex"), ("cortx", "cortex"), ("", ""), ("V1", "")]
    )
    @pytest.mark.parametrize("as_files", [False, True])
    def test_a_mistyped_population_is_one_error(self, tmp_path, capsys, name, proposal, as_files):
        opened, _ = write(tmp_path)
        words = [opened["path"]]
        if as_files:
            words = ["--spikes", spikes_file(tmp_path)]
            words += ["--circuit", tmp_path / "circuit_config.json"]
        status, said, err = answer(capsys, "check", *words, "--population", name, "--json")
        errors = [finding for finding in json.loads(said) if finding["status"] == "error"]
        assert (status, err, len(errors)) == (1, "", 1)
        assert f"there is no population {name!r}; there are: cortex" in errors[0]["found"]
        mean = f"did you mean --population {proposal}?"
        assert errors[0]["remedy"] == (mean if proposal else "name one of them with --population P")

    def test_glia_and_vessels_are_not_asked_for_flat_positions(self, tmp_path):
        opened, _ = write(tmp_path, "glia")
        found = check_simulation(**opened)
        assert {finding.status for finding in found} == {"OK", "assumption"}
        assert not any("flat" in f.found for f in found if "cortex" not in f.field)

    def test_fields_hold_what_they_say(self, tmp_path):
        opened, _ = write(tmp_path, "units_in_seconds")
        (error,) = [f for f in check_simulation(**opened) if f.status == "error"]
        assert error.file == str(spikes_file(tmp_path))
        assert "has units 's'" in error.found


def test_info_lists_a_population_that_cannot_be_read(tmp_path, capsys):
    opened, _ = write(tmp_path, "broken_sibling")
    status, said, _ = answer(capsys, "info", opened["path"])
    assert status == 0
    assert "population   gone: cannot be read" in said
