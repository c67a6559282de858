"""Cubes of reports: every layout, statistic and bin against ten lines of numpy; bad files."""

from __future__ import annotations

import json
import os

import h5py
import numpy as np
import pytest
from tests.support.report_files import LAYOUTS, name_report, write_report

from napari_hexrecruit import read_cube, recruitment_cube, write_cube
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.pipeline.check import check_simulation
from napari_hexrecruit.pipeline.members import cube_members
from napari_hexrecruit.sonata import open_simulation
from napari_hexrecruit.sonata.info import simulation_info
from napari_hexrecruit.synthetic import write_simulation

N, T, DT = 400, 240, 0.5


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = write_simulation(tmp_path_factory.mktemp("reports") / "run", n_neurons=N)
    name_report(path, unit="mV")
    return path


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(3).normal(-60.0, 8.0, (T, N)).astype(np.float32)


def reference(values, members, statistic, bin_ms, start=0.0):
    """(n_bins, n_hexes); column k of the values is neuron k."""
    per_bin, first = round(bin_ms / DT), round(start / DT)
    n_bins = (len(values) - first) // per_bin
    frames = values[first : first + n_bins * per_bin].astype(np.float64)
    means = frames.reshape(n_bins, per_bin, -1).mean(axis=1)
    of_hex = [means[:, members.hex_of_neuron == h] for h in range(len(members.i))]
    take = {
        "mean": lambda v: v.mean(axis=1),
        "sd": lambda v: v.std(axis=1),
        "min": lambda v: v.min(axis=1),
        "max": lambda v: v.max(axis=1),
        "above:-61.5": lambda v: 100 * (v > -61.5).mean(axis=1),
    }[statistic]
    return np.stack([take(v) for v in of_hex], axis=1)


@pytest.mark.parametrize("statistic", ["mean", "sd", "min", "max", "above:-61.5"])
@pytest.mark.parametrize("bin_ms", [0.5, 7.5, 10.0])
def test_a_statistic_is_that_of_numpy(config, values, tmp_path, statistic, bin_ms):
    file = write_report(tmp_path / "soma_v.h5", values)
    cube = recruitment_cube(config, report=file, statistic=statistic, bin_ms=bin_ms)
    expected = reference(values, cube_members(config, cube), statistic, bin_ms)
    name = f"soma_v_{statistic.replace(':', '_')}"
    np.testing.assert_allclose(cube[name], expected, rtol=1e-6, atol=1e-5)
    assert cube[name].attrs["units"] == ("%" if "above" in statistic else "mV")
    assert list(cube.data_vars) == [name]
    assert cube.attrs["schema_version"] == 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_same_numbers(config, values, tmp_path, layout):
    """Of neurons in any order, with dendrites behind and before the soma."""
    rng = np.random.default_rng(5)
    ids, n_each = rng.permutation(N), rng.integers(1, 4, N)
    at = np.append(0, np.cumsum(n_each)[:-1]) + rng.integers(0, n_each)
    elements = np.ones(n_each.sum(), int)
    elements[at] = 0
    wide = np.zeros((T, len(elements)), np.float32)
    wide[:, at] = values[:, ids]
    file = write_report(
        tmp_path / "soma_v.h5", wide, layout=layout, ids=ids, n_each=n_each, elements=elements
    )
    whose = "cortex" if layout == "old" else None
    cube = recruitment_cube(config, report=file, start=20.0, population=whose)
    expected = reference(values, cube_members(config, cube), "mean", 10.0, start=20.0)
    np.testing.assert_allclose(cube["soma_v_mean"], expected, rtol=1e-6)
    assert cube["soma_v_mean"].attrs["units"] == ("unknown" if layout in ("bmtk", "old") else "mV")
    notes = json.loads(cube.attrs["notes"])
    assert any("element 0" in note for note in notes)
    assert any("old layout" in note for note in notes) == (layout == "old")


def test_what_is_not_recorded_is_left_out_and_reported(config, values, tmp_path):
    """A report by name, of half of the neurons, from 30 ms on; the rest of the last bin too."""
    some = np.arange(0, N, 2)
    output = config.parent / "output"
    write_report(output / "soma_v.h5", values[:, some], ids=some, time=(30.0, 150.0, DT))
    sim = open_simulation(config)
    cube = recruitment_cube(sim, report="soma_v", bin_ms=25.0, min_neurons=2)
    assert cube["time"].values.tolist() == [30.0, 55.0, 80.0, 105.0]
    notes = json.loads(cube.attrs["notes"])
    assert any("does not record" in note for note in notes)
    assert any("last 20 ms" in note for note in notes)
    assert int(cube["n_neurons"].sum()) == (
        cube.attrs["n_neurons_selected"] - cube.attrs["n_neurons_without_place"]
    )
    few = cube["n_neurons"].values < 2
    assert np.isnan(cube["soma_v_mean"].values[:, few]).all()
    assert np.isfinite(cube["soma_v_mean"].values[:, ~few]).all()
    (found,) = simulation_info(sim)["reports"]
    assert (found["name"], found["n_neurons"], found["units"]) == ("soma_v", N // 2, "mV")
    told = [finding.sentence for finding in check_simulation(config)]
    assert any("report 'soma_v': 200 neurons of 'cortex', 30 to 150 ms" in one for one in told)
    file = write_cube(cube, tmp_path / "v.hexrecruit.nc")
    assert read_cube(file).identical(cube)
    os.remove(output / "soma_v.h5")
    (found,) = simulation_info(sim)["reports"]
    assert "does not exist" in found["error"]
    assert {f.status for f in check_simulation(config) if "soma_v" in f.sentence} == {"assumption"}


BAD = {
    "no mapping": (lambda g: g.pop("mapping"), "has no group 'mapping'"),
    "no pointers": (lambda g: g["mapping"].pop("index_pointers"), "has no 'index_pointers'"),
    "pointers": (lambda g: put(g, "index_pointers", 3, 5_000), "do not fit 400 neurons"),
    "elements": (lambda g: replace(g, "element_ids", np.zeros(7, "u4")), "7 element_ids"),
    "strangers": (lambda g: put(g, "node_ids", 9, 5_000), "1 ids, such as 5000, that population"),
    "twice": (lambda g: put(g, "node_ids", 9, 4), "lists neuron 4 twice"),
    "truncated": (lambda g: replace_data(g, g["data"][:100]), "has 100 frames, and its times"),
    "nan": (lambda g: put_nan(g), "of neuron 7 that is not finite, in the bin from 50 ms"),
    "no time": (lambda g: g["mapping"].pop("time"), "has no 'mapping/time'"),
    "seconds": (lambda g: g["mapping"]["time"].attrs.modify("units", "s"), "is in 's'"),
    "one row": (lambda g: replace_data(g, g["data"][0]), "not numbers (frame, element)"),
    "compartments": (lambda g: dendrites(g), "none with element_id 0, the soma"),
}


def put(group, name, at, value):
    group["mapping"][name][at] = value


def replace(group, name, values):
    del group["mapping"][name]
    group["mapping"][name] = values


def replace_data(group, values):
    del group["data"]
    group["data"] = values


def put_nan(group):
    group["data"][101, 7] = np.nan


def dendrites(group):
    pointers = np.append(np.arange(N - 1), [N - 1, N])
    pointers[1] = 0
    replace(group, "index_pointers", pointers.astype("u8"))
    replace(group, "element_ids", np.full(N, 3, "u4"))
    pointers[1], pointers[2] = 0, 2
    group["mapping"]["index_pointers"][:3] = [0, 0, 2]


@pytest.mark.parametrize("name", BAD)
def test_bad_reports_are_refused_in_one_line(config, values, tmp_path, name):
    damage, said = BAD[name]
    file = write_report(tmp_path / "soma_v.h5", values)
    with h5py.File(file, "r+") as opened:
        damage(opened["report/cortex"])
    with pytest.raises(SimulationDataError) as error:
        recruitment_cube(config, report=file)
    assert said in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_questions_that_cannot_be_answered(config, values, tmp_path):
    file = write_report(tmp_path / "soma_v.h5", values)
    for options, said in (
        ({"bin_ms": 0.75}, "use 0.5 or 1 ms"),
        ({"bin_ms": 0.2}, "use 0.5 ms"),
        ({"start": 50.0, "stop": 500.0}, "use times from 0 to 120 ms"),
        ({"statistic": "median"}, "must be mean, sd, min, max or above:LEVEL"),
        ({"statistic": "above:high"}, "above:LEVEL"),
        ({"cumulative": True}, "a report has no spikes"),
        ({"population": "thalamus"}, "has no population 'thalamus'; it is of: cortex"),
    ):
        with pytest.raises(ValueError, match=r".") as error:
            recruitment_cube(config, report=file, **options)
        assert said in str(error.value)
    with pytest.raises(ValueError, match=r"names no report 'soma_w'.*did you mean report='soma_v'"):
        recruitment_cube(config, report="soma_w")
    with pytest.raises(ValueError, match="statistic is one of a report"):
        recruitment_cube(config, statistic="sd")
