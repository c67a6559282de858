"""Presets: named choices, stored as run files of ``hexrecruit cube``. Does not know Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit._napari.recruitment.settings import filter_column_of, settings_file
from napari_hexrecruit._napari.recruitment.work import Opened, values_of
from napari_hexrecruit.filters import Where, typed_rule
from napari_hexrecruit.pipeline.populations import Populations
from napari_hexrecruit.recipe import FLAT_COLUMNS, CubeRecipe
from napari_hexrecruit.storage.atomic import written_aside
from napari_hexrecruit.storage.run_file import read_run_file, write_run_file

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_hexrecruit._napari.recruitment.settings import Settings

ENDING = ".yaml"

_COMMAND = "cube"
_CLASS, _LAYER = "synapse_class", "layer"
_ENTRIES = (
    *("population", "node_set", "column_atlas", "radius", "bin_ms", "min_neurons", "cumulative"),
    *("start", "stop", "hemisphere", "mirror", "report", "statistic"),
)
_NOT_TAKEN = {"spikes", "circuit", "run", "allow_empty"}
"""Options that belong to the simulation of a run file."""


@dataclass(frozen=True)
class Ready:
    """A built-in preset.

    Parameters
    ----------
    title
        Title in the menu.
    column
        Property that the simulation must have.
    where
        Filters that replace the current ones; None: keep these.
    split_by
        Property to split by, with one layer per value; empty: one layer.
    """

    title: str
    column: str
    where: Where | None = None
    split_by: str = ""

    def applied(self, settings: Settings) -> Settings:
        """Return settings with the choices of the preset; all others are kept."""
        recipe = settings.recipe
        changed = recipe if self.where is None else recipe.replace(where=self.where)
        return replace(settings, recipe=changed, split_by=self.split_by)


_READY = (
    Ready("Excitatory", _CLASS, where=({"column": _CLASS, "values": ["EXC"]},)),
    Ready("Inhibitory", _CLASS, where=({"column": _CLASS, "values": ["INH"]},)),
    Ready("By layer", _LAYER, split_by=_LAYER),
)


def ready_presets(columns: Collection[str]) -> list[Ready]:
    """Return the built-in presets whose property is in `columns`."""
    return [preset for preset in _READY if preset.column in columns]


def presets_folder() -> Path | None:
    """Return the folder of presets, next to the settings; None if nothing is saved."""
    settings = settings_file()
    return None if settings is None else settings.with_name("hexrecruit-presets")


def saved_presets() -> list[Path]:
    """Return the presets saved in the folder, sorted by name."""
    folder = presets_folder()
    return [] if folder is None else sorted(folder.glob(f"*{ENDING}"))


def write_preset(
    path: Path, recipe: CubeRecipe, default_population: str, *, overwrite: bool = False
) -> None:
    """Save the choices of a recipe as a run file, without the files of its simulation.

    Parameters
    ----------
    path
        File to write.
    recipe
        The choices.
    default_population
        Default population of the simulation, which a preset does not name.
    overwrite
        If True, replace an existing file.

    Raises
    ------
    ValueError
        If a filter cannot be written as text.
    OSError
        If the file cannot be written.
    """
    chosen = recipe.without_files()
    if chosen.population == default_population:
        chosen = chosen.replace(population=None)
    window = {"start": chosen.start, "stop": chosen.stop}
    given = {name: value for name, value in window.items() if value is not None}
    options = chosen.to_options() | given
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path, overwrite=overwrite) as aside:
        write_run_file(aside, _COMMAND, options)


def read_preset(path: Path) -> CubeRecipe:
    """Read the choices of a run file.

    Raises
    ------
    ValueError
        If the file is not a run file of ``hexrecruit cube``.
    OSError
        If the file cannot be read.
    """
    known = {*_ENTRIES, *_NOT_TAKEN, "where", "flat", "flatmap"}
    options: dict[str, Any] = read_run_file(path, _COMMAND, known)
    given = {name: options[name] for name in _ENTRIES if options.get(name) is not None}
    flat = options.get("flatmap") or options.get("flat") or FLAT_COLUMNS
    return CubeRecipe(**given, where=options.get("where") or (), flat=flat)


def applied(chosen: Opened, settings: Settings) -> tuple[Opened, Settings]:
    """Prepare an opened simulation for settings; give their filters values of the right type.

    Parameters
    ----------
    chosen
        The opened simulation.
    settings
        Choices to apply to it.

    Raises
    ------
    SimulationDataError
        If the simulation lacks the population, or a property of a filter.
    ValueError
        If none of its neurons has a value of a filter.
    """
    recipe = settings.recipe
    population = recipe.population or chosen.choices.population
    neurons = Populations.named(chosen.simulation, population)
    rules = [typed_rule(rule, neurons.column(rule["column"])) for rule in recipe.rules]
    typed = recipe.replace(where=rules)
    column = filter_column_of(typed)
    settings = replace(settings, recipe=typed, filter_column=column)
    if column:
        chosen = replace(chosen, filter_values=values_of(chosen.simulation, population, column))
    return chosen, settings
