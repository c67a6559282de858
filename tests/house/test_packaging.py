"""Wheel, sdist and editable install all hold the manifest, and say the same of the package."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import operator
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from npe2 import PluginManifest

import napari_hexrecruit

if TYPE_CHECKING:
    from email.message import Message

NAME = "napari-hexrecruit"
PACKAGE = Path(napari_hexrecruit.__file__).parent
ROOT = PACKAGE.parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="not run from a source tree"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an sdist of the source tree, and a wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the files of the wheel, as they are in site-packages once installed."""
    (file,) = built.glob("*.whl")
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Top folder of the sdist."""
    (file,) = built.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(file) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from 3.11.4 on
        archive.extractall(folder, **safely)
    (top,) = folder.iterdir()
    return top


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    (file,) = wheel.glob("*.dist-info/METADATA")
    return Parser().parsestr(file.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_wheel_holds_the_package_and_nothing_else(wheel: Path):
    assert {p.name for p in wheel.iterdir() if p.suffix != ".dist-info"} == {PACKAGE.name}
    asset = "render/web/assets/main.js"
    for name in ("napari.yaml", "py.typed", "hexgrid.py", "_napari/__init__.py", asset):
        assert (wheel / PACKAGE.name / name).is_file()


@pytest.mark.slow
def test_installed_wheel_gives_its_own_manifest(wheel: Path):
    code = (
        "from npe2 import PluginManifest; import napari_hexrecruit as package;"
        f"print(PluginManifest.from_distribution('{NAME}').name, package.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    name, file = done.stdout.split(maxsplit=1)
    assert name == NAME
    assert wheel in Path(file.strip()).parents


@pytest.mark.slow
def test_sdist_holds_what_a_rebuild_and_a_test_need(sdist: Path):
    names = ("napari.yaml", "pyproject.toml", "LICENSE", "README.md", "Makefile", "tests", "docs")
    assert [name for name in names if not (sdist / name).exists()] == []
    assert PluginManifest.from_file(sdist / "napari.yaml").name == NAME


def test_top_level_manifest_is_a_link_to_the_one_in_the_package():
    link, target = ROOT / "napari.yaml", PACKAGE / "napari.yaml"
    if not link.is_symlink():  # a checkout without symbolic links holds the path as text
        assert sys.platform == "win32"
        assert (ROOT / link.read_text(encoding="utf-8").strip()).resolve() == target.resolve()
        return
    assert not os.readlink(link).startswith("/")
    assert link.resolve(strict=True) == target.resolve()


def test_manifest_is_valid():
    manifest = PluginManifest.from_distribution(NAME)
    assert manifest.name == NAME
    assert manifest.display_name == "Hexagon Recruitment"


def test_what_the_manifest_names_can_be_imported():
    pytest.importorskip("napari", reason="napari is not installed")
    PluginManifest.from_distribution(NAME).validate_imports()


def test_one_version(metadata: Message):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    versions = {
        "package": napari_hexrecruit.__version__,
        "installed": importlib.metadata.version(NAME),
        "wheel": metadata["Version"],
        "citation": citation["version"],
    }
    assert len(set(versions.values())) == 1, versions


def test_metadata(metadata: Message):
    assert metadata["Name"] == NAME
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert "Framework :: napari" in metadata.get_all("Classifier", [])
    assert set(metadata.get_all("Provides-Extra", [])) >= {"all", "test", "docs", "dev"}


def requirement_name(requirement: str) -> str:
    """Normalised name of the package of a requirement."""
    (name,) = re.findall(r"^[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name).lower()


def test_base_needs_no_napari_and_no_qt(metadata: Message):
    requirements = metadata.get_all("Requires-Dist", [])
    base = {requirement_name(r) for r in requirements if "extra ==" not in r}
    assert "numpy" in base
    assert base & {"napari", "qtpy", "pyqt5", "pyqt6", "pyside2", "pyside6"} == set()


def test_every_imported_package_is_declared():
    """What the source imports is a dependency, or of the extra that its module belongs to."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {requirement_name(r) for r in project["dependencies"]}
    extra = {requirement_name(r) for r in project["optional-dependencies"]["campaign"]}
    extra |= {"distributed"}  # which is dask[distributed]
    stores = {PACKAGE / "storage" / name for name in ("zarr_store.py", "zarr_parts.py")}
    stores.add(PACKAGE / "pipeline" / "large.py")
    on_disk = {PACKAGE / "analysis" / "blocks.py", PACKAGE / "analysis" / "trials.py"}
    stores |= on_disk  # dask is there where a cube is backed by it
    fast = {requirement_name(r) for r in project["optional-dependencies"]["fast"]}
    packages = importlib.metadata.packages_distributions()
    undeclared = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                tops = {(node.module or "").partition(".")[0]}
            else:
                continue
            for top in tops - set(sys.stdlib_module_names) - {"", PACKAGE.name}:
                providers = {requirement_name(name) for name in packages.get(top, [top])}
                is_of_extra = path.parent.name == "campaign" or path in stores
                with_napari = top in {"napari", "psygnal", "qtpy", "superqt", "vispy"}
                if providers & (declared | extra if is_of_extra else declared):
                    continue
                if path == PACKAGE / "storage" / "deflate.py" and providers & fast:
                    continue
                if not (with_napari and path.parent != PACKAGE):
                    undeclared.add(f"{top} ({path.relative_to(PACKAGE)})")
    assert undeclared == set()


def test_every_public_name_is_on_the_api_page():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    at_top = set(napari_hexrecruit.__all__) - {"__version__"}
    listed = set()
    for part in page.split(".. currentmodule:: ")[1:]:
        home = importlib.import_module(part.split(maxsplit=1)[0])
        names = re.findall(r"^ {3}([\w.]+)$", part, flags=re.MULTILINE)
        assert all(operator.attrgetter(name)(home).__doc__ for name in names)
        listed |= set(names)
    assert at_top <= listed
    assert {name for name in napari_hexrecruit.analysis.__all__ if not name.isupper()} <= listed
