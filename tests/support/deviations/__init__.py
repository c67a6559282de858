"""Simulations as they are in the wild: one builder, one switch for each deviation.

`write` makes a small simulation and turns one switch. What is expected stands beside the switch:
the same cube as without it, what is said about it, or the sentence that refuses it. Every module
of this folder registers its switches.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.support.deviations.classic import DEVIATIONS, Deviation, spikes_file, write

__all__ = ["DEVIATIONS", "Deviation", "spikes_file", "write"]

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
