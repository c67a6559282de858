"""Cubes larger than memory: counted one slab of time after the other, into a zarr folder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_hexrecruit import schema
from napari_hexrecruit.counting.slab_job import COUNT_BYTES, Slab
from napari_hexrecruit.counting.slabs import count_blocks, count_slabs
from napari_hexrecruit.doubts import Tally
from napari_hexrecruit.pipeline.evidence import summed_tally, tally_of
from napari_hexrecruit.pipeline.question import Found, Question, added, opened, resolve
from napari_hexrecruit.pipeline.reports import report_cube
from napari_hexrecruit.pipeline.spike_source import too_coarse
from napari_hexrecruit.pipeline.spike_stream import counted_in_order, open_stream
from napari_hexrecruit.schema import TIME
from napari_hexrecruit.storage.cubes import check_output, read_cube, write_cube
from napari_hexrecruit.storage.zarr_store import (
    ZARR_ENDING,
    create_store,
    set_attrs,
    store_aside,
    write_part,
)
from napari_hexrecruit.system.threads import parts
from napari_hexrecruit.timebins import EXACT, TimeBins

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import xarray as xr

    from napari_hexrecruit.counting.slab_job import Block, SpikeSource
    from napari_hexrecruit.pipeline.spike_stream import SpikeStream
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.recipe import CubeRecipe
    from napari_hexrecruit.sonata import Simulation
    from napari_hexrecruit.timebins import Clock

_SLAB_BYTES = 1 << 27
"""Bytes of counts in memory at a time, besides percentages and compressed data."""


def computed_large_cube(
    simulation: str | os.PathLike[str] | Simulation,
    path: str | os.PathLike[str],
    recipe: CubeRecipe,
    *,
    overwrite: bool = False,
    allow_empty: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute a cube as `large_cube`; warnings are only in the cube's attributes."""
    final = Path(path)
    if not final.name.endswith(ZARR_ENDING):
        raise ValueError(f"{final}: the name of a large cube ends in {ZARR_ENDING}")
    if recipe.cumulative:
        raise ValueError(
            f"{final}: neurons recruited so far need all bins at once: compute the cube without a"
            " path, and write it"
        )
    check_output(final, overwrite=overwrite)
    sim, _ = opened(simulation)
    if recipe.report is not None:
        recipe.check()
        write_cube(report_cube(sim, recipe, progress=progress), final, overwrite=overwrite)
        return read_cube(final)
    question = resolve(sim, recipe, allow_empty=allow_empty, progress=progress)
    with store_aside(final, overwrite=overwrite) as aside:
        create_store(_layout(question), aside)
        set_attrs(aside, _count(question, aside, progress))
    return read_cube(final)


@dataclass(frozen=True)
class _NoSpikes:
    """The spikes of a population that never fired."""

    order = "by_time"
    n_spikes = 0

    def blocks(self, start_ms: float, stop_ms: float) -> Iterator[Block]:
        return iter(())


def _layout(question: Question) -> xr.Dataset:
    """Return the cube without values, and without attributes that depend on the spikes."""
    import dask.array

    bins = question.bins
    nothing = np.zeros((1, len(question.members.i)), dtype=np.int32)
    cube = _part(question, 0, 1).assembled(nothing, nothing, {})
    shape = (bins.n_bins, len(question.members.i))
    values = {
        name: (spec.dims, dask.array.zeros(shape, dtype=spec.dtype), cube[name].attrs)
        for name, spec in schema.VARIABLES.items()
    }
    times = schema.time_coords(bins.edges(), {name: v.attrs for name, v in cube.coords.items()})
    return cube.drop_dims(TIME).assign(values).assign_coords(times)


def _part(question: Question, k0: int, k1: int) -> Question:
    """Return the same question about some of the bins."""
    edges = question.bins.edges()[[k0, k1]]
    bins = TimeBins(float(edges[0]), float(edges[1]), question.bins.width_ms)
    return replace(question, bins=bins)


def _count(question: Question, store: Path, progress: Progress | None) -> dict[str, Any]:
    """Write all slabs; return the attributes that describe the spikes."""
    if question.populations.only is None:
        return _count_several(question, store, progress)
    sim, population = question.populations.sim, question.populations.names[0]
    with open_stream(sim, population) as stream:
        if stream is None:
            assumed = sim.spikes(population).assumed
            tally = _write_slabs(_NoSpikes(), EXACT, question, store, progress)
            return question.found([Found(tally, assumed)])
        bins = question.bins
        tally = counted_in_order(
            stream,
            bins,
            progress,
            lambda stream: _write_slabs(stream, stream.clock, question, store, progress),
        )
        warnings = too_coarse(sim.spikes_file, stream.clock, bins)
        return question.found([Found(tally, stream.assumed, warnings)])


def _count_several(question: Question, store: Path, progress: Progress | None) -> dict[str, Any]:
    """Write all slabs of several populations, whose counts are added, and return attributes."""
    sim, names = question.populations.sim, question.populations.names
    with ExitStack() as files:
        streams = [files.enter_context(open_stream(sim, name)) for name in names]
        for stream in streams:
            if stream is not None:
                stream.settle_order(progress)
        tallies = _write_added(streams, question, store, progress)
        found = []
        for name, stream, tally in zip(names, streams, tallies, strict=True):
            if stream is None:
                found.append(Found(tally, sim.spikes(name).assumed))
            else:
                warnings = too_coarse(sim.spikes_file, stream.clock, question.bins)
                found.append(Found(tally, stream.assumed, warnings))
        return question.found(found)


def _write_added(
    streams: Sequence[SpikeStream | None],
    question: Question,
    store: Path,
    progress: Progress | None,
) -> list[Tally]:
    """Write all slabs of several populations; return the tally of each."""
    n_bins, n_hexes = question.bins.n_bins, len(question.members.i)
    n_slabs = -(-n_bins * n_hexes * COUNT_BYTES // _SLAB_BYTES)
    tallies: list[list[Tally]] = [[] for _ in streams]
    for k0, k1 in parts(n_bins, min(n_slabs, n_bins)):
        bins, each = _part(question, k0, k1).bins, []
        for (_, members), stream, found in zip(question.parts, streams, tallies, strict=True):
            source, clock = (_NoSpikes(), EXACT) if stream is None else (stream, stream.clock)
            counts = count_blocks(source, members, bins, clock=clock)
            each.append(counts)
            n_each = source.n_spikes, counts.n_inside, counts.n_unknown_id
            found.append(tally_of(*n_each, counts.n_spikes, bins.edges()))
        n_recruited = added([counts.n_recruited for counts in each])
        n_spikes = added([counts.n_spikes for counts in each])
        _write_slab(Slab(k0, k1, n_recruited, n_spikes, 0, 0), question, store)
        if progress is not None:
            progress("bins", k1, n_bins)
    return [summed_tally(found) for found in tallies]


def _write_slabs(
    source: SpikeSource,
    clock: Clock,
    question: Question,
    store: Path,
    progress: Progress | None,
) -> Tally:
    """Write all slabs; return the tally."""
    slabs = count_slabs(
        source,
        question.members,
        question.bins,
        clock=clock,
        slab_bytes=_SLAB_BYTES,
        progress=progress,
    )
    n_inside = n_unknown_id = 0
    latest_ms = None
    for slab in slabs:
        _write_slab(slab, question, store)
        n_inside += slab.n_inside
        n_unknown_id += slab.n_unknown_id
        part = tally_of(0, 0, 0, slab.n_spikes, question.bins.edges()[slab.k0 :])
        latest_ms = latest_ms if part.latest_ms is None else part.latest_ms
    return Tally(source.n_spikes, n_inside, n_unknown_id, latest_ms)


def _write_slab(slab: Slab, question: Question, store: Path) -> None:
    cube = _part(question, slab.k0, slab.k1).assembled(slab.n_recruited, slab.n_spikes, {})
    write_part(cube, store, {TIME: slice(slab.k0, slab.k1)})
