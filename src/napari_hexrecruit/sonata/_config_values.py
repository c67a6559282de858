"""The contents of simulation and circuit configurations, as plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.sonata._runs import Run

CIRCUIT, SPIKES = "circuit_config.json", "out.h5"
"""Default names of the circuit's configuration and of the spikes file."""


Json = dict[str, Any]


@dataclass(frozen=True)
class Stimulus:
    """One entry of the simulation's ``inputs``: its time in ms, and the node set it reaches."""

    name: str
    start_ms: float
    stop_ms: float
    node_set: str | None


@dataclass(frozen=True)
class Given:
    """Files to read instead of those that a simulation's configuration names."""

    spikes: Path | None = None
    circuit: Path | None = None


@dataclass(frozen=True)
class SimulationConfig:
    """A simulation's configuration.

    Attributes
    ----------
    path
        The file.
    circuit
        Configuration of the circuit: the given one, else the named one.
    names_circuit
        True if the configuration names a circuit.
    runs
        One or more runs, each with the spikes file that the configuration names.
    node_set
        Name of the simulation's node set; None for all neurons.
    node_sets_file
        File of the sets that the simulation adds to those of the circuit; None for none.
    own_node_sets
        Sets in the configuration itself.
    stimuli
        Entries of ``inputs`` that have a time.
    content
        The whole content, with paths and variables resolved.
    assumed
        Assumptions about what is not stated, one sentence each.
    dt_ms
        Step of the simulation (``run.dt``), ms; None if it is not a positive number.
    """

    path: Path
    circuit: Path
    names_circuit: bool
    runs: tuple[Run, ...]
    node_set: str | None
    node_sets_file: Path | None
    own_node_sets: Json
    stimuli: tuple[Stimulus, ...]
    content: Json
    assumed: tuple[str, ...] = ()
    dt_ms: float | None = None


@dataclass(frozen=True)
class PopulationConfig:
    """A node population: its name, its SONATA type (empty if not stated) and its files.

    `other_file` is a second nodes file that lists the same population.
    """

    name: str
    type: str
    nodes_file: Path
    node_types_file: Path | None = None
    other_file: Path | None = None

    def found_in(self, file: Path) -> PopulationConfig:
        """Return the population after it was found in a file, which can be another one."""
        is_same = os.path.realpath(file) == os.path.realpath(self.nodes_file)
        return self if is_same else replace(self, other_file=file)


@dataclass(frozen=True)
class CircuitConfig:
    """A circuit's configuration; `unlisted` are nodes files whose populations it does not name.

    Each file in `unlisted` is paired with its table of node types.
    """

    path: Path
    populations: tuple[PopulationConfig, ...]
    unlisted: tuple[tuple[Path, Path | None], ...]
    node_sets_file: Path | None
    atlas: Path | None
    assumed: tuple[str, ...] = ()
