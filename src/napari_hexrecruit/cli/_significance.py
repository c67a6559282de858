"""``hexrecruit significance``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from napari_hexrecruit.cli._analysis import CubeFile
from napari_hexrecruit.cli._answers import AsJson, MetricName, read, say_json
from napari_hexrecruit.cli._console import about, progress_bars, say
from napari_hexrecruit.cli._options import Overwrite

if TYPE_CHECKING:
    import xarray as xr

_MANY = "--against"
_TESTED = (
    "what is shown is that the conditions differ; where and when a cluster begins is not itself"
    " tested"
)


class OptionWithMany(TyperCommand):
    """A command whose option ``--against`` takes all names up to the next option.

    A shell expands ``--against b/*.nc`` to several words: those after the first would count as
    observations of the other side.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values."""
        words: list[str] = []
        many = False
        for word in args:
            if word.startswith("-"):
                many = word.partition("=")[0] == _MANY
                words += [] if word == _MANY else [word]
            else:
                words += [_MANY, word] if many else [word]
        if args and args[-1] == _MANY:
            words.append(_MANY)  # its value is missing: typer reports it
        return super().parse_args(ctx, words)


def significance(
    cubes: Annotated[list[Path], typer.Argument(metavar="A", help="Cubes, one per trial or seed.")],
    output: CubeFile,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            _MANY, metavar="B...", help="What they are compared with; default: their baselines."
        ),
    ] = None,
    paired: Annotated[
        bool, typer.Option("--paired", help="Each A belongs to the B at the same place.")
    ] = False,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="START STOP", help="What is tested, ms; default: from 0 on, or all."),
    ] = None,
    baseline: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="START STOP", help="As long as the window, ms; default: just before it."
        ),
    ] = None,
    metric: MetricName = None,
    tail: Annotated[int, typer.Option(help="1: greater, -1: smaller, 0: both.")] = 0,
    threshold: Annotated[
        float | None, typer.Option(metavar="T", help="Least t in a cluster; default: of p = 0.05.")
    ] = None,
    n_permutations: Annotated[
        int, typer.Option("--permutations", help="Arrangements, with the observed one.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Of the arrangements.")] = 0,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
) -> None:
    """Write where cubes differ by more than chance.

    They are compared with their baselines, or with other cubes.
    """
    from napari_hexrecruit.analysis import cluster_test
    from napari_hexrecruit.storage.cubes import check_output, write_cube

    check_output(output, overwrite=overwrite)
    observations = [read(path) for path in cubes]
    others = [read(path) for path in against] if against else None
    with about(f"{cubes[0]} to {cubes[-1]}" if len(cubes) > 1 else cubes[0]):
        options: Any = {"tail": tail, "threshold": threshold, "n_permutations": n_permutations}
        with progress_bars() as progress:
            result = cluster_test(
                observations,
                others,
                paired=paired,
                window=window,
                baseline=baseline,
                metric=metric,
                seed=seed,
                progress=progress,
                **options,
            )
    write_cube(result, output, overwrite=overwrite)
    _tell(result, output, as_json)


def _tell(result: xr.Dataset, output: Path, as_json: bool) -> None:
    from napari_hexrecruit.analysis import clusters_table
    from napari_hexrecruit.analysis.clusters import LEVEL

    how = json.loads(result.attrs["analysis"])["clusters"]
    table = clusters_table(result)
    if as_json:
        say_json({**how, "clusters": json.loads(result.attrs["clusters"]), "means": _TESTED})
        return
    found = table[table["p"] <= LEVEL]
    n = " against ".join(str(n) for n in how["n_observations"])
    drawn = "all" if how["exact"] else "drawn"
    say(
        f"{output}: {n} observations, {how['test']}, {how['n_permutations']:,} arrangements"
        f" ({drawn}); {len(found)} of {len(table)} clusters with p <= {LEVEL:g}"
    )
    for row in found.itertuples():
        say(
            f"  {row.cluster}: p {row.p:.3g}, mass {row.mass:.4g}, {row.n_hexes} hexagons, bins"
            f" from {row.first_ms:g} to {row.last_ms:g} ms"
        )
    say(f"  {_TESTED}")
