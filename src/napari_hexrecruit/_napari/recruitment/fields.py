"""The fields of the widget: their labels, units, tooltips and order on the panel."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import (
    CheckBox,
    ComboBox,
    PushButton,
    Select,
    SpinBox,
    Widget,
)
from qtpy.QtWidgets import QAbstractItemView

from napari_hexrecruit._napari.recruitment.more_fields import (
    HemisphereFields,
    PopulationFields,
    QuantityFields,
)
from napari_hexrecruit._napari.recruitment.preset_menu import PresetMenu
from napari_hexrecruit._napari.recruitment.second import SecondSimulation
from napari_hexrecruit._napari.recruitment.start import Start
from napari_hexrecruit._napari.widgets.fold import Fold
from napari_hexrecruit._napari.widgets.message import Message
from napari_hexrecruit._napari.widgets.parts import (
    LARGEST,
    column,
    file_field,
    heading,
    name_choice,
    number,
    progress_bar,
    row,
    text,
)

NOTHING = [("(none)", "")]
"""Choices of an optional field."""


class Fields:
    """All fields in their initial state.

    Attributes
    ----------
    sections
        Contents of the panel from top to bottom: headings and containers of fields. Two lists: up
        to loading, and after it.
    """

    def __init__(self) -> None:
        simulation = self._simulation_fields()
        neurons = self._neuron_fields()
        grid = self._grid_fields()
        load = self._load_fields()
        playback = self._playback_fields()
        until_loaded: list[Widget] = [
            heading("Simulation"),
            column("", simulation, labels=True),
            self.other_files.section,
            self.info,
            self.start_here.section,
            self.presets.section,
            heading("Neurons"),
            column("", neurons, labels=True),
            heading("Hexagons and time"),
            column("", grid, labels=True),
            self._also_fields(),
            *load,
        ]
        afterwards: list[Widget] = [
            heading("Playback"),
            column("", playback, labels=True),
        ]
        self.sections = (until_loaded, afterwards)

    def _simulation_fields(self) -> list[Widget]:
        self.file = file_field(
            "File",
            "SONATA simulations (*.json)",
            "SONATA simulation configuration, usually simulation_config.json;"
            " it can also be dropped anywhere on this panel",
        )
        self.spikes_file = file_field(
            "Spikes",
            "Spikes (*.h5 *.hdf5)",
            "Spikes file, in place of the one that the configuration names",
        )
        self.circuit_file = file_field(
            "Circuit",
            "Circuits (*.json)",
            "Circuit configuration, in place of the one that the simulation names",
        )
        self.other_files = Fold(
            "Other files",
            "Where spikes or circuit are not where the configuration says; both together do"
            " without a configuration",
            [self.spikes_file, self.circuit_file],
            labels=True,
        )
        for field in (self.spikes_file, self.circuit_file):
            native: Any = field.line_edit.native
            native.setPlaceholderText("as configured")
        nothing = [("", "")]
        self.populations = PopulationFields()
        self.population = self.populations.first
        self.node_set = name_choice(
            "Node set", nothing, "Neurons to count; by default those that were simulated"
        )
        self.info = Message("Choose a simulation, or drop it here.")
        self.start_here = Start()
        self.presets = PresetMenu()
        return [self.file, self.population, self.populations.others, self.node_set]

    def _neuron_fields(self) -> list[Widget]:
        self.filter_column = name_choice("Filter by", NOTHING, "Only some neurons count")
        self.filter_values = Select(
            label="Values",
            choices=[],
            tooltip="Values that count, with the number of neurons of each; click to choose"
            " several. With none chosen, all count.",
        )
        picked: Any = self.filter_values.native
        picked.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.filter_low = number("Least value that counts", minimum=-LARGEST, decimals=3)
        self.filter_high = number("Include values below this one", minimum=-LARGEST, decimals=3)
        self.filter_interval = row("From, below", [self.filter_low, self.filter_high])
        position = "Property with the position on the flattened cortex"
        computed = "computed from the circuit's atlas where the nodes file lacks it"
        self.flat_x = name_choice("Flat x", ["ss_flat_x"], f"{position}, to the right; {computed}")
        self.flat_y = name_choice("Flat y", ["ss_flat_y"], f"{position}, upwards; {computed}")
        self.min_neurons = SpinBox(
            label="Min. neurons",
            value=1,
            min=1,
            max=1_000_000,
            tooltip="Hexagons with fewer neurons have no value",
        )
        return [
            self.filter_column,
            self.filter_values,
            self.filter_interval,
            self.flat_x,
            self.flat_y,
            self.min_neurons,
        ]

    def _grid_fields(self) -> list[Widget]:
        self.radius = number(
            "From the centre of a hexagon to its corner, in the units of flat space",
            label="Radius",
            value=50.0,
            step=5.0,
            unit=" µm",
        )
        time: dict[str, Any] = {"unit": " ms", "decimals": 2}
        self.bin_ms = number("Width of a bin of time, ms", label="Bin", value=10.0, **time)
        self.start = number(
            "Start of the window, ms", label="Start", step=10.0, minimum=-LARGEST, **time
        )
        self.stop = number(
            "End of the window, ms. The window is a whole number of bins; up to the end of the"
            " simulation, what is left over is dropped.",
            label="Stop",
            step=10.0,
            minimum=-LARGEST,
            **time,
        )
        self.split_by = name_choice(
            "Split by",
            NOTHING,
            "One layer for each value of this property, side by side, with the same limits",
        )
        self.hemispheres, self.quantity = HemisphereFields(), QuantityFields()
        return [
            *self.quantity.fields,
            *(self.radius, self.bin_ms, self.start, self.stop, self.split_by),
            *self.hemispheres.fields,
        ]

    def _also_fields(self) -> Widget:
        self.also_text = text("")
        self.clear = PushButton(
            text="Clear", tooltip="Drop these choices and keep those that the fields show"
        )
        self.clear.native.setMaximumWidth(50)
        self.also_row = row("", [self.also_text, self.clear])
        self.also_row.visible = False
        return self.also_row

    def _load_fields(self) -> list[Widget]:
        self.automatic = CheckBox(
            text="Auto-update",
            value=True,
            tooltip="Once loaded, compute again when something above is changed; off: only when"
            " Load is pressed",
        )
        self.load = PushButton(
            text="Load", enabled=False, tooltip="Read the simulation and show its hexagons"
        )
        self.cancel = PushButton(text="Cancel", enabled=False, tooltip="Stop loading")
        self.save_cube = PushButton(
            text="Save cube ...", enabled=False, tooltip="Write the cube of the layer into a file"
        )
        self.progress = progress_bar()
        self.second = SecondSimulation()
        self.status = Message("Nothing is loaded.", lines=4)
        return [
            self.automatic,
            row("", [self.load, self.cancel, self.save_cube]),
            self.progress,
            self.status,
            self.second.section,
        ]

    def _playback_fields(self) -> list[Widget]:
        self.speed = number(
            "ms of simulation per second of screen",
            label="Speed",
            value=100.0,
            step=10.0,
            unit=" ms/s",
            minimum=0.1,
        )
        self.play = PushButton(text="Play", enabled=False, tooltip="Play")
        self.halt = PushButton(text="Stop", enabled=False, tooltip="Pause")
        self.loop = CheckBox(text="Loop", value=True, tooltip="Start again at the end")
        self.timestamp = CheckBox(
            text="Time on canvas", value=True, tooltip="Show the start and end of the bin, ms"
        )
        buttons = row("", [self.play, self.halt, self.loop])
        return [self.speed, buttons, row("", [self.timestamp])]


_MOST_DECIMALS = 9
"""Largest number of decimals shown."""


def show_number(field: Any, value: float) -> None:
    """Show a number with all its decimals, clipped to the range of the field."""
    _, _, decimals = f"{value:.{_MOST_DECIMALS}f}".rstrip("0").partition(".")
    box = field.native
    if hasattr(box, "decimals") and len(decimals) > box.decimals():
        box.setDecimals(len(decimals))
    field.value = min(max(value, field.min), field.max)


def pick(field: ComboBox, value: object, otherwise: object = None) -> None:
    """Choose a value if it is offered, otherwise the alternative if that is offered."""
    offered = list(field.choices)
    for wanted in (value, otherwise):
        if wanted in offered:
            field.value = wanted
            return
