"""Draw the figure of the rooms and floors in docs/design.md: ``make rooms``."""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.rooms import FLOORS, path_of  # noqa: E402

FIGURE = ROOT / "docs" / "_static" / "rooms.svg"
WIDTH, HEIGHT, GAP = 10.0, 0.62, 0.12
FOLDER, FILE, WINDOW = "#2a788e", "#c9d6db", "#7a5195"
NOT_SHOWN = {"_version", "__main__"}


def main() -> None:
    floors = [sorted(rooms - NOT_SHOWN, key=lambda room: (is_file(room), room)) for rooms in FLOORS]
    floors = [rooms for rooms in floors if rooms]
    figure = Figure(figsize=(WIDTH, len(floors) * HEIGHT + 0.2))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(0, len(floors) * HEIGHT + 0.2)
    axes.set_axis_off()
    for number, rooms in enumerate(floors):
        draw_floor(axes, number, rooms)
    with rc_context({"svg.hashsalt": "rooms", "svg.fonttype": "none"}):
        figure.savefig(FIGURE, metadata={"Date": None}, transparent=True)
    print(FIGURE.relative_to(ROOT))


def draw_floor(axes, number: int, rooms: list[str]) -> None:
    width = (WIDTH - 0.2) / len(rooms)
    y = number * HEIGHT + 0.1
    for k, room in enumerate(rooms):
        colour = WINDOW if room.startswith("_napari") else FILE if is_file(room) else FOLDER
        x = 0.1 + k * width
        axes.add_patch(
            FancyBboxPatch(
                (x + GAP / 2, y + GAP / 2),
                width - GAP,
                HEIGHT - GAP,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=colour,
                edgecolor="none",
            )
        )
        name = room.replace("_napari.", "_napari/") + ("" if is_file(room) else "/")
        axes.text(
            x + width / 2,
            y + HEIGHT / 2,
            name,
            ha="center",
            va="center",
            color="#1d3540" if colour == FILE else "white",
            fontsize=9,
            family="sans-serif",
        )


def is_file(room: str) -> bool:
    return not path_of(room).is_dir()


if __name__ == "__main__":
    main()
