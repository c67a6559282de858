"""The order of the modules: who may import whom, and what an import costs."""

from __future__ import annotations

import ast
import graphlib
import importlib.metadata
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import napari_hexrecruit

PACKAGE = "napari_hexrecruit"
SOURCE = Path(napari_hexrecruit.__file__).parent

# Lowest first. A module imports modules of earlier lines, or others of its own line as long as no
# circle arises. A new module needs a place here; a private one stands with the lowest module that
# imports it.
LAYERS = [
    {"errors"},
    {"schema"},
    {"hexgrid"},
    {"timebins", "ordering"},
    {"filters", "metrics"},
    {"recruitment"},
    {"streaming"},
    {"atlas", "columns"},
    {"sonata"},
    {"places"},
    {"pipeline"},
    {"flatmap", "cube_io", "synthetic", "info", "check", "run_file", "analysis", "node_sets"},
    {"large"},
    {"render"},
    {"movie"},
    {"campaign"},
    {"cli"},
    {"_napari"},
    {"__main__"},
]
PLACED = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}

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
        """Module, or package, directly below the package that the import stands in."""
        return self.path.relative_to(SOURCE).with_suffix("").parts[0]

    @property
    def target(self) -> str:
        """The same of what is imported; empty for other packages and for public names."""
        parts = self.name.split(".")
        own = parts[0] == PACKAGE and len(parts) > 1 and parts[1] in MODULES
        return parts[1] if own else ""

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE)}:{self.line} imports {self.name}"


def imports_in(path: Path) -> list[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + f"{node.module or ''}.{a.name}" for a in node.names]
        else:
            continue
        found += [Import(path, node.lineno, name, id(node) in inside) for name in names]
    return found


FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {path.relative_to(SOURCE).with_suffix("").parts[0] for path in FILES} - {"__init__"}
IMPORTS = [item for path in FILES for item in imports_in(path)]


def ranks() -> dict[str, int]:
    """Layer of each module, as a number; private ones that nothing imports are left out."""
    rank = dict(PLACED)
    private = MODULES - set(PLACED)
    for _ in private:  # a private module may be imported by another one
        for module in private:
            importers = (i.importer for i in IMPORTS if i.target == module != i.importer)
            known = [rank[importer] for importer in importers if importer in rank]
            if known:
                rank[module] = min(known)
    return rank


RANK = ranks()


def in_napari(path: Path) -> bool:
    return SOURCE / "_napari" in path.parents


def is_private(name: str) -> bool:
    """Whether a dotted name of napari or vispy has a part that starts with one underscore."""
    top, *parts = name.split(".")
    private = (p for p in parts if p.startswith("_") and not p.startswith("__"))
    return top in ("napari", "vispy") and any(private)


def test_the_package_was_read():
    assert {"errors", "schema", "hexgrid"} <= {item.target for item in IMPORTS}


def test_every_module_has_a_place():
    public = {module for module in MODULES if not module.startswith("_")}
    assert public - set(PLACED) == set(), "give these modules a line in LAYERS of this file"
    assert MODULES - set(RANK) == set(), "nothing imports these modules"


def test_imports_point_downward():
    def climbs(item: Import) -> bool:
        if item.importer == "__init__" or not item.target or item.target == item.importer:
            return False
        if (item.importer, item.target) == ("cli", "_napari") and item.in_function:
            return False
        return RANK[item.target] > RANK[item.importer]

    assert [str(item) for item in IMPORTS if climbs(item)] == []


def test_imports_make_no_circle():
    """Imports for type checking count: who needs a type knows the module."""
    needs: dict[str, set[str]] = {}
    for item in IMPORTS:
        lazily = (item.importer, item.target) == ("cli", "_napari")
        if item.target not in ("", item.importer) and not lazily:
            needs.setdefault(item.importer, set()).add(item.target)
    graphlib.TopologicalSorter(needs).prepare()


def test_imports_are_absolute():
    assert [str(item) for item in IMPORTS if item.name.startswith(".")] == []


def test_only_napari_subpackage_imports_gui_packages():
    strays = [i for i in IMPORTS if i.top in GUI | QT and not in_napari(i.path)]
    assert [str(item) for item in strays] == []


def test_qt_is_reached_through_qtpy():
    assert [str(item) for item in IMPORTS if item.top in QT] == []


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


def test_one_module_at_most_uses_private_names_of_napari_or_vispy():
    found = {path: private_attributes(path) for path in FILES if in_napari(path)}
    for item in IMPORTS:
        if is_private(item.name):
            found.setdefault(item.path, []).append(str(item))
    users = {path: uses for path, uses in found.items() if uses}
    assert all(in_napari(path) for path in users), users
    assert len(users) <= 1, users


def test_only_sonata_imports_the_sonata_libraries():
    strays = [i for i in IMPORTS if i.top in SONATA and i.importer != "sonata"]
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
