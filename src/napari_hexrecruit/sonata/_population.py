"""A node population in its open file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.hdf5 import child, child_names, h5_errors, open_h5

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_hexrecruit.sonata._config_values import PopulationConfig


@contextmanager
def opened_population(config: PopulationConfig, circuit: Path, where: str) -> Iterator[Any]:
    """Open the HDF5 group of a population; errors of HDF5 become one line."""
    with open_h5(config.nodes_file, *words_of(config, circuit)) as file, h5_errors(where):
        yield population_in(file, config, circuit)


def words_of(config: PopulationConfig, circuit: Path) -> tuple[str, str]:
    """Return a description of a nodes file, and what to do if it is missing."""
    return f"the nodes file of population {config.name!r}", f"correct the path in {circuit}"


def population_in(file: Any, config: PopulationConfig, circuit: Path) -> Any:
    """Return the HDF5 group of a population."""
    nodes = child(file, "nodes")
    group = child(nodes, config.name) if hasattr(nodes, "keys") else None
    if not hasattr(group, "keys"):
        listed = child_names(nodes) if hasattr(nodes, "keys") else []
        raise SimulationDataError(
            config.nodes_file,
            f"there is no population {config.name!r}, which {circuit} names; there are",
            f"{', '.join(listed) or 'none'}",
        )
    return group
