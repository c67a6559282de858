"""Several populations, reports and hemispheres in the widget."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from tests.napari.widgets.windowless import PanelUser
from tests.support.report_files import name_report, write_report
from tests.support.two_populations import SIZES, A, B, two_populations
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import recruitment_cube
from napari_hexrecruit._napari.layers.shown_cube import cube_of


@pytest.fixture
def user(qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    return PanelUser(qtbot)


def shown(user):
    return cube_of(user.viewer.layers[-1])


def test_several_populations_are_chosen_and_counted_together(user, tmp_path):
    config = two_populations(tmp_path / "run")
    user.choose(config)
    form = user.form
    assert form.population.choices == (A, B)
    form.population.value = A
    user.wait_until_idle()
    assert form.populations.others.choices == (B,)
    form.populations.others.value = [B]
    user.wait_until_idle()
    assert {"layer", "side"} <= set(form.filter_column.choices)
    assert "only" not in form.filter_column.choices
    assert f"{sum(SIZES.values())} neurons" in form.info.value
    user.load()
    assert shown(user).equals(recruitment_cube(config, population=[A, B]))
    assert "A + B,1" in user.viewer.layers[-1].name
    user.pick_filter("layer", 5)
    user.wait_until_idle()
    assert shown(user).equals(recruitment_cube(config, population=[A, B], where="layer=5"))
    form.hemispheres.property.value = "side"
    form.hemispheres.mirror.value = "l"
    user.pick_filter("")
    user.wait_until_idle()
    expected = recruitment_cube(config, population=[A, B], hemisphere="side", mirror="l")
    assert shown(user).equals(expected)
    assert user.told == []


def test_a_report_is_shown_with_its_units_and_spikes_again(user, tmp_path):
    config = neurons_in_a_row(tstop_ms=100.0).write(tmp_path / "run")
    values = np.random.default_rng(1).normal(-60.0, 5.0, (200, 40)).astype("f4")
    write_report(tmp_path / "run" / "output" / "soma_v.h5", values)
    name_report(config)
    layer = user.open_and_load(config)
    form = user.form
    assert form.quantity.show.choices == ("spikes", "soma_v")
    assert shown(user).attrs["schema_version"] == 1
    form.quantity.show.value = "soma_v"
    user.wait_until_idle()
    layer = user.viewer.layers[-1]
    assert shown(user).equals(recruitment_cube(config, report="soma_v", statistic="mean"))
    assert layer.metric == "soma_v_mean"
    assert -75.0 < layer.face_contrast_limits[0] < -55.0
    form.quantity.statistic.value = "above"
    form.quantity.level.value = -61.0
    user.wait_until_idle()
    assert list(shown(user).data_vars) == ["soma_v_above_-61"]
    assert user.viewer.layers[-1].metric == "soma_v_above_-61"
    form.quantity.show.value = "spikes"
    user.wait_until_idle()
    assert user.viewer.layers[-1].metric == "recruitment"
    assert user.told == []


def test_a_report_can_be_the_first_that_is_loaded(user, tmp_path):
    config = neurons_in_a_row(tstop_ms=100.0).write(tmp_path / "run")
    values = np.random.default_rng(1).normal(-60.0, 5.0, (200, 40)).astype("f4")
    write_report(tmp_path / "run" / "output" / "soma_v.h5", values)
    name_report(config)
    user.choose(config)
    user.form.quantity.show.value = "soma_v"
    user.form.split_by.value = "synapse_class"
    user.load()
    layers = user.viewer.layers[-2:]
    assert [layer.metric for layer in layers] == ["soma_v_mean"] * 2
    assert layers[0].face_contrast_limits == layers[1].face_contrast_limits
    assert "mV" in layers[0].colorbar_label.text
    assert user.told == []


def test_a_report_that_cannot_be_read_is_refused_in_a_sentence(user, tmp_path):
    config = neurons_in_a_row(tstop_ms=100.0).write(tmp_path / "run")
    file = write_report(tmp_path / "run" / "output" / "soma_v.h5", np.zeros((200, 40), "f4"))
    with h5py.File(file, "r+") as opened:
        del opened["report/cortex/mapping"]
    name_report(config)
    user.choose(config)
    user.form.quantity.show.value = "soma_v"
    user.load()
    assert "as no group 'mapping', so its values are of no neuron" in user.form.status.value
