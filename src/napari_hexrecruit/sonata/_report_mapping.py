"""The elements of a report that are the somata of neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError
from napari_hexrecruit.storage.hdf5 import child, h5_errors, row_of_numbers

_IDS = ("node_ids", "gids")
_POINTERS = ("index_pointers", "index_pointer")
_ELEMENTS = ("element_ids", "element_id")
_AGAIN = "write the report again"


@dataclass(frozen=True)
class Mapping:
    """Elements of each neuron in the file.

    Attributes
    ----------
    node_ids
        (n_neurons,) ids.
    first, last
        (n_neurons,) range of elements: from `first` to before `last`.
    element_ids
        (n_elements,) number of each element in its neuron; None if the file has none.
    """

    node_ids: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    element_ids: npt.NDArray[np.int64] | None


@dataclass(frozen=True)
class Somata:
    """Elements that are somata, ascending, and their neurons.

    Attributes
    ----------
    columns
        (n,) int64 elements.
    neurons
        (n,) int32 rows of the neurons in the population.
    assumed
        Assumptions, one sentence each.
    """

    columns: npt.NDArray[np.int64]
    neurons: npt.NDArray[np.int32]
    assumed: tuple[str, ...]


def mapping_of(group: Any, n_elements: int, where: str) -> Mapping:
    """Read and check a ``mapping``.

    Raises
    ------
    SimulationDataError
        If it lacks ids or pointers, or they do not fit the elements of the data.
    """
    ids = _row(group, _IDS, where)
    pointers = _row(group, _POINTERS, where)
    if ids is None or pointers is None:
        missing = _IDS if ids is None else _POINTERS
        raise SimulationDataError(f"{where}/mapping", f"has no {missing[0]!r}", _AGAIN)
    if len(pointers) == len(ids):
        pointers = np.append(pointers, n_elements)
    down = np.flatnonzero(np.diff(pointers) < 0)
    fit = len(pointers) == len(ids) + 1 and len(ids) > 0
    if not fit or len(down) or pointers[0] < 0 or pointers[-1] > n_elements:
        descend = f" ({pointers[down[0] + 1]} follows {pointers[down[0]]})" if len(down) else ""
        ends = f", from {pointers[0]} to {pointers[-1]}" if len(pointers) else ""
        raise SimulationDataError(
            f"{where}/mapping",
            f"has {len(pointers):,} pointers{ends}, which do not fit {len(ids):,} neurons and"
            f" {n_elements:,} elements{descend}",
            f"is the file complete? {_AGAIN}",
        )
    elements = _row(group, _ELEMENTS, where)
    if elements is not None and len(elements) != n_elements:
        raise SimulationDataError(
            f"{where}/mapping",
            f"has {len(elements):,} element_ids for {n_elements:,} elements of the data",
            f"is the file complete? {_AGAIN}",
        )
    return Mapping(ids, pointers[:-1], pointers[1:], elements)


def somata_of(mapping: Mapping, rows: npt.NDArray[np.int32], where: str, population: str) -> Somata:
    """Return the element with number 0 of each neuron, or its only element.

    Parameters
    ----------
    mapping
        Mapping of the file.
    rows
        (n_neurons,) row of each neuron, -1 for ids that the population lacks.
    where, population
        Start of errors, and population of the neurons.

    Raises
    ------
    SimulationDataError
        If a neuron is not in the population, is listed twice, or has several elements without a
        number 0.
    """
    _check_rows(mapping, rows, where, population)
    n_each = mapping.last - mapping.first
    columns, assumed = mapping.first.copy(), []
    several = np.flatnonzero(n_each > 1)
    if several.size:
        columns[several] = _zeros(mapping, several, where)
        assumed.append(
            f"{where}: has several elements of {several.size:,} neurons; the soma, element 0, is"
            " taken"
        )
    none = int((n_each == 0).sum())
    if none:
        assumed.append(f"{where}: has no element of {none:,} neurons; they count as not recorded")
    kept = np.flatnonzero(n_each > 0)
    order = kept[np.argsort(columns[kept], kind="stable")]
    return Somata(columns[order], rows[order].astype(np.int32), tuple(assumed))


def _zeros(mapping: Mapping, several: npt.NDArray[np.intp], where: str) -> npt.NDArray[np.int64]:
    """Return the first element with number 0 of neurons with several elements."""
    if mapping.element_ids is None:
        raise SimulationDataError(
            f"{where}/mapping",
            f"has several elements of {several.size:,} neurons and no element_ids to tell the soma",
            "write a report of the soma only",
        )
    zeros = np.flatnonzero(mapping.element_ids == 0)
    at = np.searchsorted(zeros, mapping.first[several])
    found = np.append(zeros, np.iinfo(np.int64).max)[at]
    lacks = found >= mapping.last[several]
    if lacks.any():
        neuron = mapping.node_ids[several[lacks][0]]
        raise SimulationDataError(
            where,
            f"has several elements of neuron {neuron} and none with element_id 0, the soma"
            f" ({int(lacks.sum()):,} neurons are so)",
            "write a report of the soma (sections: soma)",
        )
    return np.asarray(found, dtype=np.int64)


def _check_rows(mapping: Mapping, rows: npt.NDArray[np.int32], where: str, population: str) -> None:
    unknown = rows < 0
    if unknown.any():
        raise SimulationDataError(
            f"{where}/mapping",
            f"has {int(unknown.sum()):,} ids, such as {mapping.node_ids[unknown][0]}, that"
            f" population {population!r} lacks",
            "is it the report of another circuit? give the one that it was recorded in",
        )
    order = np.sort(rows)  # np.unique is far slower
    again = np.flatnonzero(order[1:] == order[:-1])
    if again.size:
        twice = mapping.node_ids[np.flatnonzero(rows == order[again[0]])[0]]
        raise SimulationDataError(f"{where}/mapping", f"lists neuron {twice} twice", _AGAIN)


def _row(group: Any, names: tuple[str, ...], where: str) -> npt.NDArray[np.int64] | None:
    for name in names:
        found = child(group, name)
        if found is not None:
            at = f"{where}/mapping/{name}"
            with h5_errors(at):
                values = row_of_numbers(found, at, "iu")[()]
            return np.asarray(values, dtype=np.int64)
    return None
