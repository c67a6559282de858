"""``hexrecruit waves``: what it writes and prints, and one line for every mistake."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from tests.support.wave_cubes import Known, centres, cube_with

from napari_hexrecruit import read_cube, write_cube
from napari_hexrecruit.analysis import find_waves, waves_summary, waves_table
from napari_hexrecruit.analysis.events import WAVE_COLUMNS
from napari_hexrecruit.cli import app
from napari_hexrecruit.cli._console import run

SHEET = centres(12, 12)
KNOWN = [Known(50.0 + 160.0 * k, (300.0 + 100 * k, 400.0)) for k in range(2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cubes")
    arrivals = [one.arrival_ms(*SHEET[2:]) for one in KNOWN]
    write_cube(cube_with(arrivals, n_bins=40, sheet=SHEET), made / "two.hexrecruit.nc")
    write_cube(cube_with([], n_bins=10, sheet=SHEET), made / "none.hexrecruit.nc")
    return made


@pytest.fixture
def hexrecruit(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def command(cube, *words, status=0):
        given = ["waves", str(folder / f"{cube}.hexrecruit.nc"), *map(str, words)]
        got = run(lambda: app(given, prog_name="hexrecruit", standalone_mode=False), debug=False)
        printed = capsys.readouterr()
        assert got == status, printed.err
        return printed.err if status else printed.out

    return command


@pytest.mark.slow
def test_table_labels_and_summary_are_those_of_the_function(hexrecruit, folder, tmp_path):
    printed = hexrecruit("two", "-o", "waves.csv", "--labels", "labels.hexrecruit.nc")
    expected = find_waves(read_cube(folder / "two.hexrecruit.nc"))
    table = pd.read_csv(tmp_path / "waves.csv")
    assert tuple(table.columns) == WAVE_COLUMNS
    pd.testing.assert_frame_equal(table, waves_table(expected), check_dtype=False)
    labels = read_cube(tmp_path / "labels.hexrecruit.nc")
    assert labels["wave"].equals(expected["wave"])
    first, *others = printed.splitlines()
    assert first == "waves.csv: 2 waves (2 radial), 5 per second"
    assert others[0].split()[:4] == ["interval", "median", "160", "ms,"]
    assert others[1].split()[0] == "speed"
    numbers = json.loads(hexrecruit("two", "--json"))
    assert [one["wave"] for one in numbers.pop("waves")] == [1, 2]
    assert numbers == waves_summary(expected)


def test_without_waves_the_table_is_empty(hexrecruit, tmp_path):
    assert hexrecruit("none", "-o", "waves.csv") == "waves.csv: no waves\n"
    assert (tmp_path / "waves.csv").read_text() == ",".join(WAVE_COLUMNS) + "\n"
    assert hexrecruit("none") == ",".join(WAVE_COLUMNS) + "\n"
    assert json.loads(hexrecruit("none", "--json"))["waves"] == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--gap", -5), "--gap must be 0 ms or more, not -5.0"),
        (("--lead", -5), "--lead must be 0 ms or more, not -5.0"),
        (("--min-hexes", 0), "--min-hexes must be 1 or more, not 0"),
        (("--reach", 1), "--reach must be 86.6 or more, as hexagons are, not 1.0"),
        (("--threshold", 200), "--threshold must be above 0 to 100 %, not 200.0"),
        (("-o", "waves.txt"), "waves.txt: the name must end in .csv"),
        (("--labels", "w.csv"), "w.csv: the name must end in .hexrecruit.nc, .hexrecruit.zarr"),
    ],
)
def test_mistakes_are_one_line(hexrecruit, tmp_path, words, fault):
    assert hexrecruit("none", *words, status=2) == f"hexrecruit: {fault}\n"
    assert not list(tmp_path.iterdir())
