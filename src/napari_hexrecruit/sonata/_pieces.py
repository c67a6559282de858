"""Join a property from its parts: several groups of nodes, and the table of node types.

The parts can have different types. Whole numbers stay whole if all nodes have a value; texts that
are numbers join numbers; anything else becomes text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.errors import SimulationDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.values import Column

WORDS = {"false": False, "true": True}
"""Texts that mean booleans, in lower case."""

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)$")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
_ZEROS = re.compile(r"[+-]?0[0-9]")
_MOST_EXACT = 2**53
"""Largest number up to which float64 holds every whole number."""


@dataclass(frozen=True)
class Piece:
    """Values of some nodes.

    Attributes
    ----------
    nodes
        Row of each node in the population; None for all nodes, in order.
    values
        Value of each node.
    """

    nodes: npt.NDArray[np.int64] | None
    values: Column

    def present(self) -> Piece:
        """Return the piece without the nodes that have no value."""
        there = _there(self.values)
        if there is None or there.all():
            return self
        nodes = np.arange(len(self.values)) if self.nodes is None else self.nodes
        return Piece(nodes[there], self.values[there])


def joined(pieces: Sequence[Piece], size: int, where: str) -> Column:
    """Return the (size,) values of all nodes; those in no piece have NaN, or no category.

    Parameters
    ----------
    pieces
        Pieces without common nodes.
    size
        Number of nodes.
    where
        Start of an error.

    Raises
    ------
    SimulationDataError
        If whole numbers are too large to be joined with real or missing ones.
    """
    if len(pieces) == 1 and pieces[0].nodes is None:
        return pieces[0].values
    present = [piece.present() for piece in pieces]
    used = [piece for piece in present if len(piece.values)] or present[:1]
    if not used:
        return np.full(size, np.nan)
    alike = _alike(used)
    if _is_text(alike[0].values):
        return _texts(alike, size)
    return _numbers(alike, size, where)


def as_numbers(texts: Sequence[str]) -> npt.NDArray[Any] | None:
    """Return texts as whole or real numbers; None if one is neither or has leading zeros."""
    if all(_WHOLE.match(text) for text in texts):
        numbers = [int(text) for text in texts]
        for kind in (np.int64, np.uint64):
            limits = np.iinfo(kind)
            if all(limits.min <= number <= limits.max for number in numbers):
                return np.array(numbers, dtype=kind)
        return None
    if all(_REAL.match(text) and not _ZEROS.match(text) for text in texts):
        return np.array([float(text) for text in texts])
    return None


def _there(values: Any) -> npt.NDArray[np.bool_] | None:
    """Return which entries have a value; None if the type cannot lack values."""
    if _is_text(values):
        return np.asarray(values.codes >= 0)
    return np.asarray(~np.isnan(values)) if values.dtype.kind == "f" else None


def _is_text(values: Any) -> bool:
    return hasattr(values, "categories")


def _alike(pieces: list[Piece]) -> list[Piece]:
    """Convert pieces so that all are text, or none is."""
    texts = [piece for piece in pieces if _is_text(piece.values)]
    if not texts or len(texts) == len(pieces):
        return pieces
    others = [piece for piece in pieces if not _is_text(piece.values)]
    to_numbers = [_converted(piece, others) for piece in texts]
    if all(piece is not None for piece in to_numbers):
        return [*others, *(piece for piece in to_numbers if piece is not None)]
    return [*texts, *(Piece(piece.nodes, _as_texts(piece.values)) for piece in others)]


def _converted(piece: Piece, others: list[Piece]) -> Piece | None:
    """Convert texts to the type of the others, booleans or numbers; None if impossible."""
    values: Any = piece.values
    used = np.unique(values.codes)
    names = [str(name) for name in values.categories[used]]
    if all(other.values.dtype.kind == "b" for other in others):
        words = [WORDS.get(name.lower()) for name in names]
        known = None if None in words else np.array(words, dtype=bool)
    else:
        known = as_numbers(names)
    return None if known is None else Piece(piece.nodes, known[np.searchsorted(used, values.codes)])


def _as_texts(values: Any) -> Any:
    """Convert numbers to text; 4 and 4.0 both become "4"."""
    import pandas as pd

    distinct, codes = np.unique(values, return_inverse=True)
    names = [str(value).removesuffix(".0") for value in distinct]
    if distinct.dtype.kind == "b":
        names = [name.lower() for name in names]
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype=object))


def _texts(pieces: list[Piece], size: int) -> Column:
    import pandas as pd

    columns: list[Any] = [piece.values for piece in pieces]
    names = sorted({str(name) for column in columns for name in column.categories})
    categories = pd.Index(names, dtype=object)
    codes = np.full(size, -1, dtype=np.min_scalar_type(-max(len(names), 1)))
    for piece, column in zip(pieces, columns, strict=True):
        table = categories.get_indexer(pd.Index(list(column.categories), dtype=object))
        codes[_at(piece)] = table[column.codes]
    return pd.Categorical.from_codes(codes, categories=categories)


def _numbers(pieces: list[Piece], size: int, where: str) -> Column:
    import pandas as pd

    kinds = [np.asarray(piece.values).dtype for piece in pieces]
    complete = any(piece.nodes is None for piece in pieces) or size == sum(
        len(piece.values) for piece in pieces
    )
    if not complete and all(kind.kind == "b" for kind in kinds):
        codes = np.full(size, -1, dtype=np.int8)
        for piece in pieces:
            codes[_at(piece)] = np.asarray(piece.values)
        return pd.Categorical.from_codes(codes, categories=pd.Index([*WORDS], dtype=object))
    kind = np.result_type(*kinds) if complete else np.result_type(*kinds, np.float32)
    if kind.kind == "f":
        _check_exact(pieces, where)
    values = np.full(size, np.nan if kind.kind == "f" else 0, dtype=kind)
    for piece in pieces:
        values[_at(piece)] = np.asarray(piece.values)
    return values


def _at(piece: Piece) -> Any:
    return slice(None) if piece.nodes is None else piece.nodes


def _check_exact(pieces: list[Piece], where: str) -> None:
    for piece in pieces:
        numbers = np.asarray(piece.values)
        if numbers.dtype.kind in "iu" and numbers.size:
            reach = max(abs(int(numbers.min())), abs(int(numbers.max())))
            if reach > _MOST_EXACT:
                raise SimulationDataError(
                    where,
                    f"its whole number {reach} is too large for a property of real numbers or"
                    " missing values",
                    "give all nodes whole numbers, or texts",
                )
