"""Cubes of simulations: in memory, cumulative, or larger than memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from napari_hexrecruit.counting.warm_up import warm_up_ahead
from napari_hexrecruit.doubts import issue_warnings, warnings_in
from napari_hexrecruit.pipeline.question import added, opened, resolve
from napari_hexrecruit.pipeline.reports import report_cube
from napari_hexrecruit.pipeline.spike_source import spikes_of
from napari_hexrecruit.recipe import FLAT_COLUMNS, CubeRecipe, Flat
from napari_hexrecruit.recipe_entries import one_or_several
from napari_hexrecruit.system.waiting import interrupted_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from napari_hexrecruit.filters import Where
    from napari_hexrecruit.progress import Progress
    from napari_hexrecruit.sonata import Simulation


def recruitment_cube(
    simulation: str | os.PathLike[str] | Simulation,
    *,
    population: str | Sequence[str] | None = None,
    node_set: str | None = None,
    where: Where = (),
    flat: Flat = FLAT_COLUMNS,
    column_atlas: str | os.PathLike[str] | None = None,
    hemisphere: str | None = None,
    mirror: str | None = None,
    radius: float = 50.0,
    bin_ms: float = 10.0,
    start: float | None = None,
    stop: float | None = None,
    min_neurons: int = 1,
    cumulative: bool = False,
    report: str | os.PathLike[str] | None = None,
    statistic: str | None = None,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the percentage of each hexagon's neurons that fire at least once in each time bin.

    Parameters
    ----------
    simulation
        Path of a SONATA simulation configuration, or the result of `open_simulation`.
    population
        Node population; by default the only one that is not virtual, or the only one that fired.
        Several, such as ``["A", "B"]``, are counted together: counts and neurons are added, and
        equal ids of two populations are two neurons.
    node_set
        Neurons to include; by default the simulation's own node set, or all if it has none.
    where
        Filters that must all hold, in conntility's vocabulary:
        ``{"column": "synapse_class", "values": ["INH"]}``, ``{"column": "layer", "value": 3}``,
        ``{"column": "depth", "interval": [0, 500]}`` (``lo <= v < hi``), or text such as
        ``"synapse_class=INH"``. Values take the type of their property.
    flat
        Two node properties with the flat position, or a voxel flatmap that gives it: ``"atlas"``
        (``flatmap.nrrd`` of the circuit's atlas), ``"atlas:NAME"`` (another volume of the atlas),
        or the path of an nrrd file. See ``docs/flatmaps.md``.
    column_atlas
        A volume of column ids, 0 for none, as ``"atlas:NAME"`` or the path of an nrrd file. Its
        columns then replace the hexagons, and `radius` is not used.
    hemisphere
        A property of two values, such as ``"hemisphere"``, that tells hemispheres with the same
        flat coordinates apart. They are laid side by side, shifted by whole columns of hexagons.
    mirror
        Value of `hemisphere` to mirror, such as ``"left"``; by default neither.
    radius
        Circumradius of the hexagons (centre to corner), in the units of flat space.
    bin_ms
        Width of a bin, ms.
    start, stop
        Window, ms; by default the simulation's. A window that you give must be a whole number of
        bins. The default window ends with its last whole bin; the attribute ``notes`` reports the
        rest.
    min_neurons
        Hexagons with fewer neurons have NaN percent.
    cumulative
        Count the neurons that have fired since the start of the window; see `cumulative_cube`.
    report
        Show a report instead of spikes: its name in the simulation's configuration, or the path of
        its file. Each neuron's frames are averaged within the bin; the cube has one variable,
        ``<report>_<statistic>``, in the report's units. See ``docs/quantities.md``.
    statistic
        Statistic of a report over the neurons of a hexagon: ``"mean"`` (the default), ``"sd"``,
        ``"min"``, ``"max"``, or ``"above:-30"``, the percentage of neurons above a level.
    path
        Folder ending in ``.hexrecruit.zarr`` that the cube is written into while it is counted. See
        `large_cube`.
    overwrite
        Replace an existing cube.
    allow_empty
        If no spike is counted, return a cube of zeros instead of raising an error.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.

    Returns
    -------
    xr.Dataset
        Dimensions (time, hex); ``recruitment`` float32 in percent, ``n_recruited`` and ``n_spikes``
        int32; see ``docs/cube.md``. A hexagon whose neurons do not fire has 0.

    Raises
    ------
    SimulationDataError
        If a file cannot be read or lacks something required.
    ValueError
        If a parameter is invalid, no neuron passes the filters or has a flat position, or no spike
        is counted.
    FileExistsError
        If the folder exists and `overwrite` is False.

    Warns
    -----
    RecruitmentWarning
        If the data look wrong, such as times in seconds. The attribute ``warnings`` also holds
        these sentences.

    Notes
    -----
    Neurons whose position is NaN, infinite or an atlas's outside value are excluded from numerator
    and denominator. The outside value is -1 in both coordinates of ``ss_flat_*``, ``flat_*`` or an
    atlas; in other properties -1 is an ordinary position. Bins are half-open; see `TimeBins` for
    spikes at an edge.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> cube = recruitment_cube(config, bin_ms=50.0, where="synapse_class=EXC")
    >>> cube["recruitment"].dims, cube["recruitment"].attrs["units"]
    (('time', 'hex'), '%')
    """
    recipe = CubeRecipe(
        population=one_or_several(population),
        node_set=node_set,
        where=where,
        flat=flat,
        column_atlas=column_atlas,
        hemisphere=hemisphere,
        mirror=mirror,
        radius=radius,
        bin_ms=bin_ms,
        start=start,
        stop=stop,
        min_neurons=min_neurons,
        cumulative=cumulative,
        report=None if report is None else os.fspath(report),
        statistic=statistic,
    )
    if path is None:
        cube = computed_cube(simulation, recipe, allow_empty=allow_empty, progress=progress)
    else:
        from napari_hexrecruit.pipeline.large import computed_large_cube

        cube = computed_large_cube(
            simulation,
            path,
            recipe,
            overwrite=overwrite,
            allow_empty=allow_empty,
            progress=progress,
        )
    issue_warnings(warnings_in(cube.attrs))
    return cube


def computed_cube(
    simulation: str | os.PathLike[str] | Simulation,
    recipe: CubeRecipe,
    *,
    judged: bool = True,
    allow_empty: bool = False,
    keep_spikes: bool = True,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the cube of a recipe; warnings are only in its attributes.

    Python warnings are for callers of a function. Commands and windows show warnings in their own
    ways, and a Python warning shown from a thread freezes the viewer.

    Parameters
    ----------
    simulation
        Path of the simulation's configuration, or an opened simulation.
    recipe
        Recipe of the cube; the files that it names are ignored.
    judged
        False for a part of a whole, which can rightly be empty.
    allow_empty
        Return a cube of zeros if no spike is counted.
    keep_spikes
        Keep the spikes of an opened simulation in memory for its next cube.
    n_workers
        Threads that place neurons and count; by default the cores available to this process.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.
    """
    warm_up_ahead()
    with interrupted_by(progress):
        sim, is_ours = opened(simulation)
        if recipe.report is not None:
            recipe.check()
            return report_cube(sim, recipe, n_workers=n_workers, progress=progress)
        question = resolve(
            sim,
            recipe,
            judged=judged,
            allow_empty=allow_empty,
            n_workers=n_workers,
            progress=progress,
        )
        keep, counted, newly = keep_spikes and not is_ours, [], []
        for name, members in question.parts:
            spikes = spikes_of(sim, name, keep=keep, n_workers=n_workers)
            counted.append(spikes.count(members, question.bins, progress))
            if recipe.cumulative:
                newly.append(spikes.newly_recruited(members, question.bins, progress))
        if not recipe.cumulative:
            return question.cube(counted)
        so_far = added(newly)
        return question.cube(counted, so_far=so_far.cumsum(axis=0, dtype=np.int32, out=so_far))


def cumulative_cube(
    simulation: str | os.PathLike[str] | Simulation,
    *,
    population: str | Sequence[str] | None = None,
    node_set: str | None = None,
    where: Where = (),
    flat: Flat = FLAT_COLUMNS,
    column_atlas: str | os.PathLike[str] | None = None,
    hemisphere: str | None = None,
    mirror: str | None = None,
    radius: float = 50.0,
    bin_ms: float = 10.0,
    start: float | None = None,
    stop: float | None = None,
    min_neurons: int = 1,
    allow_empty: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the percentage of each hexagon's neurons that have fired since the window's start.

    Parameters
    ----------
    simulation, population, node_set, where, flat, column_atlas, hemisphere, mirror, radius, \
    bin_ms, start, stop, min_neurons, allow_empty, progress
        As in `recruitment_cube`.

    Returns
    -------
    xr.Dataset
        As from `recruitment_cube`, but ``recruitment`` and ``n_recruited`` count the neurons that
        have fired in the bin *or in an earlier one*, so they never decrease; ``n_spikes`` still
        counts the spikes of the bin. The recipe has ``"cumulative": true``.

    Raises
    ------
    SimulationDataError, ValueError
        As `recruitment_cube`.

    Warns
    -----
    RecruitmentWarning
        As `recruitment_cube`.
    """
    return recruitment_cube(
        simulation,
        population=population,
        node_set=node_set,
        where=where,
        flat=flat,
        column_atlas=column_atlas,
        hemisphere=hemisphere,
        mirror=mirror,
        radius=radius,
        bin_ms=bin_ms,
        start=start,
        stop=stop,
        min_neurons=min_neurons,
        cumulative=True,
        allow_empty=allow_empty,
        progress=progress,
    )


def large_cube(
    simulation: str | os.PathLike[str] | Simulation,
    path: str | os.PathLike[str],
    *,
    population: str | Sequence[str] | None = None,
    node_set: str | None = None,
    where: Where = (),
    flat: Flat = FLAT_COLUMNS,
    column_atlas: str | os.PathLike[str] | None = None,
    hemisphere: str | None = None,
    mirror: str | None = None,
    radius: float = 50.0,
    bin_ms: float = 10.0,
    start: float | None = None,
    stop: float | None = None,
    min_neurons: int = 1,
    overwrite: bool = False,
    allow_empty: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the cube of a simulation into a folder on disk, in constant memory.

    Parameters
    ----------
    simulation
        As in `recruitment_cube`.
    path
        Name of the folder, ending in ``.hexrecruit.zarr``.
    overwrite
        Replace an existing cube.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.
    population, node_set, where, flat, column_atlas, hemisphere, mirror, radius, bin_ms, start, \
    stop, min_neurons, allow_empty
        As in `recruitment_cube`.

    Returns
    -------
    xr.Dataset
        Equal to the result of `recruitment_cube`, but backed by dask: values are read when used.
        The folder is written under another name and then renamed, so an incomplete cube never has
        the final name.

    Raises
    ------
    SimulationDataError, ValueError
        As `recruitment_cube`, and if the folder's name has another ending.
    FileExistsError
        If the folder exists and `overwrite` is False.
    MissingExtraError
        If zarr is not installed.

    Warns
    -----
    RecruitmentWarning
        As `recruitment_cube`.

    Examples
    --------
    >>> import tempfile
    >>> from napari_hexrecruit.synthetic import write_simulation
    >>> folder = tempfile.TemporaryDirectory()
    >>> config = write_simulation(folder.name + "/run", n_neurons=200)
    >>> cube = large_cube(config, folder.name + "/run.hexrecruit.zarr", bin_ms=1.0)
    >>> cube["recruitment"].chunks is not None
    True
    >>> from napari_hexrecruit import recruitment_cube
    >>> cube.identical(recruitment_cube(config, bin_ms=1.0))
    True
    """
    return recruitment_cube(
        simulation,
        population=population,
        node_set=node_set,
        where=where,
        flat=flat,
        column_atlas=column_atlas,
        hemisphere=hemisphere,
        mirror=mirror,
        radius=radius,
        bin_ms=bin_ms,
        start=start,
        stop=stop,
        min_neurons=min_neurons,
        path=path,
        overwrite=overwrite,
        allow_empty=allow_empty,
        progress=progress,
    )
