"""The hemisphere of each neuron, by a property of two values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit.errors import Parameter, ParameterError

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_hexrecruit.pipeline.populations import Populations

_MOST_LISTED = 10


def sides_of(
    populations: Populations, column: str, mirror: str | None, placed: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int8], tuple[str, str]]:
    """Return 0 or 1 for each neuron, -1 for those without a value; and the two values.

    Parameters
    ----------
    populations
        Populations of the neurons.
    column
        Property of text or whole numbers, with two values among the `placed` neurons. The value
        that sorts first is the left hemisphere.
    mirror
        Value to mirror; None for none.
    placed
        (n_neurons,) True for neurons with a flat position.

    Raises
    ------
    ParameterError
        If the property does not have two values, or `mirror` is not one of them.
    SimulationDataError
        If a population lacks the property.
    """
    codes, names = _codes(populations, column)
    there = np.unique(codes[placed & (codes >= 0)])
    values = [names[code] for code in there]
    if len(values) != 2:
        listed = ", ".join(values[:_MOST_LISTED]) or "none"
        more = " ..." if len(values) > _MOST_LISTED else ""
        raise ParameterError(
            Parameter("hemisphere", (column,)),
            f"neurons with a flat position have {len(values):,} values of it"
            f" ({listed}{more}), not two",
            "name a property with two values, or leave it out",
        )
    if mirror is not None and mirror not in values:
        raise ParameterError(
            Parameter("mirror", (mirror,)),
            f"is not a value of {column!r}",
            ("name ", Parameter("mirror", (values[0],)), " or ", Parameter("mirror", (values[1],))),
        )
    sides = np.full(len(codes), -1, dtype=np.int8)
    for side, code in enumerate(there):
        sides[codes == code] = side
    return sides, (values[0], values[1])


def _codes(populations: Populations, column: str) -> tuple[npt.NDArray[Any], list[str]]:
    """Return the number of each neuron's value, -1 for none; and the values, sorted."""
    values = populations.column(column)
    if not isinstance(values, np.ndarray):
        names = [str(name) for name in values.categories]
        order = np.argsort(np.array(names, dtype=object), kind="stable")
        rank = np.append(np.argsort(order), -1)  # code -1 reads the last entry
        return rank[np.asarray(values.codes)], [names[k] for k in order]
    if values.dtype.kind not in "iub":
        raise ParameterError(
            Parameter("hemisphere", (column,)),
            "holds real numbers",
            "name one of text or whole numbers",
        )
    found, codes = np.unique(values, return_inverse=True)
    return codes, [str(value) for value in found.tolist()]
