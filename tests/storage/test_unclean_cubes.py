"""What xarray makes of a cube: a cube of the right numbers, or one line that says what to do."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.cubes import cube_of
from tests.support.doubtful import doubtful
from tests.support.thorough import repetitions

from napari_hexrecruit import (
    SimulationDataError,
    as_cube,
    read_cube,
    render_frames,
    validate_cube,
    write_cube,
)
from napari_hexrecruit.analysis import (
    align,
    bins_of,
    compare,
    correlation,
    cut_trials,
    first_spike_latency,
    hex_traces,
    latency,
    peak,
    population_trace,
    reliability,
    trial_cube,
    trial_mean,
    with_maps,
)
from napari_hexrecruit.metrics import METRICS, metric_named

pytestmark = doubtful  # most baselines here are short

N_NEURONS = np.array([10, 30, 5, 40, 25, 8])


def make_cube(n_bins=10, seed=3, **options):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, N_NEURONS + 1, (n_bins, len(N_NEURONS)))
    return cube_of(
        counts,
        row=[0, 0, 1, 1, 2, 2],
        col=[0, 1, -1, 3, 0, 2],
        n_neurons=N_NEURONS,
        n_spikes=2 * counts,
        **options,
    )


def large(cube):
    return cube["n_neurons"] >= 20


def reopened(cube, path, **options):
    cube.to_netcdf(path, engine="h5netcdf")
    return xr.open_dataset(path, engine="h5netcdf", **options)


def check_numbers(made, original):
    """A cube whose every number is the original's at that hexagon and time, or masked."""
    validate_cube(made)
    assert as_cube(made) is made
    known = made["recruitment"].notnull().to_numpy()
    percent = 100.0 * made["n_recruited"] / made["n_neurons"]
    np.testing.assert_allclose(
        made["recruitment"].to_numpy()[known], percent.to_numpy()[known], rtol=1e-6
    )
    rows = [list(original["time"].to_numpy()).index(t) for t in made["time"].to_numpy()]
    columns = [list(original["hex"].to_numpy()).index(h) for h in made["hex"].to_numpy()]
    assert columns == sorted(columns) and rows == sorted(rows)
    there = original.isel(time=rows, hex=columns)
    for name in ("recruitment", "n_recruited", "n_spikes"):
        np.testing.assert_array_equal(made[name].to_numpy()[known], there[name].to_numpy()[known])
    for name in ("time_bounds", "n_neurons", "row", "x"):
        np.testing.assert_array_equal(made[name], there[name])
    patterns, of_pattern = np.unique(known, axis=0, return_inverse=True)
    for name in METRICS:
        of_population = population_trace(made, metric=name).to_numpy()
        for k, hexes in enumerate(patterns):  # bins with values of the same hexagons
            bins = of_pattern.ravel() == k
            if not hexes.any():
                assert np.isnan(of_population[bins]).all()
                continue
            there_only = there.isel(time=bins, hex=hexes)
            expected = population_trace(there_only, metric=name).to_numpy()
            np.testing.assert_allclose(of_population[bins], expected, rtol=1e-9)


def in_ms(cube):
    return cube.assign_coords(time=pd.to_timedelta(cube["time"].to_numpy(), unit="ms"))


def in_seconds(cube):
    times = ("time", cube["time"].to_numpy() / 1000.0, {"units": "s"})
    return cube.assign_coords(time=times)


def without_attributes(cube):
    with xr.set_options(keep_attrs=False):
        return cube * 1


CUBES = {
    "itself": lambda c: c,
    "hexagons masked": lambda c: c.where(large(c)),
    "hexagons dropped": lambda c: c.where(large(c), drop=True),
    "values masked": lambda c: c.where(c["recruitment"] > 30),
    "bins masked": lambda c: c.where(c["time"] < 50),
    "only the percentage masked": lambda c: c.assign(recruitment=c["recruitment"].where(large(c))),
    "masked and chunked": lambda c: c.chunk(time=3, hex=2).where(large(c)),
    "masked, loaded": lambda c: c.chunk(time=3).where(large(c)).compute(),
    "a window": lambda c: c.sel(time=slice(20, 50)),
    "one bin": lambda c: c.isel(time=3),
    "one bin as a list": lambda c: c.isel(time=[3]),
    "one hexagon": lambda c: c.sel(hex="R1;C-1"),
    "one value": lambda c: c.isel(time=2, hex=1),
    "two hexagons": lambda c: c.isel(hex=[4, 0]),
    "hexagons by a mask": lambda c: c.isel(hex=large(c).to_numpy()),
    "backwards": lambda c: c.isel(time=slice(None, None, -1)),
    "sorted by neurons": lambda c: c.sortby("n_neurons"),
    "transposed": lambda c: c.transpose("hex", "time", "bound"),
    "some variables": lambda c: c[["recruitment", "n_recruited", "n_spikes"]],
    "without bounds": lambda c: c.drop_vars("time_bounds"),
    "joined windows": lambda c: xr.concat(
        [c.isel(time=slice(5, 10)), c.isel(time=slice(0, 5))], "time"
    ),
    "joined hexagons": lambda c: xr.concat([c.isel(hex=[3, 1]), c.isel(hex=[0])], "hex"),
    "merged": lambda c: xr.merge([c[["recruitment"]], c[["n_recruited", "n_spikes"]]]),
    "doubles": lambda c: c.astype("float64"),
    "floats": lambda c: c.astype("float32"),
    "small integers": lambda c: c.assign(n_spikes=c["n_spikes"].astype("uint8")),
    "time deltas": in_ms,
    "seconds": in_seconds,
    "coordinates reset": lambda c: c.reset_coords(),
    "an index reset": lambda c: c.reset_index(["hex", "time"]),
    "names as objects": lambda c: c.assign_coords(hex=c["hex"].astype(object)),
    "attributes restored": lambda c: without_attributes(c).assign_attrs(c.attrs),
    "attributes of all lost, restored": lambda c: c.drop_attrs().assign_attrs(c.attrs),
    "attributes of numpy": lambda c: c.assign_attrs(hex_radius=np.float32(50.0)),
    "reindexed to less": lambda c: c.reindex(hex=["R2;C0", "R0;C1"]),
    "resampled to the same": lambda c: c.shift(time=0),
}


@pytest.mark.parametrize("what", CUBES)
def test_what_xarray_makes_of_a_cube_is_one(what, tmp_path):
    cube = make_cube()
    before = cube.copy(deep=True)
    made = CUBES[what](cube)
    check_numbers(as_cube(made), cube)
    file = write_cube(made, tmp_path / "a.hexrecruit.nc")
    check_numbers(read_cube(file), cube)
    assert render_frames(made, size=(160, 120))[0].shape == (120, 160, 3)
    assert cube.identical(before)


@pytest.mark.slow
@pytest.mark.parametrize("what", CUBES)
def test_files_that_xarray_has_written_are_read(what, tmp_path):
    cube = make_cube()
    made = CUBES[what](cube)
    path = tmp_path / "a.hexrecruit.nc"
    made.to_netcdf(path, engine="h5netcdf")
    check_numbers(read_cube(path), cube)
    for options in ({}, {"decode_timedelta": True}, {"chunks": {}}):
        with xr.open_dataset(path, engine="h5netcdf", **options) as opened:
            check_numbers(as_cube(opened).load(), cube)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("what", ["itself", "hexagons masked", "time deltas", "two hexagons"])
def test_stores_that_xarray_has_written_are_read(what, tmp_path):
    cube = make_cube()
    path = tmp_path / "a.hexrecruit.zarr"
    CUBES[what](cube).to_zarr(path)
    check_numbers(read_cube(path), cube)
    opened = xr.open_zarr(path)
    check_numbers(as_cube(opened), cube)
    masked = opened.where(opened["n_neurons"] >= 10)
    check_numbers(as_cube(masked), cube)
    write_cube(masked, tmp_path / "b.hexrecruit.zarr")
    check_numbers(read_cube(tmp_path / "b.hexrecruit.zarr"), cube)


REFUSED = {
    "every second bin": (
        lambda c: c.isel(time=slice(None, None, 2)),
        r"20 ms follows 0 ms: bins can be cut to a window.*compute the cube again",
    ),
    "a bin left out": (lambda c: c.drop_sel(time=50.0), "60 ms follows 40 ms"),
    "a bin twice": (
        lambda c: xr.concat([c.isel(time=slice(0, 6)), c.isel(time=slice(5, 10))], "time"),
        "50 ms follows 50 ms: join each bin once",
    ),
    "a hexagon twice": (lambda c: c.isel(hex=[0, 0, 1]), "listed twice in 'hex': select each"),
    "no bin": (lambda c: c.isel(time=[]), "has no bins: choose a window"),
    "no hexagon": (lambda c: c.isel(hex=[]), "there is no hexagon: select one"),
    "summed bins": (lambda c: c.coarsen(time=2).sum(), "compute the cube again"),
    "averaged bins": (lambda c: c.coarsen(time=2).mean(), "are not counts, as of a mean"),
    "all bins summed": (
        lambda c: c.coarsen(time=10).sum(),
        "exceeds the number of neurons: bins do not add up",
    ),
    "smoothed": (lambda c: c.rolling(time=3).mean(), "are not counts"),
    "resampled": (
        lambda c: in_ms(c).resample(time="20ms").mean(),
        "are not counts|compute the cube again",
    ),
    "interpolated": (lambda c: c.interp(time=np.arange(5.0, 80.0, 10.0)), "are not counts"),
    "hexagons added": (
        lambda c: c.reindex(hex=["R0;C0", "R9;C9"]),
        r"'row' is NaN for 1 of the hexagons, the first is R9;C9: keep the others",
    ),
    "one variable": (lambda c: c[["recruitment"]], "'n_recruited', 'n_spikes' are missing: sel"),
    "a coordinate dropped": (lambda c: c.drop_vars("row"), "'row' is missing: select"),
    "time dropped": (lambda c: c.drop_vars("time"), "'time' is missing"),
    "the mean over time": (lambda c: c.mean("time"), "keep 'time': numbers per hexagon"),
    "renamed": (lambda c: c.rename(hex="place"), "rename it to 'hex'"),
    "stacked": (lambda c: c.stack(all=("time", "hex")), "unstack 'all'"),
    "an index of several": (lambda c: c.set_index(hex=["row", "col"]), "'hex' has type object"),
    "dates": (
        lambda c: c.assign_coords(time=pd.to_datetime(c["time"].to_numpy(), unit="ms")),
        "'time' is datetime64.*assign times in ms",
    ),
    "minutes": (
        lambda c: c.assign_coords(time=("time", c["time"].to_numpy(), {"units": "minutes"})),
        "'time' is in 'minutes': assign times in ms",
    ),
    "attributes lost": (lambda c: c.drop_attrs(), "restore attributes with dataset.assign_attrs"),
    "fractions": (
        lambda c: c.assign(recruitment=c["recruitment"].drop_attrs() / 100),
        "'recruitment' is not 100 \\* n_recruited",
    ),
    "fractions with the attributes of percentages": (
        lambda c: c.assign(
            recruitment=(c["recruitment"] / 100).assign_attrs(c["recruitment"].attrs)
        ),
        "'recruitment' has fractions, not percentages: multiply it by 100",
    ),
    "fractions of a window": (
        lambda c: c.assign(recruitment=c["recruitment"].copy(data=c["recruitment"] / 100)).isel(
            time=slice(5, None, -1)
        ),
        "'recruitment' has fractions, not percentages: multiply it by 100",
    ),
    "one variable masked": (
        lambda c: c.assign(n_spikes=c["n_spikes"].where(large(c))),
        "'n_spikes' is NaN where 'recruitment' has a value: mask the whole dataset",
    ),
    "whole percent": (lambda c: c.astype("int64"), "'recruitment' has type int64, not float32"),
    "negative": (lambda c: c.where(large(c), -1.0), "are not counts"),
    "different hexagons": (
        lambda c: xr.concat(
            [c.isel(hex=[0, 1], time=slice(0, 5)), c.isel(hex=[1, 2], time=slice(5, 10))],
            "time",
            join="outer",
        ),
        "join only what has the same hexagons",
    ),
    "trials": (
        lambda c: cut_trials(c, [30.0, 60.0], before=10.0, after=10.0),
        "select one along 'trial', as in dataset.isel.trial=0., or take their mean, trial_mean",
    ),
    "other data": (lambda c: xr.Dataset({"t": ("x", [1.0])}), "'schema_version' is missing"),
    "a variable": (lambda c: c["recruitment"], "DataArray: give the whole cube"),
    "a path": (lambda c: "run.hexrecruit.nc", r"read_cube\('run.hexrecruit.nc'\)"),
    "an array": (lambda c: c["recruitment"].to_numpy(), "not ndarray: give what"),
    "nothing": (lambda c: None, "not NoneType"),
    "a campaign": (
        lambda c: c.assign_attrs(campaign_schema_version=1),
        "dataset of a campaign: take the cube of one simulation with select_cube",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_cube_any_more_is_refused_with_what_to_do(what, tmp_path):
    make, said = REFUSED[what]
    made = make(make_cube())
    for door in (
        as_cube,
        render_frames,
        population_trace,
        peak,
        trial_cube_of,
        lambda d: write_cube(d, tmp_path / "a.hexrecruit.nc"),
        lambda d: compare(d, make_cube()),
        lambda d: compare(make_cube(), d),
    ):
        with pytest.raises(ValueError, match=said) as error:
            door(made)
        assert "\n" not in str(error.value)
        assert str(error.value).startswith("not a recruitment cube")
    assert list(tmp_path.iterdir()) == []


def trial_cube_of(dataset):
    return cut_trials(dataset, [50.0], before=10.0, after=10.0)


def test_values_on_disk_are_refused_when_they_are_computed():
    made = as_cube(make_cube().chunk(time=2).rolling(time=3).mean())
    with pytest.raises(ValueError, match="are not counts"):
        made["n_recruited"].compute()


def test_a_netcdf3_file_is_named(tmp_path):
    make_cube().to_netcdf(tmp_path / "a.hexrecruit.nc", engine="scipy")
    with pytest.raises(SimulationDataError, match=r"is netCDF-3: save it with write_cube"):
        read_cube(tmp_path / "a.hexrecruit.nc")


def test_masked_hexagons_count_nowhere():
    cube = make_cube(n_bins=40)
    masked, kept = cube.where(large(cube)), cube.isel(hex=large(cube).to_numpy())
    onsets = {"onsets": [50.0, 150.0, 250.0], "before": 30.0, "after": 60.0}
    a, b = (trial_mean(cut_trials(one, **onsets)) for one in (masked, kept))
    for name in METRICS:
        np.testing.assert_array_equal(
            population_trace(a, metric=name), population_trace(b, metric=name)
        )
    shown = large(cube).to_numpy()
    for function in (
        lambda c: reliability(cut_trials(c, **onsets)),
        peak,
        lambda c: latency(c, onset=100.0, n_sd=1.0),
        lambda c: first_spike_latency(c, onset=100.0),
        lambda c: correlation(c, hexes="R1;C3"),
    ):
        of_all, of_kept = function(masked), function(kept)
        np.testing.assert_allclose(of_all[shown], of_kept)
        assert np.isnan(of_all[~shown]).all()
    difference = compare(masked, cube)["difference"]
    assert (difference[:, shown] == 0).all() and np.isnan(difference[:, ~shown]).all()


def test_masked_bins_give_no_wrong_latency_and_no_wrong_mean():
    counts = np.zeros((10, 2), int)
    counts[[3, 6], 0] = 50
    counts[6:, 1] = 50
    cube = cube_of(counts, row=[0, 0], col=[0, 1])
    hidden = cube.where((cube["time"] != 30.0) | (cube["hex"] == "R0;C1"))
    for function in (first_spike_latency, latency):
        assert function(cube, onset=0.0).to_numpy().tolist() == [30.0, 60.0]
        np.testing.assert_array_equal(function(hidden, onset=0.0), [np.nan, 60.0])
    assert population_trace(cube)[[3, 6]].to_numpy().tolist() == [25.0, 50.0]
    assert population_trace(hidden)[[3, 6]].to_numpy().tolist() == [0.0, 50.0]


def test_trials_that_were_masked_or_selected_are_trials():
    cube = make_cube(n_bins=40)
    trials = cut_trials(cube, [50.0, 150.0, 250.0], before=30.0, after=60.0)
    some = trials.isel(trial=[2, 0])
    both = cut_trials(cube, [50.0, 250.0], before=30.0, after=60.0)
    np.testing.assert_allclose(trial_mean(some)["recruitment"], trial_mean(both)["recruitment"])
    masked = trial_mean(trials.where(trials["n_neurons"] >= 20))
    np.testing.assert_array_equal(
        population_trace(masked), population_trace(trial_mean(trials).where(large(cube)))
    )
    part = trial_mean(trials.sel(time=slice(-30, 0)))
    assert bins_of(part).stop_ms == 10.0
    with pytest.raises(ValueError, match="these are not trials: cut a cube"):
        trial_mean(cube)
    with pytest.raises(ValueError, match="these are not trials: cut a cube"):
        reliability(trials.isel(trial=0))


def test_picked_positions_are_those_of_the_dataset_that_was_given():
    cube = make_cube()
    turned = cube.isel(hex=[5, 3, 0])
    for hexes in ([0, 2], [True, False, True]):
        traces = hex_traces(turned, hexes)
        assert traces["hex"].to_numpy().tolist() == ["R2;C2", "R0;C0"]
        np.testing.assert_array_equal(traces["trace"], cube["recruitment"][:, [5, 0]])
    found = correlation(turned, hexes=0)
    np.testing.assert_allclose(found.sel(hex="R2;C2"), 1.0)


def test_maps_of_a_reordered_cube_go_with_it():
    turned = make_cube().isel(hex=[5, 3, 0])
    made = with_maps(turned, peak(turned))
    np.testing.assert_array_equal(
        metric_named("peak").values(made, 0), turned["recruitment"].max("time").sortby("hex")
    )


def test_cubes_of_which_one_is_masked_are_aligned():
    cube = make_cube()
    a, b = align(cube.where(large(cube), drop=True), cube)
    validate_cube(a)
    assert a.sizes == b.sizes
    absent = ~large(cube).to_numpy()
    assert np.isnan(a["recruitment"][:, absent]).all() and (a["n_neurons"][absent] == 0).all()
    np.testing.assert_array_equal(population_trace(a), population_trace(cube.where(large(cube))))


# --- any operations, one after the other ----------------------------------------------------------

OPERATIONS = st.one_of(
    st.tuples(st.just("mask hexagons"), st.integers(0, 45)),
    st.tuples(st.just("drop hexagons"), st.integers(0, 45)),
    st.tuples(st.just("mask values"), st.integers(0, 100)),
    st.tuples(st.just("window"), st.tuples(st.integers(0, 12), st.integers(0, 12))),
    st.tuples(st.just("step"), st.sampled_from([-2, -1, 1, 2])),
    st.tuples(st.just("bins"), st.lists(st.integers(0, 9), min_size=1, max_size=4)),
    st.tuples(st.just("hexagons"), st.lists(st.integers(0, 5), min_size=1, max_size=4)),
    st.tuples(st.just("join"), st.tuples(st.integers(0, 10), st.integers(0, 10))),
    st.tuples(st.just("transpose"), st.permutations(["time", "hex", "bound"])),
    st.tuples(st.just("chunk"), st.integers(1, 4)),
    st.tuples(st.just("type"), st.sampled_from(["float32", "float64", "int64"])),
    st.tuples(st.just("sort"), st.sampled_from(["time", "hex", "n_neurons", "x"])),
    st.tuples(st.just("drop"), st.sampled_from(["time_bounds", "row", "n_spikes", "bound"])),
    st.tuples(st.just("save"), st.none()),
    st.tuples(st.just("deltas"), st.none()),
    st.tuples(st.just("coarsen"), st.sampled_from(["mean", "max"])),
    st.tuples(st.just("one"), st.sampled_from(["time", "hex"])),
    st.tuples(st.just("load"), st.none()),
)


def picked(data, dim, positions):
    return data.isel({dim: [k for k in positions if k < data.sizes[dim]]})


def joined(data, ends):
    return xr.concat([data.isel(time=slice(ends[0])), data.isel(time=slice(ends[1], None))], "time")


def saved(data, path):
    with reopened(data, path / "again.nc") as opened:
        return opened.load()


APPLIED = {
    "mask hexagons": lambda d, how, path: d.where(d["n_neurons"] >= how),
    "drop hexagons": lambda d, how, path: d.where(d["n_neurons"] >= how, drop=True),
    "mask values": lambda d, how, path: d.where(d["recruitment"] > how),
    "window": lambda d, how, path: d.isel(time=slice(min(how), max(how))),
    "step": lambda d, how, path: d.isel(time=slice(None, None, how)),
    "bins": lambda d, how, path: picked(d, "time", how),
    "hexagons": lambda d, how, path: picked(d, "hex", how),
    "join": lambda d, how, path: joined(d, how),
    "transpose": lambda d, how, path: d.transpose(*how, missing_dims="ignore"),
    "chunk": lambda d, how, path: d.chunk(time=how),
    "type": lambda d, how, path: d.astype(how),
    "sort": lambda d, how, path: d.sortby(how),
    "drop": lambda d, how, path: d.drop_vars(how, errors="ignore"),
    "save": lambda d, how, path: saved(d, path),
    "deltas": lambda d, how, path: in_ms(d) if d["time"].dtype.kind == "f" else d,
    "coarsen": lambda d, how, path: getattr(d.coarsen(time=2, boundary="trim"), how)(),
    "one": lambda d, how, path: d.isel({how: 0}),
    "load": lambda d, how, path: d.compute(),
}


@pytest.mark.slow
@settings(max_examples=repetitions(20, 60), deadline=None)
@given(st.lists(OPERATIONS, max_size=5), st.integers(0, 99))
def test_after_any_operations_a_cube_is_right_or_refused_in_one_line(
    tmp_path_factory, operations, seed
):
    cube = data = make_cube(seed=seed)
    for name, how in operations:
        try:
            data = APPLIED[name](data, how, tmp_path_factory.mktemp("saved"))
        except (ValueError, KeyError, IndexError, TypeError):
            continue  # xarray itself refuses it
    try:
        made = as_cube(data).load()
    except ValueError as error:
        assert str(error).startswith("not a recruitment cube: ") and "\n" not in str(error)
        return
    averaged = [how for name, how in operations if name == "coarsen"]
    if not averaged:
        check_numbers(made, cube)
    validate_cube(made)
    percent = 100.0 * made["n_recruited"] / made["n_neurons"]
    known = made["recruitment"].notnull()
    if "max" not in averaged:
        xr.testing.assert_allclose(
            made["recruitment"].where(known), percent.where(known).astype("float32")
        )
    json.loads(made.attrs["recipe"])


def test_a_trial_of_a_masked_cube_is_a_cube():
    cube = make_cube(n_bins=30)
    trials = cut_trials(cube.where(large(cube)), [50.0, 150.0], before=20.0, after=20.0)
    one = trial_cube(trials, 1)
    validate_cube(one)
    assert one["n_recruited"].dtype == np.int32
