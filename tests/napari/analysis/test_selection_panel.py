"""The widget "Selection": by number, property and node set to hexagons, and on to files."""

from __future__ import annotations

import json
import weakref

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtWidgets import QFileDialog
from tests.napari.analysis.panels import Panel
from tests.support.mouse import Mouse
from tests.support.qt_events import wait_until_gone
from tests.support.viewers import a_viewer
from tests.support.widget_helpers import neurons_in_a_row

from napari_hexrecruit import open_simulation, recruitment_cube
from napari_hexrecruit._napari.analysis.node_sets import combined
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer

SETS = {"First": {"node_id": list(range(10)), "population": "cortex"}, "Both": ["First", "Late"]}
SETS["Late"] = {"node_id": [38, 39], "population": "cortex"}


class TestCombined:
    @given(
        st.lists(st.sampled_from("abcdef"), unique=True),
        st.lists(st.sampled_from("abcdef"), max_size=9),
    )
    def test_are_set_operations_that_keep_the_order(self, before, found):
        new = set(found)
        assert combined(before, found, "replace") == tuple(dict.fromkeys(found))
        added = combined(before, found, "add")
        assert set(added) == set(before) | new
        assert added[: len(before)] == tuple(before)
        assert combined(before, found, "keep") == tuple(n for n in before if n in new)
        assert combined(before, found, "remove") == tuple(n for n in before if n not in new)


@pytest.fixture
def row(tmp_path):
    """40 neurons 100 µm apart; by twos and threes in 46 µm hexagons; regions A and B."""
    files = neurons_in_a_row(node_sets=SETS)
    files.columns["region"] = ["A"] * 20 + ["B"] * 20
    path = files.write(tmp_path / "circuit")
    return path, recruitment_cube(path, radius=150.0)


@pytest.fixture
def opened(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")

    def open_panel(cube=None, *, window=False, show=False):
        viewer = make_napari_viewer(show=show) if window else a_viewer()
        layer = None if cube is None else viewer.add_layer(RecruitmentLayer(cube))
        return Panel(viewer, qtbot, "Selection"), layer

    return open_panel


def neurons_of(path, cube, names):
    """Neurons of hexagons, by their places alone."""
    grid_x = cube["x"].sel(hex=list(names)).to_numpy()
    half = 150.0 * np.sqrt(3) / 2
    x = 100.0 * np.arange(40)
    return sorted(k for k in range(40) if (np.abs(x[k] - grid_x) < half).any())


class TestPicking:
    @pytest.mark.smoke
    def test_by_number_of_neurons(self, opened, row):
        _path, cube = row
        panel, layer = opened(cube, window=True)
        n_neurons = cube["n_neurons"].to_numpy()
        panel.widget.at_least.value = 3
        panel.press(panel.widget.pick_number)
        assert layer.selected_hexes == tuple(cube["hex"].to_numpy()[n_neurons >= 3])
        panel.widget.at_least.value, panel.widget.at_most.value = 0, 2
        panel.press(panel.widget.pick_number)
        assert layer.selected_hexes == tuple(cube["hex"].to_numpy()[n_neurons <= 2])
        n_found = int((n_neurons <= 2).sum())
        total = int(n_neurons[n_neurons <= 2].sum())
        assert panel.widget.picked.value == f"{n_found} hexagons, {total} neurons"

    def test_by_region(self, opened, row):
        _path, cube = row
        panel, layer = opened(cube)
        assert panel.widget.column.value == "region"
        assert set(panel.widget.values.choices) == {"A", "B"}
        panel.widget.values.value = ["B"]
        panel.press(panel.widget.pick_values)
        middle = cube["x"].sel(hex=list(layer.selected_hexes)).to_numpy()
        assert middle.min() > 1800.0
        b = layer.selected_hexes
        panel.widget.values.value = ["A"]
        panel.press(panel.widget.pick_values)
        a = layer.selected_hexes
        assert sorted(a + b) == sorted(cube["hex"].to_numpy())
        panel.widget.how.value = "add"
        panel.widget.values.value = ["B"]
        panel.press(panel.widget.pick_values)
        assert layer.selected_hexes == (*a, *b)

    def test_by_another_property(self, opened, row):
        panel, layer = opened(row[1])
        assert "synapse_class" in panel.widget.column.choices
        panel.widget.column.value = "synapse_class"
        panel.wait()
        assert set(panel.widget.values.choices) <= {"EXC", "INH"}
        panel.widget.values.value = list(panel.widget.values.choices)
        panel.press(panel.widget.pick_values)
        assert len(layer.selected_hexes) == len(row[1]["hex"])

    def test_by_node_set(self, opened, row):
        path, cube = row
        panel, layer = opened(cube)
        assert {"First", "Late", "Both"} <= set(panel.widget.node_set.choices)
        panel.widget.node_set.value = "First"
        for share, least in ((0.0, 1e-9), (0.5, 0.5), (1.0, 1.0)):
            layer.selected_hexes = ()
            panel.widget.share.value = share
            panel.press(panel.widget.pick_node_set)
            expected = []
            for name in cube["hex"].to_numpy():
                mine = neurons_of(path, cube, [name])
                if np.mean([neuron < 10 for neuron in mine]) >= least:
                    expected.append(name)
            assert list(layer.selected_hexes) == expected, share
            assert panel.told == [], share

    def test_by_hand(self, opened, row):
        panel, layer = opened(row[1], window=True, show=True)
        panel.viewer.reset_view()
        name = str(row[1]["hex"].to_numpy()[3])
        Mouse(panel.viewer).click_hex(row[1], name)
        assert layer.selected_hexes == (name,)
        assert panel.widget.picked.value.startswith("1 hexagon, ")

    def test_nothing_found_is_said(self, opened, row):
        panel, layer = opened(row[1])
        panel.widget.at_least.value = 1000
        panel.press(panel.widget.pick_number)
        assert layer.selected_hexes == ()
        assert panel.widget.status.value == "No matching hexagons."


class TestNodeSets:
    def picked(self, opened, row, n=2):
        path, cube = row
        panel, layer = opened(cube)
        layer.selected_hexes = cube["hex"].to_numpy()[:n]
        return panel, layer, neurons_of(path, cube, layer.selected_hexes)

    def save(self, panel, monkeypatch, path):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), ""))
        panel.press(panel.widget.save_node_set)

    def test_a_new_file_holds_this_set(self, opened, row, tmp_path, monkeypatch):
        panel, _layer, neurons = self.picked(opened, row)
        panel.widget.set_name.value = "My pick"
        self.save(panel, monkeypatch, tmp_path / "picks")
        content = json.loads((tmp_path / "picks.json").read_text())
        assert content == {"My pick": {"population": "cortex", "node_id": neurons}}
        assert f"{len(neurons)} neurons as node set 'My pick'" in panel.widget.status.value

    def test_a_copy_holds_the_circuits_sets_too(self, opened, row, tmp_path, monkeypatch):
        path, _cube = row
        panel, _layer, neurons = self.picked(opened, row)
        panel.widget.destination.value = "copy"
        self.save(panel, monkeypatch, tmp_path / "sets.json")
        content = json.loads((tmp_path / "sets.json").read_text())
        assert content.pop("Selected")["node_id"] == neurons
        assert content == open_simulation(path).node_set_rules

    def test_is_added_to_a_file(self, opened, row, tmp_path, monkeypatch):
        panel, layer, _neurons = self.picked(opened, row)
        panel.widget.destination.value = "append"
        for name in ("one", "two"):
            panel.widget.set_name.value = name
            self.save(panel, monkeypatch, tmp_path / "mine.json")
            layer.selected_hexes = layer.selected_hexes[:1]
        assert list(json.loads((tmp_path / "mine.json").read_text())) == ["one", "two"]
        self.save(panel, monkeypatch, tmp_path / "mine.json")
        assert "there is a node set 'two' already" in panel.told[-1]

    def test_the_circuits_own_file_stays(self, opened, row, monkeypatch):
        path, _cube = row
        panel, _layer, _neurons = self.picked(opened, row)
        (own,) = open_simulation(path).node_sets_files
        before = own.read_bytes()
        for destination in ("new", "copy", "append"):
            panel.widget.destination.value = destination
            self.save(panel, monkeypatch, own)
            assert "is not replaced" in panel.told[-1]
        self.save(panel, monkeypatch, path)
        assert own.read_bytes() == before
        assert len(panel.told) == 4

    def test_selects_its_hexagons_again(self, opened, row, tmp_path, monkeypatch):
        """Saved, named as the simulation's file of node sets, and picked by name."""
        path, cube = row
        panel, layer, _neurons = self.picked(opened, row, n=3)
        names = layer.selected_hexes
        panel.widget.destination.value = "copy"
        self.save(panel, monkeypatch, tmp_path / "sets.json")
        config = json.loads(path.read_text())
        config["node_sets_file"] = str(tmp_path / "sets.json")
        path.write_text(json.dumps(config))
        again = panel.viewer.add_layer(RecruitmentLayer(recruitment_cube(path, radius=150.0)))
        panel.viewer.layers.remove(layer)
        panel.wait()
        panel.widget.node_set.value = "Selected"
        panel.widget.share.value = 1.0
        panel.press(panel.widget.pick_node_set)
        assert again.selected_hexes == names
        assert len(cube["hex"]) > len(names)

    def test_nothing_picked(self, opened, row):
        panel, _layer = opened(row[1])
        panel.press(panel.widget.save_node_set)
        assert panel.told[-1].startswith("No hexagon is selected")

    def test_a_name_is_needed(self, opened, row, tmp_path, monkeypatch):
        panel, _layer, _neurons = self.picked(opened, row)
        panel.widget.set_name.value = "  "
        self.save(panel, monkeypatch, tmp_path / "sets.json")
        assert "has no name" in panel.told[-1]
        assert not (tmp_path / "sets.json").exists()

    def test_what_is_no_file_of_node_sets(self, opened, row, tmp_path, monkeypatch):
        panel, _layer, _neurons = self.picked(opened, row)
        panel.widget.destination.value = "append"
        for text, told in (("[1]", "holds no node sets"), ("{", "is not JSON")):
            (tmp_path / "other.json").write_text(text)
            self.save(panel, monkeypatch, tmp_path / "other.json")
            assert told in panel.told[-1]
            assert (tmp_path / "other.json").read_text() == text


def test_neurons_as_a_table(opened, row, tmp_path, monkeypatch):
    path, cube = row
    panel, layer = opened(cube)
    layer.selected_hexes = cube["hex"].to_numpy()[2:4]
    target = (str(tmp_path / "n.csv"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: target)
    panel.press(panel.widget.save_neurons)
    table = pd.read_csv(tmp_path / "n.csv")
    assert list(table) == ["population", "node_id", "hex", "x", "y"]
    assert table["node_id"].tolist() == neurons_of(path, cube, layer.selected_hexes)
    assert set(table["hex"]) == set(layer.selected_hexes)
    assert panel.widget.status.value == f"Saved {len(table)} neurons in n.csv."


class TestPanel:
    def test_without_the_simulation_only_numbers_count(self, opened, cube):
        panel, layer = opened(cube)
        assert "not at hand" in panel.widget.about.value
        assert not panel.widget.pick_node_set.enabled
        assert not panel.widget.save_neurons.enabled
        panel.press(panel.widget.pick_number)
        assert len(layer.selected_hexes) == 12

    def test_without_a_layer(self, opened):
        panel, _ = opened()
        assert not panel.widget.pick_number.enabled
        assert panel.told == []

    def test_a_simulation_that_is_gone(self, opened, row):
        path, cube = row
        panel, layer = opened(cube)
        layer.selected_hexes = cube["hex"].to_numpy()[:2]
        (path.parent / "circuit_config.json").unlink()
        panel.widget.node_set.value = "First"
        panel.press(panel.widget.pick_node_set)
        assert "circuit_config.json" in panel.told[-1]

    def test_a_closed_panel_leaves_the_viewer_alone(self, opened, row):
        panel, layer = opened(row[1], window=True)
        viewer, qtbot, told = panel.viewer, panel.qtbot, panel.told
        n_callbacks = len(viewer.mouse_drag_callbacks)
        viewer.window.remove_dock_widget(panel.widget.native)
        assert len(viewer.mouse_drag_callbacks) == n_callbacks - 1
        gone = weakref.ref(panel.widget)
        del panel
        wait_until_gone(qtbot, gone)
        layer.selected_hexes = row[1]["hex"].to_numpy()[:2]
        viewer.layers.clear()
        assert told == []
