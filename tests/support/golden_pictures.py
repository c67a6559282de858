"""Pictures that are compared with those in ``tests/golden/``: what each shows, and which part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tests.support.cubes import cube_of, letter_cube, wave_cube

from napari_hexrecruit.render.frames import RenderedFrames, render_frames
from napari_hexrecruit.render.layout import Box

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parents[1] / "golden"
BARE = {"colorbar": False, "timestamp": False, "scale_bar": False}
SIZE = (480, 320)
LINE = np.array([[100.0, -50.0], [250.0, 250.0], [500.0, 300.0], [700.0, 50.0], [100.0, -50.0]])
IMAGE = (np.hypot(*np.mgrid[-20:20, -30:30]) * 7).astype(np.uint8)
EXTENT = (-200.0, 1200.0, -300.0, 800.0)


@dataclass(frozen=True)
class Picture:
    """A frame and the part of it that matters."""

    frames: Callable[[], RenderedFrames]
    frame: int = 3
    part: Callable[[RenderedFrames], Box | None] = lambda frames: None
    allowed: float = 4.0
    """Mean difference, of 255. Another release of matplotlib moves text by a part of a pixel; a
    part that is missing, in another place or of another colour is further off."""

    def draw(self):
        frames = self.frames()
        picture, box = frames[self.frame], self.part(frames)
        return picture if box is None else picture[box.top : box.bottom, box.left : box.right]


def wave(**options):
    return render_frames(wave_cube(start_ms=990.0), size=SIZE, clim=(0, 60), **options)


def empty(**options):
    """Hexagons with 4 to 99 neurons; those under 30 have no value."""
    row, col = (a.ravel() for a in np.mgrid[0:5, 0:7])
    neurons = 4 + (37 * row + 17 * col) % 96
    cube = cube_of(neurons[None] // 2, row=row, col=col, n_neurons=neurons, min_neurons=30)
    return render_frames(cube, size=SIZE, clim=(0, 60), **(BARE | options))


def around(box, left=0, top=0, right=0, bottom=0):
    """The box with so many pixels more on each side."""
    left, top = min(left, box.left), min(top, box.top)
    return Box(box.left - left, box.top - top, box.width + left + right, box.height + top + bottom)


def in_layout(name, **more):
    return lambda frames: around(getattr(frames.scene.layout, name), **more)


MARKS = ["1000:1030:whisker", "1100:1120:tone", "1160:1180:tone"]
PICTURES = {
    "hexagons": Picture(lambda: wave(**BARE)),
    "letter": Picture(lambda: render_frames(letter_cube(), size=(200, 260), **BARE), frame=0),
    "colorbar": Picture(wave, part=in_layout("colorbar", left=5, right=60, top=10, bottom=10)),
    "colorbar-clipped": Picture(
        lambda: render_frames(wave_cube(), size=SIZE, clim=(20, 50)),
        part=in_layout("colorbar", left=5, right=60, top=10, bottom=10),
    ),
    "time": Picture(wave, part=lambda f: Box(0, 0, 130, 28)),
    "time-format": Picture(
        lambda: wave(time_format="{start:.0f}–{stop:.0f} ms"), part=lambda f: Box(0, 0, 170, 28)
    ),
    "title": Picture(lambda: wave(title="Excitatory neurons"), part=in_layout("header")),
    "scale-bar": Picture(wave, part=lambda f: around(f.scene.layout.scale_bar, right=-200)),
    "marks": Picture(lambda: wave(marks=MARKS), part=in_layout("strip", left=20, bottom=28)),
    "active-mark": Picture(lambda: wave(marks=MARKS), part=lambda f: Box(74, 2, 80, 22)),
    "strip": Picture(
        lambda: wave(strip=True, marks=MARKS), part=in_layout("strip", left=30, top=22, bottom=28)
    ),
    "outlines": Picture(lambda: wave(outlines=[LINE], **BARE), allowed=0.3),
    "under": Picture(lambda: wave(under=(IMAGE, EXTENT), opacity=0.6, fit="all", **BARE)),
    "empty-hexagons": Picture(empty, frame=0, allowed=0.3),
    "panels": Picture(
        lambda: render_frames(
            [wave_cube(), wave_cube(n_rows=5)],
            size=(640, 320),
            panel_titles=["EXC", "INH"],
            strip=True,
        )
    ),
    "black": Picture(lambda: wave(background="black", strip=True, title="On black")),
    "transparent": Picture(lambda: wave(background="transparent", marks=MARKS)),
    "small": Picture(lambda: render_frames(wave_cube(), size=(200, 150), clim=(0, 60))),
}
