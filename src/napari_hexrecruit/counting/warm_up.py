"""Preparation of everything a cube needs: compiled loops, and xarray with its helpers."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.counting.members import assemble_cube, count_spikes, group_neurons
from napari_hexrecruit.counting.slabs import count_blocks
from napari_hexrecruit.hexgrid import HexGrid
from napari_hexrecruit.timebins import TimeBins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_hexrecruit.counting.slab_job import Block


class _Spikes:
    """A source with the types of SONATA's files, and one whole bin."""

    order = "by_time"
    n_spikes = 3

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        yield np.zeros(3, np.uint64), np.array([0.0, 1.0, 2.0])


def warm_up() -> None:
    """Load the loops for most simulations, or compile those that are not cached.

    These loops are for spikes sorted by time, the types of SONATA's files, and at most 65,534
    hexagons; others are compiled when they are needed.
    """
    place = np.zeros(1)
    members = group_neurons(HexGrid(1.0), place, place, np.ones(1, bool)).keep(np.ones(1, bool))
    bins = TimeBins(0.0, 3.0, 1.0)
    count_spikes(np.zeros(1, np.int32), place, members, bins, n_workers=1)
    counts = count_blocks(_Spikes(), members, bins, n_workers=1)
    tables = counts.n_recruited, counts.n_spikes
    assemble_cube(members, bins, *tables, min_neurons=1, flat_units="um", attrs={})


@functools.cache
def warm_up_ahead() -> Future[None]:
    """Run `warm_up` in another thread, once per process, without waiting for its end."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            warm_up()
        except Exception as error:  # as an executor: `result()` raises it
            done.set_exception(error)
        else:
            done.set_result(None)

    threading.Thread(target=run, name="hexrecruit-warm-up", daemon=True).start()
    return done
