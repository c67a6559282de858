"""Configuration of the documentation. The build downloads nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import napari_hexrecruit

project = "napari-hexrecruit"
author = "napari-hexrecruit contributors"
copyright = "napari-hexrecruit contributors"
release = version = napari_hexrecruit.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
]
exclude_patterns = ["_build", "generated/help", "generated/questions", "generated/players"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"
autosummary_generate = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
add_module_names = False
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"napari-hexrecruit {release}"
html_show_sourcelink = False
# Web pages that other pages embed; they are copied unchanged.
PLAYERS = Path(__file__).parent / "generated" / "players"
PLAYERS.mkdir(parents=True, exist_ok=True)
html_extra_path = ["generated/players"]

_PAGES = Path(__file__).parent.glob("*.md")
COMMANDS = {
    command
    for page in _PAGES
    for command in re.findall(r"generated/help/([\w-]+)\.txt", page.read_text(encoding="utf-8"))
}
"""Commands whose help the pages include."""


def write_help(_app) -> None:
    """Write the --help text of each command, which the command line page includes."""
    folder = Path(__file__).parent / "generated" / "help"
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "COLUMNS": "88", "NO_COLOR": "1", "TERM": "dumb"}
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "napari_hexrecruit", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        (folder / f"{command}.txt").write_text(done.stdout.strip() + "\n", encoding="utf-8")


def answer_questions(_app) -> None:
    """Run the script of each question; its page shows the picture, web page and output."""
    here = Path(__file__).parent
    folder = here / "generated" / "questions"
    folder.mkdir(parents=True, exist_ok=True)
    for script in sorted((here / "questions").glob("*.py")):
        done = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, check=False, cwd=folder
        )
        if done.returncode:
            raise RuntimeError(f"{script}:\n{done.stderr}")
        (folder / f"{script.stem}.txt").write_text(done.stdout, encoding="utf-8")
        shutil.copy(folder / f"{script.stem}.html", PLAYERS / f"player-{script.stem}.html")


def setup(app) -> None:
    """Register the steps above."""
    app.connect("builder-inited", write_help)
    app.connect("builder-inited", answer_questions)
