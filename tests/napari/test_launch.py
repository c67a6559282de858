"""``hexrecruit view`` as it is started: a process of its own, with a real window."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_hexrecruit import recruitment_cube, write_cube
from napari_hexrecruit.synthetic import SMALL, write_simulation

# Looks at the window every 50 ms; says what it shows once all is there, and closes it.
LOOKING = """
import sys
from pathlib import Path
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
import napari
from napari_hexrecruit._napari.launch import launch

app = QApplication([])

def look():
    viewer = napari.current_viewer()
    if viewer is None or not viewer.layers or not viewer.window.dock_widgets:
        return
    (layer,) = viewer.layers
    print(type(layer).__name__, layer.cube.sizes["hex"], list(viewer.window.dock_widgets))
    timer.stop()
    viewer.close()

timer = QTimer()
timer.timeout.connect(look)
timer.start(50)
launch(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_simulation(tmp_path_factory.mktemp("sample") / "run", SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["simulation", "cube"])
def test_the_viewer_opens_with_the_layer_and_the_widget(config, tmp_path, kind):
    path = config
    if kind == "cube":
        path = write_cube(recruitment_cube(config), tmp_path / "a.hexrecruit.nc")
    env = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}  # choices of the user
    command = [sys.executable, "-c", LOOKING, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    assert "RecruitmentLayer 80 ['Hexagon recruitment" in done.stdout
