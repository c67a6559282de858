"""An opened simulation, and the data that it keeps in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.errors import (
    CIRCUIT_FILE,
    POPULATION,
    Parameter,
    ParameterError,
    SimulationDataError,
)
from napari_hexrecruit.sonata._advice import nearest
from napari_hexrecruit.sonata._described import NOTHING_GIVEN
from napari_hexrecruit.sonata._edges import EdgesConfig, edges_configs, opened_edges
from napari_hexrecruit.sonata._manifest import read_json, resolve_manifest
from napari_hexrecruit.sonata._neurons import Neurons
from napari_hexrecruit.sonata._report_configs import report_configs, report_named
from napari_hexrecruit.sonata._reports import opened_report, populations_of
from napari_hexrecruit.sonata._spikes import Spikes, read_spikes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from napari_hexrecruit.errors import Text
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata._edges import Edges
    from napari_hexrecruit.sonata._reports import Report, ReportConfig
    from napari_hexrecruit.sonata._spikes import SpikeTrain


def open_simulation(
    path: str | os.PathLike[str] | None = None,
    *,
    spikes: str | os.PathLike[str] | None = None,
    circuit: str | os.PathLike[str] | None = None,
    run: int | None = None,
) -> Simulation:
    """Open a simulation, which keeps the data that it reads in memory.

    A second `recruitment_cube` from the result, with another bin width, radius, window or filter,
    only needs the time to count.

    Parameters
    ----------
    path
        SONATA simulation configuration, usually ``simulation_config.json``. Optional if both
        `spikes` and `circuit` are given.
    spikes
        Spikes file to read instead of the one that the configuration names.
    circuit
        Circuit configuration to read instead of the one that the configuration names.
    run
        Number of the run if the configuration has several, 1 for the first. Its window and spikes
        file become the defaults. Optional if `spikes` is one of the files that the configuration
        names.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If the file or its circuit is missing or is not a SONATA configuration, or if there are
        several runs and `run` is not given.
    ValueError
        If neither `path` nor both `spikes` and `circuit` are given.

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
        raise ParameterError("", NOTHING_GIVEN)
    if path is None and run is not None:
        chooses = "chooses among the runs of a simulation configuration"
        raise ParameterError(Parameter("run"), chooses, "give one")
    return Simulation(
        _absolute(path), spikes=_absolute(spikes), circuit=_absolute(circuit), run=run
    )


class Simulation(Neurons):
    """An opened SONATA simulation; see `open_simulation`."""

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
        """Earliest and latest time of a window, ms."""
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
            If the end of the simulation cannot be derived from it.
        """
        return self._kept.get("last spike", self._find_last_spike)

    def _find_last_spike(self) -> float:
        last = self._spike_file.last_ms()
        if not 0.0 <= last < 1e12:
            raise SimulationDataError(
                self.spikes_file,
                f"the last spike is at {last:g} ms",
                "give a simulation configuration, which has the end of the simulation",
            )
        return last

    def default_population(self) -> str:
        """Return the default population.

        It is the only one with simulated neurons; if there are several, the only one with spikes.

        Raises
        ------
        SimulationDataError
            If none or several remain; the message lists them.
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
                self._name_one() if self.populations else ("give another one with ", CIRCUIT_FILE),
            )
        raise SimulationDataError(
            self.path,
            f"the circuit has several populations of neurons ({listed})",
            ("name one, as in ", Parameter("population", (real[0],))),
        )

    def resolve_population(self, name: str | None) -> str:
        """Return the name if the circuit has the population; the default population for None.

        Raises
        ------
        SimulationDataError
            If the circuit lacks it; or if none is named, the circuit has several, and the spikes
            file does not name the population of its spikes.
        """
        if name is None:
            self.refuse_nameless_spikes(self.populations)
            return self.default_population()
        if name not in self.populations:
            listed = ", ".join(self.populations) or "none"
            raise SimulationDataError(
                self.path,
                f"there is no population {name!r}; there are: {listed}",
                self._name_one(name),
            )
        return name

    def refuse_nameless_spikes(self, populations: Sequence[str]) -> None:
        """Refuse a spikes file that does not name which of several populations it has spikes of.

        Raises
        ------
        SimulationDataError
            If there are several populations, and the file has the old layout.
        """
        self._spike_file.refuse_nameless(populations)

    def _name_one(self, name: str = "") -> Text:
        """Return advice to name a population: the one with the most similar name, if any."""
        several = tuple(one.strip() for one in name.split(","))
        if set(several) <= set(self.populations):
            return "did you mean ", Parameter("population", several), "?"
        near = nearest(name, self.populations)
        if near is None:
            return "name one of them with ", POPULATION
        return "did you mean ", Parameter("population", (near,)), "?"

    def spike_populations(self) -> dict[str, int]:
        """Return the number of spikes of each population in the spikes file; reads no spikes.

        Unreadable populations are left out. The name is empty in files of the old layout, which do
        not name the population of their spikes.
        """
        return self._spike_file.counts()

    def spike_span_ms(self, population: str) -> tuple[float, float] | None:
        """Return the times of a population's first and last spike, ms; None without spikes."""
        with self.spike_train(population) as train:
            return train.span_ms() if train is not None else None

    def spikes(self, population: str, progress: Progress | None = None) -> Spikes:
        """Return the spikes of a population. They are read once, then kept.

        If the file lacks the population and all its populations are in the circuit, the population
        is assumed never to have fired; ``assumed`` states this.

        Raises
        ------
        SimulationDataError
            If the spikes file is missing or cannot be read, or lacks the population and has one
            that the circuit lacks.
        """

        def read() -> Spikes:
            with self.spike_train(population) as train:
                if train is None:
                    return self._silence(population)
                return read_spikes(train, self._nodes(population).rows_of, progress)

        return self._kept.get(("spikes", population), read)

    def keeps_spikes(self, population: str) -> bool:
        """Whether the spikes of a population are kept in memory."""
        return self._kept.has(("spikes", population))

    def spike_train(self, population: str) -> AbstractContextManager[SpikeTrain | None]:
        """Open the spikes of a population; None if it never fired."""
        return self._spike_file.train(population)

    @property
    def reports(self) -> tuple[ReportConfig, ...]:
        """Reports that the configuration names; their files can be missing."""
        return report_configs(self.path, self.configuration)

    def report_config(self, name: str) -> ReportConfig:
        """Return a report by its name in the configuration, or the path of its file.

        Raises
        ------
        SimulationDataError
            If the configuration has no report of the name, and it is not the name of a file.
        """
        return report_named(self.path, self.reports, name)

    def report(
        self, config: ReportConfig, population: str | None = None
    ) -> AbstractContextManager[tuple[str, Report]]:
        """Open a report of one population, and return the population's name with it.

        Parameters
        ----------
        config
            The report.
        population
            Name of the population; None: the only one in both the report and the circuit.

        Raises
        ------
        SimulationDataError
            If the file is not a report of that population.
        """
        if population is not None:
            population = self.resolve_population(population)
        return opened_report(config, population, self.populations, self.rows_of)

    def report_populations(self, config: ReportConfig) -> list[str | None]:
        """Return the circuit's populations in a report, as arguments for `report`.

        Raises
        ------
        SimulationDataError
            If the file cannot be opened.
        """
        return populations_of(config, self.populations)

    def edges(
        self, source: str, target: str, named: str | None = None
    ) -> AbstractContextManager[Edges]:
        """Open the edges from one population to another.

        Parameters
        ----------
        source, target
            Names of the node populations.
        named
            Edge population of the circuit, or an edges file; None: any of the circuit.

        Raises
        ------
        SimulationDataError
            If no edge population matches, or several do.
        """
        path = self._circuit.path
        if named is not None and named.endswith((".h5", ".hdf5")):
            configs: tuple[EdgesConfig, ...] = (EdgesConfig("", Path(os.path.abspath(named))),)
        else:
            content = read_json(path, "a SONATA circuit configuration", "circuit")
            configs = edges_configs(path, resolve_manifest(path, content))
            if named is not None:
                configs = tuple(one for one in configs if one.name == named)
        return opened_edges(configs, source, target, path)

    def _silence(self, population: str) -> Spikes:
        said = self._spike_file.silence(population)
        return Spikes(np.zeros(0, np.int32), np.zeros(0), 0, (said,))


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(os.path.abspath(path))
