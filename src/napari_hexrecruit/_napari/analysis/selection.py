"""The widget "Selection": pick hexagons by their neurons, and save neurons of picked hexagons."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import LineEdit, PushButton, Select, Widget
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog

from napari_hexrecruit._napari.analysis.node_sets import (
    Offers,
    combined,
    names_at,
    names_in_regions,
    names_of_node_set,
    offers,
    regions_of,
    save_neurons,
    save_node_set,
)
from napari_hexrecruit._napari.analysis.panel import AnalysisPanel
from napari_hexrecruit._napari.layers.picking import picker_of
from napari_hexrecruit._napari.layers.simulation_source import source_of
from napari_hexrecruit._napari.widgets.parts import (
    choice,
    column,
    fit_height,
    heading,
    name_choice,
    number,
    row,
    text,
)
from napari_hexrecruit.analysis import hexes_by_neurons
from napari_hexrecruit.flatmap import HexRegions

_HOW = [
    ("Replace", "replace"),
    ("Add", "add"),
    ("Keep only these", "keep"),
    ("Remove", "remove"),
]
_SHARES = [("any neuron", 0.0), ("half the neurons", 0.5), ("all neurons", 1.0)]
_DESTINATIONS = [
    ("Only this set", "new"),
    ("With the circuit's", "copy"),
    ("Add to my file", "append"),
]
_MOST_ROWS = 6
_NO_SIMULATION = (
    "The simulation that the cube was counted from is not at hand: node sets, properties and"
    " neurons are not known."
)
_NOTHING = "No hexagon is selected: click hexagons, or select them here."


class SelectionWidget(AnalysisPanel):
    """Panel that picks hexagons by their neurons, and saves the neurons of picked hexagons.

    While it is open, clicks on the map pick hexagons.

    Parameters
    ----------
    napari_viewer
        The viewer in which hexagons are picked.
    """

    title = "Selection"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self._regions: HexRegions | None = None
        self.picked, self.about = text(_NOTHING), text("")
        picks, saves = self._pick_fields(), self._save_fields()
        self._with_neurons = [self.column, self.values, self.node_set, self.share]
        buttons = [self.pick_values, self.pick_node_set, self.save_node_set, self.save_neurons]
        self._connect()
        picker_of(self.viewer).start(self)
        sections = [heading("Selected"), self.picked, self.about, *picks, *saves]
        self.lay_out(sections, buttons)

    def _pick_fields(self) -> list[Widget]:
        self.how = choice("Found ones", _HOW, "What happens to the current selection")
        few: dict[str, Any] = {"decimals": 0, "minimum": 0.0}
        self.at_least = number("Fewest neurons of a hexagon", label="Neurons", value=1.0, **few)
        self.at_most = number("Most neurons of a hexagon; 0: any number", label="to", **few)
        self.at_most.native.setSpecialValueText("any number")
        self.pick_number = PushButton(text="Select by number")
        self.column = name_choice("Property", [], "A property of the neurons, such as their region")
        self.values = Select(
            label="Values",
            choices=[],
            tooltip="A hexagon has the value of most of its neurons; behind each its hexagons",
        )
        self.pick_values = PushButton(text="Select by value", enabled=False)
        self.node_set = name_choice("Node set", [], "A node set of simulation or circuit")
        self.share = choice("Holds", _SHARES, "How many neurons of a hexagon are in the node set")
        self.pick_node_set = PushButton(text="Select by node set", enabled=False)
        fields: list[list[Widget]] = [
            [self.at_least, self.at_most],
            [self.column, self.values],
            [self.node_set, self.share],
        ]
        by_number, by_value, by_set = (column("", part, labels=True) for part in fields)
        return [
            heading("Select"),
            column("", [self.how], labels=True),
            *(by_number, self.pick_number, by_value, self.pick_values, by_set, self.pick_node_set),
        ]

    def _save_fields(self) -> list[Widget]:
        self.set_name = LineEdit(label="Name", value="Selected", tooltip="Name of the node set")
        self.destination = choice(
            "File", _DESTINATIONS, "What the file holds; the circuit's own is never changed"
        )
        self.save_node_set = PushButton(
            text="Save node set ...", tooltip="SONATA node set (JSON) of the selected neurons"
        )
        self.save_neurons = PushButton(
            text="Save neurons ...",
            tooltip="Table (CSV) of the selected neurons and their hexagons",
        )
        fields: list[Widget] = [self.set_name, self.destination]
        buttons = row("", [self.save_node_set, self.save_neurons])
        return [heading("Save"), column("", fields, labels=True), buttons]

    def _connect(self) -> None:
        self.pick_number.changed.connect(self._on_pick_number)
        self.column.changed.connect(self._read_values)
        self.pick_values.changed.connect(self._on_pick_values)
        self.pick_node_set.changed.connect(self._on_pick_node_set)
        self.save_node_set.changed.connect(self._ask_and_save_node_set)
        self.save_neurons.changed.connect(self._ask_and_save_neurons)

    # --- what there is ----------------------------------------------------------------------------

    def on_layer(self) -> None:
        """Offer the node sets and properties of the layer's simulation."""
        self.on_selection()
        source = source_of(self.cube)
        for widget in self._with_neurons:
            widget.enabled = source is not None
        self.pick_number.enabled = self.cube is not None
        self.about.value = "" if source is not None or self.cube is None else _NO_SIMULATION
        self.about.visible = bool(self.about.value)
        if source is None or self.cube is None:
            self._offer(Offers((), ()))
        else:
            self.read(partial(_read_offers, source, self.cube), self._offer)

    def may_work(self) -> bool:
        """Return whether the simulation is available: only it knows the neurons."""
        return source_of(self.cube) is not None

    def on_selection(self) -> None:
        """Count the picked hexagons and their neurons."""
        names = () if self.layer is None else self.layer.selected_hexes
        if self.cube is None or not names:
            self.picked.value = _NOTHING
            return
        n_neurons = int(self.cube["n_neurons"].sel(hex=list(names)).sum())
        hexagons = f"{len(names):,} hexagon" + ("" if len(names) == 1 else "s")
        self.picked.value = f"{hexagons}, {n_neurons:,} neurons"

    def on_closed(self) -> None:
        """Stop picking."""
        picker_of(self.viewer).stop(self)

    def _offer(self, found: Offers) -> None:
        self.node_set.choices = found.node_sets
        with self.column.changed.blocked():
            self.column.choices = found.columns
        if found.columns:
            self._read_values()
        else:
            self._offer_values(None)

    def _read_values(self) -> None:
        source, cube, name = source_of(self.cube), self.cube, self.column.value
        if source is not None and cube is not None and name:
            work = partial(regions_of, source, cube, str(name))
            self.read(work, self._offer_values)

    def _offer_values(self, regions: HexRegions | None) -> None:
        self._regions = regions
        counts = [] if regions is None else _counts(regions)
        self.values.choices = [
            (f"{name} ({n:,} hexagon{'' if n == 1 else 's'})", name) for name, n in counts
        ]
        fit_height(self.values, _MOST_ROWS)

    # --- picking ----------------------------------------------------------------------------------

    def _pick(self, found: tuple[str, ...]) -> None:
        layer = self.layer
        if layer is None:
            return
        layer.selected_hexes = combined(layer.selected_hexes, found, self.how.value)
        n = len(found)
        self.say(f"{n:,} hexagon{'' if n == 1 else 's'} found." if n else "No matching hexagons.")

    def _on_pick_number(self) -> None:
        if self.cube is not None:
            at_most = int(self.at_most.value) or None
            at = hexes_by_neurons(self.cube, at_least=int(self.at_least.value), at_most=at_most)
            self._pick(names_at(self.cube, at))

    def _on_pick_values(self) -> None:
        if self.cube is not None and self._regions is not None:
            self._pick(names_in_regions(self.cube, self._regions, list(self.values.value)))

    def _on_pick_node_set(self) -> None:
        source, cube, name = source_of(self.cube), self.cube, self.node_set.value
        if source is not None and cube is not None and name:
            share = float(self.share.value)
            self.work(
                lambda progress: names_of_node_set(source, cube, str(name), share, progress),
                self._pick,
            )

    # --- saving -----------------------------------------------------------------------------------

    def _ask_and_save_node_set(self) -> None:
        if self._may_save():
            path = self._asked("Save node set", "node_sets.json", "Node sets (*.json)", ".json")
            if path is not None:
                self.write_node_set(path)

    def _ask_and_save_neurons(self) -> None:
        if self._may_save():
            path = self._asked("Save neurons", "neurons.csv", "Table (*.csv)", ".csv")
            if path is not None:
                self.write_neurons(path)

    def write_node_set(self, path: Path) -> None:
        """Write the picked neurons as a node set, see `node_sets.save_node_set`."""
        source, cube, layer = source_of(self.cube), self.cube, self.layer
        if source is None or cube is None or layer is None:
            return
        names, name = layer.selected_hexes, self.set_name.value.strip()
        destination = self.destination.value
        self.work(
            lambda progress: save_node_set(source, cube, names, name, path, destination, progress),
            self.say,
        )

    def write_neurons(self, path: Path) -> None:
        """Write the picked neurons as a table."""
        source, cube, layer = source_of(self.cube), self.cube, self.layer
        if source is None or cube is None or layer is None:
            return
        names = layer.selected_hexes
        self.work(lambda progress: save_neurons(source, cube, names, path, progress), self.say)

    def _may_save(self) -> bool:
        picked = self.layer is not None and bool(self.layer.selected_hexes)
        if not picked:
            self.refuse(_NOTHING)
        return picked

    def _asked(self, title: str, name: str, kind: str, ending: str) -> Path | None:
        """Ask for a file; ask about replacing it, unless it is added to."""
        adds = self.destination.value == "append" and ending == ".json"
        options: Any = QFileDialog.Option.DontConfirmOverwrite if adds else QFileDialog.Option(0)
        chosen, _ = QFileDialog.getSaveFileName(self.native, title, name, kind, options=options)
        if not chosen:
            return None
        path = Path(chosen)
        return path if path.suffix else path.with_name(path.name + ending)


def _read_offers(source: Any, cube: Any, progress: Any) -> Offers:
    return offers(source, cube)


def _counts(regions: HexRegions) -> list[tuple[str, int]]:
    """Return the number of hexagons of each region that has any."""
    codes = np.asarray(regions.region)
    n_each = np.bincount(codes[codes >= 0], minlength=len(regions.names))
    return [(name, int(n)) for name, n in zip(regions.names, n_each, strict=True) if n]
