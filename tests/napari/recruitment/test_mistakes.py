"""Mistakes: each is told in one line that says what to do; layer and choices stay as they were."""

from __future__ import annotations

import numpy as np
from tests.support.widget_helpers import neurons_in_a_row, not_a_simulation

from napari_hexrecruit._napari.recruitment import request


def spikes_missing(folder):
    return neurons_in_a_row(with_spikes_file=False).write(folder)


def without_places(folder):
    sim = neurons_in_a_row()
    del sim.columns["ss_flat_x"], sim.columns["ss_flat_y"]
    return sim.write(folder)


def all_outside(folder):
    sim = neurons_in_a_row()
    sim.columns["ss_flat_x"] = sim.columns["ss_flat_y"] = np.full(40, -1.0)
    return sim.write(folder)


def _written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_is_no_simulation(user, sample, tmp_path):
    layer = user.open_and_load(sample)
    before = user.form.settings()
    for wrong, says in (
        (not_a_simulation(tmp_path), "give a SONATA simulation"),
        (_written(tmp_path / "simulation_config.json", "{"), "is not JSON"),
        (_written(tmp_path / "picture.png", "\x89PNG"), "is not JSON"),
    ):
        user.told.clear()
        user.choose(wrong)
        assert len(user.told) == 1, wrong
        assert says in user.told[0]
        assert str(tmp_path) in user.form.info.value
        assert user.form.settings() == before, wrong
        assert user.form.file.line_edit.value == str(sample)  # it can be chosen again, mended
        assert list(user.viewer.layers) == [layer], wrong
        assert user.form.load.enabled, wrong


def test_a_spikes_file_that_is_missing_is_told_at_once(user, tmp_path):
    user.choose(spikes_missing(tmp_path))
    assert "the spikes file does not exist: run the simulation" in user.told[0]
    assert "no spikes" in user.form.info.value
    user.load()
    assert len(user.told) == 2
    assert len(user.viewer.layers) == 0


def test_a_population_without_places(user, tmp_path):
    for make, says in (
        (without_places, "choose two of its properties as flat"),
        (all_outside, "has a flat position"),
    ):
        user.told.clear()
        folder = tmp_path / make.__name__
        folder.mkdir()
        user.choose(make(folder))
        user.load()
        assert len(user.told) == 1, make
        assert says in user.told[0]
        assert len(user.viewer.layers) == 0, make


def test_a_value_that_cannot_be_used(user, tmp_path):
    layer = user.open_and_load(neurons_in_a_row().write(tmp_path))
    before, status = layer.cube, user.form.status.value
    for change, says in (
        ({"radius": 0.0}, "Radius must be"),
        ({"bin_ms": 0.0}, "bin width"),
        ({"bin_ms": 7.0, "stop": 50.0}, "use 0 to 49 ms or 0 to 56 ms"),
        ({"start": 500.0, "stop": 700.0}, "from 0 to 100 ms"),
        ({"start": -50.0}, "from 0 to 100 ms"),
        ({"start": 50.0, "stop": 20.0}, "stop must be after start"),
        ({"bin_ms": 500.0}, "narrower bin"),
    ):
        usual = {name: getattr(user.form, name).value for name in change}
        for name, value in change.items():
            getattr(user.form, name).value = value
        user.wait_until_idle()
        assert len(user.told) == 1, change
        assert says in user.told[0]
        assert "\n" not in user.told[0], change
        assert layer.cube is before, change
        assert says.lower() in user.form.status.wrong.lower()
        user.form.status.mended()
        assert user.form.status.value == status, change
        for name, value in usual.items():
            getattr(user.form, name).value = value
        user.wait_until_idle()
        assert layer.cube is before, change
        user.told.clear()


def test_a_number_that_is_none_does_not_get_in(user):
    spin = user.form.radius.native
    spin.lineEdit().setText("nan")
    spin.interpretText()
    assert user.form.radius.value == 50.0


def test_a_filter_that_leaves_nobody(user, tmp_path):
    path = neurons_in_a_row(node_sets={"Even": {"synapse_class": "EXC"}}).write(tmp_path)
    layer = user.open_and_load(path)
    before = layer.cube
    user.form.automatic.value = False
    user.form.node_set.value = "Even"
    user.pick_filter("synapse_class", "INH")
    user.load()
    sentence = "o neuron passes all the filters together: loosen one of them"
    assert user.form.status.value == f"N{sentence}"
    assert user.told == [f"n{sentence} (panel Hexagon recruitment)"]
    assert layer.cube is before


def test_load_without_a_simulation(user):
    assert not user.form.load.enabled
    user.widget.load()
    assert "choose or drop" in user.told[0]


def test_more_than_fits_into_memory(user, sample, monkeypatch):
    def too_much(sim, **options):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr(request, "computed_cube", too_much)
    user.choose(sample)
    user.load()
    assert len(user.told) == 1
    assert "use larger hexagons, wider bins or a shorter window" in user.told[0]


def test_a_bug_is_no_mistake_of_the_user(user, sample, monkeypatch):
    def broken(sim, **options):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(request, "computed_cube", broken)
    user.choose(sample)
    with user.qtbot.captureExceptions() as raised:
        user.form.load.native.click()
        user.wait(lambda: not user.widget.busy)
        user.wait(lambda: raised)
    assert [kind for kind, *_ in raised] == [ZeroDivisionError]
    assert user.form.load.enabled
