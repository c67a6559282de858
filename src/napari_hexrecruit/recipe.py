"""The recipe of a cube: all parameters that decide its values, as one object.

The command line, the viewer, its settings, campaigns and analyses hold a `CubeRecipe`. Its text is
a cube's attribute ``recipe``; no other code reads or writes that text.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_hexrecruit.command_line import command_line
from napari_hexrecruit.filters import Rule, Where, parse_where, rule_as_read, rule_to_text
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.recipe_entries import (
    ENTRY_TYPES,
    EVERY,
    FILES,
    NEEDED,
    ONLY_GIVEN,
    OPTIONS,
    absolute_volume,
    check_hemispheres,
    check_numbers,
    check_populations,
    check_report,
    entries_of,
    is_number,
    listed,
    one_or_several,
    plain,
    volume_of,
)
from napari_hexrecruit.timebins import TimeBins

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

Flat: TypeAlias = "tuple[str, str] | list[str] | str | os.PathLike[str]"
"""Two properties, ``"atlas"``, ``"atlas:NAME"``, or the path of a voxel flatmap."""

FLAT_COLUMNS = ("ss_flat_x", "ss_flat_y")
"""Default properties with the flat position."""

_INTERNAL = ("others", "lacks")


@dataclass(frozen=True, kw_only=True)
class CubeRecipe:
    """The parameters of a cube, with their defaults.

    Parameters
    ----------
    simulation, spikes, circuit, run
        Configuration, files to read instead of those it names, and the number of its run; None if
        not given.
    population
        Node population, or several to count together; None: the simulation's default.
    node_set
        Node set to include; None: the simulation's own.
    where
        Filters that must all hold, as in `recruitment_cube`.
    flat
        Two properties with the flat position, ``"atlas"``, ``"atlas:NAME"`` or the path of a voxel
        flatmap.
    column_atlas
        Volume of column ids instead of hexagons; None: hexagons.
    radius
        Centre to corner of a hexagon, in the units of flat space.
    bin_ms
        Width of a bin, ms.
    start, stop
        Window, ms; None: the simulation's.
    min_neurons
        Hexagons with fewer neurons have NaN percent.
    cumulative
        Count the neurons that have fired since the start of the window.
    hemisphere
        Property that tells two hemispheres apart, to lay them side by side; None: as they are.
    mirror
        Value of `hemisphere` to mirror; None: neither.
    report
        Report to show instead of spikes: its name in the simulation's configuration or the path of
        its file; None: spikes.
    statistic
        Statistic of a report over the neurons of a hexagon: ``mean``, ``sd``, ``min``, ``max`` or
        ``above:LEVEL``; None: the mean.
    others
        Further entries, of an analysis or a later version. They are kept, but no cube can be
        computed with them.
    lacks
        Entries that a text lacked; they have their defaults.

    Raises
    ------
    ValueError
        If a filter is invalid.

    Notes
    -----
    Numbers are checked only by `check`, so that a form can hold a number being typed.

    Examples
    --------
    >>> recipe = CubeRecipe(radius=100.0, where="layer=3")
    >>> recipe.where
    ({'column': 'layer', 'text': '3'},)
    >>> CubeRecipe.from_json(recipe.to_json()) == recipe
    True
    """

    simulation: str | None = None
    spikes: str | None = None
    circuit: str | None = None
    run: int | None = None
    population: str | tuple[str, ...] | None = None
    node_set: str | None = None
    where: Where = ()
    flat: Flat = FLAT_COLUMNS
    column_atlas: str | os.PathLike[str] | None = None
    radius: float = 50.0
    bin_ms: float = 10.0
    start: float | None = None
    stop: float | None = None
    min_neurons: int = 1
    cumulative: bool = False
    hemisphere: str | None = None
    mirror: str | None = None
    report: str | None = None
    statistic: str | None = None
    others: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        flat = self.flat if isinstance(self.flat, (str, os.PathLike)) else tuple(self.flat)
        changed = {
            "where": tuple(parse_where(self.where)),
            "flat": flat,
            "population": one_or_several(self.population),
        } | {
            name: float(value)
            for name in ("radius", "bin_ms", "start", "stop")
            if is_number(value := getattr(self, name))
        }
        for name, value in changed.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return hash(self.to_json())

    @property
    def populations(self) -> tuple[str, ...]:
        """The named populations; empty for the simulation's default."""
        named = self.population
        return named if isinstance(named, tuple) else () if named is None else (named,)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The filters, as mappings."""
        return tuple(parse_where(self.where))

    @property
    def filters(self) -> str:
        """The filters in plain words; empty if all neurons of the node set count.

        Examples
        --------
        >>> where = [{"column": "layer", "values": [2, 3]}, {"column": "depth", "interval": (0, 9)}]
        >>> CubeRecipe(where=where).filters
        'layer 2, 3, depth 0 to 9'
        """
        return ", ".join(map(rule_as_read, self.rules))

    def counted(self, population: str, node_set: str = "") -> str:
        """Return which neurons count, for the names of layers, colour bars, pages and movies.

        Parameters
        ----------
        population, node_set
            Names; the node set only if it is not the simulation's own.

        Examples
        --------
        >>> CubeRecipe(where="layer=2").counted("cortex", "Column")
        'cortex, node set Column, layer 2'
        """
        chosen = f"node set {node_set}" if node_set else ""
        return ", ".join(part for part in (population, chosen, self.filters) if part)

    @property
    def columns(self) -> tuple[str, str] | None:
        """Properties with the flat position; None if a volume gives it."""
        if isinstance(self.flat, (str, os.PathLike)):
            return None
        x, y = self.flat
        return x, y

    @property
    def files(self) -> dict[str, str | int]:
        """The simulation, and the files and run that were given besides it."""
        every = {name: getattr(self, name) for name in FILES}
        return {name: value for name, value in every.items() if value is not None}

    @property
    def configuration(self) -> str | None:
        """The simulation's configuration; None for a circuit and spikes without one."""
        return None if self.simulation == self.spikes else self.simulation

    def replace(self, **changes: Any) -> CubeRecipe:
        """Return the recipe with some values changed."""
        lacks = tuple(name for name in self.lacks if name not in changes)
        return dataclasses.replace(self, **{"lacks": lacks, **changes})

    def without_files(self) -> CubeRecipe:
        """Return the recipe without its simulation's files."""
        return self.replace(**dict.fromkeys(FILES))

    def with_absolute_volumes(self) -> CubeRecipe:
        """Return the recipe with absolute paths, for processes with another current folder."""
        flat = self.flat if self.columns else absolute_volume(self.flat)  # type: ignore[arg-type]
        atlas = None if self.column_atlas is None else absolute_volume(self.column_atlas)
        return self.replace(flat=flat, column_atlas=atlas)

    def entries(self) -> dict[str, Any]:
        """Return all entries as for JSON, in the order of a cube's attribute.

        Files, column atlas, hemispheres and report are left out if not given, and ``cumulative`` if
        false.
        """
        entries = {
            **self.files,
            **{name: listed(getattr(self, name)) for name in ("population", "node_set")},
            "where": [dict(rule) for rule in self.rules],
            "flat": list(self.columns) if self.columns else os.fspath(self.flat),  # type: ignore[arg-type]
            **({} if self.column_atlas is None else {"column_atlas": os.fspath(self.column_atlas)}),
            **{name: getattr(self, name) for name in ("radius", "bin_ms", "start", "stop")},
            "min_neurons": self.min_neurons,
            **({"cumulative": True} if self.cumulative else {}),
            **{n: v for n in ONLY_GIVEN if (v := getattr(self, n)) is not None},
        }
        return {name: value for name, value in entries.items() if name not in self.lacks} | {
            **self.others
        }

    def to_json(self) -> str:
        """Return the text of a cube's attribute ``recipe``.

        Examples
        --------
        >>> print(CubeRecipe(bin_ms=5.0).to_json())  # doctest: +NORMALIZE_WHITESPACE
        {"population": null, "node_set": null, "where": [], "flat": ["ss_flat_x", "ss_flat_y"],
        "radius": 50.0, "bin_ms": 5.0, "start": null, "stop": null, "min_neurons": 1}
        """
        return json.dumps(self.entries(), default=plain)

    def to_options(self) -> dict[str, Any]:
        """Return options of ``hexrecruit cube`` by parameter name, without the window.

        Raises
        ------
        ValueError
            If a filter cannot be written as text.
        """
        entries = {name: value for name, value in self.entries().items() if value is not None}
        options = {name: entries[name] for name in OPTIONS if name in entries}
        options["flat" if self.columns else "flatmap"] = entries["flat"]
        if self.rules:
            options["where"] = [rule_to_text(rule) for rule in self.rules]
        return options

    def to_command(self, output: str) -> str:
        """Return the command that computes the cube, quoted for a shell of this platform.

        Parameters
        ----------
        output
            File to write.

        Raises
        ------
        ValueError
            If a filter cannot be written as text.

        Examples
        --------
        >>> recipe = CubeRecipe(simulation="simulation_config.json", radius=100.0, stop=500.0)
        >>> print(recipe.to_command("a.hexrecruit.nc"))  # doctest: +NORMALIZE_WHITESPACE
        hexrecruit cube simulation_config.json -o a.hexrecruit.nc --radius 100 --bin 10
        --min-neurons 1 --flat ss_flat_x ss_flat_y --stop 500
        """
        window = {"start": self.start, "stop": self.stop}
        given = {name: value for name, value in window.items() if value is not None}
        return command_line("cube", self.sources, output, self.to_options() | given)

    @property
    def sources(self) -> list[str]:
        """Arguments that name the simulation on a command line; none for spikes and a circuit."""
        return [] if self.configuration is None else [self.configuration]

    @classmethod
    def from_json(cls, text: object) -> CubeRecipe:
        """Read a recipe from its text; missing entries have their defaults.

        Parameters
        ----------
        text
            Attribute ``recipe``, which can be from a foreign file.

        Raises
        ------
        ValueError
            If it is not a JSON object, or an entry has a wrong type or cannot be used.
        """
        return cls.from_entries(entries_of(text))

    @classmethod
    def from_entries(cls, entries: Mapping[str, Any]) -> CubeRecipe:
        """Return the recipe of entries as from `entries`.

        Raises
        ------
        ValueError
            If an entry has a wrong type or cannot be used.
        """
        for name, is_right in ENTRY_TYPES.items():
            if name in entries and not is_right(entries[name]):
                raise ValueError(
                    f"the cube's recipe has the {name} {entries[name]!r}: compute the cube again"
                )
        known = {f.name for f in dataclasses.fields(cls)} - {*_INTERNAL}
        given = {name: value for name, value in entries.items() if name in known}
        for name in ("flat", "column_atlas"):
            if isinstance(given.get(name), str):
                given[name] = volume_of(given[name])
        return cls(
            **given,
            others={name: value for name, value in entries.items() if name not in known},
            lacks=tuple(name for name in EVERY if name not in entries),
        )

    @classmethod
    def of(cls, cube: xr.Dataset) -> CubeRecipe:
        """Return the recipe of a cube, from its attribute ``recipe``; raises as `from_json`.

        Examples
        --------
        >>> import xarray as xr
        >>> CubeRecipe.of(xr.Dataset(attrs={"recipe": '{"radius": 20.0}'})).radius
        20.0
        """
        return cls.from_json(cube.attrs.get("recipe"))

    @classmethod
    def of_foreign(cls, cube: xr.Dataset) -> CubeRecipe:
        """Return the recipe of a cube; one that lacks every entry if it cannot be read."""
        try:
            return cls.of(cube)
        except ValueError:
            return cls(lacks=EVERY)

    def check_neurons_are_said(self) -> None:
        """Check that the recipe has the entries that decide the neurons and hexagons.

        Raises
        ------
        ValueError
            If it lacks one of these entries.
        """
        missing = [name for name in NEEDED if name in self.lacks]
        if missing:
            raise ValueError(
                f"the cube's recipe lacks {', '.join(sorted(missing))}: compute the cube again"
            )

    def check(self) -> None:
        """Check everything that does not depend on the simulation.

        Raises
        ------
        ValueError
            If the recipe lacks a needed entry, or has one that is unknown or cannot be used.
        """
        self.check_neurons_are_said()
        if self.others:
            raise ValueError(
                f"the recipe has {', '.join(sorted(self.others))}, which this version cannot"
                " compute: leave that out, or compute the cube again"
            )
        HexGrid(self.radius)
        check_populations(self.population)
        check_hemispheres(self.hemisphere, self.mirror, self.column_atlas)
        check_report(self.report, self.statistic, self.cumulative)
        check_numbers(self.min_neurons, self.bin_ms, self.start, self.stop)
        if self.start is not None and self.stop is not None:
            TimeBins(self.start, self.stop, self.bin_ms)
