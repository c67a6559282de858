"""An opened simulation, and what it keeps in memory."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._cache import cached_arrays, stamp
from napari_hexrecruit.atlas import flat_positions, read_flatmap
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._columns import BY_CONNTILITY, by_conntility
from napari_hexrecruit.sonata._config import (
    PopulationConfig,
    SimulationConfig,
    Stimulus,
    read_circuit,
    read_simulation,
)
from napari_hexrecruit.sonata._node_sets import matching, read_node_sets
from napari_hexrecruit.sonata._nodes import Nodes, populations_in
from napari_hexrecruit.sonata._spikes import (
    OLD_LAYOUT,
    Spikes,
    SpikeTrain,
    opened_trains,
    read_spikes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from napari_hexrecruit.filters import Column
    from napari_hexrecruit.recruitment import Progress

__all__ = ["Simulation", "open_simulation"]

T = TypeVar("T")

_MEMO_SIZE = 8
_VIRTUAL = "virtual"
_FROM_FLATMAP = ("flat_x", "flat_y")
_ATLAS_COLUMNS = BY_CONNTILITY + _FROM_FLATMAP
"""Columns that a circuit's atlas gives; conntility's names for them."""


def open_simulation(
    path: str | os.PathLike[str] | None = None,
    *,
    spikes: str | os.PathLike[str] | None = None,
    circuit: str | os.PathLike[str] | None = None,
) -> Simulation:
    """A simulation that keeps what it has read in memory.

    A second `recruitment_cube` from the result, with another bin width, radius, window or filter,
    costs only the counting.

    Parameters
    ----------
    path
        SONATA simulation configuration, usually ``simulation_config.json``. Not needed where both
        `spikes` and `circuit` are given.
    spikes
        Spikes file to read in place of the one that the configuration names.
    circuit
        Circuit configuration to read in place of the one that the configuration names.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If the file, or the circuit that it names, is missing or is no SONATA configuration.
    ValueError
        If there is no `path`, and not both of the others.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> open_simulation(config).default_population()
    'cortex'
    """
    if path is None and (spikes is None or circuit is None):
        raise ValueError(
            "give a simulation configuration, or both a spikes file and a circuit configuration"
        )
    return Simulation(_absolute(path), spikes=_absolute(spikes), circuit=_absolute(circuit))


class Simulation:
    """An opened SONATA simulation; see `open_simulation`.

    Attributes
    ----------
    path
        Absolute path of the configuration; of the spikes file where there is no configuration.
    given
        What was given to `open_simulation`, as texts that open it again.
    node_set
        Name of the simulation's own node set; None where it has none, which means all neurons.
    """

    def __init__(
        self, path: Path | None, *, spikes: Path | None = None, circuit: Path | None = None
    ) -> None:
        self.given = {
            name: str(file)
            for name, file in (("path", path), ("spikes", spikes), ("circuit", circuit))
            if file is not None
        }
        self._config = None if path is None else read_simulation(path)
        self._circuit = read_circuit(_circuit_file(self._config, circuit))
        self._spikes_file = spikes
        self._populations = self._find_populations()
        self._columns: dict[tuple[str, str], Column] = {}
        self._spikes: dict[str, Spikes] = {}
        self._memo: dict[Hashable, Any] = {}
        self._lock = threading.RLock()
        self.path: Path = path or self.spikes_file
        self.node_set: str | None = self._config.node_set if self._config else None
        self._stamps = {file: _stamp(file) for file in self._files()}

    def __repr__(self) -> str:
        return f"<Simulation {self.path}>"

    @cached_property
    def duration_ms(self) -> float:
        """End of the simulation (``run.tstop``), ms; it starts at 0.

        Without a configuration: the whole ms after the last spike of all populations.
        """
        if self._config is not None:
            return self._config.duration_ms
        with self._trains() as trains:
            spans = [train().span_ms() for train in trains.values()]
        last = max((span[1] for span in spans if span is not None), default=0.0)
        if not 0.0 <= last < 1e12:
            raise SimulationDataError(
                f"{self.spikes_file}: the last spike is at {last:g} ms: give a simulation"
                " configuration, which says when the simulation ends"
            )
        return float(np.floor(last) + 1.0)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the configurations do not say and was taken for granted, one sentence each."""
        own = self._config.assumed if self._config else (self._assumed_duration(),)
        return (*own, *self._circuit.assumed)

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the circuit's node populations."""
        return tuple(sorted(self._populations))

    def population_type(self, population: str) -> str:
        """SONATA type of a population: biophysical, virtual, point_neuron, ...

        Where the circuit does not say: ``virtual`` if all its node types are; else ``unknown``.
        """
        said = self._populations[population].type
        if said:
            return said
        nodes = self._nodes(population)
        if "model_type" not in nodes.columns:
            return "unknown"
        kinds = {str(kind) for kind in np.unique(np.asarray(self.column(population, "model_type")))}
        return kinds.pop() if len(kinds) == 1 else "unknown"

    def default_population(self) -> str:
        """The population that is meant where none is named.

        The only one that is not virtual; of several, the only one with spikes.

        Raises
        ------
        SimulationDataError
            If that leaves none or several; the message lists them.
        """
        real = [name for name in self.populations if self.population_type(name) != _VIRTUAL]
        if len(real) != 1:
            fired = self.spike_populations() if self.spikes_file.is_file() else {}
            real = [name for name in real or self.populations if fired.get(name)] or real
        if len(real) == 1:
            return real[0]
        listed = ", ".join(real or self.populations) or "none"
        raise SimulationDataError(
            f"{self.path}: the circuit has several populations of neurons ({listed}): name one"
            if real
            else f"{self.path}: the circuit has no population of neurons (populations: {listed})"
        )

    def resolve_population(self, name: str | None) -> str:
        """The name itself if the circuit has it; the default population for None.

        Raises
        ------
        SimulationDataError
            If the circuit lacks it; or none is named, the circuit has several, and the spikes file
            does not say whose spikes it holds.
        """
        if name is None:
            self._refuse_nameless_spikes()
            return self.default_population()
        if name not in self.populations:
            listed = ", ".join(self.populations) or "none"
            raise SimulationDataError(
                f"{self.path}: there is no population {name!r}; there are: {listed}"
            )
        return name

    def n_neurons(self, population: str) -> int:
        """Number of neurons of a population."""
        return self._nodes(population).size

    def columns(self, population: str) -> tuple[str, ...]:
        """Names of the properties that the nodes file gives each neuron."""
        return self._nodes(population).columns

    def text_values(self, population: str, column: str) -> tuple[str, ...] | None:
        """Values that a text column may take, from its library; None for other columns.

        Reads no neuron.
        """
        return self._nodes(population).values(column)

    def column(self, population: str, name: str, progress: Progress | None = None) -> Column:
        """(n_neurons,) values of a property; text as `pandas.Categorical`. Read once, then kept.

        ``ss_flat_x``, ``ss_flat_y``, ``depth``, ``flat_x`` and ``flat_y`` are computed from the
        circuit's atlas where the nodes file lacks them: NaN for neurons outside of the flatmap's
        box, -1 in both for those without a flat position.

        Raises
        ------
        SimulationDataError
            If the population has no such property; the message lists those it has.
        """
        with self._lock:
            key = (population, name)
            if key not in self._columns:
                self._columns[key] = self._read_column(population, name, progress)
            return self._columns[key]

    def rows_of(self, population: str, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Row of each ``node_id`` of a population; -1 for ids that it lacks."""
        return self._nodes(population).rows_of(ids)

    def has_own_ids(self, population: str) -> bool:
        """Whether ``node_id`` is something else than 0, 1, 2, ..."""
        return self._nodes(population).ids is not None

    def node_ids(self, population: str) -> npt.NDArray[np.int64]:
        """(n_neurons,) SONATA ``node_id`` of each neuron; mostly 0 to n_neurons-1."""
        nodes = self._nodes(population)
        return np.arange(nodes.size) if nodes.ids is None else nodes.ids

    def is_from_atlas(self, population: str, name: str) -> bool:
        """Whether a column is computed from the circuit's atlas, not read from the nodes file."""
        return name in _ATLAS_COLUMNS and name not in self.columns(population)

    def positions(self, population: str) -> tuple[npt.NDArray[Any], ...]:
        """(n_neurons,) x, y and z in the brain, µm.

        Raises
        ------
        SimulationDataError
            If the population lacks one of them.
        """
        missing = self._missing_axes(population)
        if missing:
            raise SimulationDataError(
                f"{self.path}: population {population!r} has no positions to look up in an atlas"
                f" ({', '.join(missing)} missing): name two columns that it has as flat"
            )
        return tuple(np.asarray(self.column(population, axis)) for axis in "xyz")

    def nodes_file(self, population: str) -> Path:
        """HDF5 file of a population."""
        return self._populations[population].nodes_file

    @property
    def atlas_folder(self) -> Path | None:
        """Folder of the circuit's atlas, by conntility's rules; None where there is none.

        ``atlas_dir`` in the circuit's provenance, or a folder ``atlas`` beside its node sets (or
        one higher, where these are in a folder ``sonata``).
        """
        if self._circuit.atlas is not None:
            return self._circuit.atlas
        node_sets = self._circuit.node_sets_file
        if node_sets is None:
            return None
        base = node_sets.parent
        folder = (base.parent if base.name == "sonata" else base) / "atlas"
        return folder if folder.is_dir() else None

    def atlas_file(self, name: str) -> Path:
        """A volume of the circuit's atlas, such as ``flatmap``.

        Raises
        ------
        SimulationDataError
            If the circuit has no atlas, or that has no such volume; the message lists those it has.
        """
        folder, circuit = self.atlas_folder, self._circuit.path
        if folder is None:
            raise SimulationDataError(
                f"{circuit}: the circuit names no atlas: give the path of an nrrd file, or set"
                " components.provenance.atlas_dir"
            )
        if not folder.is_dir():
            raise SimulationDataError(
                f"{folder}: the folder of the atlas does not exist: correct atlas_dir in {circuit}"
            )
        path = folder / (name if name.endswith(".nrrd") else f"{name}.nrrd")
        if not path.is_file():
            listed = ", ".join(sorted(file.stem for file in folder.glob("*.nrrd"))) or "none"
            raise SimulationDataError(
                f"{folder}: the circuit's atlas has no {path.name}; there are: {listed}"
            )
        return path

    @property
    def node_sets(self) -> tuple[str, ...]:
        """Names of the node sets of simulation and circuit."""
        return tuple(sorted(self.node_set_rules))

    @cached_property
    def node_set_rules(self) -> dict[str, Any]:
        """Node sets by name, as their files define them; the simulation's override the circuit's.

        Raises
        ------
        SimulationDataError
            If a file of node sets is missing or is not JSON.
        """
        rules: dict[str, Any] = {}
        for file, config in self._node_sets_files():
            rules |= read_node_sets(file, config)
        return rules | (self._config.own_node_sets if self._config else {})

    def node_set_ids(self, name: str, population: str) -> npt.NDArray[np.int64]:
        """Rows of the neurons of a population that are in a node set; ascending, may be empty.

        Raises
        ------
        SimulationDataError
            If there is no such set, or it names a property that the population lacks.
        """
        if name not in self.node_set_rules:
            listed = ", ".join(self.node_sets) or "none"
            raise SimulationDataError(
                f"{self.path}: there is no node set {name!r}; there are: {listed}"
            )

        def resolve() -> npt.NDArray[np.int64]:
            try:
                mask = matching(
                    name,
                    self.node_set_rules,
                    self._nodes(population),
                    lambda column: self.column(population, column),
                )
            except SimulationDataError as error:
                raise SimulationDataError(f"{self.path}: {error}") from error
            return np.flatnonzero(mask)

        return self.memo(("node set", name, population), resolve)

    @property
    def spikes_file(self) -> Path:
        """Where the spikes are: as given, or as the configuration says."""
        if self._spikes_file is not None:
            return self._spikes_file
        assert self._config is not None  # open_simulation asks for one of them
        return self._config.spikes_file

    def spike_populations(self) -> dict[str, int]:
        """Number of spikes of each population in the spikes file; reads no spike.

        One that cannot be read is left out. The name is empty in files of the old layout, which do
        not say whose spikes they hold.
        """
        found = {}
        with self._trains() as trains:
            for name, train in trains.items():
                try:
                    found[name] = len(train())
                except SimulationDataError:  # told when it is asked for
                    continue
        return found

    def spike_span_ms(self, population: str) -> tuple[float, float] | None:
        """Times of the first and the last spike of a population, ms; None where there is none."""
        with self.spike_train(population) as train:
            return train.span_ms() if train is not None else None

    def spikes(self, population: str, progress: Progress | None = None) -> Spikes:
        """Spikes of a population. Read once, then kept.

        A population that the file lacks, while all that it has are populations of the circuit,
        never fired; that is said in ``assumed``.

        Raises
        ------
        SimulationDataError
            If the spikes file is missing or cannot be read, or holds spikes of nobody in the
            circuit and none of the population.
        """
        with self._lock:
            if population not in self._spikes:
                with self.spike_train(population) as train:
                    self._spikes[population] = (
                        read_spikes(train, self._nodes(population).rows_of, progress)
                        if train is not None
                        else self._silence(population)
                    )
            return self._spikes[population]

    @contextmanager
    def spike_train(self, population: str) -> Iterator[SpikeTrain | None]:
        """Spikes of a population in their open file; None where it never fired."""
        with self._trains() as trains:
            if OLD_LAYOUT in trains:
                train = trains[OLD_LAYOUT]()
                said = (
                    f"{train.where}: is of the old layout, without populations;"
                    f" its spikes are taken to be of {population!r}"
                )
                yield replace(train, assumed=(said, *train.assumed))
            elif population in trains:
                yield trains[population]()
            else:
                self._refuse_strangers(population, sorted(trains))
                yield None

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The simulation's ``inputs`` that say when they are on, in the configuration's order."""
        return self._config.stimuli if self._config else ()

    @property
    def configuration(self) -> dict[str, Any]:
        """Content of the simulation's configuration, variables resolved; empty without one."""
        return self._config.content if self._config else {}

    def is_stale(self) -> bool:
        """Whether one of its files was changed, by size or time, since it was opened."""
        return any(_stamp(file) != stamped for file, stamped in self._stamps.items())

    def memo(self, key: Hashable, compute: Callable[[], T]) -> T:
        """``compute()``, or what it gave for the same key before; the last few are kept."""
        with self._lock:
            if key in self._memo:
                self._memo[key] = self._memo.pop(key)
            else:
                self._memo[key] = compute()
                while len(self._memo) > _MEMO_SIZE:
                    del self._memo[next(iter(self._memo))]
            value: T = self._memo[key]
            return value

    def _find_populations(self) -> dict[str, PopulationConfig]:
        """Populations that the circuit names, and those in files for which it names none."""
        circuit = self._circuit
        found = {population.name: population for population in circuit.populations}
        for file, types in circuit.unlisted:
            for name in populations_in(file, circuit.path):
                found.setdefault(name, PopulationConfig(name, "", file, types))
        return found

    def _files(self) -> list[Path]:
        files = [self._circuit.path, self.spikes_file, *(f for f, _ in self._node_sets_files())]
        files += [population.nodes_file for population in self._populations.values()]
        return [*files, self._config.path] if self._config else files

    def _node_sets_files(self) -> list[tuple[Path, Path]]:
        """Files of node sets, each with the configuration that names it; later ones override."""
        files = [(self._circuit.node_sets_file, self._circuit.path)]
        if self._config is not None and self._config.node_sets_file != files[0][0]:
            files.append((self._config.node_sets_file, self._config.path))
        return [(file, config) for file, config in files if file is not None]

    def _trains(self) -> Any:
        if self._config is None or self._spikes_file is not None:
            return opened_trains(self.spikes_file, "correct --spikes")
        remedy = f"run the simulation, correct 'output' in {self._config.path}, or give --spikes"
        return opened_trains(self.spikes_file, remedy)

    def _assumed_duration(self) -> str:
        return (
            f"{self.spikes_file}: no configuration says when the simulation ends;"
            f" {self.duration_ms:g} ms, the whole ms after the last spike, is assumed"
        )

    def _refuse_nameless_spikes(self) -> None:
        if len(self.populations) < 2 or not self.spikes_file.is_file():
            return
        with self._trains() as trains:
            nameless = OLD_LAYOUT in trains
        if nameless:
            raise SimulationDataError(
                f"{self.spikes_file}: is of the old layout, without populations: name the one whose"
                f" spikes it holds (--population); there are: {', '.join(self.populations)}"
            )

    def _refuse_strangers(self, population: str, found: list[str]) -> None:
        """A population is not silent in a file whose spikes are of nobody that we know."""
        strangers = [name for name in found if name not in self.populations]
        if strangers:
            raise SimulationDataError(
                f"{self.spikes_file}: there are no spikes of population {population!r}; there are:"
                f" {', '.join(found)}, of which the circuit lacks {', '.join(strangers)}:"
                " name another population, or another spikes file (--spikes)"
            )

    def _silence(self, population: str) -> Spikes:
        said = (
            f"{self.spikes_file}: has no spikes of population {population!r};"
            " it is assumed that it never fired"
        )
        return Spikes(np.zeros(0, np.int32), np.zeros(0), 0, (said,))

    def _nodes(self, population: str) -> Nodes:
        return self.memo(
            ("nodes", population), lambda: Nodes(self._populations[population], self._circuit.path)
        )

    def _missing_axes(self, population: str) -> list[str]:
        return [axis for axis in "xyz" if axis not in self.columns(population)]

    def _read_column(self, population: str, name: str, progress: Progress | None) -> Column:
        if name in self.columns(population):
            return self._nodes(population).column(name)
        if name in _ATLAS_COLUMNS:
            return self._compute_from_atlas(population, name, progress)
        listed = ", ".join(self.columns(population)) or "none"
        raise SimulationDataError(
            f"{self.path}: population {population!r} has no property {name!r}; there are: {listed}"
        )

    def _compute_from_atlas(
        self, population: str, name: str, progress: Progress | None
    ) -> npt.NDArray[Any]:
        """A flat coordinate that the nodes file lacks; those computed with it are kept too."""
        missing = self._missing_axes(population)
        if missing:
            raise SimulationDataError(
                f"{self.path}: population {population!r} has neither {name!r} nor the positions"
                f" ({', '.join(missing)} missing) to compute it from:"
                " name two other columns as flat"
            )
        simple = name in _FROM_FLATMAP
        try:
            needed = ("flatmap",) if simple else ("flatmap", "orientation")
            files = [self.atlas_file(volume) for volume in needed]
        except SimulationDataError as error:
            raise SimulationDataError(
                f"{self.path}: population {population!r} has no property {name!r}, and the"
                f" circuit's atlas does not give it ({error}): or name two other columns as flat"
            ) from error

        def compute() -> dict[str, npt.NDArray[Any]]:
            positions = self.positions(population)
            if simple:
                x, y = flat_positions(read_flatmap(files[0], progress=progress), *positions)
                return dict(zip(_FROM_FLATMAP, (x, y), strict=True))
            return by_conntility(positions, files[0], files[1], progress)

        key = {
            "what": "columns of the atlas",
            "columns": _FROM_FLATMAP if simple else BY_CONNTILITY,
            "by": "look-up" if simple else f"conntility {version('connectome-utilities')}",
            "files": [stamp(file) for file in (self.nodes_file(population), *files)],
            "population": population,
        }
        for column, values in cached_arrays(key, compute).items():
            if self.is_from_atlas(population, column):
                self._columns[population, column] = values
        return np.asarray(self._columns[population, name])


def _circuit_file(config: SimulationConfig | None, circuit: Path | None) -> Path:
    """Configuration of the circuit: as given, or as the simulation names it."""
    if circuit is not None:
        return circuit
    assert config is not None  # open_simulation asks for one of them
    if not config.circuit.is_file():
        raise SimulationDataError(
            f"{config.path}: 'network' names the circuit configuration {config.circuit}, which does"
            " not exist: correct the path, or give --circuit"
        )
    return config.circuit


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(os.path.abspath(path))


def _stamp(file: Path) -> tuple[str, int, int] | None:
    try:
        return stamp(file)
    except OSError:
        return None
