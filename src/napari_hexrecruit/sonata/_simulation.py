"""An opened simulation, and what it keeps in memory."""

from __future__ import annotations

import os
import shlex
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._advice import flat_remedy, nearest
from napari_hexrecruit.sonata._atlas_files import (
    ATLAS_COLUMNS,
    atlas_file,
    atlas_folder,
    compute_columns,
    computed_together,
)
from napari_hexrecruit.sonata._config import (
    CIRCUIT,
    Given,
    PopulationConfig,
    SimulationConfig,
    Stimulus,
    read_circuit,
    read_simulation,
)
from napari_hexrecruit.sonata._node_set_rules import matching, read_node_sets
from napari_hexrecruit.sonata._nodes import Nodes, populations_in
from napari_hexrecruit.sonata._runs import chosen_run
from napari_hexrecruit.sonata._spike_file import SpikeFile
from napari_hexrecruit.sonata._spikes import Spikes, read_spikes
from napari_hexrecruit.storage.cache import stamp
from napari_hexrecruit.storage.kinds import example
from napari_hexrecruit.storage.paths import absence
from napari_hexrecruit.system.waiting import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from contextlib import AbstractContextManager

    from napari_hexrecruit.filters import Column
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata._spikes import SpikeTrain

T = TypeVar("T")

_NOTHING_GIVEN = (
    "give a simulation configuration, or both a spikes file and a circuit configuration"
)
_MEMO_SIZE = 8
ALL = "all"
"""Node set of all neurons, where none has this name."""
_NO_NEURONS = ("virtual", "astrocyte", "vasculature", "endfoot", "endfeet", "glia")
"""SONATA types of populations that are not simulated neurons."""


def open_simulation(
    path: str | os.PathLike[str] | None = None,
    *,
    spikes: str | os.PathLike[str] | None = None,
    circuit: str | os.PathLike[str] | None = None,
    run: int | None = None,
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
    run
        Which run of a configuration that runs several times, 1 for the first; its window and its
        spikes file are then the defaults. Not needed where `spikes` is one of the files that the
        configuration names.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If the file, or the circuit that it names, is missing or is no SONATA configuration; or if
        it has several runs, and none is chosen.
    ValueError
        If there is no `path`, and not both of `spikes` and `circuit`.

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
        raise ValueError(_NOTHING_GIVEN)
    if path is None and run is not None:
        raise ValueError("run chooses among the runs of a simulation configuration: give one")
    return Simulation(
        _absolute(path), spikes=_absolute(spikes), circuit=_absolute(circuit), run=run
    )


class Simulation:
    """An opened SONATA simulation; see `open_simulation`.

    Attributes
    ----------
    path
        Absolute path of the configuration; of the spikes file where there is no configuration.
    given
        What was given to `open_simulation`, as texts that open it again.
    run
        Number of the run that was chosen, 1 for the first; None where none was.
    node_set
        Name of the simulation's own node set; None where it has none, which means all neurons.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        spikes: Path | None = None,
        circuit: Path | None = None,
        run: int | None = None,
    ) -> None:
        self.given = {
            name: str(file)
            for name, file in (("path", path), ("spikes", spikes), ("circuit", circuit))
            if file is not None
        }
        self.run = run
        self._config = None if path is None else read_simulation(path, Given(spikes, circuit))
        self._run = (
            None
            if self._config is None
            else chosen_run(self._config.path, self._config.runs, run, spikes)
        )
        self._circuit = read_circuit(_circuit_file(self._config, circuit))
        self._populations = self._find_populations()
        self._absent = self._left_out()
        self._spike_file = self._find_spikes(spikes)
        self._kept, self._memo = Kept(), Kept(_MEMO_SIZE)
        self.path: Path = path or self.spikes_file
        self.node_set: str | None = self._config.node_set if self._config else None
        self._stamps = {file: _stamp(file) for file in self.files}

    def __repr__(self) -> str:
        return f"<Simulation {self.path}>"

    @property
    def start_ms(self) -> float:
        """Start of the simulation, ms: 0, or where the chosen run of several begins."""
        return self._run.start_ms if self._run else 0.0

    @property
    def duration_ms(self) -> float:
        """End of the simulation (``run.tstop``), or of its chosen run, ms.

        Without a configuration: the whole ms after the last spike of all populations.
        """
        if self._run is not None:
            return self._run.stop_ms
        return float(np.floor(self.last_spike_ms) + 1.0)

    @property
    def limits_ms(self) -> tuple[float, float]:
        """Earliest and latest time that a window may have, ms."""
        if self._config is None:
            return -np.inf, np.inf
        if self.run is not None:
            return self.start_ms, self.duration_ms
        return self._config.runs[0].start_ms, self._config.runs[-1].stop_ms

    @property
    def last_spike_ms(self) -> float:
        """Time of the last spike of all populations, ms; reads the times of the whole file, once.

        Raises
        ------
        SimulationDataError
            If the end of a simulation cannot be told from it.
        """
        return self._kept.get("last spike", self._find_last_spike)

    def _find_last_spike(self) -> float:
        last = self._spike_file.last_ms()
        if not 0.0 <= last < 1e12:
            raise SimulationDataError(
                self.spikes_file,
                f"the last spike is at {last:g} ms",
                "give a simulation configuration, which says when the simulation ends",
            )
        return last

    def check_window_is_known(self) -> None:
        """Refuse a default window where it is unclear which of several runs the spikes are of."""
        if self._run is not None and self._run.unclear:
            raise SimulationDataError(
                self.path,
                self._run.unclear,
                "choose one (--run K), or a window (--start MS --stop MS)",
            )

    @property
    def has_end(self) -> bool:
        """Whether a configuration says when the simulation ends."""
        return self._config is not None

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the configurations do not say and was taken for granted, one sentence each."""
        runs = () if self._run is None else self._run.assumed
        own = self._config.assumed if self._config else ()
        return (*own, *runs, *self._circuit.assumed, *self._absent)

    def assumed_of(self, population: str) -> tuple[str, ...]:
        """What the nodes file of a population does not say and was taken for granted."""
        return self._nodes(population).assumed()

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
        import pandas as pd

        nodes = self._nodes(population)
        if "model_type" not in nodes.columns:
            return "unknown"
        try:
            found: Any = pd.unique(self.column(population, "model_type"))
        except SimulationDataError:  # said where the property is read; most do not need it
            return "unknown"
        kinds = {None if pd.isna(kind) else str(kind) for kind in found}
        return kinds.pop() or "unknown" if len(kinds) == 1 else "unknown"

    def holds_neurons(self, population: str) -> bool:
        """Whether a population is of simulated neurons: not virtual, glia or blood vessels."""
        return self.population_type(population) not in _NO_NEURONS

    def is_there(self, population: str) -> bool:
        """Whether the nodes file of a population exists."""
        return self.nodes_file(population).is_file()

    def default_population(self) -> str:
        """The population that is meant where none is named.

        The only one of simulated neurons; of several, the only one with spikes.

        Raises
        ------
        SimulationDataError
            If that leaves none or several; the message lists them.
        """
        there = [name for name in self.populations if self.is_there(name)] or self.populations
        real = [name for name in there if self.holds_neurons(name)]
        if len(real) != 1:
            fired = self.spike_populations() if self.spikes_file.is_file() else {}
            real = [name for name in real or there if fired.get(name)] or real
        if len(real) == 1:
            return real[0]
        listed = ", ".join(real or self.populations) or "none"
        if not real:
            raise SimulationDataError(
                self.path,
                f"the circuit has no population of neurons (populations: {listed})",
                self._name_one() if self.populations else "give another circuit (--circuit FILE)",
            )
        raise SimulationDataError(
            self.path,
            f"the circuit has several populations of neurons ({listed})",
            f"name one, as in --population {shlex.quote(real[0])}",
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
            self._spike_file.refuse_nameless()
            return self.default_population()
        if name not in self.populations:
            listed = ", ".join(self.populations) or "none"
            raise SimulationDataError(
                self.path,
                f"there is no population {name!r}; there are: {listed}",
                self._name_one(name),
            )
        return name

    def _name_one(self, name: str = "") -> str:
        """Advice to name a population: the one that is written nearly so, if there is one."""
        near = nearest(name, self.populations)
        if near is None:
            return "name one of them (--population P)"
        return f"did you mean --population {shlex.quote(near)}?"

    def n_neurons(self, population: str) -> int:
        """Number of neurons of a population."""
        return self._nodes(population).size

    def columns(self, population: str) -> tuple[str, ...]:
        """Names of the properties that the nodes file gives each neuron."""
        return self._nodes(population).columns

    def text_values(self, population: str, column: str) -> tuple[str, ...] | None:
        """Values that a text column may take, from its library or the table of node types.

        None for other columns, and for one that cannot be read. Reads no neuron.
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
        return self._kept.get(
            ("column", population, name), lambda: self._read_column(population, name, progress)
        )

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
        return name in ATLAS_COLUMNS and name not in self.columns(population)

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
                self.path,
                f"population {population!r} has no positions to look up in an atlas"
                f" ({', '.join(missing)} missing)",
                self.flat_remedy(population),
            )
        return tuple(np.asarray(self.column(population, axis)) for axis in "xyz")

    def flat_remedy(self, population: str, but: tuple[str, ...] = ()) -> str:
        """What can be the flat position of a population, as advice in a message.

        Parameters
        ----------
        population
            The neurons.
        but
            Properties that have been found not to be of use.
        """
        return flat_remedy(
            self.columns(population), but, lambda name: self.column(population, name)
        )

    def nodes_file(self, population: str) -> Path:
        """HDF5 file of a population."""
        return self._populations[population].nodes_file

    @property
    def atlas_folder(self) -> Path | None:
        """Folder of the circuit's atlas; None where there is none."""
        return atlas_folder(self._circuit)

    def atlas_file(self, name: str) -> Path:
        """A volume of the circuit's atlas, such as ``flatmap``.

        Raises
        ------
        SimulationDataError
            If the circuit has no atlas, or that has no such volume; the message lists those it has.
        """
        return atlas_file(self._circuit, name)

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

    @property
    def node_sets_files(self) -> tuple[Path, ...]:
        """Files of node sets of circuit and simulation."""
        return tuple(file for file, _ in self._node_sets_files())

    def node_set_ids(self, name: str, population: str) -> npt.NDArray[np.int64]:
        """Rows of the neurons of a population that are in a node set; ascending, may be empty.

        ``all`` is all of them, where no node set has that name.

        Raises
        ------
        SimulationDataError
            If there is no such set, or it names a property that the population lacks.
        """
        if self.means_all(name):
            return np.arange(self.n_neurons(population))
        try:
            rules = self.node_set_rules
        except SimulationDataError as error:
            raise _or_all(error) from error
        if name not in rules:
            listed, near = ", ".join(self.node_sets) or "none", nearest(name, self.node_sets)
            mean = "" if near is None else f"did you mean --node-set {shlex.quote(near)}? or "
            raise SimulationDataError(
                self.path,
                f"there is no node set {name!r}; there are: {listed}",
                f"{mean}name one of them, or all neurons (--node-set {ALL})",
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
                raise _or_all(SimulationDataError(f"{self.path}: {error}")) from error
            return np.flatnonzero(mask)

        return self.memo(("node set", name, population), resolve)

    def means_all(self, node_set: str) -> bool:
        """Whether the name of a node set stands for all neurons: ``all``, and no set is so named.

        Files of node sets that cannot be read name nothing.
        """
        if node_set != ALL:
            return False
        try:
            return ALL not in self.node_set_rules
        except SimulationDataError:
            return True

    def own_node_set(self, population: str) -> tuple[str | None, str]:
        """The simulation's node set as far as it is about a population, and what is said of it.

        Parameters
        ----------
        population
            A population that is asked for by name.

        Returns
        -------
        name : str or None
            The simulation's node set; None where it has none, or where it is about others: it has
            no neuron of this population, and this one is virtual, or it has neurons of another.
        note : str
            Says so; else empty.
        """
        name = self.node_set
        if name is None or self._n_in(name, population, strict=self.holds_neurons(population)):
            return name, ""
        others = (other for other in self.populations if other != population)
        if self.holds_neurons(population) and not any(self._n_in(name, o) for o in others):
            return name, ""
        return None, (
            f"the simulation's node set {name!r} has no neuron of population {population!r} and is"
            " not applied; all of its neurons count"
        )

    def _n_in(self, node_set: str, population: str, strict: bool = False) -> int:
        """Neurons of a population in a node set; 0 where it cannot be resolved, unless strict."""
        try:
            return len(self.node_set_ids(node_set, population))
        except SimulationDataError:
            if strict:
                raise
            return 0

    @property
    def assumed_end(self) -> tuple[str, ...]:
        """What is said of the end of a simulation without a configuration."""
        if self.has_end:
            return ()
        said = f"{self.spikes_file}: no configuration says when the simulation ends"
        return (f"{said}; the bin of the last spike is taken for the last one",)

    @property
    def spikes_file(self) -> Path:
        """Where the spikes are: as given, or as the configuration says."""
        return self._spike_file.path

    def spike_populations(self) -> dict[str, int]:
        """Number of spikes of each population in the spikes file; reads no spike.

        One that cannot be read is left out. The name is empty in files of the old layout, which do
        not say whose spikes they hold.
        """
        return self._spike_file.counts()

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

        def read() -> Spikes:
            with self.spike_train(population) as train:
                if train is None:
                    return self._silence(population)
                return read_spikes(train, self._nodes(population).rows_of, progress)

        return self._kept.get(("spikes", population), read)

    def spike_train(self, population: str) -> AbstractContextManager[SpikeTrain | None]:
        """Spikes of a population in their open file; None where it never fired."""
        return self._spike_file.train(population)

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
        return self._memo.get(key, compute)

    def _find_populations(self) -> dict[str, PopulationConfig]:
        """Populations that the circuit names, and those in files for which it names none."""
        circuit = self._circuit
        found = {population.name: population for population in circuit.populations}
        readable = [(file, types) for file, types in circuit.unlisted if file.is_file()]
        if not readable and not found:
            readable = list(circuit.unlisted)  # that says what is missing
        for file, types in readable:
            for name in populations_in(file, circuit.path):
                found.setdefault(name, PopulationConfig(name, "", file, types))
        return found

    def _left_out(self) -> list[str]:
        """What is said of populations whose nodes file is missing."""
        named = [(p.name, p.nodes_file) for p in self._populations.values()]
        gone = [(f"population {name!r}", file) for name, file in named if not file.is_file()]
        gone += [("its populations", f) for f, _ in self._circuit.unlisted if not f.is_file()]
        return [
            f"{file}: the nodes file {absence(file)}; {whose} cannot be used"
            for whose, file in gone
        ]

    def _find_spikes(self, given: Path | None) -> SpikeFile:
        """The spikes file: as given, or as the configuration says."""
        if given is not None:
            dt_ms = self._config.dt_ms if self._config else None
            return SpikeFile(given, self.populations, "correct --spikes", dt_ms)
        config = self._config
        if config is None or self._run is None:
            raise ValueError(_NOTHING_GIVEN)
        remedy = f"run the simulation, correct 'output' in {config.path}, or give --spikes "
        return SpikeFile(
            self._run.spikes_file, self.populations, remedy, config.dt_ms, suggests=True
        )

    @property
    def files(self) -> list[Path]:
        """Files that it consists of: configurations, node sets, nodes and spikes."""
        files = [self._circuit.path, self.spikes_file, *(f for f, _ in self._node_sets_files())]
        files += [population.nodes_file for population in self._populations.values()]
        return [*files, self._config.path] if self._config else files

    def _node_sets_files(self) -> list[tuple[Path, Path]]:
        """Files of node sets, each with the configuration that names it; later ones override."""
        files = [(self._circuit.node_sets_file, self._circuit.path)]
        if self._config is not None and self._config.node_sets_file != files[0][0]:
            files.append((self._config.node_sets_file, self._config.path))
        return [(file, config) for file, config in files if file is not None]

    def _silence(self, population: str) -> Spikes:
        said = self._spike_file.silence(population)
        return Spikes(np.zeros(0, np.int32), np.zeros(0), 0, (said,))

    def _nodes(self, population: str) -> Nodes:
        return self._kept.get(
            ("nodes", population),
            lambda: Nodes(self._populations[population], self._circuit.path),
        )

    def _missing_axes(self, population: str) -> list[str]:
        return [axis for axis in "xyz" if axis not in self.columns(population)]

    def _read_column(self, population: str, name: str, progress: Progress | None) -> Column:
        if name in self.columns(population):
            return self._nodes(population).column(name)
        if name in ATLAS_COLUMNS:
            return self._compute_from_atlas(population, name, progress)
        listed = ", ".join(self.columns(population)) or "none"
        near = nearest(name, self.columns(population))
        raise SimulationDataError(
            self.path,
            f"population {population!r} has no property {name!r}; there are: {listed}",
            "" if near is None else f"did you mean {near!r}?",
        )

    def _compute_from_atlas(
        self, population: str, name: str, progress: Progress | None
    ) -> npt.NDArray[Any]:
        """A flat coordinate that the nodes file lacks; those computed with it are kept too."""
        where = f"{self.path}: population {population!r}"
        missing = self._missing_axes(population)
        if missing:
            raise SimulationDataError(
                where,
                f"it has no property {name!r}, nor the positions to compute it from"
                f" ({', '.join(missing)} missing)",
                self.flat_remedy(population),
            )
        found = self._kept.get(
            ("computed", population, computed_together(name)),
            lambda: compute_columns(
                self._circuit,
                name,
                lambda why: SimulationDataError(
                    where, f"it has no property {name!r}, and {why}", self.flat_remedy(population)
                ),
                self.nodes_file(population),
                population,
                lambda: self.positions(population),
                progress,
            ),
        )
        return np.asarray(found[name])


def _circuit_file(config: SimulationConfig | None, circuit: Path | None) -> Path:
    """Configuration of the circuit: as given, or as the simulation names it."""
    if circuit is not None:
        return circuit
    if config is None:
        raise ValueError(_NOTHING_GIVEN)
    if config.circuit.is_file():
        return config.circuit
    give = f"give --circuit {example('circuit', config.path.parent, '*.json')}"
    there = absence(config.circuit)
    if not config.names_circuit:
        raise SimulationDataError(
            config.path,
            f"it has no 'network', and {CIRCUIT} beside it, which is then looked for, {there}",
            f"name the circuit configuration in it, or {give}",
        )
    raise SimulationDataError(
        config.path,
        f"'network' names the circuit configuration {config.circuit}, which {there}",
        f"correct the path, or {give}",
    )


def _or_all(error: SimulationDataError) -> SimulationDataError:
    """An error about node sets that also tells how to do without them."""
    advice = f", or count all neurons (--node-set {ALL})"
    if not isinstance(error.remedy, str) or not error.remedy:
        return SimulationDataError(f"{error}{advice}")
    return SimulationDataError(error.where, error.what, error.remedy + advice)


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(os.path.abspath(path))


def _stamp(file: Path) -> tuple[str, int, int] | None:
    try:
        return stamp(file)
    except OSError:
        return None
