"""A campaign from its simulations to the dataset, resumable at any time."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.campaign._cluster import connected, results_of
from napari_hexrecruit.campaign._collect import collect
from napari_hexrecruit.campaign._dataset import DATASET
from napari_hexrecruit.campaign._judge import judge_wholes
from napari_hexrecruit.campaign._manifest import (
    DONE,
    FAILED,
    WAITING,
    Entry,
    Manifest,
    Piece,
    Saver,
    recipe_hash,
)
from napari_hexrecruit.campaign._plan import planned, prepared, verified
from napari_hexrecruit.campaign._processes import check_may_start
from napari_hexrecruit.campaign._task import (
    CubeJob,
    Done,
    compute_cube,
    forget,
    look_at_order,
    sentence_of,
)
from napari_hexrecruit.doubts import issue_warnings
from napari_hexrecruit.errors import Parameter, ParameterError, in_python
from napari_hexrecruit.recipe import FLAT_COLUMNS, CubeRecipe, Flat
from napari_hexrecruit.recipe_entries import one_or_several
from napari_hexrecruit.system.signals import signals_held
from napari_hexrecruit.system.threads import n_cores
from napari_hexrecruit.timebins import TimeBins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_hexrecruit.campaign._sources import Campaign
    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.filters import Where
    from napari_hexrecruit.progress import Progress

_SECONDS_TO_APPEAR = 10.0
"""Longest wait for a file written by another machine to appear on a shared disk."""


@dataclass(frozen=True)
class CampaignResult:
    """Result of a campaign.

    Attributes
    ----------
    folder
        Folder of the campaign.
    dataset
        Path of the dataset; None if no simulation is done.
    n_done
        Number of finished simulations, including those of earlier runs.
    n_kept
        Number of simulations that were already finished.
    failures
        Name of each failed simulation, and the reason, a sentence.
    notes
        Assumptions, a sentence each.
    warnings
        Name of each simulation whose cube is doubtful, and the reasons, a sentence each.
    """

    folder: Path
    dataset: Path | None
    n_done: int
    n_kept: int
    failures: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def warning(self) -> str:
        """One line about all warnings; empty if there are none."""
        if not self.warnings:
            return ""
        name, (first, *_) = next(iter(self.warnings.items()))
        return (
            f"{self.folder}: {len(self.warnings):,} of {self.n_done:,} simulations may not be what"
            f" you mean, for example {name}: {first}"
        )


def run_campaign(
    campaign: Campaign,
    folder: str | os.PathLike[str],
    *,
    scheduler: Any = None,
    n_workers: int | None = None,
    threads_per_cube: int = 1,
    split_ms: float | None = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    dashboard: str | None = None,
    progress: Progress | None = None,
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
    report: str | None = None,
    statistic: str | None = None,
) -> CampaignResult:
    """Compute the cube of each simulation on a cluster, and collect them into one dataset.

    Parameters
    ----------
    campaign
        Simulations from `list_simulations`.
    folder
        Folder for the results; created if missing. It contains the folder ``cubes``, the record of
        finished work ``campaign.hexrecruit.json`` and the dataset ``campaign.hexrecruit.zarr``.
    scheduler
        None for processes on this machine; the address of a dask scheduler; or a
        `distributed.Client`. Workers must see the same files under the same names.
    n_workers
        Processes on this machine; by default one per core.
    threads_per_cube
        Threads for counting one cube.
    split_ms
        Compute each simulation in windows of this length; a whole number of bins.
    overwrite
        Compute all cubes again, even with options that differ from those of the existing campaign.
    allow_empty
        Accept simulations without a counted spike, which otherwise fail. Windows of a simulation
        can always be empty.
    dashboard
        Address of dask's dashboard on this machine, for example ``:8787``; by default there is no
        dashboard.
    progress
        Called as ``progress(what, done, total)``; an exception that it raises ends the work.
    population, node_set, where, flat, column_atlas, hemisphere, mirror, radius, bin_ms, start, \
    stop, min_neurons, report, statistic
        As for `recruitment_cube`.

    Returns
    -------
    CampaignResult
        Failed simulations are in ``failures``; the others are finished.

    Raises
    ------
    ValueError
        If an option is invalid, or the folder contains a campaign with other options.
    FileExistsError
        If the folder contains something else.
    HexRecruitError
        If the cluster cannot be reached, or the dataset cannot be written.

    Warns
    -----
    RecruitmentWarning
        Once, if cubes are doubtful; ``warnings`` of the result lists all sentences.

    Notes
    -----
    A second call resumes where the first one ended. A cube is kept if its recipe is the same, its
    file has the recorded checksum, and the size and modification time of all input files are
    unchanged. Failed simulations are tried again. A script needs ``if __name__ == "__main__":``
    around the call only if it also starts multiprocessing processes of its own.

    Examples
    --------
    >>> from napari_hexrecruit.campaign import list_simulations, run_campaign
    >>> campaign = list_simulations("runs/*/simulation_config.json")  # doctest: +SKIP
    >>> result = run_campaign(campaign, "results", radius=50.0)  # doctest: +SKIP
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
        report=report,
        statistic=statistic,
    )
    result = computed_campaign(
        campaign,
        folder,
        recipe,
        scheduler=scheduler,
        n_workers=n_workers,
        threads_per_cube=threads_per_cube,
        split_ms=split_ms,
        overwrite=overwrite,
        allow_empty=allow_empty,
        dashboard=dashboard,
        progress=progress,
    )
    issue_warnings([result.warning] if result.warnings else [])
    return result


def computed_campaign(
    campaign: Campaign,
    folder: str | os.PathLike[str],
    recipe: CubeRecipe,
    *,
    scheduler: Any = None,
    n_workers: int | None = None,
    threads_per_cube: int = 1,
    split_ms: float | None = None,
    overwrite: bool = False,
    allow_empty: bool = False,
    dashboard: str | None = None,
    progress: Progress | None = None,
    words: Words = in_python,
) -> CampaignResult:
    """Do the work of `run_campaign`, with `words` for parameters, and without issuing warnings."""
    if scheduler is None:  # before the folder is touched, which another process may use
        check_may_start()
    recipe.check()
    if recipe.report is not None and split_ms is not None:
        raise ParameterError(
            Parameter("split_ms"),
            "divides the spikes of a simulation, and a report is read in one pass",
            "leave it out",
        )
    if recipe.start is None and recipe.stop is not None:  # simulations begin at 0
        TimeBins(0.0, recipe.stop, recipe.bin_ms)
    recipe = recipe.with_absolute_volumes()
    where = Path(os.path.abspath(folder))
    before = prepared(where, recipe, split_ms, overwrite=overwrite)
    manifest = planned(campaign, before, recipe, split_ms, words)
    kept = verified(manifest, where, progress, overwrite=overwrite)
    judge_wholes(manifest, words, allow_empty=allow_empty)
    saver = Saver(manifest, where)
    saver.finish()
    waiting = [(e, p) for e in manifest.entries for p in e.pieces if p.state == WAITING]
    is_collected = manifest.collected == manifest.fingerprint and (where / DATASET).is_dir()
    dataset: Path | None = where / DATASET
    if waiting or not is_collected:
        workers = n_workers or min(n_cores(), max(1, len(waiting)))
        with connected(scheduler, n_workers=workers, dashboard=dashboard) as client:
            jobs = [
                _job(e, p, manifest, where, threads_per_cube, allow_empty, words)
                for e, p in waiting
            ]
            _compute(client, waiting, jobs, manifest, saver, progress)
            judge_wholes(manifest, words, allow_empty=allow_empty)
            if any(entry.state == DONE for entry in manifest.entries):
                dataset = collect(client, manifest, where, progress=progress)
                manifest.collected = manifest.fingerprint
                saver.finish()
            else:
                dataset = None
    return _result(manifest, where, dataset, kept)


def _result(manifest: Manifest, folder: Path, dataset: Path | None, kept: int) -> CampaignResult:
    entries = manifest.entries
    return CampaignResult(
        folder,
        dataset,
        sum(entry.state == DONE for entry in entries),
        kept,
        {entry.name: entry.reason for entry in entries if entry.state == FAILED},
        tuple(manifest.notes),
        {entry.name: tuple(entry.warnings) for entry in entries if entry.warnings},
    )


def _compute(
    client: Any,
    waiting: list[tuple[Entry, Piece]],
    jobs: list[CubeJob],
    manifest: Manifest,
    saver: Saver,
    progress: Progress | None,
) -> None:
    """Compute the waiting cubes, recording each in the manifest when it ends."""
    try:
        _look_at_orders(client, jobs, progress)
        if progress is not None and jobs:
            progress("computing cubes", 0, len(jobs))
        for done, (number, result) in enumerate(results_of(client, compute_cube, jobs)):
            entry, piece = waiting[number]
            _note(entry, piece, result, jobs[number], manifest.recipe)
            saver.changed()
            if progress is not None:
                progress("computing cubes", done + 1, len(jobs))
    finally:
        with signals_held():
            saver.finish()
    if any(job.one_of_several for job in jobs):
        client.run(forget)


def _look_at_orders(client: Any, jobs: list[CubeJob], progress: Progress | None) -> None:
    """Check the order of spikes once per simulation, instead of once per window."""
    firsts = list({job.path: job for job in jobs if job.one_of_several}.values())
    for done, _ in enumerate(results_of(client, look_at_order, firsts)):
        if progress is not None:
            progress("checking the order of spikes", done + 1, len(firsts))


def _job(
    entry: Entry,
    piece: Piece,
    manifest: Manifest,
    folder: Path,
    n_threads: int,
    allow_empty: bool,
    words: Words,
) -> CubeJob:
    from napari_hexrecruit._version import __version__

    recipe = manifest.recipe
    if piece.start is not None:
        recipe = recipe.replace(start=piece.start, stop=piece.stop)
    return CubeJob(
        str(entry.path),
        recipe,
        folder / piece.file,
        allow_empty=allow_empty,
        n_threads=n_threads,
        one_of_several=len(entry.pieces) > 1,
        version=__version__,
        words=words,
    )


def _note(entry: Entry, piece: Piece, result: Any, job: CubeJob, recipe: CubeRecipe) -> None:
    """Record the result of a cube in the manifest."""
    path = str(entry.path)
    if isinstance(result, Done) and _appears(job.file):
        piece.state, piece.error = DONE, ""
        piece.sha256, piece.inputs = result.sha256, result.inputs
        piece.warnings, piece.tally = result.warnings, [list(one) for one in result.tallies]
        piece.recipe = recipe_hash(path, recipe, piece)
        return
    piece.state = FAILED
    if isinstance(result, Done):
        piece.error = (
            f"{job.file}: the worker has written it, but this machine cannot see it:"
            " give a folder that all machines share"
        )
    else:
        piece.error = (
            sentence_of(result, path, job.words) if isinstance(result, Exception) else result.error
        )


def _appears(file: Path) -> bool:
    end = time.monotonic() + _SECONDS_TO_APPEAR
    while not file.is_file():
        if time.monotonic() > end:
            return False
        os.listdir(file.parent)  # makes network file systems refresh
        time.sleep(0.2)
    return True
