"""Each part of a picture looks as it did when someone last looked at it.

``make golden`` writes the pictures again.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tests.support.golden_pictures import FOLDER, PICTURES


def difference(found, expected):
    """Mean difference of colours, 2 x 2 pixels joined so that a small shift counts less."""
    height, width = (n - n % 2 for n in found.shape[:2])
    joined = [
        a[:height, :width]
        .astype(float)
        .reshape(height // 2, 2, width // 2, 2, -1)
        .mean(axis=(1, 3))
        for a in (found, expected)
    ]
    return float(np.abs(joined[0] - joined[1]).mean())


@pytest.mark.parametrize("name", PICTURES)
def test_looks_as_it_did(name, tmp_path):
    found = PICTURES[name].draw()
    expected = np.asarray(Image.open(FOLDER / f"{name}.png"))
    assert found.shape == expected.shape
    off = difference(found, expected)
    if off > PICTURES[name].allowed:
        Image.fromarray(found).save(tmp_path / f"{name}.png")
    assert off <= PICTURES[name].allowed, f"{off:.1f} off: compare with {tmp_path / name}.png"


@pytest.mark.parametrize("name", ["hexagons", "letter"])
def test_hexagons_are_exactly_as_they_were(name):
    expected = np.asarray(Image.open(FOLDER / f"{name}.png")).astype(int)
    assert np.abs(PICTURES[name].draw() - expected).max() <= 2


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("colorbar", {"colorbar": False}),
        ("time", {"timestamp": False}),
        ("scale-bar", {"scale_bar": False}),
        ("title", {"title": ""}),
        ("active-mark", {"marks": ()}),
        ("outlines", {"outlines": ()}),
        ("under", {"under": None}),
    ],
)
def test_a_missing_part_would_be_noticed(name, without, monkeypatch):
    from tests.support import golden_pictures

    expected = np.asarray(Image.open(FOLDER / f"{name}.png"))
    box = PICTURES[name].part(PICTURES[name].frames())
    drawn = golden_pictures.render_frames
    monkeypatch.setattr(
        golden_pictures, "render_frames", lambda cube, **options: drawn(cube, **(options | without))
    )
    found = PICTURES[name].frames()[3]
    if box is not None:
        found = found[box.top : box.bottom, box.left : box.right]
    assert difference(found, expected) > PICTURES[name].allowed
