"""The order of the modules: who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.rooms import (
    FILES,
    FLOOR,
    ROOMS,
    SOURCE,
    docstring_of,
    parts_of,
    path_of,
    room_of,
)

PACKAGE = "napari_hexrecruit"
GUI = {"napari", "qtpy", "magicgui", "vispy", "superqt", "app_model", "napari_animation"}
QT = {"PyQt5", "PyQt6", "PySide2", "PySide6"}
SONATA = {"bluepysnap", "libsonata", "conntility"}
HEAVY = {"napari", "qtpy", "matplotlib", "conntility", "bluepysnap", "libsonata", "numba"} | QT


@dataclass(frozen=True)
class Import:
    """One imported name: where it stands, and whether that is inside a function."""

    path: Path
    line: int
    name: str
    in_function: bool

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]

    @property
    def importer(self) -> str:
        """Room that the import stands in; empty for the package's own ``__init__``."""
        return room_of(parts_of(self.path))

    @property
    def target(self) -> str:
        """Room of what is imported; empty for other packages and for public names."""
        package, *parts = self.name.split(".")
        return room_of(parts) if package == PACKAGE else ""

    @property
    def is_private_elsewhere(self) -> bool:
        """Whether it is a file or a name with an underscore that belongs to another room."""
        parts = self.name.split(".")[1:]
        private = [part for part in parts if part.startswith("_") and not part.startswith("__")]
        return self.target not in ("", self.importer) and private not in ([], ["_napari"])

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE)}:{self.line} imports {self.name}"


def imports_in(path: Path) -> list[Import]:
    found: list[Import] = []

    def visit(node: ast.AST, in_function: bool) -> None:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + f"{node.module or ''}.{a.name}" for a in node.names]
        else:
            names = []
        found.extend(Import(path, node.lineno, name, in_function) for name in names)
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr):
                visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


@functools.cache
def imports() -> list[Import]:
    """All of the package."""
    return [item for path in FILES for item in imports_in(path)]


def in_napari(path: Path) -> bool:
    return SOURCE / "_napari" in path.parents


def is_private(name: str) -> bool:
    """Whether a dotted name of napari or vispy has a part that starts with one underscore."""
    top, *parts = name.split(".")
    private = (p for p in parts if p.startswith("_") and not p.startswith("__"))
    return top in ("napari", "vispy") and any(private)


def test_the_package_was_read():
    assert {"errors", "schema", "sonata", "_napari.layers"} <= {item.target for item in imports()}


def test_every_room_has_a_floor():
    assert set(FLOOR) == ROOMS, "FLOORS of tests/support/rooms.py lists every room"


def test_imports_point_downward():
    """Imports for type checking count: who needs a type knows the room."""

    def climbs(item: Import) -> bool:
        if not item.importer or item.target in ("", item.importer):
            return False
        return FLOOR[item.target] >= FLOOR[item.importer]

    assert [str(item) for item in imports() if climbs(item)] == []


def test_no_room_uses_what_another_keeps_to_itself():
    strays = [i for i in imports() if i.is_private_elsewhere and i.target != "_version"]
    assert [str(item) for item in strays] == []


def test_every_room_says_what_it_knows():
    """And, where it is a folder, what it must not know."""
    for room in ROOMS:
        n_lines = len(docstring_of(room).splitlines())
        assert n_lines >= (3 if path_of(room).is_dir() else 1), room


def test_the_page_of_the_design_has_every_room():
    page = (Path(__file__).parents[2] / "docs" / "design.md").read_text(encoding="utf-8")
    names = {room.replace(".", "/") for room in ROOMS} - {"__main__", "_version"}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_imports_are_absolute():
    assert [str(item) for item in imports() if item.name.startswith(".")] == []


def test_only_napari_subpackage_imports_gui_packages():
    strays = [i for i in imports() if i.top in GUI | QT and not in_napari(i.path)]
    assert [str(item) for item in strays] == []


def test_qt_is_reached_through_qtpy():
    assert [str(item) for item in imports() if item.top in QT] == []


def private_attributes(path: Path) -> list[str]:
    """Uses of one-underscore attributes of anything but the object itself."""
    return [
        f"{path.relative_to(SOURCE)}:{node.lineno} uses .{node.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) not in ("self", "cls", "super()")
    ]


def test_one_room_uses_private_names_of_napari_or_vispy():
    found = {path: private_attributes(path) for path in FILES if in_napari(path)}
    for item in imports():
        if is_private(item.name):
            found.setdefault(item.path, []).append(str(item))
    users = {path: uses for path, uses in found.items() if uses}
    assert all(path.parent == SOURCE / "_napari" / "private" for path in users), users


def test_only_sonata_imports_the_sonata_libraries():
    strays = [i for i in imports() if i.top in SONATA and i.importer != "sonata"]
    assert [str(item) for item in strays] == []


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("napari.layers.Points", False),
        ("napari.__version__", False),
        ("napari._vispy.layers.points", True),
        ("vispy.visuals._scalable", True),
        ("napari_hexrecruit._napari.layers.layer", False),
    ],
)
def test_is_private(name: str, private: bool):
    assert is_private(name) == private


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running the code."""
    report = "import sys; print('\\n' + ' '.join({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import napari_hexrecruit", id="package"),
        pytest.param("from napari_hexrecruit import HexGrid, TimeBins", id="grid-and-bins"),
        pytest.param("import napari_hexrecruit.cli", id="cli"),
        pytest.param(
            "from napari_hexrecruit.cli import main\n"
            "try: main(['--help'])\nexcept SystemExit as end: assert not end.code, end.code",
            id="help",
        ),
    ],
)
def test_import_is_light(code: str):
    loaded = modules_after(code)
    assert PACKAGE in loaded
    assert loaded & HEAVY == set()


def test_help_exits_0():
    command = [sys.executable, "-m", PACKAGE, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("demo", "info", "cube", "movie", "view"):
        assert word in done.stdout


def test_the_command_is_the_cli():
    scripts = importlib.metadata.entry_points(group="console_scripts")
    from napari_hexrecruit.cli import main

    assert scripts["hexrecruit"].load() is main
