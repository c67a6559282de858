"""The widget "Trials": cut around onsets, with time relative to them, and compare the trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from magicgui.widgets import CheckBox, LineEdit, PushButton, Widget
from napari.viewer import Viewer

from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.analysis.stage import Result, Stage
from napari_hexrecruit._napari.layers.simulation_source import (
    SimulationSource,
    origin_ms,
    source_of,
)
from napari_hexrecruit._napari.private.points import FRAME_AXIS
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    heading,
    name_choice,
    number,
    row,
)
from napari_hexrecruit._napari.widgets.sentences import reason_first
from napari_hexrecruit.analysis import (
    bins_of,
    count_trials,
    cut_trials,
    input_onsets,
    periodic_onsets,
    reliability,
    trial_cube,
    trial_mean,
    with_maps,
)
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.rounding import listed
from napari_hexrecruit.schema import RECRUITMENT

PERIODIC, INPUTS, LIST = "periodic", "inputs", "list"
_SOURCES = [
    ("Every so often", PERIODIC),
    ("Simulation's inputs", INPUTS),
    ("A list", LIST),
]
_TRIAL = "trial"
_SHOWN = [
    ("Mean of the trials", RECRUITMENT),
    ("Standard error", "sem"),
    ("Reliability", "reliability"),
    ("A single trial", _TRIAL),
]
_ALL = "*"


@dataclass(frozen=True, eq=False)
class Trials:
    """Result of cutting.

    Parameters
    ----------
    trials
        Result of `cut_trials` or `count_trials`.
    mean
        Mean of the trials, with the reliability of each hexagon.
    """

    trials: xr.Dataset
    mean: xr.Dataset

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.trials.sizes[_TRIAL])

    def sentence(self) -> str:
        """Describe the number of trials, omitted onsets, and distances of onsets from bin edges."""
        bins = bins_of(self.mean)
        n = self.n_trials
        parts = [f"{n:,} trial{'' if n == 1 else 's'} of {bins.start_ms:g} to {bins.stop_ms:g} ms."]
        left_out = json.loads(self.trials.attrs["onsets_left_out"])
        if left_out:
            parts.append(f"Left out, as they leave the time of the cube: {listed(left_out)} ms.")
        repeated = json.loads(self.trials.attrs["onsets_repeated"])
        if repeated:
            same = f"In the same bin as another onset, not counted again: {listed(repeated)} ms."
            parts.append(same)
        shift = float(np.abs(self.trials["shift"].values).max(initial=0.0))
        if shift > 1e-6:
            parts.append(f"Onsets lie up to {shift:g} ms from the edge of a bin.")
        if n == 1:
            parts.append("Reliability needs two trials or more.")
        return " ".join(parts)


def onsets_in(text: str) -> npt.NDArray[np.float64]:
    """Read onsets that a user has typed: numbers separated by commas, spaces or semicolons.

    Raises
    ------
    ValueError
        If the text is empty, or an entry is not a number.

    Examples
    --------
    >>> onsets_in("100, 400; 700.5").tolist()
    [100.0, 400.0, 700.5]
    """
    words = text.replace(",", " ").replace(";", " ").split()
    if not words:
        raise ValueError("onsets: the list is empty: type times in ms, such as 100, 400, 700")
    try:
        return np.array([float(word) for word in words])
    except ValueError as error:
        raise ValueError(f"onsets: {error}: type times in ms, such as 100, 400, 700") from error


def cut_or_counted(
    cube: xr.Dataset,
    onsets: npt.NDArray[np.float64],
    window: tuple[float, float],
    source: SimulationSource | None,
    progress: Progress,
) -> Trials:
    """Cut a cube around onsets.

    Parameters
    ----------
    cube
        A recruitment cube.
    onsets
        Onsets in the cube's time, ms.
    window
        Times before and after an onset, ms.
    source
        Simulation whose spikes are counted again, with a bin exactly at each onset; None: cut the
        cube at the nearest edges of bins.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    ValueError
        If the window is not a whole number of bins, or no onset is left.
    """
    before, after = window
    if source is None:
        trials = cut_trials(cube, onsets, before=before, after=after)
    else:
        simulation = source.simulation()
        spikes = Populations.of(simulation, cube).spikes(progress)
        trials = count_trials(
            cube,
            spikes.neurons,
            spikes.times_ms,
            source.members(cube, progress),
            onsets + origin_ms(cube),
            before=before,
            after=after,
            within=(simulation.start_ms, simulation.duration_ms),
            clock=spikes.clock,
            progress=progress,
        )
    return Trials(trials, with_maps(trial_mean(trials), reliability(trials)))


class TrialsWidget(AnalysisPanel):
    """Panel that cuts hexagons around onsets; 0 on the slider is then the onset.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.
    """

    title = "Trials"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.stage = Stage(self.viewer)
        self._trials: Trials | None = None
        self._inputs: dict[str, Any] = {}
        self._offered: object = None
        self._original: xr.Dataset | None = None
        onsets = self._onset_fields()
        window = self._window_fields()
        shown = self._shown_fields()
        self.cut = PushButton(text="Cut trials", enabled=False)
        self.back = PushButton(text="Back", tooltip="Take the trials away", enabled=False)
        self._connect()
        sections: list[Widget] = [
            heading("Onsets"),
            column("", onsets, labels=True),
            heading("Trials"),
            column("", window, labels=True),
            self.exact,
            row("", [self.cut, self.back]),
            heading("Show"),
            column("", shown, labels=True),
        ]
        self._show_fields()
        self.lay_out(sections, [self.cut])

    def _onset_fields(self) -> list[Widget]:
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0}
        self.source = choice("From", _SOURCES, "Source of the onsets")
        self.first = number("First onset, ms", label="First", minimum=-LARGEST, **time)
        self.period = number("Time between onsets, ms", label="Every", value=300.0, **time)
        self.input = name_choice("Input", [], "Input of the simulation; it begins at its delay")
        self.list = LineEdit(label="Onsets", tooltip="Times in ms, such as 100, 400, 700")
        return [self.source, self.first, self.period, self.input, self.list]

    def _window_fields(self) -> list[Widget]:
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0}
        self.before = number("Time before the onset, ms", label="Before", value=50.0, **time)
        self.after = number("Time after the onset, ms", label="After", value=200.0, **time)
        self.exact = CheckBox(
            text="Count spikes again",
            tooltip="A bin starts exactly at every onset; otherwise the nearest bin edge is used",
        )
        return [self.before, self.after]

    def _shown_fields(self) -> list[Widget]:
        self.display = choice("What", _SHOWN, "What the hexagons show")
        self.trial = number(
            "Number of the trial", label="Trial", value=1.0, decimals=0, minimum=1.0
        )
        return [self.display, self.trial]

    def _connect(self) -> None:
        self.source.changed.connect(self._show_fields)
        self.cut.changed.connect(self.run)
        self.back.changed.connect(self._on_back)
        self.display.changed.connect(self._on_display)
        self.trial.changed.connect(self._on_display)
        self._removed = self.viewer.layers.events.removed
        self._removed.connect(self._on_removed)

    # --- the panel --------------------------------------------------------------------------------

    def on_layer(self) -> None:
        """Offer the inputs of the simulation, and default onsets."""
        if self.cube is None or self.stage.is_result(self.layer):
            return
        self._original = cube = self.cube
        source = source_of(cube)
        self.exact.enabled = source is not None
        if source is None:
            self.exact.value = False
            self._offer({})
        else:
            self.read(partial(_read_inputs, source), self._offer)
        if self._offered is not cube:
            self._offered = cube
            bins = bins_of(cube)
            self.first.value = bins.start_ms
            for field in (self.before, self.after, self.first, self.period):
                field.step = bins.width_ms

    def on_closed(self) -> None:
        """Release the layers; they stay in the viewer."""
        self._removed.disconnect(self._on_removed)
        self.stage.close()

    def _offer(self, inputs: dict[str, Any]) -> None:
        self._inputs = inputs
        names = [(name, name) for name in inputs]
        self.input.choices = [("All", _ALL), *names] if len(names) > 1 else names

    def _show_fields(self) -> None:
        source, single = self.source.value, self.display.value == _TRIAL
        self.first.visible = self.period.visible = source == PERIODIC
        self.input.visible = source == INPUTS
        self.list.visible = source == LIST
        self.trial.visible = single

    def _on_removed(self) -> None:
        self.back.enabled = bool(self.stage.layers)

    # --- cutting ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Cut the cube in view, in a thread."""
        cube = self._original
        if cube is None:
            return
        try:
            onsets = self._onsets(cube)()
        except ValueError as mistake:
            self.refuse(reason_first(mistake))
            return
        window = self.before.value, self.after.value
        source = source_of(cube) if self.exact.value else None
        self.work(partial(cut_or_counted, cube, onsets, window, source), self._show, [cube])

    def _onsets(self, cube: xr.Dataset) -> Callable[[], npt.NDArray[np.float64]]:
        bins = bins_of(cube)
        if self.source.value == LIST:
            return lambda: onsets_in(self.list.value)
        if self.source.value == INPUTS:
            name = self.input.value or _ALL
            return lambda: input_onsets(self._inputs, name) - origin_ms(cube)
        return lambda: periodic_onsets(self.first.value, self.period.value, bins.stop_ms)

    def _show(self, trials: Trials) -> None:
        self._trials = trials
        self.trial.max = max(trials.n_trials, 1)
        self._show_trials(at_ms=0.0)
        self.say(trials.sentence())
        self.back.enabled = True

    def _show_trials(self, at_ms: float) -> None:
        trials = self._trials
        if trials is None:
            return
        metric = str(self.display.value)
        if metric == _TRIAL:
            number_ = int(self.trial.value)
            cube = trial_cube(trials.trials, number_ - 1)
            onset = float(trials.trials["onset"][number_ - 1])
            result = Result("trials", f"Trial {number_}, onset {onset:g} ms", cube, RECRUITMENT)
        else:
            titles = {value: title for title, value in _SHOWN}
            result = Result("trials", f"{titles[metric]} ({trials.n_trials})", trials.mean, metric)
        self.stage.show_alone([result], at_ms)

    def _on_display(self) -> None:
        """Show the chosen quantity of the same trials, at the same time."""
        self._show_fields()
        if self.stage.layers:
            self._show_trials(at_ms=float(self.viewer.dims.point[FRAME_AXIS]))

    def _on_back(self) -> None:
        self.stage.clear()
        self._trials = None
        self.say("")


def _read_inputs(source: SimulationSource, progress: Progress) -> dict[str, Any]:
    inputs = source.simulation().configuration.get("inputs", {})
    return dict(inputs) if isinstance(inputs, dict) else {}
