"""The code of the pages on cubes, analyses and significance runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit.synthetic import write_simulation

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the pages name."""
    config = write_simulation(tmp_path / "run", n_neurons=400)
    assert config.name == "simulation_config.json"
    cube = recruitment_cube(config)
    for name in ("whisker", "rest"):
        write_cube(cube, config.parent / f"{name}.hexrecruit.nc")
    monkeypatch.chdir(config.parent)
    return cube


@pytest.mark.parametrize(
    ("page", "n_blocks"), [("cube.md", 6), ("analysis.md", 1), ("significance.md", 1)]
)
def test_the_code_of_a_page_runs(page, n_blocks, folder):
    found = blocks(page)
    assert len(found) == n_blocks
    names = {"cube": folder}
    for block in found:
        exec(compile(block, page, "exec"), names)
