"""The tour: at most six steps at real widgets, closed with Esc, and shown only where asked for."""

from __future__ import annotations

from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFrame
from tests.support.mouse import LEFT
from tests.support.qt_events import let_events_pass
from tests.support.widget_helpers import User

from napari_hexrecruit._napari.widgets.tour import Tour


def tours(user):
    let_events_pass()
    return user.widget.native.window().findChildren(Tour)


def test_it_goes_through_the_panel_and_leaves_nothing(make_napari_viewer, qtbot, monkeypatch):
    monkeypatch.setenv("NAPARI_CONFIG", "")
    user = User(make_napari_viewer(show=True), qtbot)
    assert tours(user) == []  # never unasked
    button = user.form.start_here.tour.native
    QTest.mouseClick(button, LEFT)
    QTest.mouseClick(button, LEFT)  # twice is once
    (tour,) = tours(user)
    window = user.widget.native.window()
    (frame,) = window.findChildren(QFrame, "tour_frame")
    sentences, n_steps = [], int(tour.count.text().rpartition(" ")[2])
    assert 4 <= n_steps <= 6
    for widget, sentence in list(tour._steps):
        there = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        assert frame.isVisible()
        assert frame.geometry().contains(there)
        assert window.rect().contains(tour.geometry())
        assert tour.sentence.text() == sentence
        sentences.append(sentence)
        QTest.mouseClick(tour.next, LEFT)
    assert len(set(sentences)) == n_steps
    assert tours(user) == []

    QTest.mouseClick(button, LEFT)
    (tour,) = tours(user)
    QTest.keyClick(user.form.bin_ms.native, Qt.Key.Key_Escape)  # wherever the keyboard is
    assert tours(user) == []
    assert window.findChildren(QFrame, "tour_frame") == []
