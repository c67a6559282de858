"""The commands of analyses: what they say, what they write, and one line for every mistake."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.support.doubtful import doubtful

from napari_hexrecruit import analysis as an
from napari_hexrecruit import read_cube, recruitment_cube, write_cube
from napari_hexrecruit.cli import app
from napari_hexrecruit.cli._console import run
from napari_hexrecruit.synthetic import Story, write_simulation

pytestmark = doubtful  # most baselines here are short

STORY = Story(n_neurons=5_000, wave="plane", stimuli_ms=(100.0, 400.0), tstop_ms=700.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("run")
    config = write_simulation(made / "run", STORY)
    write_cube(recruitment_cube(config), made / "run.hexrecruit.nc")
    return made


@pytest.fixture
def hexrecruit(folder, tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder; the cube is {cube}."""
    monkeypatch.chdir(tmp_path)

    def command(*words, status=0):
        given = [str(word).replace("{cube}", str(folder / "run.hexrecruit.nc")) for word in words]
        capsys.readouterr()
        got = run(lambda: app(given, prog_name="hexrecruit", standalone_mode=False), debug=False)
        said = capsys.readouterr()
        assert got == status, said.err
        if status:
            assert said.err.startswith("hexrecruit: ") and said.err.count("\n") == 1
            assert not list(tmp_path.iterdir())
            return said.err
        told = said.err.splitlines()  # the story has ten bins or fewer before its stimulus
        assert all(line.startswith("warning: the baseline has ") for line in told), said.err
        return said.out

    return command


@pytest.fixture
def cube(folder):
    return read_cube(folder / "run.hexrecruit.nc")


def names(cube, *positions):
    return ",".join(cube["hex"].to_numpy()[list(positions)].astype(str))


# --- traces ---------------------------------------------------------------------------------------


def test_traces_as_a_table(hexrecruit, cube, tmp_path):
    said = hexrecruit("traces", "{cube}", "--hex", names(cube, 3, 9), "--hex", names(cube, 4))
    table = pd.read_csv(io.StringIO(said))
    expected = an.traces_table(an.hex_traces(cube, [3, 9, 4]))
    assert list(table) == list(expected)
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    hexrecruit("traces", "{cube}", "--hex", names(cube, 3, 9, 4), "-o", "out.csv")
    assert (tmp_path / "out.csv").read_text() == said


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_traces_as_a_picture_the_same_each_time(hexrecruit, cube, tmp_path, ending):
    for name in ("a", "b"):
        said = hexrecruit("traces", "{cube}", "--hex", names(cube, 3, 9), "-o", f"{name}.{ending}")
        assert said == f"{name}.{ending}: 2 hexagons, 70 bins\n"
    one, other = ((tmp_path / f"{name}.{ending}").read_bytes() for name in "ab")
    assert one == other and len(one) > 5_000


# --- compare --------------------------------------------------------------------------------------


def test_two_windows_are_compared(hexrecruit, cube, tmp_path):
    said = hexrecruit(
        *("compare", "{cube}", "-o", "out.hexrecruit.nc", "--names", "first", "second"),
        *("--window", 100, 300, "--with", 400, 600, "--baseline", 0, 100),
    )
    result = read_cube(tmp_path / "out.hexrecruit.nc")
    same = an.compare(
        an.cut(cube, 100.0, 300.0), an.cut(cube, 400.0, 600.0), names=("first", "second")
    )
    for name in ("difference", "ratio", "log2_ratio"):
        np.testing.assert_array_equal(result[name], same[name])
    z = an.z_score(an.cut(cube, 100.0, 300.0), an.cut(cube, 0.0, 100.0))["z_score"]
    np.testing.assert_array_equal(result["z_score"], z)
    largest = float(same["difference"].max())
    assert "Recruited, first − second" in said
    assert f"largest {largest:.3g} percentage points in R" in said


def test_two_cubes_are_compared(hexrecruit, cube, tmp_path, folder):
    other = folder / "inhibitory.hexrecruit.nc"
    if not other.exists():
        config = folder / "run" / "simulation_config.json"
        write_cube(recruitment_cube(config, where="synapse_class=INH"), other)
    said = hexrecruit("compare", "{cube}", other, "-o", "out.hexrecruit.nc", "--json")
    numbers = json.loads(said)
    difference = an.compare(cube, read_cube(other))["difference"]
    for name, extreme in (("largest", difference.max()), ("smallest", difference.min())):
        found = numbers[name]
        assert found["value"] == pytest.approx(float(extreme))
        assert float(difference.sel(hex=found["hex"], time=found["time_ms"])) == found["value"]
    assert numbers["units"] == "percentage points"


@pytest.mark.slow
def test_cubes_without_a_hexagon_in_common_have_no_difference(hexrecruit, cube, tmp_path, folder):
    for name, part in (("left", slice(0, 90)), ("right", slice(90, None))):
        write_cube(cube.isel(hex=part), folder / f"{name}.hexrecruit.nc", overwrite=True)
    words = ("compare", folder / "left.hexrecruit.nc", folder / "right.hexrecruit.nc")
    said = hexrecruit(*words, "-o", "out.hexrecruit.nc")
    assert said == "out.hexrecruit.nc: 200 hexagons, 70 bins; Recruited, A − B\n"
    assert np.isnan(read_cube(tmp_path / "out.hexrecruit.nc")["difference"]).all()
    numbers = json.loads(hexrecruit(*words, "-o", "out.hexrecruit.nc", "--json", "--overwrite"))
    assert numbers["largest"] is None and numbers["smallest"] is None


# --- trials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "onsets", [("--onsets", "100,400"), ("--period", 100, 300), ("--input", "stimulus_*")]
)
def test_trials_of_onsets_however_they_are_given(hexrecruit, cube, tmp_path, onsets):
    said = hexrecruit(
        "trials", "{cube}", "-o", "out.hexrecruit.nc", *onsets, "--before", 50, "--after", 200
    )
    result = read_cube(tmp_path / "out.hexrecruit.nc")
    trials = an.cut_trials(cube, [100.0, 400.0], before=50.0, after=200.0)
    mean = an.trial_mean(trials)
    for name in ("recruitment", "recruitment_sem", "n_spikes"):
        np.testing.assert_array_equal(result[name], mean[name])
    np.testing.assert_array_equal(result["reliability"], an.reliability(trials))
    assert said == "out.hexrecruit.nc: mean of 2 trials, -50 to 200 ms\n"


def test_every_trial_in_a_folder_and_onsets_that_are_left_out(hexrecruit, cube, tmp_path):
    said = hexrecruit(
        *("trials", "{cube}", "-o", "out.hexrecruit.nc", "--onsets", "10,103,400"),
        *("--before", 50, "--after", 200, "--each", "each"),
    )
    assert "left out, as their windows are not inside the cube: 10 ms" in said
    assert "up to 3 ms from the edge of a bin: --exact counts them exactly" in said
    one = read_cube(tmp_path / "each" / "trial-1.hexrecruit.nc")
    assert one.attrs["title"] == "Trial 1 of 2, onset at 400 ms"
    np.testing.assert_array_equal(
        one["n_spikes"], an.cut(cube, 350.0, 600.0)["n_spikes"].to_numpy()
    )


def test_trials_are_counted_exactly(hexrecruit, folder, tmp_path):
    said = hexrecruit(
        *("trials", "{cube}", "-o", "out.hexrecruit.nc", "--onsets", "103", "--exact", "--json"),
        *("--before", 50, "--after", 200),
    )
    numbers = json.loads(said)
    assert numbers["onsets_ms"] == [103.0] and numbers["shifts_ms"] == [0.0]
    assert numbers["median_reliability"] is None
    with h5py.File(folder / "run" / "output" / "spikes.h5") as file:
        times = file["spikes/cortex/timestamps"][:]
    result = read_cube(tmp_path / "out.hexrecruit.nc")
    inside = ((times >= 53.0 - 1e-6) & (times < 303.0 - 1e-6)).sum()
    assert 0 < inside - int(result["n_spikes"].sum()) < 0.05 * inside  # those without a place


# --- maps -----------------------------------------------------------------------------------------


def test_a_map_as_a_table_and_in_a_cube(hexrecruit, cube, tmp_path):
    options = ("--onset", 100, "--until", 350, "--sd", 4, "--baseline", 0, 90)
    said = hexrecruit("map", "{cube}", "latency", *options)
    expected = an.latency(cube, onset=100.0, until=350.0, n_sd=4.0, baseline=(0.0, 90.0))
    table = pd.read_csv(io.StringIO(said))
    np.testing.assert_allclose(table["latency"], expected)
    assert list(table) == ["hex", "x", "y", "n_neurons", "latency"]
    said = hexrecruit("map", "{cube}", "latency", *options, "-o", "out.hexrecruit.nc")
    np.testing.assert_array_equal(read_cube(tmp_path / "out.hexrecruit.nc")["latency"], expected)
    known = int(expected.notnull().sum())
    assert said.startswith(f"out.hexrecruit.nc: Response latency, {known} of 200 hexagons, 0 to ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked", [("peak",), ("correlation", "--hex", "R9;C9"), ("peak", "--metric", "rate")]
)
def test_a_map_as_a_picture(hexrecruit, tmp_path, asked):
    hexrecruit("map", "{cube}", *asked, "-o", "out.png")
    assert len(np.unique(np.asarray(Image.open(tmp_path / "out.png")).reshape(-1, 3), axis=0)) > 50


def test_a_map_of_nothing_says_so(hexrecruit):
    said = hexrecruit(
        "map",
        "{cube}",
        *("latency", "--onset", 10, "--sd", 99, "--baseline", 0, 700),
        "-o",
        "out.csv",
    )
    assert "none of 200 hexagons has a value" in said


# --- waves ----------------------------------------------------------------------------------------


def test_the_wave_of_the_story(hexrecruit, tmp_path):
    said = hexrecruit("wave", "{cube}", "--onset", 100, "--until", 350, "-o", "wave.svg")
    first, *more = said.splitlines()
    assert first.startswith("plane wave: ") and "towards 2" in first
    assert [line.split()[0] for line in more] == ["speed", "direction", "fit"]
    assert (tmp_path / "wave.svg").stat().st_size > 10_000
    numbers = json.loads(hexrecruit("wave", "{cube}", "--onset", 100, "--until", 350, "--json"))
    assert numbers["speed"] == pytest.approx(STORY.speed_um_per_ms, rel=0.03)
    assert numbers["direction"] == pytest.approx(STORY.direction_deg, abs=2.0)


def test_a_radial_wave_has_a_source(hexrecruit, cube, folder):
    x, y = cube["x"].to_numpy(), cube["y"].to_numpy()
    times = np.floor(np.hypot(x - 900.0, y - 700.0) / 100.0)
    made = cube.isel(time=slice(0, 30)).copy(deep=True)
    made["recruitment"][:] = np.where(np.arange(30)[:, None] - 5 == times, 50.0, 0.0)
    write_cube(made, folder / "radial.hexrecruit.nc", overwrite=True)
    said = hexrecruit("wave", folder / "radial.hexrecruit.nc", "--onset", 50)
    assert said.startswith("radial wave: ")
    source = said.splitlines()[2].replace(",", "").split()
    assert source[0] == "source"
    assert np.hypot(float(source[2]) - 900.0, float(source[4]) - 700.0) < 60.0


def test_no_wave_is_an_answer(hexrecruit, tmp_path):
    said = hexrecruit("wave", "{cube}", "--onset", 0, "--until", 90, "-o", "wave.png")
    assert said.startswith("no wave: ") and said.count("\n") == 1
    assert (tmp_path / "wave.png").exists()
    numbers = json.loads(hexrecruit("wave", "{cube}", "--onset", 0, "--until", 90, "--json"))
    assert numbers["is_wave"] is False and numbers["speed"] is None


# --- node sets ------------------------------------------------------------------------------------


def test_hexagons_to_neurons_and_back(hexrecruit, cube, tmp_path):
    picked = names(cube, 3, 4, 50)
    said = hexrecruit("node-set", "{cube}", "--hex", picked, "-o", "sets.json", "--name", "Three")
    n_neurons = int(cube["n_neurons"][[3, 4, 50]].sum())
    assert said == f"sets.json: {n_neurons} neurons in the node set 'Three' of 3 hexagons\n"
    sets = json.loads((tmp_path / "sets.json").read_text())
    assert list(sets) == ["Three"] and sets["Three"]["population"] == "cortex"
    hexrecruit("node-set", "{cube}", "--hex", picked, "-o", "neurons.csv")
    table = pd.read_csv(tmp_path / "neurons.csv")
    assert sorted(table["node_id"]) == sets["Three"]["node_id"]
    assert set(table["hex"]) == set(picked.split(","))
    assert hexrecruit("node-set", "{cube}", "--hex", picked).strip() == picked


def test_node_sets_of_the_circuit_go_into_the_copy(hexrecruit, cube, tmp_path):
    hexrecruit("node-set", "{cube}", "--hex", names(cube, 3), "-o", "sets.json", "--merge")
    sets = json.loads((tmp_path / "sets.json").read_text())
    assert {"Excitatory", "S1HL", "Simulated", "Hexagons"} <= set(sets)


def test_regions_node_sets_and_numbers_choose_hexagons(hexrecruit, cube):
    region = set(hexrecruit("node-set", "{cube}", "--region", "S1HL").strip().split(","))
    exact = STORY.sheet.names[STORY.sheet.region == 1]
    assert region == set(exact)
    within = set(hexrecruit("node-set", "{cube}", "--in", "S1HL", "--share", 0.9).split(","))
    assert {name.strip() for name in within} <= region
    large = hexrecruit("node-set", "{cube}", "--region", "S1HL", "--min-neurons", 25).strip()
    n_neurons = cube["n_neurons"].sel(hex=large.split(","))
    assert (n_neurons >= 25).all() and set(large.split(",")) < region


def test_the_files_of_the_circuit_are_not_replaced(hexrecruit, folder):
    file = folder / "run" / "node_sets.json"
    before = file.read_bytes()
    said = hexrecruit("node-set", "{cube}", "--min-neurons", 1, "-o", file, "--overwrite", status=2)
    assert "belongs to the circuit or the simulation and is not replaced" in said
    assert file.read_bytes() == before


# --- mistakes -------------------------------------------------------------------------------------

ONSETS = ("--before", 50, "--after", 200)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("traces", "{cube}"), "no hexagon is named: give --hex, as in --hex 'R1;C2,R1;C3'"),
        (("traces", "{cube}", "--hex", "R99;C9"), "the cube has no hexagon 'R99;C9'"),
        (("traces", "{cube}", "--hex", "R9;C9", "-o", "x.gif"), "must end in .csv, .png, .svg"),
        (("traces", "x.json", "--hex", "R9;C9"), "x.json: is not a cube: give a .hexrecruit.nc or"),
        (("traces", "x.hexrecruit.nc", "--hex", "R9;C9"), "the file does not exist"),
        (("compare", "{cube}", "-o", "x.hexrecruit.nc"), "nothing to compare with: name another"),
        (
            ("compare", "{cube}", "-o", "x.hexrecruit.nc", "--with", 0, 200),
            "70 bins and the other 20: choose windows of the same length",
        ),
        (("compare", "{cube}", "-o", "x.nc", "--with", 0, 200), "ends in .hexrecruit.nc"),
        (
            ("trials", "{cube}", "-o", "x.hexrecruit.nc", *ONSETS),
            "one of --onsets, --period and --input",
        ),
        (
            ("trials", "{cube}", "-o", "x.hexrecruit.nc", *ONSETS, "--onsets", "a,b"),
            "--onsets must be numbers of ms with commas between, not 'a,b'",
        ),
        (
            ("trials", "{cube}", "-o", "x.hexrecruit.nc", *ONSETS, "--input", "x"),
            "no input is called 'x': the simulation's inputs are stimulus_1, stimulus_2",
        ),
        (("map", "{cube}", "latency"), "the map latency needs --onset"),
        (("map", "{cube}", "correlation"), "the map correlation needs --hex"),
        (("map", "{cube}", "peak", "--sd", 2), "takes --start, --stop, --metric, not --sd"),
        (("map", "{cube}", "latencies"), "map 'latencies' is unknown: use one of"),
        (("map", "{cube}", "cumulative_fraction"), "a cube whose only bin is the whole window"),
        (("wave", "{cube}"), "the map half_peak_latency needs --onset"),
        (("wave", "{cube}", "--onset", 5000), "5000 ms is outside of the cube: 0 to 700 ms"),
        (("node-set", "{cube}"), "give --hex, --in, --region or --min-neurons"),
        (("node-set", "{cube}", "--in", "Nobody"), "there is no node set 'Nobody'"),
        (("node-set", "{cube}", "--region", "V1"), "no region 'V1': use one of"),
        (("node-set", "{cube}", "--in", "S1HL", "--share", 2), "--share must be greater than 0"),
        (("node-set", "{cube}", "--min-neurons", 9999), "no hexagon meets all criteria"),
    ],
)
def test_mistakes_are_one_line(hexrecruit, words, said):
    assert said in hexrecruit(*words, status=2)


def test_a_file_that_is_there_is_replaced_only_when_that_is_asked(hexrecruit, tmp_path, folder):
    (folder / "there.csv").write_text("mine")
    words = ("map", "{cube}", "peak", "-o", folder / "there.csv")
    assert "exists" in hexrecruit(*words, status=2)
    assert (folder / "there.csv").read_text() == "mine"
    hexrecruit(*words, "--overwrite")
    assert (folder / "there.csv").read_text().startswith("hex,x,y")


@pytest.mark.slow
def test_cubes_in_folders_are_taken_and_written(hexrecruit, cube, folder, tmp_path):
    store = folder / "run.hexrecruit.zarr"
    write_cube(cube, store, overwrite=True)
    words = ("--onset", 100, "--until", 350)
    for name in ("latency", "half_peak_latency"):
        same = [hexrecruit("map", source, name, *words) for source in ("{cube}", store)]
        assert same[0] == same[1]
    out = "out.hexrecruit.zarr"
    hexrecruit("trials", store, "-o", out, "--onsets", "100,400", "--before", 50, "--after", 200)
    mean = an.trial_mean(an.cut_trials(cube, [100.0, 400.0], before=50.0, after=200.0))
    made = read_cube(tmp_path / out)
    for name in ("recruitment", "recruitment_sem", "n_spikes"):
        np.testing.assert_array_equal(made[name], mean[name])
    other = "other.hexrecruit.zarr"
    hexrecruit("compare", store, "{cube}", "-o", other)
    assert (read_cube(tmp_path / other)["difference"] == 0.0).any()
    hexrecruit("map", store, "peak", "-o", "peak.hexrecruit.zarr")
    np.testing.assert_array_equal(
        read_cube(tmp_path / "peak.hexrecruit.zarr")["peak"], an.peak(cube)
    )


@pytest.mark.slow
def test_the_onset_of_a_mean_over_trials_is_0(hexrecruit, tmp_path):
    hexrecruit(
        *("trials", "{cube}", "-o", "mean.hexrecruit.nc", "--onsets", "100,400"),
        *("--before", 50, "--after", 200),
    )
    mean = tmp_path / "mean.hexrecruit.nc"
    assert hexrecruit("map", mean, "latency") == hexrecruit("map", mean, "latency", "--onset", 0)
    assert hexrecruit("wave", mean) == hexrecruit("wave", mean, "--onset", 0)
