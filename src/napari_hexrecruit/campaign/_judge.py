"""Judgement of simulations computed in windows: missing and doubtful spikes of the whole."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from napari_hexrecruit.campaign._manifest import Judgement
from napari_hexrecruit.campaign._task import sentence_of
from napari_hexrecruit.doubts import Doubt, Tally, doubts
from napari_hexrecruit.pipeline.evidence import Evidence, summed_tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_hexrecruit.campaign._manifest import Entry, Manifest
    from napari_hexrecruit.errors import Words
    from napari_hexrecruit.masks import Mask
    from napari_hexrecruit.pipeline.question import Question
    from napari_hexrecruit.recipe import CubeRecipe


def judge_wholes(manifest: Manifest, words: Words, *, allow_empty: bool) -> None:
    """Judge each simulation whose windows are all computed, unless it is judged already.

    A single window can be empty. A simulation without any spikes fails unless `allow_empty`.
    """
    for entry in manifest.entries:
        before = entry.judgement
        is_judged = before is not None and before.checksums == entry.checksums
        if len(entry.pieces) < 2 or not entry.is_whole:
            continue
        if before is None or not is_judged or (before.error and allow_empty):
            entry.judgement = _judged(entry, manifest.recipe, words, allow_empty=allow_empty)


def _judged(entry: Entry, recipe: CubeRecipe, words: Words, *, allow_empty: bool) -> Judgement:
    pieces = [_tallies(piece.tally) for piece in entry.pieces if piece.tally is not None]
    if len(pieces) < len(entry.pieces):  # computed by an earlier version
        return Judgement(entry.checksums, "", [])
    errors: list[Doubt] = []
    suspicious: list[Doubt] = []
    try:
        every = _evidence(entry, recipe, [summed_tally(each) for each in zip(*pieces, strict=True)])
        for evidence in every:
            wrong, odd = doubts(evidence)
            errors, suspicious = errors + wrong, suspicious + odd
    except (ValueError, OSError) as error:
        return Judgement(entry.checksums, sentence_of(error, str(entry.path), words), [])
    fails = len(errors) == len(every) and not allow_empty
    failed = errors[0].error().sentence(words) if fails else ""
    said = suspicious if fails else [*errors, *suspicious]
    return Judgement(entry.checksums, failed, [str(doubt) for doubt in said])


def _tallies(found: list[Any]) -> list[Tally]:
    """Return the tally of each population; earlier versions wrote a single tally, not a list."""
    each = found if found and isinstance(found[0], list) else [found]
    return [Tally(*one) for one in each]


def _evidence(entry: Entry, recipe: CubeRecipe, tallies: list[Tally]) -> list[Evidence]:
    """Return the evidence for each population that has a selected neuron."""
    from napari_hexrecruit.pipeline.populations import Populations
    from napari_hexrecruit.pipeline.question import resolve
    from napari_hexrecruit.sonata import open_simulation

    sim = open_simulation(entry.path)
    windows = [(piece.start, piece.stop) for piece in entry.pieces]
    start, stop = windows[0][0], windows[-1][1]
    window = (0.0 if start is None else start, sim.duration_ms if stop is None else stop)
    populations = Populations.named(sim, recipe.population)
    question = cache(lambda: resolve(sim, recipe))
    return [
        Evidence(sim, name, partial(_selected, question, name), window, tally)
        for name, tally in zip(populations.names, tallies, strict=True)
        if populations.only is not None or _selected(question, name).count()
    ]


def _selected(question: Callable[[], Question], population: str) -> Mask:
    return question().selected_of(population)
