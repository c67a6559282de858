"""Files that are not sorted as they say: every door and every window counts all spikes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from itertools import pairwise

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.campaign_files import write_json
from tests.support.doubtful import doubtful
from tests.support.slow_counts import slow_cut
from tests.support.sonata_files import POPULATION, SonataFiles
from tests.support.thorough import repetitions

from napari_hexrecruit import cumulative_cube, large_cube, open_simulation, recruitment_cube
from napari_hexrecruit.campaign import (
    list_simulations,
    merge_windows,
    open_campaign,
    run_campaign,
    select_cube,
)
from napari_hexrecruit.campaign._cluster import connected
from napari_hexrecruit.pipeline import spike_stream
from napari_hexrecruit.pipeline.cubes import computed_cube
from napari_hexrecruit.pipeline.spike_stream import open_stream
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.sonata import _spike_order, _spikes
from napari_hexrecruit.storage import cache

pytestmark = doubtful  # neurons fire densely, so that many spikes share an edge

N_NEURONS, N_HEXES, END = 30, 3, 60.0
MISMARKED = "is marked by_time, but its times are not sorted; sorted"
HEX_OF = np.arange(N_NEURONS) % N_HEXES


def swapped(times, rng):
    order = np.argsort(times, kind="stable")
    a, b = rng.integers(0, len(times), 2)
    order[[a, b]] = order[[b, a]]
    return order


def two_pieces(times, rng):
    """Each sorted, as of two processes whose files were joined, with 10 ms in common."""
    late = times > END / 2 + rng.uniform(-5, 5, len(times))
    return np.concatenate([np.flatnonzero(part)[np.argsort(times[part])] for part in (~late, late)])


def tail_first(times, rng):
    """All in order but the last spike, which belongs to the beginning."""
    return np.roll(np.argsort(times, kind="stable"), -1)


SHAPES = {
    "by_time": lambda times, ids, rng: np.argsort(times, kind="stable"),
    "by_id": lambda times, ids, rng: np.argsort(ids, kind="stable"),
    "swapped": lambda times, ids, rng: swapped(times, rng),
    "two_pieces": lambda times, ids, rng: two_pieces(times, rng),
    "tail_first": lambda times, ids, rng: tail_first(times, rng),
    "none": lambda times, ids, rng: rng.permutation(len(times)),
}
MARKS = {"none": 0, "by_id": 1, "by_time": 2}


@dataclass
class Case:
    """Spikes as they stand in a file, and what the file and the configuration say."""

    ids: np.ndarray
    times: np.ndarray
    mark: str
    dt: float | None

    def write(self, folder):
        files = SonataFiles(
            columns={"ss_flat_x": 1000.0 * HEX_OF, "ss_flat_y": np.zeros(N_NEURONS)},
            times_ms=self.times,
            node_ids=self.ids,
            tstop_ms=END,
            sorting=MARKS[self.mark],
        )
        if self.dt != 0.025:
            run = {"tstop": END, "random_seed": 1} | ({"dt": self.dt} if self.dt else {})
            files.config_changes = {"run": run}
        return files.write(folder)

    def counts(self, start, width, n_bins, *, dt):
        """Recruited, spikes and recruited so far of (bin, hexagon), by numpy."""
        edges = [start + k * width for k in range(n_bins + 1)]
        cuts = [slow_cut(edge, width, self.times.dtype, dt or 0.0) for edge in edges]
        k = np.searchsorted(cuts, self.times.astype(float), side="right") - 1
        inside = (k >= 0) & (k < n_bins) & (self.ids < N_NEURONS)
        k, ids = k[inside], self.ids[inside].astype(int)
        n_spikes, recruited, newly = np.zeros((3, n_bins, N_HEXES), int)
        np.add.at(n_spikes, (k, HEX_OF[ids]), 1)
        np.add.at(
            recruited, (lambda pairs: (pairs[0], HEX_OF[pairs[1]]))(np.unique([k, ids], axis=1)), 1
        )
        first = np.full(N_NEURONS, n_bins)
        np.minimum.at(first, ids, k)
        np.add.at(newly, (first[first < n_bins], HEX_OF[first < n_bins]), 1)
        return recruited, n_spikes, newly.cumsum(axis=0)

    @property
    def is_sorted(self):
        timed = self.times[: len(self.times) - int(np.isnan(self.times[::-1]).argmin())]
        return bool((np.diff(timed) >= 0).all()) and not np.isnan(timed).any()


@st.composite
def cases(draw, shapes=tuple(SHAPES), marks=tuple(MARKS)):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_spikes = draw(st.integers(2, 300))
    dtype = draw(st.sampled_from(["f8", "f4", ">f4", ">f8"]))
    noise = rng.choice([0.0, -1e-10, -9e-7, -2e-6, -2e-5, 1e-6], n_spikes)
    times = (rng.integers(-20, 640, n_spikes) * 0.1 + noise).astype(dtype)
    times[0] = END - 0.5
    ids = rng.integers(0, N_NEURONS + 2, n_spikes).astype(np.uint64)
    order = SHAPES[draw(st.sampled_from(shapes))](times, ids, rng)
    ids, times = ids[order], times[order]
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.sampled_from([len(times), len(times) // 2]))
        ids, times = np.insert(ids, at, 0), np.insert(times, at, np.nan)
    dt = draw(st.sampled_from([None, 0.025, 0.1]))
    return Case(ids, times, draw(st.sampled_from(marks)), dt)


@st.composite
def windows(draw):
    start, width = draw(st.sampled_from([(0.0, 0.1), (0.0, 10.0), (22.3, 0.1), (5.0, 2.5)]))
    most = int((END - start) / width + 1e-9)
    n_bins = draw(st.just(most) | st.integers(1, most))
    first = draw(st.integers(0, most - n_bins))
    return round(start + first * width, 9), width, n_bins


def options(window):
    start, width, n_bins = window
    ends = {"start": start, "stop": start + n_bins * width}
    return ends | {"bin_ms": width, "radius": 50.0, "allow_empty": True}


def undoubted(cube):
    """A cube without its warnings: a window may have much of what the whole has little of."""
    warnings, notes = (json.loads(cube.attrs[name]) for name in ("warnings", "notes"))
    others = [note for note in notes if note not in warnings]
    return cube.assign_attrs(warnings="", notes=json.dumps(others))


def doors(config, folder, opts, n_parts):
    """The cube of a configuration, computed in every way."""
    opened = open_simulation(config)
    yield "path", recruitment_cube(config, **opts)
    yield "path again", recruitment_cube(config, **opts)
    yield "opened", recruitment_cube(opened, **opts)
    recipe = CubeRecipe(**{name: value for name, value in opts.items() if name != "allow_empty"})
    not_kept = {"allow_empty": True, "keep_spikes": False}
    yield "opened, not kept", computed_cube(opened, recipe, **not_kept)
    yield "zarr", large_cube(config, folder / "a.hexrecruit.zarr", overwrite=True, **opts)
    ends = [opts["start"] + k * opts["bin_ms"] for k in n_parts]
    parts = [opts | {"start": a, "stop": b} for a, b in pairwise(ends)]
    yield "windows", merge_windows([recruitment_cube(config, **part) for part in parts])


@pytest.fixture(scope="module", autouse=True)
def small_blocks(tmp_path_factory):
    """Even these few spikes come in several blocks and pages, and their order is stored."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spike_stream, "_PAGE", 7)
        patch.setattr(spike_stream, "_BLOCKS", (16, 50))
        patch.setattr(_spikes, "_BLOCK", 40)
        patch.setattr(_spike_order, "_WORTH_STORING", 1)
        patch.setattr(cache, "cache_folder", lambda: folder)
        yield folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::napari_hexrecruit.RecruitmentWarning")
@settings(max_examples=repetitions(6, 15))
@given(cases(), windows(), st.data())
def test_every_door_counts_what_numpy_counts(tmp_path_factory, case, window, data):
    folder = tmp_path_factory.mktemp("run")
    config, opts, n_bins = case.write(folder), options(window), window[2]
    inner = data.draw(st.lists(st.integers(1, n_bins), max_size=2, unique=True))
    expected = case.counts(*window, dt=case.dt)
    found = dict(doors(config, folder, opts, sorted({0, *inner, n_bins})))
    for name, cube in found.items():
        for variable, values in zip(("n_recruited", "n_spikes"), expected, strict=False):
            np.testing.assert_array_equal(cube[variable], values, f"{name}: {variable}")
        assert undoubted(cube).identical(undoubted(found["path"])), name
        mismarked = case.mark == "by_time" and not case.is_sorted
        assert (MISMARKED in cube.attrs["notes"]) == mismarked, name
    for simulation in (config, open_simulation(config)):
        so_far = cumulative_cube(simulation, **opts)["n_recruited"]
        np.testing.assert_array_equal(so_far, expected[2])
    beside = {"spikes": folder / "output/spikes.h5", "circuit": folder / "circuit_config.json"}
    bare = recruitment_cube(open_simulation(**beside), **opts)
    expected = case.counts(*window, dt=None)
    np.testing.assert_array_equal(bare["n_recruited"], expected[0])
    np.testing.assert_array_equal(bare["n_spikes"], expected[1])


def fixed(shape, mark="by_time", seed=0, n_spikes=2000, at=()):
    rng = np.random.default_rng(seed)
    times = rng.uniform(0.0, END, n_spikes)
    ids = rng.integers(0, N_NEURONS, n_spikes).astype(np.uint64)
    order = SHAPES[shape](times, ids, rng)
    times[order[list(at)]] = np.nan
    return Case(ids[order], times[order], mark, 0.025)


def n_spikes_of(cube):
    return int(cube["n_spikes"].sum())


@pytest.mark.parametrize("shape", ["swapped", "two_pieces", "tail_first"])
def test_a_partial_window_loses_no_spike(tmp_path, shape):
    case = fixed(shape)
    config = case.write(tmp_path)
    for start in (0.0, 10.0, 30.0, 50.0):
        cube = recruitment_cube(config, start=start, stop=start + 10.0, radius=50.0)
        inside = (case.times >= start) & (case.times < start + 10.0)
        assert n_spikes_of(cube) == inside.sum()
        assert MISMARKED in cube.attrs["notes"]


def test_a_sorted_file_is_read_whole_once_and_then_only_its_windows(tmp_path, monkeypatch):
    config = fixed("by_time").write(tmp_path)
    monkeypatch.setattr(_spike_order, "_known", {})
    n_read, times_ms = [], _spikes.SpikeTrain.times_ms
    blocks = _spikes.SpikeTrain.blocks

    def watched_times(self, first, last):
        n_read.append(last - first)
        return times_ms(self, first, last)

    def watched_blocks(self, sizes=(), first=0, last=None):
        n_read.append((len(self) if last is None else last) - first)
        return blocks(self, sizes, first, last)

    monkeypatch.setattr(_spikes.SpikeTrain, "times_ms", watched_times)
    monkeypatch.setattr(_spikes.SpikeTrain, "blocks", watched_blocks)
    window = {"start": 30.0, "stop": 40.0, "radius": 50.0}
    recruitment_cube(config, **window)
    assert 2000 <= sum(n_read) < 2600
    for forgotten in (False, True):
        if forgotten:
            monkeypatch.setattr(_spike_order, "_known", {})
        n_read.clear()
        recruitment_cube(config, **window)
        assert sum(n_read) < 600


def test_a_whole_window_is_read_once_and_verifies_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_spike_order, "_known", {})
    config = fixed("by_time").write(tmp_path)
    monkeypatch.setattr(_spikes.SpikeTrain, "_read_order", None)
    recruitment_cube(config, radius=50.0)
    assert list(_spike_order._known.values()) == [True]
    part = recruitment_cube(config, start=10.0, stop=20.0, radius=50.0)
    assert n_spikes_of(part) > 300


def test_a_file_that_was_changed_is_read_again(tmp_path):
    case = fixed("by_time")
    config = case.write(tmp_path)
    file = tmp_path / "output" / "spikes.h5"
    window = {"start": 30.0, "stop": 40.0, "radius": 50.0}
    before = recruitment_cube(config, **window)
    assert MISMARKED not in before.attrs["notes"]
    status = file.stat()
    with h5py.File(file, "r+") as opened:
        times = opened[f"spikes/{POPULATION}/timestamps"]
        times[...] = np.roll(times[...], 700)
        ids = opened[f"spikes/{POPULATION}/node_ids"]
        ids[...] = np.roll(ids[...], 700)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size
    after = recruitment_cube(config, **window)
    assert MISMARKED in after.attrs["notes"]
    np.testing.assert_array_equal(after["n_spikes"], before["n_spikes"])


def test_a_damaged_record_is_made_again(tmp_path, small_blocks, monkeypatch):
    config = fixed("swapped").write(tmp_path)
    window = {"start": 30.0, "stop": 40.0, "radius": 50.0}
    expected = recruitment_cube(config, **window)
    for file in small_blocks.iterdir():
        file.write_bytes(b"nonsense")
    monkeypatch.setattr(_spike_order, "_known", {})
    assert recruitment_cube(config, **window).identical(expected)


def test_only_the_last_thousand_orders_are_kept(monkeypatch):
    monkeypatch.setattr(_spike_order, "_known", {})
    monkeypatch.setattr(_spike_order, "_MOST_KNOWN", 2)
    records = [_spike_order.OrderRecord.__new__(_spike_order.OrderRecord) for _ in range(3)]
    for number, record in enumerate(records):
        record._key, record._is_long = (number,), False
        record.put(ascending=number == 1)
    assert [record.get() for record in records] == [None, True, False]


@pytest.mark.parametrize("at", [(-1,), (1000,), (0,), (1000, -1)])
def test_nan_among_sorted_times(tmp_path, at):
    case = fixed("by_time", at=at)
    config = case.write(tmp_path)
    for opts in ({}, {"start": 20.0, "stop": 50.0}):
        cube = recruitment_cube(config, radius=50.0, **opts)
        assert cube.identical(recruitment_cube(open_simulation(config), radius=50.0, **opts))
        lo, hi = opts.get("start", 0.0), opts.get("stop", END)
        assert n_spikes_of(cube) == ((case.times >= lo) & (case.times < hi)).sum()
        assert (MISMARKED in cube.attrs["notes"]) == (at != (-1,))


def test_ids_that_are_not_grouped_as_marked(tmp_path):
    case = fixed("by_time", mark="by_id")
    config = case.write(tmp_path)
    for start in (0.0, 20.0):
        cube = recruitment_cube(config, start=start, stop=60.0, radius=50.0)
        recruited, n_spikes, _ = case.counts(start, 10.0, round((60 - start) / 10), dt=0.025)
        np.testing.assert_array_equal(cube["n_recruited"], recruited)
        np.testing.assert_array_equal(cube["n_spikes"], n_spikes)


def test_unmarked_files_that_are_sorted_are_searched(tmp_path):
    config = fixed("by_time", mark="none").write(tmp_path)
    cube = recruitment_cube(config, start=20.0, stop=30.0, radius=50.0)
    with open_stream(open_simulation(config), POPULATION) as stream:
        assert stream.order == "by_time"
        n_read = sum(len(ids) for ids, _ in stream.blocks(20.0, 30.0))
        assert n_read == n_spikes_of(cube) < 500


@pytest.mark.parametrize("shape", list(SHAPES))
def test_the_span_of_unsorted_spikes(tmp_path, shape):
    case = fixed(shape, at=(500,))
    sim = open_simulation(case.write(tmp_path))
    assert sim.spike_span_ms(POPULATION) == (np.nanmin(case.times), np.nanmax(case.times))


def test_looking_for_the_order_can_be_cancelled(tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(what, done, total):
        if what == "checking the order of spikes":
            raise Cancelled

    config = fixed("by_time").write(tmp_path)
    with pytest.raises(Cancelled):
        recruitment_cube(config, start=10.0, stop=20.0, radius=50.0, progress=cancel)


@pytest.mark.slow
def test_a_campaign_in_windows_equals_the_whole(tmp_path):
    names = ["by_time", "swapped", "two_pieces", "tail_first", "none"]
    runs = {name: fixed(name).write(tmp_path / name) for name in names}
    runs["nan"] = fixed("by_time", at=(1000,)).write(tmp_path / "nan")
    listed = [{"path": str(path), "parameters": {"shape": name}} for name, path in runs.items()]
    write_json(tmp_path / "campaign.json", {"simulations": listed})
    with connected(n_workers=2) as client:
        campaign = list_simulations(tmp_path / "campaign.json")
        result = run_campaign(
            campaign, tmp_path / "out", scheduler=client, split_ms=20.0, radius=50.0
        )
    assert result.failures == {}
    found = open_campaign(result.dataset)
    for name, path in runs.items():
        whole, cube = recruitment_cube(path, radius=50.0), select_cube(found, shape=name)
        for variable in ("n_recruited", "n_spikes"):
            np.testing.assert_array_equal(cube[variable], whole[variable])
        assert json.loads(cube.attrs["notes"]) == json.loads(whole.attrs["notes"])


@pytest.mark.filterwarnings("ignore::napari_hexrecruit.RecruitmentWarning")
def test_that_a_window_is_empty_is_not_said_of_the_whole(tmp_path):
    case = fixed("by_time")
    early = Case(case.ids, case.times / 2, case.mark, case.dt)
    config = early.write(tmp_path)
    windows = [{"start": 0.0, "stop": 30.0}, {"start": 30.0, "stop": 60.0}]
    parts = [recruitment_cube(config, radius=50.0, allow_empty=True, **one) for one in windows]
    assert "nothing is counted" in parts[1].attrs["notes"]
    merged = merge_windows(parts)
    assert "nothing is counted" not in merged.attrs["notes"] + merged.attrs["warnings"]
