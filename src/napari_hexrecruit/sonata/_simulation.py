"""An opened simulation, and what it keeps in memory."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_hexrecruit._cache import cached_arrays, stamp
from napari_hexrecruit.atlas import flat_positions, read_flatmap
from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.sonata._columns import BY_CONNTILITY, by_conntility, read_property
from napari_hexrecruit.sonata._errors import one_line, sonata_errors
from napari_hexrecruit.sonata._spikes import (
    Spikes,
    open_spikes_file,
    read_spikes,
    spike_span_ms,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_hexrecruit.filters import Column
    from napari_hexrecruit.recruitment import Progress

__all__ = ["Simulation", "Stimulus", "open_simulation"]

T = TypeVar("T")

_MEMO_SIZE = 8
_FROM_FLATMAP = ("flat_x", "flat_y")
_ATLAS_COLUMNS = BY_CONNTILITY + _FROM_FLATMAP
"""Columns that a circuit's atlas gives; conntility's names for them."""


@dataclass(frozen=True)
class Stimulus:
    """One entry of the simulation's ``inputs``: when it is on, ms, and whom it reaches."""

    name: str
    start_ms: float
    stop_ms: float
    node_set: str | None


def open_simulation(path: str | os.PathLike[str]) -> Simulation:
    """A simulation that keeps what it has read in memory.

    A second `recruitment_cube` from the result, with another bin width, radius, window or filter,
    costs only the counting.

    Parameters
    ----------
    path
        SONATA simulation configuration, usually ``simulation_config.json``.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationDataError
        If the file, or the circuit that it names, is missing or is no SONATA configuration.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> open_simulation(config).default_population()
    'cortex'
    """
    return Simulation(Path(path))


class Simulation:
    """An opened SONATA simulation; see `open_simulation`.

    Attributes
    ----------
    path
        Absolute path of the configuration.
    node_set
        Name of the simulation's own node set; None where it has none, which means all neurons.
    duration_ms
        End of the simulation (``run.tstop``), ms; it starts at 0.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        self._snap = _open_snap(self.path)
        self._circuit = self._open_circuit()
        self._columns: dict[tuple[str, str], Column] = {}
        self._spikes: dict[str, Spikes] = {}
        self._memo: dict[Hashable, Any] = {}
        self._lock = threading.RLock()
        self.node_set: str | None = self._snap.to_libsonata.node_set or None
        self.duration_ms = float(self._snap.run.tstop)

    def __repr__(self) -> str:
        return f"<Simulation {self.path}>"

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the circuit's node populations."""
        return tuple(sorted(self._circuit.nodes.population_names))

    def population_type(self, population: str) -> str:
        """SONATA type of a population: biophysical, virtual, point_neuron, ..."""
        return str(self._circuit.nodes[population].type)

    def default_population(self) -> str:
        """The population that is meant where none is named.

        The only one that is not virtual; of several, the only one with spikes.

        Raises
        ------
        SimulationDataError
            If that leaves none or several; the message lists them.
        """
        real = [name for name in self.populations if self.population_type(name) != "virtual"]
        if len(real) != 1:
            fired = set(self.spike_populations()) if self.spikes_file.is_file() else set()
            real = [name for name in real or self.populations if name in fired] or real
        if len(real) == 1:
            return real[0]
        listed = ", ".join(real or self.populations) or "none"
        raise SimulationDataError(
            f"{self.path}: the circuit has several populations of neurons ({listed}): name one"
            if real
            else f"{self.path}: the circuit has no population of neurons (populations: {listed})"
        )

    def resolve_population(self, name: str | None) -> str:
        """The name itself if the circuit has it; the default population for None."""
        if name is None:
            return self.default_population()
        if name not in self.populations:
            listed = ", ".join(self.populations) or "none"
            raise SimulationDataError(
                f"{self.path}: there is no population {name!r}; there are: {listed}"
            )
        return name

    def n_neurons(self, population: str) -> int:
        """Number of neurons of a population."""
        return int(self._nodes(population).size)

    def columns(self, population: str) -> tuple[str, ...]:
        """Names of the properties that the nodes file gives each neuron."""
        return tuple(sorted(self._nodes(population).attribute_names))

    def text_values(self, population: str, column: str) -> tuple[str, ...] | None:
        """Values that a text column may take, from its library; None for other columns.

        Reads no neuron.
        """
        nodes = self._nodes(population)
        if column not in nodes.enumeration_names:
            return None
        return tuple(str(v) for v in nodes.enumeration_values(column))

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

    def is_from_atlas(self, population: str, name: str) -> bool:
        """Whether a column is computed from the circuit's atlas, not read from the nodes file."""
        return name in _ATLAS_COLUMNS and name not in self._nodes(population).attribute_names

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
        return Path(self._circuit.get_node_population_config(population)["nodes_file"])

    @property
    def atlas_folder(self) -> Path | None:
        """Folder of the circuit's atlas, by conntility's rules; None where there is none.

        ``atlas_dir`` in the circuit's provenance, or a folder ``atlas`` beside its node sets (or
        one higher, where these are in a folder ``sonata``).
        """
        config, network = self._circuit.config, Path(self._snap.to_libsonata.network)
        named = config.get("components", {}).get("provenance", {}).get("atlas_dir")
        if named:
            return Path(network.parent, named)
        node_sets = config.get("node_sets_file")
        if not node_sets:
            return None
        base = (network.parent / node_sets).parent
        folder = (base.parent if base.name == "sonata" else base) / "atlas"
        return folder if folder.is_dir() else None

    def atlas_file(self, name: str) -> Path:
        """A volume of the circuit's atlas, such as ``flatmap``.

        Raises
        ------
        SimulationDataError
            If the circuit has no atlas, or that has no such volume; the message lists those it has.
        """
        folder, circuit = self.atlas_folder, self._snap.to_libsonata.network
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
        return tuple(sorted(self._snap_node_sets()))

    def node_set_ids(self, name: str, population: str) -> npt.NDArray[np.int64]:
        """Ids of the neurons of a population that are in a node set; sorted, may be empty.

        Raises
        ------
        SimulationDataError
            If there is no such set, or it names a property that the population lacks.
        """
        from bluepysnap.exceptions import BluepySnapError

        sets = self._snap_node_sets()
        if name not in sets:
            listed = ", ".join(self.node_sets) or "none"
            raise SimulationDataError(
                f"{self.path}: there is no node set {name!r}; there are: {listed}"
            )

        def resolve() -> npt.NDArray[np.int64]:
            try:
                ids = sets[name].get_ids(self._nodes(population))
            except BluepySnapError as error:
                raise SimulationDataError(
                    f"{self.path}: node set {name!r} cannot be applied to population"
                    f" {population!r}: {one_line(error)}"
                ) from error
            return np.asarray(ids, dtype=np.int64)

        return self.memo(("node set", name, population), resolve)

    @property
    def spikes_file(self) -> Path:
        """Where the configuration says that the spikes are."""
        output = self._snap.output
        return Path(self.path.parent, output.output_dir, output.spikes_file)

    def spike_populations(self) -> dict[str, int]:
        """Number of spikes of each population in the spikes file; reads no spike."""
        with open_spikes_file(self.spikes_file, self.path) as file:
            return {
                name: int(group["timestamps"].shape[0])
                for name, group in file["spikes"].items()
                if hasattr(group, "keys") and "timestamps" in group and "node_ids" in group
            }

    def spike_span_ms(self, population: str) -> tuple[float, float] | None:
        """Times of the first and the last spike of a population, ms; None where there is none."""
        with open_spikes_file(self.spikes_file, self.path) as file:
            return spike_span_ms(file, population)

    def spikes(self, population: str, progress: Progress | None = None) -> Spikes:
        """Spikes of a population. Read once, then kept.

        Raises
        ------
        SimulationDataError
            If the spikes file is missing or cannot be read, or lacks the population.
        """
        with self._lock:
            if population not in self._spikes:
                n_neurons = self.n_neurons(population)
                with open_spikes_file(self.spikes_file, self.path) as file:
                    self._spikes[population] = read_spikes(file, population, n_neurons, progress)
            return self._spikes[population]

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The simulation's ``inputs``, in the order of the configuration."""
        return tuple(
            Stimulus(name, float(item.delay), float(item.delay + item.duration), item.node_set)
            for name, item in self._snap.inputs.items()
        )

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

    def _open_circuit(self) -> Any:
        network = Path(self._snap.to_libsonata.network)
        if not network.is_file():
            raise SimulationDataError(
                f"{self.path}: 'network' names the circuit configuration {network}, which does not"
                " exist: correct the path"
            )
        with sonata_errors(network, "is no SONATA circuit configuration"):
            return self._snap.circuit

    def _snap_node_sets(self) -> Any:
        import warnings

        with sonata_errors(self.path, "its node sets cannot be read"), warnings.catch_warnings():
            # A simulation may well extend and override the circuit's sets: no news to the user.
            warnings.simplefilter("ignore", RuntimeWarning)
            return self._snap.node_sets

    def _nodes(self, population: str) -> Any:
        def open_nodes() -> Any:
            file = self.nodes_file(population)
            if not file.is_file():
                raise SimulationDataError(
                    f"{file}: the nodes file of population {population!r} does not exist:"
                    f" correct the path in {self._snap.to_libsonata.network}"
                )
            with sonata_errors(self.path, f"the nodes of population {population!r} cannot be read"):
                return self._circuit.nodes[population].to_libsonata

        return self.memo(("nodes", population), open_nodes)

    def _missing_axes(self, population: str) -> list[str]:
        return [axis for axis in "xyz" if axis not in self._nodes(population).attribute_names]

    def _read_column(self, population: str, name: str, progress: Progress | None) -> Column:
        nodes = self._nodes(population)
        if name in nodes.attribute_names:
            with sonata_errors(self.path, f"population {population!r}, property {name!r}"):
                return read_property(nodes, name)
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


def _open_snap(path: Path) -> Any:
    import bluepysnap

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SimulationDataError(f"{path}: {what}: give a SONATA simulation configuration (JSON)")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise SimulationDataError(f"{path}: is not JSON ({one_line(error)})") from error
    if not isinstance(content, dict) or "run" not in content:
        raise SimulationDataError(
            f"{path}: there is no section 'run': no SONATA simulation configuration"
        )
    with sonata_errors(path, "is no SONATA simulation configuration"):
        return bluepysnap.Simulation(path)
