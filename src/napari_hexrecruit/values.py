"""Match given values with those of a column: numbers as text, true as 1, and so on."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Column: TypeAlias = "pd.Categorical | npt.NDArray[Any]"
"""Values of one property for all neurons: text as `pandas.Categorical`, numbers as an array."""

_WORDS = {"false": False, "true": True}
_NUMBERS = {"0": False, "1": True}


def values_meant(value: Any, column: Column) -> list[Any]:
    """Return the values of a column that a given value means; empty for none.

    Parameters
    ----------
    value
        Text, number or boolean. Blanks around a text count only if they make a difference between
        texts of the column. True and false also mean 1 and 0 in a column with only these, and
        the texts "True" and "False" in a column with only these; and vice versa.
    column
        The values of the column.

    Returns
    -------
    list
        Plain Python values in the type of the column; in a column of numbers, they need not occur.

    Examples
    --------
    >>> values_meant("true", np.array([False, True])), values_meant("3", np.array([1.0, 2.0]))
    ([True], [3.0])
    """
    if not isinstance(column, np.ndarray):
        return _texts_meant(value, column)
    if column.dtype.kind == "b":
        truth = _truth(value)
        return [] if truth is None else [truth]
    word = _word(value)
    if word is not None:
        return [column.dtype.type(word).item()] if _is_binary(column) else []
    if column.dtype.kind in "iu":
        whole, limits = _whole(value), np.iinfo(column.dtype)
        return [whole] if whole is not None and limits.min <= whole <= limits.max else []
    number = _as_number(value)
    return [] if number is None or number != number else [float(column.dtype.type(number))]


def values_present(column: Column) -> list[Any]:
    """Return the values that occur, sorted; for real numbers only the smallest and largest."""
    if not isinstance(column, np.ndarray):
        used = np.zeros(len(column.categories) + 1, dtype=bool)
        used[column.codes] = True  # code -1, a missing value, is the last entry
        return sorted(str(v) for v in column.categories[used[:-1]])
    if column.dtype.kind == "f":
        finite = column[np.isfinite(column)]
        return [float(finite.min()), float(finite.max())] if finite.size else []
    return list(np.unique(column).tolist())


def _texts_meant(value: Any, column: pd.Categorical) -> list[str]:
    real = isinstance(value, (float, np.floating))
    text = repr(float(value)).removesuffix(".0") if real else str(value)
    if text in column.categories:
        return [text]
    padded = [str(one) for one in column.categories if str(one).strip() == text.strip()]
    if padded:  # texts of fixed length, filled with blanks
        return padded
    truth = _truth(value)
    used = values_present(column) if truth is not None else []
    words = [_word(one) for one in used]
    if truth is None or None in words:
        return []
    return [one for one, word in zip(used, words, strict=True) if word == truth]


def _word(value: Any) -> bool | None:
    """Return the boolean of a value or of the word ``true`` or ``false``; otherwise None."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def _truth(value: Any) -> bool | None:
    """Return the boolean of a value, as `_word`, and of 1 and 0."""
    word = _word(value)
    if word is not None:
        return word
    if isinstance(value, str):
        return _NUMBERS.get(value.strip())
    number = _as_number(value)
    return bool(number) if number in (0.0, 1.0) else None


def _is_binary(column: npt.NDArray[Any]) -> bool:
    """Whether only 0 and 1 occur."""
    return bool(((column == 0) | (column == 1) | (column != column)).all())


def _whole(value: Any) -> int | None:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        number = _as_number(value)
        return int(number) if number is not None and number.is_integer() else None


def _as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
