"""Fields that most simulations do not need: further populations, reports, hemispheres.

Each group is visible only if the simulation offers a choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Select
from qtpy.QtWidgets import QAbstractItemView

from napari_hexrecruit._napari.widgets.parts import LARGEST, choice, fit_height, name_choice, number

if TYPE_CHECKING:
    from napari_hexrecruit._napari.recruitment.choices import PopulationChoices, SimulationChoices
    from napari_hexrecruit.recipe import CubeRecipe

SPIKES = "spikes"
_ABOVE = "above"
_STATISTICS = [
    ("mean", "mean"),
    ("standard deviation", "sd"),
    ("least", "min"),
    ("greatest", "max"),
    ("percentage above ...", _ABOVE),
]
_MOST_ROWS = 4


class PopulationFields:
    """A population, and others counted together with it.

    Attributes
    ----------
    first, others
        The fields.
    """

    def __init__(self) -> None:
        self.first = name_choice("Population", [("", "")], "Node population to count")
        self.others = Select(
            label="With",
            choices=[],
            tooltip="Populations that are counted together with it: their neurons and counts add",
        )
        picked: Any = self.others.native
        picked.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.others.visible = False

    @property
    def value(self) -> str | tuple[str, ...]:
        """The chosen population, or a tuple of several."""
        first, others = self.first.value or "", list(self.others.value)
        return (first, *others) if others else first

    def offer(self, choices: SimulationChoices, chosen: tuple[str, ...]) -> None:
        """Fill the fields with the populations of a simulation, and choose those of a recipe."""
        names = [one.name for one in choices.populations]
        self.first.choices = names
        first = next((name for name in chosen if name in names), choices.population)
        self.first.value = first
        self.others.choices = [name for name in names if name != first]
        self.others.value = [name for name in chosen if name in names and name != first]
        self.offer_others(choices)

    def offer_others(self, choices: SimulationChoices) -> None:
        """Offer other populations on the cortical sheet; chosen ones stay."""
        first, kept = self.first.value, list(self.others.value)
        names = [o.name for o in choices.populations if o.name != first and o.on_sheet]
        names += [name for name in kept if name != first and name not in names]
        self.others.choices = names
        self.others.value = [name for name in kept if name != first]
        fit_height(self.others, _MOST_ROWS)
        self.others.visible = bool(names)


class QuantityFields:
    """The quantity shown: spikes, or a statistic of a report.

    Attributes
    ----------
    show, statistic, level
        The fields.
    """

    def __init__(self) -> None:
        self.show = name_choice(
            "Show", [SPIKES], "Spikes, or values that the simulation has recorded"
        )
        self.statistic = choice("Statistic", _STATISTICS, "Over the neurons of a hexagon")
        self.level = number(
            "Count neurons above this value; in the units of the report",
            label="Above",
            minimum=-LARGEST,
            decimals=3,
        )
        self.level.value = -30.0
        self._has_reports = self.show.visible = False
        for field in (self.show, self.statistic):
            field.changed.connect(self.show_needed)
        self.show_needed()

    @property
    def fields(self) -> list[Any]:
        """All fields of the group."""
        return [self.show, self.statistic, self.level]

    def said(self) -> dict[str, Any]:
        """Return the entries of a recipe that the fields hold."""
        if self.show.value == SPIKES:
            return {"report": None, "statistic": None}
        name = str(self.statistic.value)
        level = f"{name}:{self.level.value:.10g}" if name == _ABOVE else name
        return {"report": self.show.value, "statistic": level}

    def offer(self, choices: SimulationChoices, recipe: CubeRecipe) -> None:
        """Fill the fields with the reports of a simulation and of a recipe."""
        own = [] if recipe.report is None else [recipe.report]
        names = dict.fromkeys([*choices.reports, *own])
        self.show.choices = [
            (SPIKES, SPIKES),
            *((f"report {name.rpartition('/')[2]}", name) for name in names),
        ]
        self.show.value = recipe.report or SPIKES
        name, _, level = (recipe.statistic or "mean").partition(":")
        if name in [value for _, value in _STATISTICS]:
            self.statistic.value = name
        if level:
            self.level.value = float(level)
        self._has_reports = bool(names)
        self.show.visible = self._has_reports
        self.show_needed()

    def show_needed(self, event: object = None) -> None:
        """Hide the fields that the choice does not need."""
        is_report = self.show.value != SPIKES and self._has_reports
        self.statistic.visible = is_report
        self.level.visible = is_report and self.statistic.value == _ABOVE


class HemisphereFields:
    """The property that separates hemispheres, and the hemisphere that is mirrored.

    Attributes
    ----------
    property, mirror
        The fields.
    """

    def __init__(self) -> None:
        nothing = [("as they are", "")]
        self.property = name_choice(
            "Hemispheres",
            nothing,
            "Property of two values: hemispheres with the same flat coordinates lie side by side",
        )
        self.mirror: ComboBox = choice("Mirrored", [("neither", "")], "Which one is mirrored")
        self._values: dict[str, tuple[str, ...]] = {}
        self.property.visible = self.mirror.visible = False

    @property
    def fields(self) -> list[Any]:
        """All fields of the group."""
        return [self.property, self.mirror]

    def said(self) -> dict[str, Any]:
        """Return the entries of a recipe that the fields hold."""
        chosen = self.property.value or None
        return {"hemisphere": chosen, "mirror": (self.mirror.value or None) if chosen else None}

    def offer(self, choices: PopulationChoices, recipe: CubeRecipe) -> None:
        """Fill the fields with properties of two values, and the property of a recipe."""
        self._values = choices.two_valued
        own = recipe.hemisphere or ""
        if own and own not in self._values:
            self._values = {**self._values, own: (recipe.mirror,) if recipe.mirror else ()}
        self.property.choices = [("as they are", ""), *((name, name) for name in self._values)]
        self.property.value = own
        self.property.visible = bool(self._values)
        self.offer_values()
        if recipe.mirror in self._values.get(own, ()):
            self.mirror.value = recipe.mirror

    def offer_values(self, event: object = None) -> None:
        """Offer the values of the chosen property."""
        values = self._values.get(self.property.value or "", ())
        self.mirror.choices = [("neither", ""), *((value, value) for value in values)]
        self.mirror.visible = bool(values)
