"""A second simulation: side by side with the first, or in its place; asked once."""

from __future__ import annotations

import pytest
from qtpy.QtTest import QTest
from tests.napari.widgets.windowless import PanelUser
from tests.support.looking import canvas
from tests.support.mouse import LEFT
from tests.support.widget_helpers import User, neurons_in_a_row


@pytest.fixture
def user(make_napari_viewer, qtbot, monkeypatch):
    """A user in front of a viewer with the widget, who has never used it before."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return User(make_napari_viewer(), qtbot)


def test_another_simulation_is_side_by_side_until_only_the_last_is_wanted(user, tmp_path):
    first = user.open_and_load(neurons_in_a_row(80).write(tmp_path / "zero"))
    assert user.form.second.section.native.isHidden()
    one = neurons_in_a_row().write(tmp_path / "one")
    second = user.open_and_load(one)
    assert list(user.viewer.layers) == [first, second]
    assert first.cube.sizes["hex"] == 80
    assert [first.name, second.name] == ["cortex (zero)", "cortex (one)"]
    assert canvas(user.viewer).grid.enabled
    assert [layer.face_colorbar.visible for layer in (first, second)] == [False, True]
    second.face_contrast_limits = (5.0, 30.0)
    assert first.face_contrast_limits == (5.0, 30.0)

    assert not user.form.second.section.native.isHidden()
    QTest.mouseClick(user.form.second.replace.native, LEFT)
    assert list(user.viewer.layers) == [second]
    assert not canvas(user.viewer).grid.enabled
    user.open_and_load(neurons_in_a_row(20).write(tmp_path / "two"))
    (third,) = user.viewer.layers
    assert third.cube.sizes["hex"] == 20
    assert third.name == "cortex"
    assert user.form.second.section.native.isHidden()


def test_both_stay_where_both_are_wanted(qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = PanelUser(qtbot)
    user.open_and_load(neurons_in_a_row(80).write(tmp_path / "zero"))
    user.open_and_load(neurons_in_a_row().write(tmp_path / "one"))
    QTest.mouseClick(user.form.second.keep.native, LEFT)
    user.open_and_load(neurons_in_a_row(20).write(tmp_path / "two"))
    assert len(user.viewer.layers) == 3
    assert user.form.second.section.native.isHidden()
