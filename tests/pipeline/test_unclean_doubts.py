"""Counts that cannot be meant: of nothing, of other ids, of times in other units; at every door."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.support.sonata_files import POPULATION, SonataFiles

from napari_hexrecruit import (
    RecruitmentWarning,
    cumulative_cube,
    large_cube,
    list_simulations,
    open_campaign,
    open_simulation,
    recruitment_cube,
    run_campaign,
    select_cube,
)
from napari_hexrecruit._napari.recruitment.request import Request, cubes_of
from napari_hexrecruit.cli import main
from napari_hexrecruit.doubts import Ids, Tally, Times, doubts
from napari_hexrecruit.errors import ParameterError
from napari_hexrecruit.pipeline.check import check_simulation
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.synthetic import write_simulation

N = 60


def command(*arguments):
    """Exit status of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


# --- the rules alone -----------------------------------------------------------------------------


USUAL, USUAL_TIMES, USUAL_IDS = (
    Tally(1000, 1000, 0, 2990.0),
    Times(0.5, 2999.0, 0),
    Ids(0, 99, 0, 99),
)


@dataclass(frozen=True)
class Known:
    """Facts of a simulation in which nothing is doubtful."""

    where: str = "spikes.h5"
    n_neurons: int = 100
    window_ms: tuple[float, float] = (0.0, 3000.0)
    run_ms: tuple[float, float] = (0.0, 3000.0)
    tally: Tally = USUAL
    times: Times = USUAL_TIMES
    ids: Ids = USUAL_IDS
    only_neuron_0_is_silent: bool = False
    why_not_counted: str = "nobody fires"


def test_nothing_is_doubtful():
    assert doubts(Known()) == ([], [])


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"tally": Tally(0, 0, 0, None)}, "silent", "there are no spikes"),
        (
            {"tally": Tally(9, 0, 0, None), "times": Times(5000.0, 6000.0, 9)},
            "window",
            "none of the 9 spikes is between 0 and 3000 ms; they are at 5000 to 6000 ms",
        ),
        (
            {"tally": Tally(9, 0, 0, None), "times": Times(2e4, 2.9e6, 9)},
            "window",
            "as if they were microseconds",
        ),
        (
            {
                "tally": Tally(9, 0, 0, None),
                "times": Times(0.1, 2.9, 0),
                "window_ms": (100.0, 3000.0),
            },
            "window",
            "as if they were seconds",
        ),
        ({"tally": Tally(9, 0, 0, None), "times": Times(None, None, 9)}, "window", "not numbers"),
        (
            {"tally": Tally(9, 9, 9, None), "ids": Ids(1000, 1029, 0, 99)},
            "ids",
            "the population lacks the ids of all 9 spikes in the window (they run from 1000 to"
            " 1029, those of the neurons from 0 to 99)",
        ),
        ({"tally": Tally(9, 9, 3, None)}, "neurons", "nobody fires"),
    ],
)
def test_nothing_counted_is_an_error_with_its_cause(changes, kind, said):
    errors, suspicious = doubts(replace(Known(), **changes))
    assert [doubt.kind for doubt in errors] == [kind]
    assert "nothing is counted, since" in errors[0].found
    assert said in errors[0].found
    assert suspicious == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tally": Tally(1000, 1000, 11, 2990.0), "ids": Ids(0, 120, 0, 99)}, "11 of 1,000 spikes"),
        ({"tally": Tally(1000, 1000, 501, 2990.0)}, "501 of 1,000 spikes, most of them, have ids"),
        ({"tally": Tally(1000, 1000, 1, 2990.0), "ids": Ids(1, 100, 0, 99)}, "counted from 1"),
        ({"tally": Tally(1000, 1000, 9, 2990.0), "ids": Ids(4, 100, 0, 99)}, "counted from 1"),
        ({"only_neuron_0_is_silent": True}, "neuron 0 alone never fires"),
        (
            {"tally": Tally(1000, 499, 0, 2990.0), "times": Times(0.0, 9000.0, 501)},
            "501 of 1,000 spikes are not between 0 and 3000 ms",
        ),
        (
            {"tally": Tally(300, 300, 0, 0.0), "times": Times(0.0, 3.0, 0)},
            "all 300 spikes are in the first 3 of 3000 ms, as if their times were seconds",
        ),
        (
            {"run_ms": (0.0, 3.0), "tally": Tally(3001, 3001, 0, 2.0), "times": Times(0, 3, 0)},
            "10 times per ms on average, as if the times were seconds",
        ),
    ],
)
def test_what_is_suspicious(changes, said):
    errors, suspicious = doubts(replace(Known(), **changes))
    assert errors == []
    assert len(suspicious) == 1
    assert said in str(suspicious[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"tally": Tally(1000, 1000, 10, 2990.0), "ids": Ids(0, 120, 0, 99)},  # 1 % are strays
        {"tally": Tally(1000, 1000, 9, 2990.0), "ids": Ids(0, 100, 0, 99)},  # 0 fires
        {"tally": Tally(1000, 20, 0, 110.0), "window_ms": (100.0, 120.0)},  # a window
        {"tally": Tally(300, 300, 0, 0.0), "times": Times(0.0, 9.0, 0)},  # an early burst
        {"tally": Tally(300, 40, 0, 0.0), "times": Times(0.0, 2999.0, 0)},  # a window at 0
        {"n_neurons": 1, "tally": Tally(5, 5, 0, 2990.0)},
        {"run_ms": (0.0, 2.0), "n_neurons": 1, "tally": Tally(3, 3, 0, 1.0)},  # too few to judge
    ],
)
def test_what_is_not_suspicious(changes):
    assert doubts(replace(Known(), **changes)) == ([], [])


# --- files ---------------------------------------------------------------------------------------


def files(**changes):
    """Three hexagons of neurons, and neurons without a place; 200 spikes."""
    rng = np.random.default_rng(3)
    x = np.repeat([0.0, 87.0, 174.0, np.nan], N // 4)
    usual = SonataFiles(
        columns={"ss_flat_x": x, "ss_flat_y": np.zeros(N), "layer": np.arange(N) % 3},
        times_ms=np.sort(rng.uniform(0, 100, 200)),
        node_ids=rng.integers(0, N, 200).astype(np.uint64),
        node_sets={"few": {"population": POPULATION, "node_id": [0, 1, 2]}},
        sorting=2,
    )
    return replace(usual, **changes)


def ids(low, high, n=200):
    return np.random.default_rng(4).integers(low, high, n).astype(np.uint64)


EMPTY = {
    "no spikes": ({"times_ms": [], "node_ids": np.zeros(0, np.uint64)}, {}, "there are no spikes"),
    "ids of another population": (
        {"node_ids": ids(1000, 1060)},
        {},
        "the population lacks the ids of all 200 spikes in the window (they run from 1000 to 10",
    ),
    "negative ids": ({"node_ids": np.full(200, -1)}, {}, "they run from -1 to -1"),
    "all after the end": (
        {"times_ms": np.linspace(150.0, 190.0, 200)},
        {},
        "none of the 200 spikes is between 0 and 100 ms; they are at 150 to 190 ms",
    ),
    "all before 0": ({"times_ms": np.linspace(-50.0, -1.0, 200)}, {}, "they are at -50 to -1 ms"),
    "microseconds": ({"times_ms": np.linspace(200.0, 95_000.0, 200)}, {}, "were microseconds"),
    "times that are not numbers": ({"times_ms": np.full(200, np.nan)}, {}, "are not numbers"),
    "a window without spikes": (
        {"times_ms": np.linspace(50.0, 90.0, 200)},
        {"start": 0.0, "stop": 40.0},
        "none of the 200 spikes is between 0 and 40 ms",
    ),
    "a window in seconds": (
        {"times_ms": np.linspace(0.0, 0.1, 200)},
        {"start": 10.0, "stop": 100.0},
        "as if they were seconds",
    ),
    "a disjoint node set": (
        {"node_ids": ids(10, 45)},
        {"node_set": "few"},
        "none of the 3 selected neurons fires in the window",
    ),
    "a filter of silent neurons": (
        {"node_ids": 3 * ids(0, N // 4)},
        {"where": "layer=1"},
        "none of the 20 selected neurons fires",
    ),
    "spikes of neurons without a flat position": (
        {"node_ids": ids(45, 60)},
        {},
        "the selected neurons that fire in the window have no flat position",
    ),
}


def orders(spikes):
    """The same spikes by time, by id, and in no order."""
    times, neurons = np.asarray(spikes.times_ms), np.asarray(spikes.node_ids)
    by_id, mixed = np.lexsort((times, neurons)), np.random.default_rng(0).permutation(len(times))
    yield spikes
    yield replace(spikes, times_ms=times[by_id], node_ids=neurons[by_id], sorting=1)
    yield replace(spikes, times_ms=times[mixed], node_ids=neurons[mixed], sorting=0)


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_counted_is_refused_in_all_orders(tmp_path, name):
    changes, options, said = EMPTY[name]
    for k, spikes in enumerate(orders(files(**changes))):
        config = spikes.write(tmp_path / str(k))
        with pytest.raises(ParameterError) as error:
            recruitment_cube(config, **options)
        assert said in str(error.value)
        assert str(error.value).startswith(f"{tmp_path / str(k) / 'output/spikes.h5'}: population")


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_cube_can_be_allowed(tmp_path, name):
    changes, options, said = EMPTY[name]
    config = files(**changes).write(tmp_path)
    with pytest.warns(RecruitmentWarning, match="nothing is counted, since"):
        cube = recruitment_cube(config, allow_empty=True, **options)
    assert int(cube["n_spikes"].sum()) == 0
    found = json.loads(cube.attrs["warnings"])
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize("name", ["no spikes", "ids of another population", "a disjoint node set"])
def test_nothing_counted_is_refused_at_all_doors(tmp_path, name):
    changes, options, said = EMPTY[name]
    config = files(**changes).write(tmp_path / "run")
    store = tmp_path / "a.hexrecruit.zarr"
    doors = (
        lambda: recruitment_cube(open_simulation(config), **options),
        lambda: cumulative_cube(config, **options),
        lambda: large_cube(config, store, **options),
        lambda: cubes_of(open_simulation(config), Request(recipe=CubeRecipe(**options))),
        lambda: cubes_of(
            open_simulation(config), Request(recipe=CubeRecipe(**options), split_by="layer")
        ),
    )
    for door in doors:
        with pytest.raises(ParameterError) as error:
            door()
        assert said in str(error.value)
    assert not store.exists()


@pytest.mark.slow
def test_nothing_counted_ends_commands_with_2(tmp_path, capsys):
    config = files(node_ids=ids(1000, 1060)).write(tmp_path / "run")
    for output in ("a.hexrecruit.nc", "a.hexrecruit.zarr"):
        assert command("cube", config, "-o", tmp_path / output) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("hexrecruit: ")
        assert "the population lacks the ids of all 200 spikes" in line
        assert line.endswith("or allow an empty cube (--allow-empty)")
        assert not (tmp_path / output).exists()
        assert command("cube", config, "-o", tmp_path / output, "--allow-empty") == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("warning: ")
    assert command("movie", config, "-o", tmp_path / "a.png", "--at", 0) == 2


SUSPICIOUS = {
    "ids from 1 to N": ({"node_ids": np.arange(200, dtype=np.uint64) % N + 1}, "from 1"),
    "ids from 1, the first ones are silent": (
        {"node_ids": np.arange(200, dtype=np.uint64) % (N - 5) + 6},
        "as if they counted from 1",
    ),
    "ids that never include 0": (
        {"node_ids": np.arange(200, dtype=np.uint64) % (N - 1) + 1},
        "neuron 0 alone never fires",
    ),
    "most ids of another population": (
        {"node_ids": np.append(ids(0, N, 50), ids(1000, 1060, 150))},
        "150 of 200 spikes, most of them, have ids that the population lacks",
    ),
    "some ids of another population": (
        {"node_ids": np.append(ids(0, N, 190), ids(1000, 1060, 10))},
        "10 of 200 spikes have ids that the population lacks",
    ),
    "most after the end": (
        {"times_ms": np.linspace(0.0, 1000.0, 200)},
        "180 of 200 spikes are not between 0 and 100 ms",
    ),
    "most before 0": (
        {"times_ms": np.linspace(-900.0, 99.0, 200)},
        "180 of 200 spikes are not between 0 and 100 ms",
    ),
    "seconds": ({"times_ms": np.linspace(0.0, 0.1, 200)}, "as if their times were seconds"),
    "seconds without units": (
        {"times_ms": np.linspace(0.0, 0.1, 200), "units": None},
        "as if their times were seconds",
    ),
}


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_suspicious_spikes_are_warned_of_in_all_orders(tmp_path, name):
    changes, said = SUSPICIOUS[name]
    for k, spikes in enumerate(orders(files(**changes))):
        config = spikes.write(tmp_path / str(k))
        with pytest.warns(RecruitmentWarning) as caught:
            cube = recruitment_cube(config)
        assert [str(warning.message) for warning in caught] == json.loads(cube.attrs["warnings"])
        assert len(caught) == 1
        assert said in str(caught[0].message)
        assert caught[0].filename == __file__
        assert str(caught[0].message) in json.loads(cube.attrs["notes"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ids from 1 to N", "seconds", "most after the end"])
def test_suspicious_spikes_are_warned_of_at_all_doors(tmp_path, name, capsys):
    changes, said = SUSPICIOUS[name]
    config = files(**changes).write(tmp_path / "run")
    for door in (
        lambda: recruitment_cube(open_simulation(config)),
        lambda: cumulative_cube(config),
        lambda: large_cube(config, tmp_path / "a.hexrecruit.zarr"),
    ):
        with pytest.warns(RecruitmentWarning, match=said) as caught:
            door()
        assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the window's threads must not raise any
        cube = cubes_of(open_simulation(config), Request(recipe=CubeRecipe()))[""]
    assert said in cube.attrs["warnings"]
    for output in ("a.hexrecruit.nc", "b.hexrecruit.zarr"):
        assert command("cube", config, "-o", tmp_path / output) == 0
        streams = capsys.readouterr()
        (line,) = streams.err.splitlines()
        assert line.startswith("warning: ")
        assert said in line
        assert said not in streams.out
    assert command("movie", config, "-o", tmp_path / "a.png", "--at", 0) == 0
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_check_warns(tmp_path, name):
    changes, said = SUSPICIOUS[name]
    found = check_simulation(files(**changes).write(tmp_path))
    assert [said in finding.found for finding in found if finding.status == "warning"] == [True]
    assert [finding for finding in found if finding.status == "error"] == []


@pytest.mark.parametrize("name", [name for name, case in EMPTY.items() if not case[1]])
def test_check_refuses_what_cannot_be_counted(tmp_path, name):
    changes, _, said = EMPTY[name]
    found = check_simulation(files(**changes).write(tmp_path))
    assert any(said in finding.found for finding in found if finding.status == "error")


def in_one_place(n):
    return {"ss_flat_x": np.ones(n), "ss_flat_y": np.ones(n)}


UNDOUBTED = {
    "the usual": ({}, {}),
    "a window": ({}, {"start": 20.0, "stop": 30.0}),
    "a filter": ({}, {"where": "layer=2"}),
    "few strays": ({"node_ids": np.append(ids(0, N, 199), 5000).astype(np.uint64)}, {}),
    "a burst at the beginning": ({"times_ms": np.linspace(0.0, 2.0, 200)}, {}),
    "one neuron": (
        {"columns": in_one_place(1), "node_ids": [0] * 50, "times_ms": np.linspace(0.0, 99.0, 50)},
        {},
    ),
    "few neurons, of which 0 is silent": (
        {"columns": in_one_place(3), "node_ids": [1, 2] * 100},
        {},
    ),
    "half of the neurons are silent": ({"node_ids": ids(N // 2, N)}, {}),
}


@pytest.mark.parametrize("name", UNDOUBTED)
def test_nothing_is_warned_of(tmp_path, name):
    changes, options = UNDOUBTED[name]
    for k, spikes in enumerate(orders(files(**changes))):
        cube = recruitment_cube(spikes.write(tmp_path / str(k)), **options)
        assert json.loads(cube.attrs["warnings"]) == []


def test_samples_are_not_doubted(tmp_path):
    cube = recruitment_cube(write_simulation(tmp_path / "run", n_neurons=500))
    assert json.loads(cube.attrs["warnings"]) == []


def test_own_ids_may_count_from_1(tmp_path):
    import h5py

    config = files(node_ids=np.arange(200) % N + 1).write(tmp_path)
    with h5py.File(tmp_path / "nodes.h5", "r+") as file:
        file[f"nodes/{POPULATION}/node_id"] = np.arange(N) + 1
    assert json.loads(recruitment_cube(config).attrs["warnings"]) == []


# --- campaigns and parts -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_part_may_be_empty(tmp_path):
    config = files(times_ms=np.linspace(60.0, 90.0, 200)).write(tmp_path / "run")
    whole = recruitment_cube(config)
    result = run_campaign(
        list_simulations([str(config)]), tmp_path / "campaign", n_workers=1, split_ms=50.0
    )
    assert (result.failures, result.warnings) == ({}, {})
    cube = select_cube(open_campaign(tmp_path / "campaign"))
    np.testing.assert_array_equal(cube["n_spikes"], whole["n_spikes"])
    assert cube.attrs["notes"] == whole.attrs["notes"]
    assert cube.attrs["warnings"] == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("split_ms", [None, 50.0])
def test_campaigns_tell_what_is_doubtful(tmp_path, capsys, split_ms):
    cases = {
        "clean": {},
        "empty": {"node_ids": ids(1000, 1060)},
        "ids": {"node_ids": np.arange(200, dtype=np.uint64) % N + 1},
    }
    paths = [str(files(**c).write(tmp_path / name)) for name, c in cases.items()]
    campaign, folder = list_simulations(paths), tmp_path / "campaign"
    with pytest.warns(RecruitmentWarning, match="1 of 2 simulations may not be what") as caught:
        result = run_campaign(campaign, folder, n_workers=1, split_ms=split_ms)
    assert [warning.filename for warning in caught] == [__file__]
    assert list(result.failures) == ["empty"]
    assert "the population lacks the ids of all 200 spikes" in result.failures["empty"]
    assert list(result.warnings) == ["ids"]
    cube = select_cube(open_campaign(folder), simulation="ids")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = recruitment_cube(paths[2])
    assert cube.attrs["warnings"] == whole.attrs["warnings"] == json.dumps(result.warnings["ids"])
    assert cube.attrs["notes"] == whole.attrs["notes"]
    split = [] if split_ms is None else ["--split", split_ms]
    arguments = ["campaign", *paths, "-o", folder, "--workers", 1, *split]
    assert command(*arguments) == 1
    streams = capsys.readouterr()
    assert streams.err.count("warning: ") == 1
    assert streams.out.count("  warning: ids: ") == 1
    assert command(*arguments, "--allow-empty") == 0
    assert "3 simulations done" in capsys.readouterr().out
    cube = select_cube(open_campaign(folder), simulation="empty")
    assert "nothing is counted, since" in cube.attrs["warnings"]


def test_parts_by_value_may_be_empty(tmp_path):
    config = files(node_ids=3 * ids(0, N // 4)).write(tmp_path)
    cubes = cubes_of(open_simulation(config), Request(recipe=CubeRecipe(), split_by="layer"))
    assert [int(cube["n_spikes"].sum()) > 0 for cube in cubes.values()] == [True, False, False]
