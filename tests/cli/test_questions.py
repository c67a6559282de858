"""The scripts of the questions in the documentation answer them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_hexrecruit.synthetic import MEDIUM

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all: the first script makes the sample in it."""
    return tmp_path_factory.mktemp("questions")


def answer(folder, name):
    script = QUESTIONS / f"{name}.py"
    # The sample has 10 bins before the stimulus, which the scripts are warned of.
    words = [sys.executable, "-W", "ignore:the baseline has 10 bins", str(script)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    picture = np.asarray(Image.open(folder / f"{name}.png"))
    assert picture.shape == (560, 900, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
    return done.stdout


def numbers(pattern, text):
    found = re.search(pattern, text)
    assert found, text
    return [float(group) for group in found.groups()]


def test_every_script_has_a_page_that_shows_it():
    scripts = sorted(path.stem for path in QUESTIONS.glob("*.py"))
    assert scripts == sorted(path.stem for path in QUESTIONS.glob("*.md")) and len(scripts) == 5
    for name in scripts:
        page = (QUESTIONS / f"{name}.md").read_text(encoding="utf-8")
        for needed in (f"{name}.py", f"questions/{name}.txt", f"questions/{name}.png"):
            assert needed in page


@pytest.mark.slow
def test_which_part_is_recruited_first(folder):
    said = answer(folder, "first")
    n_responding, n_hexes = numbers(r"(\d+) of (\d+) hexagons respond", said)
    assert (n_responding, n_hexes) == (MEDIUM.sheet.reached.sum(), MEDIUM.n_hexes)
    speed, x, y = numbers(r"radial wave: ([\d.]+) µm/ms .* from \((\d+), (\d+)\)", said)
    assert speed == pytest.approx(MEDIUM.speed_um_per_ms, rel=0.02)
    assert np.hypot(x - MEDIUM.source_um[0], y - MEDIUM.source_um[1]) < 50.0


@pytest.mark.slow
def test_what_the_stimulus_changes(folder):
    said = answer(folder, "change")
    (most,) = numbers(r"at most ([\d.]+) percentage points more", said)
    percent = MEDIUM.expected().percent
    assert most == pytest.approx((percent[10:20] - percent[:10]).max(), abs=0.05)


@pytest.mark.slow
def test_how_reliable_it_is(folder):
    said = answer(folder, "reliable")
    assert "onsets: 100, 400, 700 ms" in said
    (correlation,) = numbers(r"correlation between trials: ([\d.]+)", said)
    assert correlation > 0.9
    assert numbers(r"(\d+) hexagons never fire", said) == [MEDIUM.sheet.silent.sum()]


@pytest.mark.slow
def test_whether_it_is_more_than_chance(folder):
    said = answer(folder, "chance")
    n_significant, n_clusters = numbers(r"(\d+) of (\d+) clusters have p at most 0.05", said)
    assert n_significant == 1 < n_clusters
    _, p, mass, n_hexes, first_ms, last_ms = (float(word) for word in said.splitlines()[1].split())
    assert p < 0.01 and mass > 0
    assert 0.4 * MEDIUM.sheet.reached.sum() < n_hexes < MEDIUM.sheet.reached.sum()
    assert (first_ms, last_ms) == (0.0, 60.0)


@pytest.mark.slow
def test_which_waves_there_are(folder):
    said = answer(folder, "waves")
    assert numbers(r"(\d+) waves, (\d+) per second", said) == [3, 3]
    starts = [float(line.split()[1]) for line in said.splitlines()[1:4]]
    assert starts == list(MEDIUM.stimuli_ms)
    (speed,) = numbers(r"speed: median ([\d.]+) µm/ms", said)
    assert speed == pytest.approx(MEDIUM.speed_um_per_ms, rel=0.05)
    assert re.search(r"the first begins in R\d+;C\d+\n", said)
