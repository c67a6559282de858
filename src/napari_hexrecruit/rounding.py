"""Round numbers for limits, ticks and texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable


def rounded(
    value: float, steps: Iterable[float], way: Literal["up", "down", "nearest"] = "nearest"
) -> float:
    """Return the round number closest to a value.

    Parameters
    ----------
    value
        Number greater than 0.
    steps
        Round numbers, ascending, from a power of ten to below ten times that; their products with
        powers of ten are round too.
    way
        Direction; ``nearest`` compares ratios.

    Examples
    --------
    >>> rounded(37.2, (1, 2, 5), "down"), rounded(37.2, (1, 2, 5), "up"), rounded(37.2, (1, 2, 5))
    (20.0, 50.0, 50.0)
    >>> rounded(37.2, range(10, 100), "up")
    38.0
    """
    first, *more = steps
    power = 10.0 ** (math.floor(math.log10(value)) - math.floor(math.log10(first)))
    numbers = [step * power for step in (first, *more, 10 * first)]
    if way == "up":
        return next(number for number in numbers if number >= value * (1 - 1e-9))
    if way == "down":
        return next(number for number in reversed(numbers) if number <= value * (1 + 1e-9))
    return min(numbers, key=lambda number: abs(math.log(number / value)))


def short(value: float) -> str:
    """Write a number with three digits; from 1000 on, as a whole number with separators.

    Examples
    --------
    >>> short(0.12345), short(12345.6)
    ('0.123', '12,346')
    """
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def listed(values: Iterable[float], most: int = 5) -> str:
    """Write the first few numbers, separated by commas.

    Examples
    --------
    >>> listed([100.0, 400.0], most=1)
    '100 ...'
    """
    numbers = [f"{value:g}" for value in values]
    return ", ".join(numbers[:most]) + (" ..." if len(numbers) > most else "")
