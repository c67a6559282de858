"""``hexrecruit significance``: what it writes and tells, and one line for every mistake."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.support.cubes import cube_of

from napari_hexrecruit import analysis as an
from napari_hexrecruit import read_cube, write_cube
from napari_hexrecruit.cli import app
from napari_hexrecruit.cli._console import run

ROW, COL = (a.ravel() for a in np.mgrid[0:5, 0:5])
N_BINS = 6


def cubes_of(seed, extra):
    """Seven cubes; a patch responds in the second half."""
    counts = np.random.default_rng(seed).binomial(100, 0.3, (7, N_BINS, len(ROW)))
    counts[:, 3:5, (abs(ROW - 2) <= 1) & (abs(COL - 2) <= 1)] += extra
    return [cube_of(one, row=ROW, col=COL, start_ms=-30.0) for one in counts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cubes")
    for name, cubes in (("a", cubes_of(1, 20)), ("b", cubes_of(2, 0))):
        for k, cube in enumerate(cubes):
            write_cube(cube, made / f"{name}{k}.hexrecruit.nc")
    return made


@pytest.fixture
def hexrecruit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def command(*words, status=0):
        given = ["significance", *map(str, words)]
        got = run(lambda: app(given, prog_name="hexrecruit", standalone_mode=False), debug=False)
        said = capsys.readouterr()
        assert got == status, said.err
        assert bool(said.err) == bool(status)
        return said.err if status else said.out

    return command


def files(folder, name):
    return sorted(folder.glob(f"{name}*"))


@pytest.mark.slow
def test_responses_are_tested_against_what_is_before_0(hexrecruit, folder, tmp_path):
    said = hexrecruit(*files(folder, "a"), "-o", "out.hexrecruit.nc")
    assert said.startswith(
        "out.hexrecruit.nc: 7 observations, response against -30 to 0 ms, 128 arrangements (all);"
    )
    assert "\n  1: p 0.0156, mass " in said
    assert said.endswith(
        "  what is shown is that the conditions differ; where and when a cluster begins is not"
        " itself tested\n"
    )
    expected = an.cluster_test(cubes_of(1, 20))
    assert read_cube(tmp_path / "out.hexrecruit.nc").identical(expected)
    given = hexrecruit(
        *("--baseline", -30, -10, "--window", 0, 20, *files(folder, "a"), "-o", "b.hexrecruit.nc")
    )
    assert "response against -30 to -10 ms" in given


@pytest.mark.slow
@pytest.mark.parametrize("first", ["cubes", "against", "with ="])
def test_against_takes_all_names_that_follow(hexrecruit, folder, tmp_path, first):
    """As a shell expands ``--against b/*``."""
    a, b = files(folder, "a"), ("--against", *files(folder, "b"))
    if first == "with =":
        b = (f"--against={b[1]}", *b[2:])
    words = (*b, "--seed", 3, *a) if first == "against" else (*a, *b)
    seed = 3 if first == "against" else 0
    numbers = json.loads(hexrecruit(*words, "-o", "out.hexrecruit.nc", "--json"))
    assert numbers["n_observations"] == [7, 7] and numbers["n_permutations"] == 1000
    expected = an.cluster_test(cubes_of(1, 20), cubes_of(2, 0), seed=seed)
    assert numbers["clusters"] == an.clusters_table(expected).to_dict("records")
    assert read_cube(tmp_path / "out.hexrecruit.nc").identical(expected)


@pytest.mark.slow
def test_pairs_tails_and_thresholds(hexrecruit, folder):
    words = (*files(folder, "a"), "--against", *files(folder, "b"), "-o", "out.hexrecruit.nc")
    numbers = json.loads(
        hexrecruit(
            *words, "--paired", "--tail", -1, "--threshold", 2.5, "--json", "--metric", "rate"
        )
    )
    options = {"paired": True, "tail": -1, "threshold": 2.5, "metric": "rate"}
    expected = an.cluster_test(cubes_of(1, 20), cubes_of(2, 0), **options)
    assert numbers["clusters"] == an.clusters_table(expected).to_dict("records")
    assert numbers["test"] == "pairs" and numbers["tail"] == "smaller" and numbers["exact"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a0",), "a0.hexrecruit.nc: one observation does not tell how much they vary"),
        (("a0", "a1", "--metric", "latency"), "a1.hexrecruit.nc: metric 'latency'"),
        (("a0", "a1", "--against", "b0", "--paired"), "2 observations and 1 to test against"),
        (("a0", "a1", "--permutations", "0"), "--permutations must be 1 or more, not 0"),
        (("a0", "a1", "--tail", "2"), "--tail must be -1, 0 or 1, not 2"),
        (
            ("a0", "a1", "--window", "0", "20", "--baseline", "-10", "0"),
            "must have the same length",
        ),
        (("a0", "--against"), "'--against' requires an argument"),
        (("--against", "a0"), "Missing argument 'A'"),
    ],
)
def test_mistakes_are_one_line(hexrecruit, folder, tmp_path, words, said):
    given = [folder / f"{w}.hexrecruit.nc" if w[0] in "ab" else w for w in words]
    found = hexrecruit("-o", "out.hexrecruit.nc", *given, status=2)
    assert said in found and found.count("\n") == 1
    assert not list(tmp_path.iterdir())
