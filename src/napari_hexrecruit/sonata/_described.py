"""A simulation as its configurations describe it: files, populations, node sets, runs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import WINDOW, Parameter, ParameterError, SimulationDataError
from napari_hexrecruit.sonata._atlas_files import (
    atlas_file,
    atlas_folder,
)
from napari_hexrecruit.sonata._config import read_circuit, read_simulation
from napari_hexrecruit.sonata._config_values import (
    CIRCUIT,
    Given,
    PopulationConfig,
    SimulationConfig,
    Stimulus,
)
from napari_hexrecruit.sonata._node_set_rules import read_node_sets
from napari_hexrecruit.sonata._nodes import populations_in
from napari_hexrecruit.sonata._runs import chosen_run
from napari_hexrecruit.sonata._spike_file import SpikeFile
from napari_hexrecruit.storage.cache import stamp
from napari_hexrecruit.storage.kinds import example
from napari_hexrecruit.storage.paths import absence

if TYPE_CHECKING:
    from pathlib import Path


NOTHING_GIVEN = "give a simulation configuration, or both a spikes file and a circuit configuration"
ALL = "all"
"""Name that means all neurons, unless a node set has this name."""


class Described:
    """A simulation as its configurations describe it; `Simulation` reads its neurons and spikes.

    Attributes
    ----------
    path
        Absolute path of the configuration; without one, of the spikes file.
    given
        Arguments of `open_simulation`, as texts that open it again.
    run
        Number of the chosen run, 1 for the first; None if none was chosen.
    node_set
        Name of the simulation's own node set; None for all neurons.
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
        self._of_node_sets: list[str] = []
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
        self.path: Path = path or self.spikes_file
        self.node_set: str | None = self._config.node_set if self._config else None
        self._stamps = {file: _stamp(file) for file in self.files}

    def __repr__(self) -> str:
        return f"<Simulation {self.path}>"

    @property
    def start_ms(self) -> float:
        """Start of the simulation, ms: 0, or the start of the chosen run."""
        return self._run.start_ms if self._run else 0.0

    def check_window_is_known(self) -> None:
        """Refuse a default window if it is unclear which run the spikes belong to."""
        if self._run is not None and self._run.unclear:
            raise SimulationDataError(
                self.path,
                self._run.unclear,
                ("choose one with ", Parameter("run", hint="K"), ", or a window with ", WINDOW),
            )

    @property
    def has_end(self) -> bool:
        """Whether a configuration states the end of the simulation."""
        return self._config is not None

    @property
    def assumed(self) -> tuple[str, ...]:
        """Assumptions about what the configurations do not state, one sentence each."""
        runs = () if self._run is None else self._run.assumed
        own = self._config.assumed if self._config else ()
        of_sets = dict.fromkeys(self._of_node_sets)
        return (*own, *runs, *self._circuit.assumed, *self._absent, *of_sets)

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the circuit's node populations."""
        return tuple(sorted(self._populations))

    def is_there(self, population: str) -> bool:
        """Whether the nodes file of a population exists."""
        return self.nodes_file(population).is_file()

    def nodes_file(self, population: str) -> Path:
        """Return the HDF5 file of a population."""
        return self._populations[population].nodes_file

    @property
    def atlas_folder(self) -> Path | None:
        """Folder of the circuit's atlas; None without an atlas."""
        return atlas_folder(self._circuit)

    def atlas_file(self, name: str) -> Path:
        """Return the file of a volume of the circuit's atlas, such as ``flatmap``.

        Raises
        ------
        SimulationDataError
            If the circuit has no atlas, or the atlas lacks the volume; the message lists its
            volumes.
        """
        return atlas_file(self._circuit, name)

    @property
    def node_sets(self) -> tuple[str, ...]:
        """Names of the node sets of simulation and circuit."""
        return tuple(sorted(self.node_set_rules))

    @cached_property
    def node_set_rules(self) -> dict[str, Any]:
        """Rules of the node sets by name; the simulation's override the circuit's.

        Raises
        ------
        SimulationDataError
            If a node sets file is missing or is not JSON.
        """
        rules: dict[str, Any] = {}
        for file, config in self._node_sets_files():
            rules |= read_node_sets(file, config, self._of_node_sets)
        return rules | (self._config.own_node_sets if self._config else {})

    @property
    def node_sets_files(self) -> tuple[Path, ...]:
        """Node sets files of circuit and simulation."""
        return tuple(file for file, _ in self._node_sets_files())

    def means_all(self, node_set: str) -> bool:
        """Whether a node set's name means all neurons: it is ``all``, and no set has this name.

        Node sets files that cannot be read are ignored.
        """
        if node_set != ALL:
            return False
        try:
            return ALL not in self.node_set_rules
        except SimulationDataError:
            return True

    @property
    def assumed_end(self) -> tuple[str, ...]:
        """Note on the end of a simulation without a configuration."""
        if self.has_end:
            return ()
        said = f"{self.spikes_file}: no configuration gives the end of the simulation"
        return (f"{said}; the bin of the last spike is taken for the last one",)

    @property
    def spikes_file(self) -> Path:
        """The spikes file: the given one, or the one that the configuration names."""
        return self._spike_file.path

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The simulation's ``inputs`` that have a time, in the configuration's order."""
        return self._config.stimuli if self._config else ()

    @property
    def configuration(self) -> dict[str, Any]:
        """Content of the simulation's configuration, with variables resolved; empty without one."""
        return self._config.content if self._config else {}

    def is_stale(self) -> bool:
        """Whether size or time of one of its files changed since it was opened."""
        return any(_stamp(file) != stamped for file, stamped in self._stamps.items())

    def _find_populations(self) -> dict[str, PopulationConfig]:
        """Find the populations that the circuit names, and those in files without named ones."""
        circuit = self._circuit
        found = {population.name: population for population in circuit.populations}
        readable = [(file, types) for file, types in circuit.unlisted if file.is_file()]
        if not readable and not found:
            readable = list(circuit.unlisted)  # reading them reports what is missing
        for file, types in readable:
            for name in populations_in(file, circuit.path):
                known = found.setdefault(name, PopulationConfig(name, "", file, types))
                found[name] = known.found_in(file)
        return found

    def _left_out(self) -> list[str]:
        """Return notes on populations whose nodes file is missing."""
        named = [(p.name, p.nodes_file) for p in self._populations.values()]
        gone = [(f"population {name!r}", file) for name, file in named if not file.is_file()]
        gone += [("its populations", f) for f, _ in self._circuit.unlisted if not f.is_file()]
        return [
            f"{file}: the nodes file {absence(file)}; {whose} cannot be used"
            for whose, file in gone
        ]

    def _find_spikes(self, given: Path | None) -> SpikeFile:
        """Return the spikes file: the given one, or the one that the configuration names."""
        if given is not None:
            dt_ms = self._config.dt_ms if self._config else None
            return SpikeFile(given, self.populations, ("correct ", Parameter("spikes")), dt_ms)
        config = self._config
        if config is None or self._run is None:
            raise ParameterError("", NOTHING_GIVEN)
        remedy = f"run the simulation, correct 'output' in {config.path}, or give "
        return SpikeFile(
            self._run.spikes_file, self.populations, remedy, config.dt_ms, suggests=True
        )

    @property
    def files(self) -> list[Path]:
        """Its files: configurations, node sets, nodes and spikes."""
        files = [self._circuit.path, self.spikes_file, *(f for f, _ in self._node_sets_files())]
        files += [population.nodes_file for population in self._populations.values()]
        return [*files, self._config.path] if self._config else files

    def _node_sets_files(self) -> list[tuple[Path, Path]]:
        """Return node sets files, each with the configuration naming it; later ones override."""
        files = [(self._circuit.node_sets_file, self._circuit.path)]
        if self._config is not None and self._config.node_sets_file != files[0][0]:
            files.append((self._config.node_sets_file, self._config.path))
        return [(file, config) for file, config in files if file is not None]


def _circuit_file(config: SimulationConfig | None, circuit: Path | None) -> Path:
    """Return the configuration of the circuit: the given one, or the one the simulation names."""
    if circuit is not None:
        return circuit
    if config is None:
        raise ParameterError("", NOTHING_GIVEN)
    if config.circuit.is_file():
        return config.circuit
    give = ("give ", example("circuit", config.path.parent, "*.json"))
    there = absence(config.circuit)
    if not config.names_circuit:
        raise SimulationDataError(
            config.path,
            f"it has no 'network', and {CIRCUIT} beside it, which is then looked for, {there}",
            ("name the circuit configuration in it, or ", *give),
        )
    raise SimulationDataError(
        config.path,
        f"'network' names the circuit configuration {config.circuit}, which {there}",
        ("correct the path, or ", *give),
    )


def _stamp(file: Path) -> tuple[str, int, int] | None:
    try:
        return stamp(file)
    except OSError:
        return None
