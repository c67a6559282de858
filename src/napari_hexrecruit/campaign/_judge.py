"""Whether the spikes of simulations that were computed in windows can be meant, and were any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hexrecruit.campaign._manifest import Judgement
from napari_hexrecruit.campaign._task import sentence_of
from napari_hexrecruit.doubts import Doubt, Tally, doubts
from napari_hexrecruit.pipeline.evidence import Evidence

if TYPE_CHECKING:
    from napari_hexrecruit.campaign._manifest import Entry, Manifest
    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.recipe import CubeRecipe


def judge_wholes(manifest: Manifest, words: Words, *, allow_empty: bool) -> None:
    """Judge each simulation whose windows are all computed, unless that was done.

    A window may well have no spikes. A simulation without any fails, unless that is allowed.
    """
    for entry in manifest.entries:
        before = entry.judgement
        is_judged = before is not None and before.checksums == entry.checksums
        if len(entry.pieces) < 2 or not entry.is_whole:
            continue
        if before is None or not is_judged or (before.error and allow_empty):
            entry.judgement = _judged(entry, manifest.recipe, words, allow_empty=allow_empty)


def _judged(entry: Entry, recipe: CubeRecipe, words: Words, *, allow_empty: bool) -> Judgement:
    tallies = [Tally(*piece.tally) for piece in entry.pieces if piece.tally is not None]
    if len(tallies) < len(entry.pieces):  # computed by an earlier version
        return Judgement(entry.checksums, "", [])
    try:
        errors, suspicious = doubts(_evidence(entry, recipe, tallies))
    except (ValueError, OSError) as error:
        return Judgement(entry.checksums, sentence_of(error, str(entry.path), words), [])
    said: list[Doubt] = [*errors, *suspicious] if allow_empty else suspicious
    failed = errors[0].error().sentence(words) if errors and not allow_empty else ""
    return Judgement(entry.checksums, failed, [str(doubt) for doubt in said])


def _evidence(entry: Entry, recipe: CubeRecipe, tallies: list[Tally]) -> Evidence:
    from napari_hexrecruit.pipeline.question import resolve
    from napari_hexrecruit.sonata import open_simulation

    sim = open_simulation(entry.path)
    windows = [(piece.start, piece.stop) for piece in entry.pieces]
    start, stop = windows[0][0], windows[-1][1]
    latest = [tally.latest_ms for tally in tallies if tally.latest_ms is not None]
    return Evidence(
        sim,
        sim.resolve_population(recipe.population),
        lambda: resolve(sim, recipe).selected,
        (0.0 if start is None else start, sim.duration_ms if stop is None else stop),
        Tally(
            tallies[0].n_read,
            sum(tally.n_inside for tally in tallies),
            sum(tally.n_unknown_id for tally in tallies),
            max(latest, default=None),
        ),
    )
