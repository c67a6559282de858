"""Onsets of stimuli: from the inputs of a simulation, or periodic."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_hexrecruit.timebins import EDGE_TOLERANCE_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = npt.NDArray[np.float64]

_REPEATED = ("pulse",)
"""SONATA's input modules that repeat, ``frequency`` times per second."""


def periodic_onsets(start: float, period: float, stop: float) -> Floats:
    """Return periodic onsets: ``start + k * period`` before `stop`, ms.

    Raises
    ------
    ValueError
        If the period is not greater than 0, or there is no onset.

    Examples
    --------
    >>> periodic_onsets(100.0, 300.0, 1000.0).tolist()
    [100.0, 400.0, 700.0]
    """
    if not (period > 0 and all(map(math.isfinite, (start, period, stop)))):
        raise ValueError(f"the period must be a number of ms greater than 0, not {period!r}")
    n_onsets = math.ceil((stop - start - EDGE_TOLERANCE_MS) / period)
    if n_onsets < 1:
        raise ValueError(f"no onset lies from {start:g} to {stop:g} ms: start earlier")
    return start + period * np.arange(n_onsets, dtype=np.float64)


def input_onsets(inputs: Mapping[str, Any], names: str = "*") -> Floats:
    """Return the onsets of some inputs of a simulation.

    Parameters
    ----------
    inputs
        Section ``inputs`` of a SONATA simulation configuration:
        ``open_simulation(...).configuration["inputs"]``.
    names
        Name of an input, or a pattern for several: ``"stimulus_*"``.

    Returns
    -------
    (n_onsets,) float64
        Ascending and unique, ms. An input begins at its ``delay``; an input of the module ``pulse``
        with a ``frequency`` begins again every ``1000 / frequency`` ms until its ``duration`` is
        over.

    Raises
    ------
    ValueError
        If no input matches the name (the message lists the existing names), or one has no
        ``delay``.

    Examples
    --------
    >>> whisker = {"module": "pulse", "delay": 50.0, "duration": 300.0, "frequency": 10.0}
    >>> input_onsets({"whisker": whisker, "noise": {"delay": 0.0}}, "whisk*").tolist()
    [50.0, 150.0, 250.0]
    """
    found = [name for name in inputs if fnmatchcase(name, names)]
    if not found:
        listed = ", ".join(inputs) or "none"
        raise ValueError(f"no input is called {names!r}: the simulation's inputs are {listed}")
    return np.unique(np.concatenate([_onsets(name, inputs[name]) for name in found]))


def _onsets(name: str, item: Mapping[str, Any]) -> Floats:
    delay = _number(item, "delay")
    if delay is None:
        raise ValueError(f"the input {name!r} has no delay: give its onsets as a list")
    frequency, duration = _number(item, "frequency"), _number(item, "duration")
    if item.get("module") not in _REPEATED or not frequency or not duration:
        return np.array([delay])
    return periodic_onsets(delay, 1000.0 / frequency, delay + duration)


def _number(item: Mapping[str, Any], key: str) -> float | None:
    value = item.get(key)
    return float(value) if isinstance(value, (int, float)) else None
