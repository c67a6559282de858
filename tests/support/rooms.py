"""The rooms of the package and their floors: for the test that holds them, and for the figure."""

from __future__ import annotations

import ast
from pathlib import Path

import napari_hexrecruit

SOURCE = Path(napari_hexrecruit.__file__).parent

# Every room, lowest floor first. A room is a folder, or a file of the package itself; `_napari` has
# rooms of its own. A file imports from its own room and from lower floors.
FLOORS = [
    {"_version", "errors", "progress"},
    {
        *("command_line", "hexgrid", "masks", "recipe_entries", "rounding", "schema", "system"),
        *("timebins", "values"),
    },
    {"atlas", "blocks", "conform", "doubts", "filters", "metric_values", "text"},
    {"recipe", "storage"},
    {"naming"},
    {"metrics"},
    {"limits"},
    {"counting", "render", "synthetic"},
    {"analysis", "sonata"},
    {"pipeline"},
    {"campaign", "flatmap"},
    {"_napari.private", "_napari.widgets", "_napari.samples"},
    {"_napari.layers"},
    {"_napari.commands", "_napari.export", "_napari.traces", "_napari.writer"},
    {"_napari.recruitment"},
    {"_napari.flatmap", "_napari.launch", "_napari.reader"},
    {"_napari.analysis"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def parts_of(path: Path) -> list[str]:
    """Dotted name of a file below the package, in parts."""
    *folders, file = path.relative_to(SOURCE).with_suffix("").parts
    return folders if file == "__init__" else [*folders, file]


FILES = sorted(SOURCE.rglob("*.py"))
ROOMS = {".".join(p[:2] if p[:1] == ["_napari"] else p[:1]) for p in map(parts_of, FILES)} - {
    "",
    "_napari",
}


def room_of(parts: list[str]) -> str:
    """Room of a dotted name below the package; empty for what is in none."""
    n = 2 if parts[:1] == ["_napari"] else 1
    room = ".".join(parts[:n])
    return room if room in ROOMS else ""


def path_of(room: str) -> Path:
    """Its folder or file."""
    folder = SOURCE / room.replace(".", "/")
    return folder if folder.is_dir() else folder.with_suffix(".py")


def docstring_of(room: str) -> str:
    """What a room says of itself."""
    path = path_of(room)
    file = path / "__init__.py" if path.is_dir() else path
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
