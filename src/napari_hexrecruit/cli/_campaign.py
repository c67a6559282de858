"""``hexrecruit campaign``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_hexrecruit.cli._console import progress_bars, say, warn
from napari_hexrecruit.cli._groups import takes
from napari_hexrecruit.cli._options import (
    cube_recipe,
    kept_options,
    neurons_and_bins,
    window,
    write_missing_run_file,
)
from napari_hexrecruit.command_line import as_option
from napari_hexrecruit.errors import RecruitmentWarning
from napari_hexrecruit.system.signals import Ended

if TYPE_CHECKING:
    from napari_hexrecruit.campaign import CampaignResult

SOME_FAILED = 1
"""Exit status if some simulations failed and the others are finished."""


@takes(neurons_and_bins, window, kept_options)
def campaign(
    ctx: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SIM_OR_CAMPAIGN...",
            help="Simulations, folders, patterns in quotes; or one campaign file (JSON, YAML).",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for cubes and dataset."),
    ],
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address of a running dask scheduler, as tcp://host:8786."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; default: its cores.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of one process.")] = 1,
    split: Annotated[
        float | None,
        typer.Option(metavar="MS", help="Compute each simulation in windows of this length."),
    ] = None,
    dashboard: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Show dask's dashboard, as :8787.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Compute all cubes again, also with other options.")
    ] = False,
) -> None:
    """Write the cubes of many simulations, and one dataset.

    The same command goes on where it stopped.
    """
    from napari_hexrecruit.campaign import computed_campaign, list_simulations

    found = list_simulations(sources)
    try:
        with progress_bars() as progress, warnings.catch_warnings():
            warnings.simplefilter("ignore", RecruitmentWarning)  # printed below
            result = computed_campaign(
                found,
                output,
                cube_recipe(ctx),
                allow_empty=ctx.params["allow_empty"],
                scheduler=scheduler,
                n_workers=workers,
                threads_per_cube=threads,
                split_ms=split,
                overwrite=overwrite,
                dashboard=dashboard,
                progress=progress,
                words=as_option,
            )
    except (KeyboardInterrupt, Ended):
        say(f"{output}: what is done is kept; the same command goes on from there")
        raise
    write_missing_run_file(ctx)
    for line in campaign_lines(result):
        say(line)
    warn([result.warning] if result.warnings else [])
    if result.failures:
        raise typer.Exit(SOME_FAILED)


def campaign_lines(result: CampaignResult) -> list[str]:
    """Return the lines that the command prints at the end of a campaign."""
    n_failed = len(result.failures)
    kept = f", {result.n_kept:,} of them before" if result.n_kept else ""
    failed = f", {n_failed:,} failed" if n_failed else ""
    noun = "simulation" if result.n_done == 1 else "simulations"
    lines = [f"{result.folder}: {result.n_done:,} {noun} done{kept}{failed}"]
    lines += [f"  note: {note}" for note in result.notes]
    lines += [
        f"  warning: {name}: {text}" for name, all_ in result.warnings.items() for text in all_
    ]
    lines += [f"  failed: {name}: {reason}" for name, reason in result.failures.items()]
    return lines if result.dataset is None else [*lines, f"  dataset: {result.dataset}"]
