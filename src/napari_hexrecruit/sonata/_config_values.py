"""What a simulation's and a circuit's configuration say, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from napari_hexrecruit.sonata._runs import Run

    pass

CIRCUIT, SPIKES = "circuit_config.json", "out.h5"
"""Names of the circuit's configuration and the spikes file where a simulation names none."""


Json = dict[str, Any]


@dataclass(frozen=True)
class Stimulus:
    """One entry of the simulation's ``inputs``: when it is on, ms, and whom it reaches."""

    name: str
    start_ms: float
    stop_ms: float
    node_set: str | None


@dataclass(frozen=True)
class Given:
    """Files that are read in place of those that a simulation's configuration names."""

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
        Configuration of the circuit: the one that is given, else the one that is named.
    names_circuit
        Whether it names one.
    runs
        At least one; the spikes file of each is the one that is named.
    node_set
        Name of the simulation's node set; None for all neurons.
    node_sets_file
        File of the sets that the simulation adds to those of the circuit; None where it has none.
    own_node_sets
        Sets that stand in the configuration itself.
    stimuli
        The entries of ``inputs`` that have a time.
    content
        The whole content, paths and variables resolved.
    assumed
        What is not said and was taken for granted, one sentence each.
    dt_ms
        Step of the simulation (``run.dt``), ms; None where no positive number stands there.
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
    """A population of nodes: its name, its SONATA type (empty: not said) and its files."""

    name: str
    type: str
    nodes_file: Path
    node_types_file: Path | None = None


@dataclass(frozen=True)
class CircuitConfig:
    """A circuit's configuration; ``unlisted`` are nodes files whose populations it does not name.

    A file of `unlisted` stands with its table of node types.
    """

    path: Path
    populations: tuple[PopulationConfig, ...]
    unlisted: tuple[tuple[Path, Path | None], ...]
    node_sets_file: Path | None
    atlas: Path | None
    assumed: tuple[str, ...] = ()
