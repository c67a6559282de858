"""Advice for messages: the name probably meant, and properties for the flat position."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.errors import Parameter, SimulationDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_hexrecruit.errors import Text
    from napari_hexrecruit.values import Column

_PAIRS = (("ss_flat_x", "ss_flat_y"), ("flat_x", "flat_y"), ("x", "z"), ("x", "y"), ("y", "z"))
"""Properties that are first suggested as flat position."""
_LEAST_ALIKE = 0.75
_MOST_LISTED = 30


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the most similar name, without regard to capitals; None if none is similar."""
    by_lower = {one.lower(): one for one in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_LEAST_ALIKE)
    return by_lower[found[0]] if found else None


def flat_remedy(
    columns: tuple[str, ...], but: tuple[str, ...], read: Callable[[str], Column]
) -> Text:
    """Return advice on what to choose as flat position.

    Parameters
    ----------
    columns
        Properties of the neurons.
    but
        Properties that cannot be used.
    read
        Returns the values of a property.

    Returns
    -------
    Text
        Advice for a message, with the parameters to give.
    """
    listed = ", ".join(columns[:_MOST_LISTED]) or "none"
    listed += f" and {len(columns) - _MOST_LISTED} more" if len(columns) > _MOST_LISTED else ""
    flatmap: Text = ""
    if set("xyz") <= set(columns):
        flatmap = (", or give ", Parameter("flatmap", hint="FILE"))
    pair = _best_pair([name for name in columns if name not in but], read)
    if pair is None:
        add = f"add ss_flat_x and ss_flat_y to the nodes file (its properties: {listed})"
        return add, flatmap
    choose = "choose two of its properties as flat position, as in "
    return choose, Parameter("flat", pair), flatmap, f"; its properties are {listed}"


def _best_pair(columns: list[str], read: Callable[[str], Column]) -> tuple[str, str] | None:
    """Choose two numeric properties, preferably with values that differ among neurons."""
    spread: dict[str, float] = {}

    def spread_of(name: str) -> float:
        if name not in spread:
            spread[name] = _spread(name, read)
        return spread[name]

    usual = [pair for pair in _PAIRS if set(pair) <= set(columns)]
    usual += [(n, f"{n[:-1]}y") for n in columns if n[-2:] == "_x" and f"{n[:-1]}y" in columns]
    good = (pair for pair in usual if all(spread_of(name) > 0 for name in pair))
    found = next(good, None) or next((p for p in usual if all(spread_of(n) >= 0 for n in p)), None)
    if found is not None or usual:
        return found
    numbers = [name for name in columns if spread_of(name) > 0]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else None


def _spread(name: str, read: Callable[[str], Column]) -> float:
    """Return the largest minus the smallest value; -1 without finite numbers."""
    try:
        values = read(name)
    except SimulationDataError:
        return -1.0
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        return -1.0
    finite = values[np.isfinite(values)]
    return float(finite.max()) - float(finite.min()) if finite.size else -1.0
