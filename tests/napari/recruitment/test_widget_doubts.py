"""What the widget tells of numbers that cannot be meant."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.napari.widgets.windowless import PanelUser
from tests.support.widget_helpers import neurons_in_a_row

N = 40


@pytest.fixture
def user(qtbot, monkeypatch):
    """A user in front of the widget, who has never used it before."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return PanelUser(qtbot)


def warned(user):
    user.wait_for_details()
    return [e.found for e in user.widget.details.entries if e.status == "warning"]


def test_a_doubt_is_told_once_and_stays_in_the_details(user, tmp_path):
    path = neurons_in_a_row(node_ids=np.arange(N) + 1).write(tmp_path / "run")
    user.choose(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one that a thread shows freezes the viewer
        user.load()
    assert len(user.told) == 1
    assert "as if they counted from 1" in user.told[0]
    assert any("as if they counted from 1" in found for found in warned(user))
    user.form.radius.value = 80.0
    user.load()
    assert len(user.told) == 1
    assert any("as if they counted from 1" in found for found in warned(user))


def test_the_doubts_of_another_simulation_are_told_anew(user, tmp_path):
    for name in ("a", "b"):
        user.choose(neurons_in_a_row(node_ids=np.arange(N) + 1).write(tmp_path / name))
        user.load()
    assert ["from 1" in told for told in user.told] == [True, True]


def test_nothing_counted_is_an_error_in_the_words_of_the_panel(user, tmp_path):
    user.choose(neurons_in_a_row(node_ids=np.arange(N) + 1000).write(tmp_path / "run"))
    user.load()
    assert len(user.viewer.layers) == 0
    assert len(user.told) == 1
    assert "nothing is counted, since the population lacks the ids of all 40 spikes" in user.told[0]
    assert "allow_empty" not in user.told[0]


def test_a_value_of_a_split_may_be_silent(user, tmp_path):
    user.choose(neurons_in_a_row(node_ids=2 * (np.arange(N) // 2)).write(tmp_path / "run"))
    user.form.split_by.value = "synapse_class"
    user.load()
    assert len(user.viewer.layers) >= 2
    assert ["nothing is counted, since" in told for told in user.told] == [True]


def test_a_file_dropped_on_the_canvas(user, tmp_path):
    path = neurons_in_a_row(node_ids=np.arange(N) + 1).write(tmp_path / "run")
    user.viewer.open(str(path), plugin="napari-hexrecruit")
    assert any("as if they counted from 1" in told for told in user.told)
