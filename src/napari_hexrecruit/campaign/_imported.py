"""Everything that a worker needs, imported once by the process from which workers are forked."""

from __future__ import annotations

import contextlib

import distributed
import zarr

from napari_hexrecruit.campaign import _task, _write
from napari_hexrecruit.counting.warm_up import warm_up
from napari_hexrecruit.pipeline import cubes
from napari_hexrecruit.sonata import open_simulation

IMPORTED = (distributed, zarr, _task, _write, cubes, open_simulation)
"""Only imported, never called: calls could start threads, which forked processes would lack."""

with contextlib.suppress(Exception):  # workers report errors themselves
    warm_up()
