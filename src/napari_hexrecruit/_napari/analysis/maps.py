"""The widget "Maps": one number per hexagon as a layer, and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from magicgui.widgets import CheckBox, PushButton, Widget
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog

from napari_hexrecruit._napari.analysis.connected import (
    AFFERENTS,
    SELECTED,
    afferent_map,
    origins,
)
from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.analysis.stage import Result, Stage
from napari_hexrecruit._napari.layers.layer import RecruitmentLayer
from napari_hexrecruit._napari.layers.simulation_source import (
    SimulationSource,
    is_mean,
    origin_ms,
    source_of,
)
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    choice,
    column,
    heading,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import (
    MAPS,
    bins_of,
    cut,
    hex_map,
    map_options,
    maps_table,
    with_maps,
)
from napari_hexrecruit.doubts import warnings_kept
from napari_hexrecruit.metrics import METRICS, is_cumulative, metric_named
from napari_hexrecruit.pipeline.cubes import computed_cube
from napari_hexrecruit.progress import Progress
from napari_hexrecruit.recipe import CubeRecipe
from napari_hexrecruit.schema import HEX
from napari_hexrecruit.storage.atomic import written_aside

_USUAL, _AFTER_STIMULUS = "peak", "half_peak_latency"
"""Initial map of the panel: the peak or, if the cube includes time 0, the latency."""
_ONCE = "cumulative_fraction"


@dataclass(frozen=True, eq=False)
class _Made:
    """A map, and the cube it was computed from."""

    cube: xr.Dataset
    values: xr.DataArray
    cautions: tuple[str, ...]


def computed_map(
    cube: xr.Dataset,
    name: str,
    options: Mapping[str, Any],
    source: SimulationSource | None,
    progress: Progress,
) -> _Made:
    """Compute a map.

    Parameters
    ----------
    cube
        A recruitment cube.
    name, options
        As for `napari_hexrecruit.analysis.hex_map`.
    source
        The simulation of the cube, or None. With it, the cumulative fraction is counted from its
        spikes, so that neurons that fire in several bins count once.
    progress
        Called as ``progress(what, done, total)``.

    Raises
    ------
    ValueError
        If an option is invalid; the message is one sentence.
    """
    counted = cube
    if name == _ONCE and not is_cumulative(cube) and source is not None and not is_mean(cube):
        counted = _counted_once(cube, source, options.get("until"), progress)
        options = {}
    with warnings_kept() as cautions:
        found = hex_map(counted, name, **options)
    if counted is not cube:
        found = found.reindex({HEX: cube[HEX].values})
    return _Made(cube, found, tuple(cautions))


def _counted_once(
    cube: xr.Dataset, source: SimulationSource, until: float | None, progress: Progress
) -> xr.Dataset:
    """Compute a cube with the whole window as its only bin."""
    bins = bins_of(cut(cube, None, until))
    return computed_cube(
        source.simulation(),
        CubeRecipe.of(cube).replace(
            start=bins.start_ms + origin_ms(cube),
            stop=bins.stop_ms + origin_ms(cube),
            bin_ms=bins.stop_ms - bins.start_ms,
        ),
        allow_empty=True,
        progress=progress,
    )


def summary_of(values: xr.DataArray) -> str:
    """Summarize a map in words.

    Examples
    --------
    >>> summary_of(xr.DataArray([1.0, 3.0, np.nan], dims="hex", attrs={"units": "ms"}))
    '2 hexagons from 1 to 3 ms, median 2 ms. 1 has no value.'
    """
    numbers = values.values
    known = numbers[np.isfinite(numbers)]
    n_none = len(numbers) - len(known)
    without = f"{n_none:,} {'has' if n_none == 1 else 'have'} no value." if n_none else ""
    if known.size == 0:
        return f"No hexagon has a value. {without}".strip()
    units = f" {values.attrs['units']}" if values.attrs.get("units") else ""
    low, high, middle = float(known.min()), float(known.max()), float(np.median(known))
    n = f"{len(known):,} hexagon{'' if len(known) == 1 else 's'}"
    told = f"{n} from {low:.4g} to {high:.4g}{units}, median {middle:.4g}{units}."
    return f"{told} {without}".strip()


class MapsWidget(AnalysisPanel):
    """Panel that maps one number per hexagon: a latency, a peak, a rate, a correlation.

    Parameters
    ----------
    napari_viewer
        The viewer to add layers to.
    """

    title = "Maps"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.stage = Stage(self.viewer)
        self._results: dict[str, _Made] = {}
        self._of: xr.Dataset | None = None
        self._offered: object = None
        fields = self._fields()
        self.about = text("")
        self.add = PushButton(text="Add map", enabled=False)
        self.save = PushButton(
            text="Save table ...", enabled=False, tooltip="All maps that were added, as CSV"
        )
        self.map.value, self._has_chosen = _USUAL, False
        self.map.changed.connect(self._on_map_chosen)
        self.own_baseline.changed.connect(self._show_fields)
        self.add.changed.connect(self.run)
        self.save.changed.connect(self._ask_and_save)
        sections: list[Widget] = [
            heading("Map"),
            column("", fields, labels=True),
            self.own_baseline,
            self.about,
            row("", [self.add, self.save]),
        ]
        self._show_fields()
        self.lay_out(sections, [self.add])

    def _fields(self) -> list[Widget]:
        time: dict[str, Any] = {"unit": " ms", "decimals": 2, "step": 10.0, "minimum": -LARGEST}
        names = [(metric_named(name).label, name) for name in MAPS]
        names += [(label, name) for name, label in AFFERENTS.items()]
        self.map = choice("Map", names, "Value to compute for each hexagon")
        self.origin = choice(
            "From",
            [_FROM_SELECTED],
            "Source of the counted edges, which lead to the neurons of each hexagon",
        )
        self.onset = number(
            "Onset from which latencies are measured; a bin edge", label="Onset", **time
        )
        self.until = number("End of the search; a bin edge", label="Until", **time)
        self.start = number("Start of the window; a bin edge", label="From", **time)
        self.stop = number("End of the window; a bin edge", label="To", **time)
        self.n_sd = number(
            "Standard deviations over the mean of the baseline that a response exceeds",
            label="Exceeds",
            value=5.0,
            unit=" SD",
            minimum=0.0,
        )
        self.low = number("Start of the baseline; a bin edge", **time)
        self.high = number("End of the baseline; a bin edge", **time)
        self.baseline = row("Baseline", [self.low, self.high])
        self.own_baseline = CheckBox(
            text="Baseline of its own", tooltip="Otherwise the whole cube before the onset"
        )
        titles = [(metric.label, metric.name) for metric in METRICS.values()]
        self.metric = choice("Quantity", titles, "Of what")
        return [
            *(self.map, self.origin, self.onset, self.until, self.start, self.stop, self.metric),
            *(self.n_sd, self.baseline),
        ]

    # --- the panel --------------------------------------------------------------------------------

    def on_layer(self) -> None:
        """Offer times within the cube."""
        if self.cube is None or self.stage.is_result(self.layer):
            return
        if self._of is not self.cube:
            self._of, self._results = self.cube, {}
            self.save.enabled = False
        if self._offered is self.cube:
            return
        self._offered = self.cube
        source = source_of(self.cube)
        if source is None:
            self._offer_origins([])
        else:
            self.read(partial(_read_origins, source), self._offer_origins)
        bins = bins_of(self.cube)
        for field in (self.onset, self.until, self.start, self.stop, self.low, self.high):
            field.step = bins.width_ms
        has_stimulus = bins.start_ms < 0.0 < bins.stop_ms
        onset = 0.0 if has_stimulus else bins.start_ms
        if not self._has_chosen:
            self.map.value = _AFTER_STIMULUS if has_stimulus else _USUAL
            self._has_chosen = False
        self.onset.value, self.until.value = onset, bins.stop_ms
        self.start.value, self.stop.value = bins.start_ms, bins.stop_ms
        self.low.value, self.high.value = bins.start_ms, max(onset, bins.start_ms + bins.width_ms)

    def on_closed(self) -> None:
        """Release the layers; they stay in the viewer."""
        self.stage.close()

    def _on_map_chosen(self) -> None:
        self._has_chosen = True
        self._show_fields()

    def _show_fields(self) -> None:
        options = _options_of(self.map.value)
        self.origin.visible = self.map.value in AFFERENTS
        for name in ("onset", "until", "start", "stop", "n_sd", "metric"):
            getattr(self, name).visible = name in options
        self.own_baseline.visible = "baseline" in options
        self.baseline.visible = "baseline" in options and self.own_baseline.value
        self.about.value = _ABOUT.get(self.map.value, "")
        self.about.visible = bool(self.about.value)

    # --- computing --------------------------------------------------------------------------------

    def run(self) -> None:
        """Compute the map in a thread."""
        cube = self._of
        if cube is None:
            return
        name, options = str(self.map.value), self._options(cube)
        if name in AFFERENTS:
            self._run_afferents(cube, name)
            return
        if "hexes" in options and not options["hexes"]:
            self.refuse("No hexagon is selected: click the one to correlate with first.")
            return
        self.work(partial(computed_map, cube, name, options, source_of(cube)), self._show, [cube])

    def _run_afferents(self, cube: xr.Dataset, name: str) -> None:
        origin, picked, source = self.origin.value, self._picked(), source_of(cube)
        if origin == SELECTED and not picked:
            self.refuse("No hexagon is selected: click those whose neurons the edges are from.")
            return

        def work(progress: Progress) -> _Made:
            return _Made(cube, afferent_map(cube, name, origin, picked, source, progress), ())

        self.work(work, self._show, [cube])

    def _offer_origins(self, found: list[tuple[str, Any]]) -> None:
        chosen = self.origin.value
        self.origin.choices = [_FROM_SELECTED, *found]
        if chosen in [value for _, value in found]:
            self.origin.value = chosen

    def _options(self, cube: xr.Dataset) -> dict[str, Any]:
        wanted = _options_of(self.map.value)
        given: dict[str, Any] = {
            "onset": self.onset.value,
            "until": self.until.value,
            "start": self.start.value,
            "stop": self.stop.value,
            "n_sd": self.n_sd.value,
            "metric": self.metric.value,
            "hexes": list(self._picked()),
            "baseline": (self.low.value, self.high.value) if self.own_baseline.value else None,
        }
        return {name: given[name] for name in wanted if name in given}

    def _picked(self) -> tuple[str, ...]:
        return () if self.layer is None else self.layer.selected_hexes

    def _show(self, made: _Made) -> None:
        metric, picked = str(made.values.name), self._picked()
        title = str(made.values.attrs.get("long_name") or metric_named(metric).label)
        self._results[metric] = made
        layer = self.stage.put_alone(
            Result(metric, title, with_maps(made.cube, made.values), metric)
        )
        if isinstance(layer, RecruitmentLayer) and picked:
            layer.selected_hexes = picked
        self.save.enabled = True
        told = [f"{title}: {summary_of(made.values)}"]
        told += [f"{one[0].upper()}{one[1:]}." for one in made.cautions]
        self.say(" ".join(told))

    def _ask_and_save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self.native, "Save maps", "maps.csv", "Table (*.csv)"
        )
        if chosen:
            path = Path(chosen)
            self.write(path if path.suffix else path.with_name(path.name + ".csv"))

    def write(self, path: Path) -> None:
        """Write all added maps as CSV, after name, centre and number of neurons of each hexagon."""
        maps = [made.values for made in self._results.values()]
        self.work(partial(_write_table, maps, path), self.say)


_FROM_SELECTED = ("selected hexagons", SELECTED)
_CONNECTED = (
    "Edges per neuron of the hexagon. From selected hexagons: where their neurons project to."
)
_ABOUT = {
    **dict.fromkeys(AFFERENTS, _CONNECTED),
    "correlation": "With the selected hexagon, or the mean of several.",
    _ONCE: "Counted from the spikes, if the simulation is at hand.",
}


def _options_of(name: str) -> tuple[str, ...]:
    return () if name in AFFERENTS else map_options(name)


def _read_origins(source: SimulationSource, progress: Progress) -> list[tuple[str, Any]]:
    return origins(source)


def _write_table(maps: list[xr.DataArray], path: Path, progress: Progress) -> str:
    table = maps_table(*maps)
    with written_aside(path, overwrite=True) as aside:
        table.to_csv(aside, index=False)
    return f"Saved {len(maps)} map{'' if len(maps) == 1 else 's'} in {path.name}."
