"""What the widget says about the files, and spikes or circuit that are elsewhere."""

from __future__ import annotations

import itertools
import json
import shutil
import threading

import h5py
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QScrollArea
from tests.napari.widgets.windowless import PanelUser
from tests.support.qt_events import let_events_pass
from tests.support.waiting import work_until_cancelled
from tests.support.widget_helpers import User, neurons_in_a_row, not_a_simulation

from napari_hexrecruit import open_simulation, recruitment_cube, write_cube
from napari_hexrecruit._napari.recruitment import settings
from napari_hexrecruit._napari.recruitment.details import DARK, LIGHT, counted, gathered
from napari_hexrecruit._napari.recruitment.sources import Sources
from napari_hexrecruit.pipeline.check import check_simulation
from napari_hexrecruit.pipeline.findings import Finding, finding_lines

CROSS, DIAMOND, CHECK = "\N{MULTIPLICATION X}", "\N{BLACK DIAMOND}", "\N{CHECK MARK}"
READABLE = 4.5
"""Least contrast of text, https://www.w3.org/TR/WCAG21/#contrast-minimum."""


@pytest.fixture
def seen(make_napari_viewer, qtbot, monkeypatch):
    """A user whose window is on the screen, and has the keyboard."""
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(show=True), qtbot)
    user.viewer.window._qt_window.activateWindow()
    let_events_pass()
    return user


@pytest.fixture
def doubtful(tmp_path):
    """Something of each status: ids that are not whole numbers, no unit, much that is fine."""
    sim = neurons_in_a_row(units=None)
    sim.node_ids = np.asarray(sim.node_ids, dtype=np.float64)
    return sim.write(tmp_path / "doubtful")


def circuit_missing(folder):
    """A simulation whose circuit is not where it says, and where that is."""
    path = neurons_in_a_row(config_changes={"network": "gone/circuit_config.json"}).write(folder)
    return path, folder / "circuit_config.json"


def spikes_elsewhere(folder):
    """A simulation without spikes, and the file that has them, of neurons that all fire at 7 ms."""
    path = neurons_in_a_row(with_spikes_file=False).write(folder / "run")
    neurons_in_a_row(times_ms=np.full(40, 7.0)).write(folder / "other")
    shutil.move(folder / "other" / "output" / "spikes.h5", folder / "moved.h5")
    return path, folder / "moved.h5"


def settled(user):
    user.wait_until_idle()
    user.wait_for_details()
    return user.widget.details


def opened(user):
    return user.widget.details.opened


class TestList:
    def test_has_what_the_check_finds_errors_first(self, user, doubtful):
        user.choose(doubtful)
        entries = settled(user).entries
        found = check_simulation(doubtful)
        assert sorted(map(str, entries)) == sorted(map(str, found))
        order = [("error", "assumption", "OK").index(entry.status) for entry in entries]
        assert order == sorted(order)
        assert set(order) == {0, 1, 2}

        details = user.widget.details  # folded away, it says how many there are
        n_assumed = sum(finding.status == "assumption" for finding in found)
        assert not details.opened
        assert f"Details: 1 error, {n_assumed} assumptions" in details.section[0].text

        text = details.text.native.toPlainText()  # a symbol and a word tell the status
        for symbol, word in ((CROSS, "error"), (DIAMOND, "assumption"), (CHECK, "OK")):
            assert f"{symbol} {word}" in text.replace("\N{NO-BREAK SPACE}", " ")
        assert f"In {doubtful.parent}/" in text
        assert text.count(str(doubtful.parent)) == 1

        details.copy.native.click()  # gives what the command prints
        lines = QApplication.clipboard().text().splitlines()
        assert sorted(lines[-1:]) == sorted(finding_lines(found)[-1:])
        for finding in found:
            assert any(finding.found in line for line in lines)

        with h5py.File(doubtful.parent / "output" / "spikes.h5", "r+") as file:
            times = file["spikes/cortex/timestamps"]
            del file["spikes/cortex/node_ids"]
            file["spikes/cortex/node_ids"] = np.zeros(times.shape, dtype=np.uint64)
        details.again.native.click()
        assert settled(user).entries[0].status == "assumption"

    def test_says_what_the_hexagons_assume_and_nothing_twice(self, user, tmp_path):
        path = neurons_in_a_row(tstop_ms=103.0, units=None).write(tmp_path)
        layer = user.open_and_load(path)
        sentences = [f"{e.where}: {e.found}" for e in settled(user).entries]
        assert sum("do not fill a bin" in sentence for sentence in sentences) == 1
        for said in ("has no units", "names no node set"):
            assert sum(said in sentence for sentence in sentences) == 1
        notes = json.loads(layer.cube.attrs["notes"])
        assert len(notes) > 2
        for note in notes:
            assert any(entry.found in note for entry in user.widget.details.entries)

    def test_of_a_cube_whose_simulation_is_not_here(self, user, tmp_path):
        path = neurons_in_a_row(tstop_ms=103.0).write(tmp_path / "gone")
        cube = recruitment_cube(path)
        write_cube(cube, tmp_path / "run.hexrecruit.nc")
        shutil.rmtree(tmp_path / "gone")
        user.viewer.open(tmp_path / "run.hexrecruit.nc", plugin="napari-hexrecruit")
        found = [entry.found for entry in settled(user).entries]
        assert found == json.loads(cube.attrs["notes"])

    def test_follows_the_simulation(self, user, doubtful, sample):
        user.choose(doubtful)
        assert "error" in {entry.status for entry in settled(user).entries}
        user.choose(sample)
        assert str(doubtful) not in str(settled(user).entries)
        assert "error" not in {entry.status for entry in user.widget.details.entries}


class TestFailure:
    def test_opens_by_itself_and_folds_again(self, user, sample, tmp_path):
        user.choose(not_a_simulation(tmp_path))
        details = settled(user)
        assert details.opened
        (entry,) = details.entries
        assert entry.status == "error"
        assert entry.found in user.told[0]
        assert user.form.info.value.endswith(f"Where: {entry.where}")
        user.choose(sample)
        settled(user)
        assert not details.opened

    def test_what_the_user_has_opened_stays_open(self, user, sample, tmp_path):
        user.widget.details.section[0].native.click()
        user.choose(not_a_simulation(tmp_path))
        user.choose(sample)
        assert settled(user).opened

    def test_of_a_load_is_the_first_entry(self, user, sample):
        user.choose(sample)
        user.form.radius.value = 0.0
        user.load()
        assert opened(user)
        assert settled(user).entries[0] == Finding(
            "error", "", "Radius must be a number greater than 0, not 0.0"
        )
        assert len(user.widget.details.entries) > 5
        user.form.radius.value = 50.0
        user.load()
        assert not opened(user)
        assert "error" not in {entry.status for entry in settled(user).entries}

    def test_spikes_that_are_missing(self, user, tmp_path):
        path, _ = spikes_elsewhere(tmp_path)
        user.choose(path)
        entries = settled(user).entries
        assert [entry.status for entry in entries].count("error") == 1
        assert "does not exist" in entries[0].found
        assert opened(user)
        assert "Spikes in Other files" in user.told[0]
        assert "--spikes" not in user.widget.details.text.native.toPlainText()

    def test_of_one_simulation_leaves_the_notes_of_another_out(self, user, tmp_path):
        user.open_and_load(neurons_in_a_row(tstop_ms=103.0).write(tmp_path / "good"))
        user.choose(not_a_simulation(tmp_path))
        assert "do not fill a bin" not in str(settled(user).entries)
        user.load()
        assert "do not fill a bin" in str(settled(user).entries)


class TestReading:
    def test_by_keyboard_alone(self, seen, doubtful):
        seen.choose(doubtful)
        details, qtbot = settled(seen), seen.qtbot
        button, text = details.section[0].native, details.text.native
        seen.form.cancel.enabled = False
        seen.form.load.native.setFocus()
        for _ in range(3):
            if QApplication.focusWidget() is not button:
                qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is button
        qtbot.keyClick(button, Qt.Key.Key_Space)
        assert details.opened
        assert text.isVisible()
        qtbot.keyClick(button, Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is text
        qtbot.keyClick(text, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        qtbot.keyClick(text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert "'node_ids': is float64" in QApplication.clipboard().text()
        qtbot.keyClick(text, Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is details.copy.native
        qtbot.keyClick(button, Qt.Key.Key_Space)
        assert not text.isVisible()

        seen.form.load.native.setFocus()
        without = _picture(button)
        button.setFocus()
        assert (_picture(button) != without).any()  # the focus is seen

    def test_colours_are_readable_in_each_theme(self, seen, doubtful):
        seen.viewer.theme = "dark"
        seen.choose(doubtful)
        details = settled(seen)
        details.section[0].native.click()
        text = details.text.native
        for theme, inks in (("dark", DARK), ("light", LIGHT)):
            seen.viewer.theme = theme
            assert inks.error in text.toHtml()
            seen.widget.native.findChild(QScrollArea).ensureWidgetVisible(text)
            text.verticalScrollBar().setValue(0)
            let_events_pass()
            top = _picture(text.viewport())
            text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
            drawn = np.concatenate([top, _picture(text.viewport())]).astype(int)
            ground = drawn[0, -1]
            for ink in (inks.error, inks.assumption, inks.ok, inks.dim):
                assert _contrast(_rgb(ink), ground) >= READABLE, theme
                assert (np.abs(drawn - _rgb(ink)).max(axis=-1) < 8).any(), theme

    def test_long_names_do_not_make_the_panel_wider(self, seen, tmp_path):
        folder = tmp_path / ("a_folder_with_a_very_long_name_" * 3)
        seen.choose(neurons_in_a_row(units=None).write(folder))
        details = settled(seen)
        details.section[0].native.click()
        seen.form.other_files.button.native.click()
        panel = seen.widget.native.findChild(QScrollArea).widget()
        assert panel.minimumSizeHint().width() <= 284
        assert details.text.native.document().size().width() <= details.text.native.width()

    def test_is_as_high_as_its_text_up_to_a_limit(self, seen, sample, tmp_path):
        text = seen.widget.details.text.native
        seen.choose(not_a_simulation(tmp_path))
        settled(seen)
        let_events_pass()
        assert not text.verticalScrollBar().isVisible()
        assert text.height() < 200
        seen.choose(sample)
        settled(seen).section[0].native.click()
        let_events_pass()
        assert text.height() <= 340


class TestInTheBackground:
    @pytest.fixture
    def waiting(self, monkeypatch):
        """A walk that goes on until it is cancelled or set free."""
        free = threading.Event()
        check = Sources.check

        def wait(sources, progress):
            work_until_cancelled(progress, "checking", free)
            return check(sources, progress)

        monkeypatch.setattr(Sources, "check", wait)
        return free

    def test_loading_does_not_wait_for_it(self, user, sample, waiting):
        user.choose(sample)
        details = user.widget.details
        user.wait(lambda: details.looking)
        assert user.form.load.enabled
        assert "Checking the files" in details.text.native.toPlainText()
        user.form.load.native.click()
        assert not details.busy
        user.wait_until_idle()
        assert len(user.viewer.layers) == 1
        user.wait(lambda: details.looking)
        waiting.set()
        assert len(settled(user).entries) > 5

    def test_it_goes_on_after_a_load_that_was_cancelled(self, user, sample, waiting):
        user.choose(sample)
        user.wait(lambda: user.widget.details.looking)
        user.form.load.native.click()
        user.form.cancel.native.click()
        waiting.set()
        assert len(settled(user).entries) > 5

    def test_files_are_looked_at_once(self, user, sample, monkeypatch):
        walks, check = [], Sources.check
        monkeypatch.setattr(
            Sources, "check", lambda *args: (walks.append(args[0]), check(*args))[1]
        )
        user.choose(sample)
        settled(user)
        user.load()
        user.form.radius.value = 80.0
        settled(user)
        assert walks == [Sources(sample)]


class TestOtherFiles:
    def choose_other(self, user, **files):
        for name, path in files.items():
            getattr(user.form, f"{name}_file").value = path
            settled(user)

    def test_spikes_from_elsewhere(self, user, tmp_path):
        path, moved = spikes_elsewhere(tmp_path)
        user.choose(path)
        user.told.clear()
        self.choose_other(user, spikes=moved)
        assert user.told == []
        assert "40 spikes" in user.form.info.value
        user.load()
        cube = user.viewer.layers[0].cube
        assert cube.identical(recruitment_cube(open_simulation(path, spikes=moved)))
        assert cube["n_spikes"].sum("hex").to_numpy().tolist() == [40] + [0] * 9
        assert user.form.other_files.title == "Other files: 1"

    def test_a_circuit_from_elsewhere_mends_what_could_not_be_opened(self, user, tmp_path):
        path, circuit = circuit_missing(tmp_path)
        user.choose(path)
        assert "Circuit in Other files" in user.told[0]
        assert "which does not exist" in user.form.info.value
        user.told.clear()
        self.choose_other(user, circuit=circuit)
        user.load()
        assert user.told == []
        expected = recruitment_cube(open_simulation(path, circuit=circuit))
        assert user.viewer.layers[0].cube.identical(expected)
        assert user.form.file.line_edit.value == str(path)

    def test_spikes_and_circuit_without_a_configuration(self, user, tmp_path):
        _, circuit = circuit_missing(tmp_path / "run")
        spikes = tmp_path / "run" / "output" / "spikes.h5"
        self.choose_other(user, spikes=spikes)
        assert user.told == []
        assert not user.form.load.enabled
        self.choose_other(user, circuit=circuit)
        user.load()
        assert user.told == []
        expected = recruitment_cube(open_simulation(spikes=spikes, circuit=circuit))
        assert user.viewer.layers[0].cube.identical(expected)
        assert user.form.file.line_edit.value == ""

    def test_emptied_fields_go_back_to_the_configuration(self, user, tmp_path):
        path, moved = neurons_in_a_row().write(tmp_path / "a"), spikes_elsewhere(tmp_path)[1]
        layer = user.open_and_load(path)
        own = layer.cube
        self.choose_other(user, spikes=moved)
        user.load()
        assert len(user.viewer.layers) == 2  # other spikes are another simulation
        edit = user.form.spikes_file.line_edit.native
        edit.setText("")
        edit.editingFinished.emit()
        settled(user)
        user.load()
        assert user.viewer.layers[-1].cube.identical(own)
        assert user.form.other_files.title == "Other files"

    def test_are_left_out_for_another_simulation(self, user, sample, tmp_path):
        path, moved = spikes_elsewhere(tmp_path)
        user.choose(path)
        self.choose_other(user, spikes=moved)
        user.told.clear()
        layer = user.open_and_load(sample)
        assert layer.cube.identical(recruitment_cube(sample))
        assert user.form.spikes_file.line_edit.value == ""

    def test_a_file_that_is_none_leaves_everything_as_it_was(self, user, sample, tmp_path):
        layer = user.open_and_load(sample)
        wrong = not_a_simulation(tmp_path)
        self.choose_other(user, circuit=wrong)
        assert len(user.told) == 1
        assert user.form.info.value.endswith(f"Where: {wrong}")
        assert user.form.circuit_file.line_edit.value == ""
        assert user.form.file.line_edit.value == str(sample)
        user.form.radius.value = 80.0
        user.wait_until_idle()
        assert layer.cube.identical(recruitment_cube(sample, radius=80.0))

    def test_are_there_the_next_time(self, qtbot, monkeypatch, tmp_path):
        monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "config" / "settings.yaml"))
        path, moved = spikes_elsewhere(tmp_path)
        user = PanelUser(qtbot)
        user.choose(path)
        self.choose_other(user, spikes=moved)
        user.wait(lambda: settings.load_settings().recipe.spikes == str(moved))
        user.close()
        again = PanelUser(qtbot)
        settled(again)
        assert again.told == []
        assert again.form.spikes_file.line_edit.value == str(moved)
        assert "40 spikes" in again.form.info.value

    def test_are_those_of_a_cube_that_is_opened(self, user, tmp_path):
        path, moved = spikes_elsewhere(tmp_path)
        cube = recruitment_cube(open_simulation(path, spikes=moved))
        write_cube(cube, tmp_path / "run.hexrecruit.nc")
        (layer,) = user.viewer.open(tmp_path / "run.hexrecruit.nc", plugin="napari-hexrecruit")
        settled(user)
        assert user.form.spikes_file.line_edit.value == str(moved)
        user.form.bin_ms.value = 20.0
        user.wait_until_idle()
        expected = recruitment_cube(open_simulation(path, spikes=moved), bin_ms=20.0)
        assert layer.cube.identical(expected)


class TestSentences:
    def test_a_finding_that_says_it_keeps_a_note_out(self):
        assumed = Finding("assumption", "/a.h5", "ms is assumed")
        assert gathered([assumed], ["/a.h5: ms is assumed", "other", "other"]) == [
            Finding("assumption", "", "other"),
            assumed,
        ]

    def test_a_finding_that_is_the_error_is_told_once(self):
        problem = Finding("error", "/a.h5", "is empty", "wait")
        assert gathered([problem], error="/a.h5: is empty: wait") == [problem]
        assert len(gathered([problem], error="/a.h5: is empty: go")) == 2

    @pytest.mark.parametrize(
        ("n_each", "said"),
        [
            ((0, 0, 0), "0 OK"),
            ((0, 0, 9), "9 OK"),
            ((0, 2, 9), "2 assumptions"),
            ((1, 0, 9), "1 error"),
            ((2, 1, 0), "2 errors, 1 assumption"),
        ],
    )
    def test_numbers(self, n_each, said):
        statuses = itertools.chain.from_iterable(
            [status] * n for status, n in zip(("error", "assumption", "OK"), n_each, strict=True)
        )
        assert counted(Finding(status, "", "") for status in statuses) == said


def _picture(native):
    """(height, width, 3) uint8 of a Qt widget as it is drawn."""
    QApplication.processEvents()
    image = native.grab().toImage()
    rows = range(image.height())
    return np.array(
        [[image.pixelColor(x, y).getRgb()[:3] for x in range(image.width())] for y in rows],
        dtype=np.uint8,
    )


def _rgb(ink):
    return np.array([int(ink[at : at + 2], 16) for at in (1, 3, 5)])


def _contrast(one, other):
    """Contrast of two colours, 1 to 21, by WCAG 2.1."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb):
    part = np.asarray(rgb) / 255.0
    linear = np.where(part <= 0.03928, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
