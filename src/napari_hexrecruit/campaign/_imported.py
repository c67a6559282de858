"""All that a worker needs, imported once by the process that workers are forked from."""

from __future__ import annotations

import contextlib

import distributed
import zarr

from napari_hexrecruit.campaign import _task, _write
from napari_hexrecruit.counting.warm_up import warm_up
from napari_hexrecruit.pipeline import cubes
from napari_hexrecruit.sonata import open_simulation

IMPORTED = (distributed, zarr, _task, _write, cubes, open_simulation)
"""Only imported: what they do starts threads, which forked processes would lack."""

with contextlib.suppress(Exception):  # a worker that needs what is missing tells it
    warm_up()
