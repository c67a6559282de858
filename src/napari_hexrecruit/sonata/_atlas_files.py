"""The atlas of a circuit: its folder, its volumes, and the columns computed from them."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.atlas.volumes import flat_positions, read_flatmap
from napari_hexrecruit.errors import Parameter, SimulationDataError
from napari_hexrecruit.sonata._columns import BY_CONNTILITY, by_conntility
from napari_hexrecruit.storage.cache import cached_arrays, stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata._config_values import CircuitConfig

_FROM_FLATMAP = ("flat_x", "flat_y")
ATLAS_COLUMNS = BY_CONNTILITY + _FROM_FLATMAP
"""Columns computed from a circuit's atlas, by their names in conntility."""


def atlas_folder(circuit: CircuitConfig) -> Path | None:
    """Find the folder of a circuit's atlas, by conntility's rules; None without an atlas.

    It is ``atlas_dir`` in the circuit's provenance, or a folder ``atlas`` next to the node sets (or
    one level higher, if these are in a folder ``sonata``).
    """
    if circuit.atlas is not None:
        return circuit.atlas
    if circuit.node_sets_file is None:
        return None
    base = circuit.node_sets_file.parent
    folder = (base.parent if base.name == "sonata" else base) / "atlas"
    return folder if folder.is_dir() else None


def atlas_file(circuit: CircuitConfig, name: str) -> Path:
    """Return the file of a volume of a circuit's atlas, such as ``flatmap``.

    Raises
    ------
    SimulationDataError
        If the circuit has no atlas, or the atlas lacks the volume; the message lists its volumes.
    """
    folder = atlas_folder(circuit)
    if folder is None:
        raise SimulationDataError(
            circuit.path,
            "the circuit names no atlas",
            (
                "give ",
                Parameter("flatmap", hint="FILE"),
                ", or set components.provenance.atlas_dir",
            ),
        )
    if not folder.is_dir():
        raise SimulationDataError(
            folder, "the folder of the atlas does not exist", f"correct atlas_dir in {circuit.path}"
        )
    path = folder / (name if name.endswith(".nrrd") else f"{name}.nrrd")
    if not path.is_file():
        listed = ", ".join(sorted(file.stem for file in folder.glob("*.nrrd"))) or "none"
        raise SimulationDataError(
            folder, f"the circuit's atlas has no {path.name}; there are: {listed}"
        )
    return path


def computed_together(name: str) -> tuple[str, ...]:
    """Return one of `ATLAS_COLUMNS` and the others that are computed with it."""
    return _FROM_FLATMAP if name in _FROM_FLATMAP else tuple(BY_CONNTILITY)


def compute_columns(
    circuit: CircuitConfig,
    name: str,
    refuse: Callable[[str], SimulationDataError],
    nodes_file: Path,
    population: str,
    positions: Callable[[], tuple[npt.NDArray[Any], ...]],
    progress: Progress | None,
) -> dict[str, npt.NDArray[Any]]:
    """Compute one of `ATLAS_COLUMNS`, and the others that are computed with it.

    Raises
    ------
    SimulationDataError
        If the atlas does not give it: the error that `refuse` makes from the cause.
    """
    if atlas_folder(circuit) is None:
        raise refuse("the circuit names no atlas to compute it from")
    simple = name in _FROM_FLATMAP
    try:
        needed = ("flatmap",) if simple else ("flatmap", "orientation")
        files = [atlas_file(circuit, volume) for volume in needed]
    except SimulationDataError as error:
        raise refuse(f"the circuit's atlas does not give it ({error})") from error

    def compute() -> dict[str, npt.NDArray[Any]]:
        if simple:
            x, y = flat_positions(read_flatmap(files[0], progress=progress), *positions())
            return dict(zip(_FROM_FLATMAP, (x, y), strict=True))
        return by_conntility(positions(), files[0], files[1], progress)

    key = {
        "what": "columns of the atlas",
        "in": "um",
        "columns": _FROM_FLATMAP if simple else BY_CONNTILITY,
        "by": "look-up" if simple else f"conntility {version('connectome-utilities')}",
        "files": [stamp(file) for file in (nodes_file, *files)],
        "population": population,
    }
    return cached_arrays(key, compute)
