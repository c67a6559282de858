"""What is dropped on the panel: one configuration, a folder with one, and what is refused."""

from __future__ import annotations

import shutil

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from tests.napari.widgets.windowless import PanelUser
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube, write_cube


@pytest.fixture
def user(qtbot, monkeypatch):
    """A user in front of the widget, who has never used it before."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return PanelUser(qtbot)


def drop(user, *paths):
    """Drag files over the panel, let go, and wait; what the panel says is wrong."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where, copy, left = QPointF(20, 20), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), copy, data, left, keys)
    QApplication.sendEvent(user.widget.native, enter)
    QApplication.sendEvent(user.widget.native, QDropEvent(where, copy, data, left, keys))
    user.wait(lambda: not user.widget.busy)
    return user.form.info.wrong


def test_what_is_dropped_is_taken_or_refused_in_a_sentence(user, tmp_path):
    config = neurons_in_a_row().write(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    wrong = drop(user, tmp_path / "empty")
    assert wrong.startswith("The folder has no simulation_config.json: drop the configuration")
    assert str(tmp_path / "empty") in wrong

    assert drop(user, config.parent) == ""
    assert user.form.file.line_edit.value == str(config)

    wrong = drop(user, config, tmp_path / "empty")
    assert wrong.startswith("2 files were dropped (simulation_config.json, empty): drop one")

    shutil.copy(config, config.with_name("simulation_config_2.json"))
    assert "has 2 simulation configurations" in drop(user, config.parent)
    assert user.form.file.line_edit.value == str(config)

    movie = tmp_path / "wave.gif"
    movie.write_bytes(b"GIF89a" + bytes(20))
    assert "Is a movie, not a simulation configuration" in drop(user, movie)

    cube = write_cube(recruitment_cube(config), tmp_path / "run.hexrecruit.nc")
    assert "Is a recruitment cube, not a simulation configuration" in drop(user, cube)

    circuit = tmp_path / "config.json"
    circuit.write_text('{"networks": {"nodes": [], "edges": []}}')
    assert "circuit" in drop(user, circuit)
    assert drop(user, config) == ""
