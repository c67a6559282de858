"""Write neurons as SONATA node sets to a separate file.

SONATA Developer Guide, "Node sets file": an object whose keys are names and whose values define the
nodes of the set; here by ``population`` and ``node_id``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.storage.atomic import written_aside

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt


def node_set_of(population: str, node_ids: npt.ArrayLike) -> dict[str, Any]:
    """Return a node set that lists its nodes.

    Parameters
    ----------
    population
        Name of the node population.
    node_ids
        (n,) SONATA node ids, from 0, in any order; repeated ids count once.

    Examples
    --------
    >>> node_set_of("cortex", [7, 2, 7])
    {'population': 'cortex', 'node_id': [2, 7]}
    """
    ids = np.unique(np.asarray(node_ids, dtype=np.int64))
    return {"population": population, "node_id": ids.tolist()}


def merged_node_sets(
    sets: Mapping[str, Any], name: str, node_set: Mapping[str, Any] | list[str]
) -> dict[str, Any]:
    """Return a copy of node sets with one added: a rule, or a list of names of others.

    Raises
    ------
    ValueError
        If the name is empty or taken.
    """
    if not name.strip():
        raise ValueError("the node set has no name: give one")
    if name in sets:
        raise ValueError(f"there is a node set {name!r} already: choose another name")
    return {**sets, name: node_set if isinstance(node_set, list) else dict(node_set)}


def merged_neurons(
    sets: Mapping[str, Any], name: str, node_ids: Mapping[str, npt.ArrayLike]
) -> dict[str, Any]:
    """Return a copy of node sets with one added that lists its nodes.

    Parameters
    ----------
    sets
        Node sets by name.
    name
        Name of the new set.
    node_ids
        Its nodes by population. Several populations become separate sets ``NAME.POPULATION``, which
        the new set combines.

    Raises
    ------
    ValueError
        If the name is empty, or one of the names is taken.

    Examples
    --------
    >>> merged_neurons({}, "Picked", {"A": [1], "B": [1, 2]})  # doctest: +NORMALIZE_WHITESPACE
    {'Picked.A': {'population': 'A', 'node_id': [1]},
     'Picked.B': {'population': 'B', 'node_id': [1, 2]}, 'Picked': ['Picked.A', 'Picked.B']}
    """
    each = [(population, node_set_of(population, ids)) for population, ids in node_ids.items()]
    if len(each) == 1:
        return merged_node_sets(sets, name, each[0][1])
    found, names = dict(sets), [f"{name}.{population}" for population, _ in each]
    for part, (_, node_set) in zip(names, each, strict=True):
        found = merged_node_sets(found, part, node_set)
    return merged_node_sets(found, name, names)


def write_node_sets(
    path: str | os.PathLike[str],
    sets: Mapping[str, Any],
    *,
    protected: Iterable[str | os.PathLike[str]] = (),
    overwrite: bool = False,
) -> Path:
    """Write node sets to a JSON file, one set per line.

    Parameters
    ----------
    path
        Name of the file.
    sets
        Node sets by name.
    protected
        Files that are never replaced: those of the circuit and of the simulation.
    overwrite
        Replace another file if it exists.

    Returns
    -------
    Path
        The file. It is written under another name and renamed, so an incomplete file never has its
        final name.

    Raises
    ------
    ValueError
        If the file is protected.
    FileExistsError
        If the file exists and `overwrite` is False.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> sets = {"Picked": node_set_of("cortex", [0, 3])}
    >>> file = write_node_sets(folder.name + "/node_sets.json", sets)
    >>> print(file.read_text().strip())
    {
      "Picked": {"population": "cortex", "node_id": [0, 3]}
    }
    """
    final = Path(path)
    if any(_same(final, Path(other)) for other in protected):
        raise ValueError(
            f"{final}: belongs to the circuit or the simulation and is not replaced: write to"
            " another file, and name that as node_sets_file of a simulation"
        )
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(rule)}" for name, rule in sets.items())
    with written_aside(final, overwrite=overwrite) as aside:
        aside.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    return final


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
